/* docs/options.md and docs/options.zh-CN.md, printed from the table. */
#include <string.h>

#include "common/options/options_private.h"

enum { ALL_PROGRAMS = PROGRAM_EXTRACTOR | PROGRAM_TRANSFORMER | PROGRAM_LOADER | PROGRAM_JSTCTL };

static const enum program programs[] = {PROGRAM_EXTRACTOR, PROGRAM_TRANSFORMER, PROGRAM_LOADER,
                                        PROGRAM_JSTCTL};

/* Every text of the page, [0] in English, [1] in Chinese. */
static const char *const title[] = {"# Options\n\n[中文](options.zh-CN.md)\n\n",
                                    "# 选项\n\n[English](options.md)\n\n"};
static const char *const intro[] = {
    "Printed by `jstctl docs options`; edit `common/options/table.c`, not this page.\n\n"
    "An option is a flag, `--mysql-host HOST` or `--mysql-host=HOST`, or a variable, `JST_MYSQL_HOST`. A\n"
    "variable with the program's name, `JST_LOADER_MYSQL_HOST`, holds for that program and wins over the\n"
    "shared one; a flag wins over both. Where the table shows `JST_<PROGRAM>_…`, only that form exists. An\n"
    "empty variable is one that is not set.\n\n"
    "Durations have units (`200ms`, `5m`, `1h30m`, `7d`), sizes may (`64KiB`, `8MiB`), times are\n"
    "`YYYY-MM-DD[ HH:MM:SS]` in Beijing time. Unknown flags, keys, and variables that begin with `JST_` are\n"
    "errors that name the nearest known one; a variable that any of the programs knows is fine for all.\n\n"
    "A secret has no flag: it is a variable, or stands in a file that a variable with `_FILE` names.\n",
    "由 `jstctl docs options` 打印；请修改 `common/options/table.c`，不要修改本页。\n\n"
    "选项可以写成命令行参数 `--mysql-host HOST` 或 `--mysql-host=HOST`，也可以写成环境变量 "
    "`JST_MYSQL_HOST`。\n"
    "带程序名的变量 `JST_LOADER_MYSQL_HOST` 只对该程序有效，优先于共用的变量；命令行参数优先于两者。\n"
    "表中写作 `JST_<PROGRAM>_…` 的，只有带程序名的形式。空变量等于未设置。\n\n"
    "时长带单位（`200ms`、`5m`、`1h30m`、`7d`），大小可带单位（`64KiB`、`8MiB`），时间写作\n"
    "`YYYY-MM-DD[ HH:MM:SS]`，北京时间。未知的参数、键，以及以 `JST_` 开头的未知变量都会报错，\n"
    "并给出最接近的已知名称；只要有一个程序认识某个变量，其他程序就不会报错。\n\n"
    "敏感信息没有命令行参数：写在环境变量里，或写在由 `_FILE` 变量指定的文件里。\n"};
static const char *const several[] = {"Of several programs", "多个程序共用"};
static const char *const head_several[] = {
    "| flag | variable | default | programs | meaning |\n|---|---|---|---|---|\n",
    "| 参数 | 环境变量 | 默认 | 程序 | 含义 |\n|---|---|---|---|---|\n"};
static const char *const head_one[] = {"| flag | variable | default | meaning |\n|---|---|---|---|\n",
                                       "| 参数 | 环境变量 | 默认 | 含义 |\n|---|---|---|---|\n"};
static const char *const all_programs[] = {"all", "全部"};
static const char *const but_jstctl[] = {"all but jstctl", "jstctl 除外"};
static const char *const range_begin[] = {"; ", "；"};
static const char *const comma[] = {", ", "、"};
static const char *const kafka_note[] = {
    "\nProperties on which the guarantees rest are refused in `--kafka-config` and `--kafka`; the error says "
    "what\n"
    "to use instead.\n",
    "\n`--kafka-config` 与 `--kafka` 中，保证所依赖的属性不允许修改；报错信息会说明改用什么。\n"};
static const char *const codes[] = {
    "\n## Exit codes\n\n"
    "| exit code | meaning |\n|---|---|\n"
    "| `0` | done, or asked to stop by SIGTERM or SIGINT |\n"
    "| `1` | jstctl only: something was found (faults, differences, dead letters) |\n"
    "| `100` | wrong usage or configuration: a restart will not help |\n"
    "| `111` | anything else, also `--once` that could not finish, and a second signal: a restart may help "
    "|\n",
    "\n## 退出码\n\n"
    "| 退出码 | 含义 |\n|---|---|\n"
    "| `0` | 完成，或收到 SIGTERM、SIGINT 而停止 |\n"
    "| `1` | 仅 jstctl：发现了问题（错误、差异、死信） |\n"
    "| `100` | 用法或配置错误：重启无济于事 |\n"
    "| `111` | 其他情况，包括 `--once` 未能完成，以及收到第二个信号：重启可能有用 |\n"};

