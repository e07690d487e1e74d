/* The verbs of jstctl, run in this process; what is printed goes to memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/skeleton/app.h"
#include "jstctl/listing.h"
#include "jstctl/verb.h"
#include "jstctl/verb_topics.h"

enum { ARGS_MAX = 16 };

static char *out_text, *notes_text;

static int teardown(void **state)
{
    (void)state;
    free(out_text);
    free(notes_text);
    out_text = notes_text = NULL;
    return 0;
}

/* Words between blanks. Returns what verb_call() does. */
static int run(const char *line, struct err *err)
{
    char *copy = strdup(line);
    char *argv[ARGS_MAX + 1] = {strdup("jstctl")};
    int argc = 1;
    struct app app;
    size_t size;
    const struct err none = ERR_INIT;

    for (char *rest = copy, *word; (word = strsep(&rest, " ")) != NULL && argc < ARGS_MAX;)
        if (*word != '\0')
            argv[argc++] = word;
    teardown(NULL);
    FILE *out = open_memstream(&out_text, &size);
    FILE *notes = open_memstream(&notes_text, &size);
    assert_int_equal(app_init(PROGRAM_JSTCTL, argc, argv, NULL, &app, err), 0);
    int code = verb_call(&app, out, notes, err);
    app_exit(&app, &none);
    fclose(out);
    fclose(notes);
    free(copy);
    free(argv[0]);
    return code;
}

/* ---- listing ---- */

