/* The reference pages that jstctl prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/options/options.h"
#include "common/skeleton/app.h"
#include "jstctl/docs.h"
#include "jstctl/verb.h"

static char *page_of(void (*print)(bool chinese, FILE *out), bool chinese)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    print(chinese, out);
    fclose(out);
    return text;
}

/* The last cell of a row of a table: its meaning. */
static const char *last_cell(char *line)
{
    size_t len = strlen(line);

    if (line[0] != '|' || len < 3 || line[len - 1] != '|')
        return NULL;
    line[len - 1] = '\0';
    char *bar = strrchr(line, '|');
    while (bar > line && bar[-1] == '\\')
        for (bar--; bar > line && *bar != '|';)
            bar--;
    return bar + 1;
}

static bool is_chinese(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return true;
    return false;
}

static size_t rows_without_chinese(char *page)
{
    size_t missing = 0;

    for (char *rest = page, *line; (line = strsep(&rest, "\n")) != NULL;) {
        const char *cell = last_cell(line);
        if (cell == NULL || strspn(cell, "-") == strlen(cell) || is_chinese(cell))
            continue;
        print_message("no Chinese text: %s\n", line);
        missing++;
    }
    return missing;
}

static void every_row_has_a_chinese_text(void **state)
{
    static void (*const pages[])(bool chinese, FILE *out) = {options_page, metrics_page};

    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        char *page = page_of(pages[i], true);
        assert_int_equal(rows_without_chinese(page), 0);
        free(page);
    }
}

static void every_option_stands_on_the_page(void **state)
{
    char *pages[] = {page_of(options_page, false), page_of(options_page, true)};

    (void)state;
    for (size_t i = 0; i < option_table_count; i++) {
        const struct option_spec *spec = &option_table[i];
        char name[80];

        snprintf(name, sizeof name, "`--%s", spec->name);
        if (spec->place == OPT_SECRET || spec->place == OPT_ENV_ONLY)
            snprintf(name, sizeof name, "%s", spec->help);
        assert_non_null(strstr(pages[0], name));
        if (name[0] == '`')
            assert_non_null(strstr(pages[1], name));
    }
    free(pages[0]);
    free(pages[1]);
}

/* A row that holds for several programs without a shared variable shows the form, not one program's name. */
static void variables_are_those_that_exist(void **state)
{
    char *page = page_of(options_page, false);

    (void)state;
    assert_non_null(strstr(page, "| `--check` | `JST_<PROGRAM>_CHECK` |"));
    assert_non_null(strstr(page, "| `JST_LOADER_GROUP` | `jst.loader` | loader |"));
    assert_non_null(strstr(page, "|  | `JST_APP_SECRET`, `JST_APP_SECRET_FILE` |"));
    assert_non_null(strstr(page, "| `--apply` |  |  |"));
    assert_non_null(strstr(page, "`--create-tables on\\|off`"));
    assert_non_null(strstr(page, "; 1 to 65535 |"));
    free(page);
}

/* ---- the verb ---- */

static int run_docs(const char *topic, const char *lang, char **ret_out, struct err *err)
{
    char *argv[] = {strdup("jstctl"), strdup("docs"), strdup(topic), NULL, NULL};
    const struct err none = ERR_INIT;
    struct app app;
    size_t size;
    FILE *out = open_memstream(ret_out, &size);

    if (lang != NULL && asprintf(&argv[3], "--lang=%s", lang) < 0)
        fail();
    assert_int_equal(app_init(PROGRAM_JSTCTL, lang != NULL ? 4 : 3, argv, NULL, &app, err), 0);
    int code = verb_call(&app, out, stderr, err);
    app_exit(&app, &none);
    fclose(out);
    for (size_t i = 0; argv[i] != NULL; i++)
        free(argv[i]);
    return code;
}

static void the_language_is_asked_for_or_that_of_the_machine(void **state)
{
    static const struct {
        const char *lang, *lc_all, *variable, *title;
    } cases[] = {
        {"en", NULL, "zh_CN.UTF-8", "# Metrics\n"}, {"zh", NULL, "en_US.UTF-8", "# 指标\n"},
        {NULL, NULL, "zh_CN.UTF-8", "# 指标\n"},    {NULL, NULL, "C", "# Metrics\n"},
        {NULL, NULL, NULL, "# Metrics\n"},          {NULL, "C", "zh_CN.UTF-8", "# Metrics\n"},
        {NULL, "", "zh_CN.UTF-8", "# 指标\n"},
    };

    (void)state;
    unsetenv("LC_MESSAGES");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = ERR_INIT;
        char *text = NULL;

        unsetenv("LC_ALL");
        unsetenv("LANG");
        if (cases[i].lc_all != NULL)
            setenv("LC_ALL", cases[i].lc_all, 1);
        if (cases[i].variable != NULL)
            setenv("LANG", cases[i].variable, 1);
        assert_int_equal(run_docs("metrics", cases[i].lang, &text, &err), EXIT_DONE);
        assert_int_equal(strncmp(text, cases[i].title, strlen(cases[i].title)), 0);
        free(text);
    }
}

static void an_unknown_topic_is_refused_with_those_that_are_known(void **state)
{
    struct err err = ERR_INIT;
    char *text = NULL;

    (void)state;
    assert_int_equal(run_docs("option", NULL, &text, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_string_equal(err.text, "unknown topic \"option\"; known: options, metrics");
    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_a_chinese_text),
        cmocka_unit_test(every_option_stands_on_the_page),
        cmocka_unit_test(variables_are_those_that_exist),
        cmocka_unit_test(the_language_is_asked_for_or_that_of_the_machine),
        cmocka_unit_test(an_unknown_topic_is_refused_with_those_that_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