/* In a cell of a table a bar is written \|. */
static void put_cell(const char *text, FILE *out)
{
    for (; *text != '\0'; text++)
        fprintf(out, *text == '|' ? "\\|" : "%c", *text);
}

/* Which programs have an option of that name, in whichever row. */
static int programs_with(const char *name)
{
    int result = 0;

    for (size_t i = 0; i < option_table_count; i++)
        if (strcmp(option_table[i].name, name) == 0)
            result |= option_table[i].programs;
    return result;
}

static bool of_one(int set)
{
    return (set & (set - 1)) == 0;
}

static void put_flag(const struct option_spec *spec, FILE *out)
{
    if (!option_has_flag(spec))
        return;
    fprintf(out, "`--%s", spec->name);
    if (spec->arg != NULL) {
        fputc(' ', out);
        put_cell(spec->arg, out);
    }
    fputc('`', out);
}

/* "JST_<PROGRAM>_CHECK" where several programs have a variable of their own only. */
static void put_variable(const struct option_spec *spec, FILE *out)
{
    char name[ENV_NAME_TEXT];

    if (spec->place == OPT_FLAG_ONLY)
        return;
    if (option_env_shared(spec))
        fprintf(out, "`%s`", option_env_name(spec, 0, name));
    else if (of_one(spec->programs))
        fprintf(out, "`%s`", option_env_name(spec, spec->programs, name));
    else
        fprintf(out, "`JST_<PROGRAM>_%s`", option_env_name(spec, 0, name) + strlen("JST_"));
    if (spec->place == OPT_SECRET)
        fprintf(out, ", `%s_FILE`", name);
}

static void put_programs(int set, bool chinese, FILE *out)
{
    const char *before = "";

    if (set == ALL_PROGRAMS || set == (ALL_PROGRAMS & ~PROGRAM_JSTCTL)) {
        fputs(set == ALL_PROGRAMS ? all_programs[chinese] : but_jstctl[chinese], out);
        return;
    }
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        if ((set & (int)programs[i]) == 0)
            continue;
        fprintf(out, "%s%s", before, program_name(programs[i]));
        before = comma[chinese];
    }
}

static void put_row(const struct option_spec *spec, bool with_programs, bool chinese, FILE *out)
{
    const char *help = chinese ? option_help_chinese(spec) : NULL;
    char allowed[ALLOWED_TEXT];
    const char *range = option_range(spec, allowed);

    fputs("| ", out);
    put_flag(spec, out);
    fputs(" | ", out);
    put_variable(spec, out);
    fputs(" | ", out);
    if (spec->fallback != NULL)
        fprintf(out, "`%s`", spec->fallback);
    if (with_programs) {
        fputs(" | ", out);
        put_programs(spec->programs, chinese, out);
    }
    fputs(" | ", out);
    put_cell(help != NULL ? help : spec->help, out);
    if (range != NULL)
        fprintf(out, "%s%s", range_begin[chinese], range);
    fputs(" |\n", out);
}

static void put_several(bool chinese, FILE *out)
{
    fprintf(out, "\n## %s\n\n%s", several[chinese], head_several[chinese]);
    for (size_t i = 0; i < option_table_count; i++)
        if (!of_one(programs_with(option_table[i].name)))
            put_row(&option_table[i], true, chinese, out);
    fputs(kafka_note[chinese], out);
}

static void put_own(enum program program, bool chinese, FILE *out)
{
    const char *head = head_one[chinese];

    for (size_t i = 0; i < option_table_count; i++) {
        if (programs_with(option_table[i].name) != (int)program)
            continue;
        if (head != NULL)
            fprintf(out, "\n## %s\n\n%s", program_name(program), head);
        head = NULL;
        put_row(&option_table[i], false, chinese, out);
    }
}

void options_page(bool chinese, FILE *out)
{
    fprintf(out, "%s%s", title[chinese], intro[chinese]);
    put_several(chinese, out);
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        put_own(programs[i], chinese, out);
    for (size_t i = 0; i < program_help_count; i++)
        if (program_help_table[i].program == PROGRAM_JSTCTL)
            fprintf(out, "\n```\n%s```\n", program_help_table[i].summary);
    fputs(codes[chinese], out);
}