static void widths_are_those_of_a_terminal(void **state)
{
    static const struct {
        const char *text;
        size_t width;
    } cases[] = {
        {"", 0},  {"abc", 3},  {"é", 1},    {"采购", 4},     {"。", 2},
        {"😀", 2}, {"a采b", 4}, {"\xFF", 1}, {"\xE9\x87", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(text_width(cases[i].text, strlen(cases[i].text)), cases[i].width);
}

static void columns_line_up(void **state)
{
    static const char *const cells[] = {"A", "B", "C", "采购", "", "\033[2J", "a\nb", "bb", ""};
    size_t size;

    (void)state;
    FILE *out = open_memstream(&out_text, &size);
    print_listing(cells, 3, 3, out);
    fclose(out);
    assert_string_equal(out_text, "A     B   C\n"
                                  "采购      \\u001b[2J\n"
                                  "a\\nb  bb  \n");
}

static void foreign_text_is_tamed(void **state)
{
    size_t size;

    (void)state;
    FILE *out = open_memstream(&out_text, &size);
    print_plain("a\"\\\n\x1B[31m\x7Fé", out);
    print_json("\"\\\n\x1B\xFFé", out);
    print_json(NULL, out);
    print_json_member("n", "", out);
    fclose(out);
    assert_string_equal(out_text, "a\"\\\\n\\u001b[31m\\u007fé"
                                  "\"\\\"\\\\\\n\\u001b\xEF\xBF\xBDé\""
                                  "null,\"n\":\"\"");
}

/* ---- verbs ---- */

static void the_table_is_whole_and_in_the_help(void **state)
{
    size_t size;

    (void)state;
    FILE *out = open_memstream(&out_text, &size);
    options_help(PROGRAM_JSTCTL, out);
    fclose(out);
    for (size_t i = 0; i < verb_count; i++) {
        const struct verb *verb = &verb_table[i];
        char line[200];
        int n = snprintf(line, sizeof line, "  %s", verb->name);
        for (size_t a = 0; verb->args[a] != NULL; a++)
            n += snprintf(line + n, sizeof line - (size_t)n, " %s", verb->args[a]);
        snprintf(line + n, sizeof line - (size_t)n, "%*s%s\n", 31 - n, "", verb->summary);
        if (strstr(out_text, line) == NULL)
            fail_msg("jstctl --help lacks: %s", line);
        assert_ptr_equal(verb_find(verb->name), verb);
        assert_true(strlen(verb->summary) <= 60 && verb->run != NULL);
    }
    assert_null(verb_find("chec"));
}

static void every_option_of_a_verb_exists(void **state)
{
    (void)state;
    for (size_t i = 0; i < verb_count; i++) {
        size_t size, lines = 0, names = 0;
        FILE *out = open_memstream(&out_text, &size);
        verb_help(&verb_table[i], out);
        fclose(out);
        for (const char *p = out_text; (p = strstr(p, "\n  --")) != NULL; p++)
            lines++;
        while (verb_table[i].options[names] != NULL)
            names++;
        assert_int_equal(lines, names);
        teardown(NULL);
    }
}

static void help_is_asked_for_behind_a_verb(void **state)
{
    static char jstctl[] = "jstctl", check[] = "check", chek[] = "chek", help[] = "--help", end[] = "--";

    (void)state;
    assert_string_equal(verb_help_asked(3, (char *[]){jstctl, check, help, NULL})->name, "check");
    assert_null(verb_help_asked(2, (char *[]){jstctl, help, NULL}));
    assert_null(verb_help_asked(3, (char *[]){jstctl, help, check, NULL}));
    assert_null(verb_help_asked(3, (char *[]){jstctl, chek, help, NULL}));
    assert_null(verb_help_asked(4, (char *[]){jstctl, check, end, help, NULL}));
    assert_null(verb_help_asked(1, (char *[]){jstctl, NULL}));
}

static void wrong_calls_are_refused(void **state)
{
    static const struct {
        const char *line, *text;
    } cases[] = {
        {"", "which verb? check, ddl, preview, topics, docs; `jstctl --help` says what they do"},
        {"ddd", "unknown verb \"ddd\"; did you mean \"ddl\"?"},
        {"ddl", "PIPELINE is missing: jstctl ddl PIPELINE; pipelines: purchasein"},
        {"ddl --pipelines nowhere", "PIPELINE is missing: jstctl ddl PIPELINE; pipelines: none"},
        {"ddl p --pipelines nowhere",
         "unknown pipeline \"p\"; known: none; those with errors, which stand above, are left out"},
        {"ddl a b", "\"b\" is too much: jstctl ddl PIPELINE"},
        {"preview a", "PAGE.json is missing: jstctl preview PIPELINE PAGE.json"},
        {"ddl --apply purchasein", "--apply is not an option of jstctl ddl, but of jstctl topics"},
        {"preview purchasein nowhere.json", "nowhere.json: cannot be read: No such file or directory"},
        {"topics --topics nowhere", "1 error in the configuration"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(run(cases[i].line, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_string_equal(err.text, cases[i].text);
        assert_string_equal(out_text, "");
    }
}

static void check_tells_fine_from_faulty(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(run("check", &err), EXIT_DONE);
    assert_non_null(strstr(out_text, "\n1 pipeline can be used, 0 errors, 0 warnings\n"));
    assert_int_equal(run("check --topics nowhere", &err), EXIT_FOUND);
    assert_non_null(strstr(out_text, "error: nowhere: cannot be read"));
    assert_int_equal(run("check --json --pipelines nowhere", &err), EXIT_FOUND);
    assert_string_equal(out_text, "{\"pipelines\":[],\"faults\":[{\"level\":\"error\",\"place\":\"nowhere\","
                                  "\"text\":\"cannot be read: No such file or directory\"}]}\n");
    assert_string_equal(notes_text, "");
}

static void ddl_knows_both_servers(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(run("ddl purchasein", &err), EXIT_DONE);
    assert_memory_equal(out_text, "-- The tables of pipeline purchasein, for MySQL", 47);
    assert_non_null(strstr(out_text, "utf8mb4_0900_bin"));
    assert_int_equal(run("ddl purchasein --server mariadb", &err), EXIT_DONE);
    assert_non_null(strstr(out_text, "utf8mb4_nopad_bin"));
    assert_int_equal(run("ddl purchasein --topics nowhere", &err), EXIT_DONE);
    assert_string_equal(notes_text, "jstctl: 1 error elsewhere in the configuration: `jstctl check`\n");
}

/* ---- preview ---- */

static int preview(const char *page, bool json, struct err *err)
{
    char name[] = "/tmp/jst_previewXXXXXX";
    int fd = mkstemp(name);
    char line[100];

    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    fputs(page, file);
    fclose(file);
    snprintf(line, sizeof line, "preview purchasein %s%s", name, json ? " --json" : "");
    int code = run(line, err);
    remove(name);
    return code;
}

static void preview_keeps_digits(void **state)
{
    struct err err = ERR_INIT;
    static const char page[] = "{\"code\":0,\"data\":{\"datas\":[{\"io_id\":7,\"ts\":1491926160718000123,"
                               "\"tax_rate\":13.00,\"items\":[{\"ioi_id\":1},{\"ioi_id\":2}]}]}}";

    (void)state;
    assert_int_equal(preview(page, true, &err), EXIT_DONE);
    assert_memory_equal(
        out_text,
        "{\"document\":\"7\",\"version\":\"1491926160718000123\",\"rows\":[{\"id\":\"7-1\",\"io_id\":7,"
        "\"ts\":1491926160718000123,",
        103);
    assert_non_null(strstr(out_text, "\"tax_rate\":13.00,"));
    assert_non_null(strstr(out_text, "},{\"id\":\"7-2\","));
    assert_int_equal(preview(page, false, &err), EXIT_DONE);
    assert_memory_equal(out_text, "document 1 of 1: 7, version 1491926160718000123, 2 rows\n  row 1 of 2\n",
                        69);
    assert_non_null(strstr(out_text, "\n    tax_rate          = 13.00\n"));
    assert_non_null(strstr(out_text, "\n\n1 document: 1 with 2 rows\n"));
}

static void preview_of_odd_pages(void **state)
{
    static const struct {
        const char *page;
        int code;
        const char *text, *json;
    } cases[] = {
        {"{\"code\":0,\"data\":{\"datas\":[]}}", EXIT_DONE,
         "the page holds no documents: such a page is not published\n", ""},
        {"{\"code\":0,\"data\":{}}", EXIT_FOUND,
         "the page has no list datas: is the pipeline's option `list` right?\n",
         "{\"page\":{\"code\":0,\"text\":\"the page has no list datas: is the pipeline's option `list` "
         "right?\"}}\n"},
        {"{\"code\":110,\"msg\":\"no\"}", EXIT_FOUND,
         "the API answers with code 110 (no): such a page is not published\n",
         "{\"page\":{\"code\":110,\"text\":\"the API answers with code 110 (no): such a page is not "
         "published\"}}\n"},
        {"[]", EXIT_FOUND,
         "the whole page: a dead letter, class parse: the answer is not one whole JSON object (2 bytes)\n",
         "{\"document\":null,\"dead\":{\"class\":\"parse\",\"text\":"
         "\"the answer is not one whole JSON object (2 bytes)\"}}\n"},
        {"{\"code\":0,\"data\":{\"datas\":[7]}}", EXIT_FOUND,
         "document 1 of 1: a dead letter, class parse: the document is not an object\n"
         "\n1 document: 0 with 0 rows, 1 dead letter\n",
         "{\"document\":null,\"dead\":{\"class\":\"parse\",\"text\":\"the document is not an object\"}}\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(preview(cases[i].page, false, &err), cases[i].code);
        assert_string_equal(out_text, cases[i].text);
        assert_int_equal(preview(cases[i].page, true, &err), cases[i].code);
        assert_string_equal(out_text, cases[i].json);
    }
}

/* ---- topics ---- */

static struct topics some_topics;

static struct topic_state topic(int role, bool exists, int partitions, const char *differs)
{
    static char names[TOPIC_ROLES][8] = {"raw", "rows", "dead", "state"};

    return (struct topic_state){
        .name = names[role],
        .rule = &some_topics.rules[role],
        .exists = exists,
        .partitions = partitions,
        .replication = 1,
        .differs = differs != NULL ? strdup(differs) : NULL,
    };
}

static size_t print_topics(struct topic_state *before, struct topic_state *after, size_t count, bool json)
{
    struct topic_report reports[2] = {{.list = before, .count = count}, {.list = after, .count = count}};
    size_t size;

    teardown(NULL);
    FILE *out = open_memstream(&out_text, &size);
    size_t wrong = topics_print(&some_topics, &reports[0], after != NULL ? &reports[1] : NULL, json, out);
    fclose(out);
    return wrong;
}

static void free_states(struct topic_state *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i].differs);
}

static void topics_before_and_after(void **state)
{
    for (int i = 0; i < TOPIC_ROLES; i++)
        some_topics.rules[i] = (struct topic_rule){.partitions = 3};
    struct topic_state before[] = {topic(TOPIC_RAW, true, 3, NULL), topic(TOPIC_ROWS, false, 0, NULL),
                                   topic(TOPIC_DEAD, true, 2, "2 partitions instead of 3")};
    struct topic_state after[] = {topic(TOPIC_RAW, true, 3, NULL), topic(TOPIC_ROWS, true, 3, NULL),
                                  topic(TOPIC_DEAD, true, 3, NULL)};

    (void)state;
    assert_int_equal(print_topics(before, NULL, 3, false), 2);
    assert_string_equal(out_text, "TOPIC  PARTITIONS  STATE\n"
                                  "raw    3           fine\n"
                                  "rows   -           missing; 3 partitions wanted\n"
                                  "dead   2           differs: 2 partitions instead of 3\n"
                                  "\n3 topics, 2 not as topics.conf has them; "
                                  "`jstctl topics --apply` creates and alters\n");
    assert_int_equal(print_topics(before, after, 3, false), 0);
    assert_string_equal(out_text, "TOPIC  PARTITIONS  STATE\n"
                                  "raw    3           fine\n"
                                  "rows   3           created\n"
                                  "dead   3           altered; it had 2 partitions instead of 3\n"
                                  "\n3 topics, all as topics.conf has them\n");
    assert_int_equal(print_topics(before + 1, after + 1, 2, true), 0);
    assert_string_equal(out_text,
                        "{\"topics\":[{\"name\":\"rows\",\"role\":\"rows\",\"exists\":true,\"partitions\":3,"
                        "\"partitions_wanted\":3,\"differs\":null,\"change\":\"created\"},"
                        "{\"name\":\"dead\",\"role\":\"dead\",\"exists\":true,\"partitions\":3,"
                        "\"partitions_wanted\":3,\"differs\":null,\"change\":\"altered\"}]}\n");
    free_states(before, 3);
    free_states(after, 3);
}

static void topics_beyond_mending(void **state)
{
    for (int i = 0; i < TOPIC_ROLES; i++)
        some_topics.rules[i] = (struct topic_rule){.partitions = 3};
    some_topics.rules[TOPIC_DEAD].replication = 3;
    struct topic_state before[] = {topic(TOPIC_RAW, true, 4, "4 partitions instead of 3"),
                                   topic(TOPIC_DEAD, true, 3, "replication=1 instead of 3")};

    (void)state;
    assert_int_equal(print_topics(before, NULL, 1, false), 1);
    assert_string_equal(out_text, "TOPIC  PARTITIONS  STATE\n"
                                  "raw    4           differs: 4 partitions instead of 3\n"
                                  "\n1 topic, 1 not as topics.conf has it\n"
                                  "Kafka takes no partitions away: write what is there into topics.conf\n");
    assert_int_equal(print_topics(before + 1, before + 1, 1, false), 1);
    assert_string_equal(out_text, "TOPIC  PARTITIONS  STATE\n"
                                  "dead   3           still differs: replication=1 instead of 3\n"
                                  "\n1 topic, 1 not as topics.conf has it\n"
                                  "Replication is changed by Kafka's own kafka-reassign-partitions alone\n");
    free_states(before, 2);
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(widths_are_those_of_a_terminal), TEST(columns_line_up),
        TEST(foreign_text_is_tamed),          TEST(the_table_is_whole_and_in_the_help),
        TEST(every_option_of_a_verb_exists),  TEST(help_is_asked_for_behind_a_verb),
        TEST(wrong_calls_are_refused),        TEST(check_tells_fine_from_faulty),
        TEST(ddl_knows_both_servers),         TEST(preview_keeps_digits),
        TEST(preview_of_odd_pages),           TEST(topics_before_and_after),
        TEST(topics_beyond_mending),
    };

    for (char **variable = environ; *variable != NULL;) /* nobody's JST_ variables */
        if (strncmp(*variable, "JST_", 4) == 0) {
            char *name = strndup(*variable, strcspn(*variable, "="));
            unsetenv(name);
            free(name);
        } else {
            variable++;
        }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
