/* --help. tests/lint/docs_drift reads it: an option's line begins with two spaces and its name. */
#include <string.h>

#include "common/options/options_private.h"

enum { COLUMN = 30 };

bool option_has_flag(const struct option_spec *spec)
{
    return spec->place != OPT_SECRET && spec->place != OPT_ENV_ONLY;
}

const char *option_range(const struct option_spec *spec, char out[ALLOWED_TEXT])
{
    if (spec->min == 0 && spec->max == 0)
        return NULL;
    const char *range = strstr(option_allowed(spec, out), " from ");
    return range != NULL ? range + strlen(" from ") : NULL;
}

static void put_range(const struct option_spec *spec, FILE *out)
{
    char text[ALLOWED_TEXT];
    const char *range = option_range(spec, text);

    if (range != NULL)
        fprintf(out, "; %s", range);
}

/* The second line: default, bounds and variable. */
static void put_details(const struct option_spec *spec, enum program program, FILE *out)
{
    char name[ENV_NAME_TEXT];

    if (spec->place == OPT_FLAG_ONLY)
        return;
    option_env_name(spec, option_env_shared(spec) ? 0 : (int)program, name);
    if (option_has_flag(spec)) {
        fprintf(out, "  %-*s%s", COLUMN, "", name);
        if (spec->fallback != NULL)
            fprintf(out, "; default %s", spec->fallback);
        put_range(spec, out);
        fputc('\n', out);
    } else if (spec->place == OPT_SECRET) {
        fprintf(out, "  %-*sor %s_FILE: a file that holds it\n", COLUMN, "", name);
    }
}

static void put_option(const struct option_spec *spec, enum program program, FILE *out)
{
    char name[ENV_NAME_TEXT];
    char head[ENV_NAME_TEXT * 2];

    if (option_has_flag(spec))
        snprintf(head, sizeof head, "--%s%s%s", spec->name, spec->arg != NULL ? " " : "",
                 spec->arg != NULL ? spec->arg : "");
    else
        snprintf(head, sizeof head, "%s", option_env_name(spec, 0, name));
    fprintf(out, "  %-*s%s\n", COLUMN, head, spec->help);
    put_details(spec, program, out);
}

static bool put_options(enum program program, bool flags, const char *title, FILE *out)
{
    bool any = false;

    for (size_t i = 0; i < option_table_count; i++) {
        const struct option_spec *spec = &option_table[i];
        if ((spec->programs & (int)program) == 0 || option_has_flag(spec) != flags)
            continue;
        if (!any)
            fprintf(out, "\n%s:\n", title);
        any = true;
        put_option(spec, program, out);
    }
    return any;
}

void options_help_some(enum program program, const char *const *names, size_t count, FILE *out)
{
    fprintf(out, "\nOptions:\n");
    for (size_t n = 0; n < count; n++)
        for (size_t i = 0; i < option_table_count; i++)
            if ((option_table[i].programs & (int)program) != 0 && strcmp(option_table[i].name, names[n]) == 0)
                put_option(&option_table[i], program, out);
}

static void put_notes(enum program program, FILE *out)
{
    static const struct option_spec brokers = {.name = "brokers", .place = OPT_ANYWHERE};
    char name[ENV_NAME_TEXT];

    fprintf(
        out,
        "\nA flag wins over the environment, and there %s, which is this program's alone,\n"
        "wins over JST_BROKERS; so with every shared variable. An empty variable is one that is not set.\n"
        "Durations: 200ms, 5s, 10m, 2h, 7d, 1h30m. Sizes: 1024, 64KiB, 8MiB, 8MB.\n"
        "Times: YYYY-MM-DD[ HH:MM:SS], in Beijing time.\n",
        option_env_name(&brokers, (int)program, name));
}

void options_help(enum program program, FILE *out)
{
    const struct program_help *help = program_help_table;

    while (help->program != program)
        help++;
    fprintf(out, "Usage: %s %s\n\n%s", program_name(program), help->usage, help->summary);
    put_options(program, true, "Options", out);
    put_options(program, false, "In the environment only", out);
    put_notes(program, out);
    fprintf(out, "\nExit codes:\n%s", help->codes);
}
