#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "tests/unit/twins/twin_pipeline.h"
#include "transformer/map.h"

static struct mapper *mapper;
static struct mapped mapped;
static struct err err;
static enum dead_class class;

static int map(const struct pipeline *p, const char *document)
{
    /* a copy of its very length: what reads beyond it is seen */
    size_t len = strlen(document);
    char *text = mem_alloc(len);

    if (len > 0)
        memcpy(text, document, len);
    err_clear(&err);
    int rc = map_document(mapper, p, (struct span){.at = text, .len = len}, &mapped, &class, &err);
    free(text);
    return rc;
}

static int set_up(void **state)
{
    (void)state;
    mapper = mapper_new();
    mapped_init(&mapped);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mapped_free(&mapped);
    mapper_free(mapper);
    mapper_free(NULL);
    return 0;
}

/* ------------------------------------------------------------------ one value */

#define F(name, type, value) "{\"field\":\"" name "\",\"type\":\"" type "\",\"value\":\"" value "\"}"

/* v is a string, int and float alone, and composite in a string and in a number. */
static struct pipeline *value_pipeline(void)
{
    return twin_pipeline(&(struct twin_spec){
        .fields = F("io_id", "int", "{io_id}") "," F("s", "string", "{v}") "," F("n", "int", "{v}") "," F(
            "f", "float", "{v}") "," F("cs", "string", "<{v}|{v}>") "," F("cn", "number",
                                                                          "{v}{w}") "," F("k", "string",
                                                                                          "\\\"k\\\\"),
        .sql = "REPLACE INTO t(io_id,s,n,f,cs,cn,k) VALUES",
        .options = ",\"key\":\"io_id\"",
    });
}

/* One column's value in the row, as its JSON text. */
static const char *column(const char *name, char *out, size_t size)
{
    char label[40];

    snprintf(label, sizeof label, "\"%s\":", name);
    const char *at = strstr(mapped.value.data, label);
    if (at == NULL)
        return "?";
    at += strlen(label);
    size_t len = 0;
    bool quoted = *at == '"';
    for (bool inside = quoted; at[len] != '\0'; len++) {
        if (!inside && (at[len] == ',' || at[len] == '}'))
            break;
        if (inside && at[len] == '\\')
            len++;
        else if (len > 0 && at[len] == '"')
            inside = false;
    }
    snprintf(out, size, "%.*s", (int)len, at);
    return out;
}

static void test_values(void **state)
{
    static const struct {
        const char *v;
        const char *s, *n, *cs, *cn; /* expected; NULL: the document is refused */
    } cases[] = {
        {"null", "null", "null", "\"<|>\"", "null"},
        {NULL, "null", "null", "\"<|>\"", "null"}, /* absent */
        {"1", "\"1\"", "1", "\"<1|1>\"", "1"},
        {"-0", "\"-0\"", "-0", "\"<-0|-0>\"", "-0"},
        {"0.10", "\"0.10\"", "0.10", "\"<0.10|0.10>\"", "0.10"},
        {"199.90", "\"199.90\"", "199.90", "\"<199.90|199.90>\"", "199.90"},
        {"1491926160718000123", "\"1491926160718000123\"", "1491926160718000123",
         "\"<1491926160718000123|1491926160718000123>\"", "1491926160718000123"},
        {"1.50e2", "\"1.50e2\"", "150", "\"<1.50e2|1.50e2>\"", "150"},
        {"1E-3", "\"1E-3\"", "0.001", "\"<1E-3|1E-3>\"", "0.001"},
        {"\"\"", "\"\"", "null", "\"<|>\"", "null"},
        {"\"12.50\"", "\"12.50\"", "12.50", "\"<12.50|12.50>\"", "12.50"},
        {"\"3e1\"", "\"3e1\"", "30", "\"<3e1|3e1>\"", "30"},
        {"\" 1\"", "\" 1\"", NULL, NULL, NULL},
        {"\"01\"", "\"01\"", NULL, NULL, NULL},
        {"\"abc\"", "\"abc\"", NULL, NULL, NULL},
        {"\"1,5\"", "\"1,5\"", NULL, NULL, NULL},
        {"1e500", "\"1e500\"", NULL, NULL, NULL},
        {"[1]", "\"[1]\"", NULL, NULL, NULL},
        {"{}", "\"{}\"", NULL, NULL, NULL},
    };
    struct pipeline *p = value_pipeline();
    char got[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char document[200];
        if (cases[i].v != NULL)
            snprintf(document, sizeof document, "{\"io_id\":1,\"v\":%s}", cases[i].v);
        else
            snprintf(document, sizeof document, "{\"io_id\":1}");
        int rc = map(p, document);
        if (cases[i].n == NULL) {
            if (rc == 0)
                fail_msg("%s is accepted: %s", cases[i].v, mapped.value.data);
            assert_int_equal(class, DEAD_CONVERT);
            assert_int_equal(err.kind, ERR_REJECT);
            assert_non_null(strstr(err.text, "column n"));
            assert_null(strstr(err.text, "abc")); /* never the value */
            continue;
        }
        if (rc != 0)
            fail_msg("%s: %s", document, err.text);
        assert_string_equal(column("s", got, sizeof got), cases[i].s);
        assert_string_equal(column("n", got, sizeof got), cases[i].n);
        assert_string_equal(column("f", got, sizeof got), cases[i].n);
        assert_string_equal(column("cs", got, sizeof got), cases[i].cs);
        assert_string_equal(column("cn", got, sizeof got), cases[i].cn);
        assert_string_equal(column("k", got, sizeof got), "\"\\\"k\\\\\"");
    }
    pipeline_free(p);
}

/* true and false are words in a string, 1 and 0 in a number, where they stand alone; as part of a number's
 * text they are not numbers. */
static void test_booleans(void **state)
{
    static const struct {
        const char *v, *s, *n, *cs;
    } cases[] = {{"true", "\"true\"", "1", "\"<true>\""}, {"false", "\"false\"", "0", "\"<false>\""}};
    struct pipeline *p = twin_pipeline(&(struct twin_spec){
        .fields = F("io_id", "int", "{io_id}") "," F("s", "string", "{v}") "," F("n", "int", "{v}") "," F(
            "cs", "string", "<{v}>"),
        .sql = "REPLACE INTO t(io_id,s,n,cs) VALUES",
        .options = ",\"key\":\"io_id\"",
    });
    char got[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char document[100];
        snprintf(document, sizeof document, "{\"io_id\":1,\"v\":%s}", cases[i].v);
        assert_int_equal(map(p, document), 0);
        assert_string_equal(column("s", got, sizeof got), cases[i].s);
        assert_string_equal(column("n", got, sizeof got), cases[i].n);
        assert_string_equal(column("cs", got, sizeof got), cases[i].cs);
    }
    pipeline_free(p);
    p = value_pipeline();
    assert_int_equal(map(p, "{\"io_id\":1,\"v\":null,\"w\":true}"), -1);
    assert_int_equal(class, DEAD_CONVERT);
    assert_int_equal(map(p, "{\"io_id\":1,\"v\":1,\"w\":2}"), 0);
    assert_string_equal(column("cn", got, sizeof got), "12");
    pipeline_free(p);
}

/* Containers in a string are their JSON text as it came; characters as they came. */
static void test_texts(void **state)
{
    static const struct {
        const char *note, *expected;
    } cases[] = {
        {"[1, 2,\\u0020]", NULL},
        {"[1,  2.50 , {\"a\" : null}]", "\"[1,  2.50 , {\\\"a\\\" : null}]\""},
        {"{\"a\":\"\\u4e2d\\n\"}", "\"{\\\"a\\\":\\\"\\\\u4e2d\\\\n\\\"}\""},
        {"{ }", "\"{ }\""},
        {"\"\\u4e2d\xE6\x96\x87 \\ud83d\\ude00\"", "\"\xE4\xB8\xAD\xE6\x96\x87 \xF0\x9F\x98\x80\""},
        {"\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\\u001f\"", "\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u001f\""},
        {"\"{\\\"x\\\":1}\"", "\"{\\\"x\\\":1}\""},
        {"\"\\u007f\\u0085\\u2028\"", "\"\x7f\xC2\x85\xE2\x80\xA8\""},
    };
    struct pipeline *p = twin_pipeline(&(struct twin_spec){.options = ""});
    char got[300];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char document[300];
        snprintf(document, sizeof document, "{\"io_id\":1,\"note\":%s}", cases[i].note);
        int rc = map(p, document);
        if (cases[i].expected == NULL) {
            assert_int_equal(rc, -1);
            assert_int_equal(class, DEAD_PARSE);
            continue;
        }
        if (rc != 0)
            fail_msg("%s: %s", document, err.text);
        const char *note = column("note", got, sizeof got);
        if (strcmp(note, cases[i].expected) != 0)
            fail_msg("%s: %s instead of %s", document, note, cases[i].expected);
        assert_int_equal(strcspn(mapped.value.data, "\n"), mapped.value.len - 1); /* one line */
    }
    pipeline_free(p);
}

/* ------------------------------------------------------------------ lines */

static void test_lines(void **state)
{
    static const struct {
        const char *items;
        int64_t rows;
        const char *value;
    } cases[] = {
        {"", 1, "{\"id\":\"100-\",\"io_id\":100,\"note\":\"n\",\"qty\":null}\n"},
        {",\"items\":null", 1, "{\"id\":\"100-\",\"io_id\":100,\"note\":\"n\",\"qty\":null}\n"},
        {",\"items\":[]", 1, "{\"id\":\"100-\",\"io_id\":100,\"note\":\"n\",\"qty\":null}\n"},
        {",\"items\":[{}]", 1, "{\"id\":\"100-\",\"io_id\":100,\"note\":\"n\",\"qty\":null}\n"},
        {",\"items\":[{\"ioi_id\":7,\"qty\":1.50,\"note\":\"no\"},{\"ioi_id\":8}]", 2,
         "{\"id\":\"100-7\",\"io_id\":100,\"note\":\"n\",\"qty\":1.50}\n"
         "{\"id\":\"100-8\",\"io_id\":100,\"note\":\"n\",\"qty\":null}\n"},
    };

    (void)state;
    for (int none = 0; none < 2; none++) {
        struct pipeline *p =
            twin_pipeline(&(struct twin_spec){.options = none ? ",\"empty_document\":\"none\"" : ""});
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            char document[200];
            snprintf(document, sizeof document, "{\"io_id\":100,\"note\":\"n\"%s}", cases[i].items);
            assert_int_equal(map(p, document), 0);
            bool dropped = none && i < 3;
            assert_string_equal(mapped.value.data, dropped ? "" : cases[i].value);
            assert_int_equal(mapped.rows, dropped ? 0 : cases[i].rows);
            assert_string_equal(mapped.key.data, "100");
            assert_string_equal(mapped.version.data, "");
        }
        pipeline_free(p);
    }
}

static void test_bad_lines(void **state)
{
    static const struct {
        const char *items, *text;
    } cases[] = {
        {"{}", "items is not an array"},
        {"\"[]\"", "items is not an array"},
        {"false", "items is not an array"},
        {"[1]", "line 1 of items is not an object"},
        {"[{},null]", "line 2 of items is not an object"},
        {"[{},{\"qty\":\"x\"}]", "line 2: column qty"},
        {"[{\"qty\":[]}]", "line 1: column qty"},
    };
    struct pipeline *p = twin_pipeline(&(struct twin_spec){.options = ""});

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char document[200];
        snprintf(document, sizeof document, "{\"io_id\":100,\"items\":%s}", cases[i].items);
        assert_int_equal(map(p, document), -1);
        assert_int_equal(class, DEAD_CONVERT);
        if (strstr(err.text, cases[i].text) == NULL)
            fail_msg("%s: %s", cases[i].items, err.text);
        assert_string_equal(mapped.key.data, "100"); /* the dead letter's key */
    }
    pipeline_free(p);
}

/* "a.b" goes into objects, of the document and of the line; a name that has a dot itself is found first. */
static void test_paths(void **state)
{
    static const struct {
        const char *document, *d, *l;
    } cases[] = {
        {"{\"io_id\":1,\"a\":{\"b\":{\"c\":5}},\"items\":[{\"x\":{\"y\":6}}]}", "5", "6"},
        {"{\"io_id\":1,\"a.b\":{\"c\":4},\"items\":[{\"x.y\":3,\"x\":{\"y\":6}}]}", "null", "3"},
        {"{\"io_id\":1,\"a.b.c\":7,\"a\":{\"b\":{\"c\":5}}}", "7", "null"},
        {"{\"io_id\":1,\"a\":{\"b.c\":8}}", "8", "null"},
        {"{\"io_id\":1,\"a\":{\"b\":null}}", "null", "null"},
        {"{\"io_id\":1,\"a\":[{\"b\":1}],\"items\":[{\"x\":[1]}]}", "null", "null"},
        {"{\"io_id\":1,\"a\":\"b\",\"items\":[{\"x\":\"y\"}]}", "null", "null"},
        {"{\"io_id\":1,\"A\":{\"B\":{\"C\":5}}}", "null", "null"}, /* with case */
    };
    struct pipeline *p = twin_pipeline(&(struct twin_spec){
        .fields = F("io_id", "int", "{io_id}") "," F("d", "int", "{a.b.c}") "," F("l", "int", "{items_x.y}"),
        .sql = "REPLACE INTO t(io_id,d,l) VALUES",
        .options = ",\"key\":\"io_id\"",
    });
    char got[50];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (map(p, cases[i].document) != 0)
            fail_msg("%s: %s", cases[i].document, err.text);
        const char *d = column("d", got, sizeof got);
        if (strcmp(d, cases[i].d) != 0)
            fail_msg("%s: d is %s", cases[i].document, d);
        const char *l = column("l", got, sizeof got);
        if (strcmp(l, cases[i].l) != 0)
            fail_msg("%s: l is %s", cases[i].document, l);
    }
    pipeline_free(p);
}

/* ------------------------------------------------------------------ key and version */

static void test_keys(void **state)
{
    static const struct {
        const char *id, *key; /* key NULL: refused */
    } cases[] = {
        {"100", "100"},
        {"\"100\"", "100"},
        {"1491926160718000123", "1491926160718000123"},
        {"\"\"", NULL},
        {"null", NULL},
        {"true", NULL},
        {"[1]", NULL},
        {"{}", NULL},
        {"\"\\u5355\"", "\xE5\x8D\x95"},
        {"\"a/b c'\"", "a/b c'"},
    };
    struct pipeline *p = twin_pipeline(&(struct twin_spec){.fields = F("id", "string", "{io_id}"),
                                                           .sql = "REPLACE INTO t(id) VALUES",
                                                           .options = ",\"key\":\"id\""});

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char document[100];
        snprintf(document, sizeof document, "{\"io_id\":%s}", cases[i].id);
        int rc = map(p, document);
        if ((rc == 0) != (cases[i].key != NULL))
            fail_msg("%s: %d", cases[i].id, rc);
        assert_string_equal(mapped.key.data, rc == 0 ? cases[i].key : "");
        if (rc != 0)
            assert_int_equal(class, DEAD_CONVERT);
    }
    assert_int_equal(map(p, "{}"), -1);
    assert_int_equal(class, DEAD_CONVERT);
    char long_id[300];
    char document[400];
    memset(long_id, 'k', sizeof long_id);
    long_id[255] = '\0';
    snprintf(document, sizeof document, "{\"io_id\":\"%s\"}", long_id);
    assert_int_equal(map(p, document), 0);
    assert_string_equal(mapped.key.data, long_id);
    snprintf(document, sizeof document, "{\"io_id\":\"%sk\"}", long_id);
    assert_int_equal(map(p, document), -1);
    assert_string_equal(mapped.key.data, "");
    pipeline_free(p);
}

static void test_versions(void **state)
{
    static const struct {
        const char *ts, *version; /* NULL: refused */
    } cases[] = {
        {"1491926160718000123", "1491926160718000123"},
        {"\"1491926160718000123\"", "1491926160718000123"},
        {"18446744073709551615", "18446744073709551615"},
        {"18446744073709551616", NULL},
        {"0", "0"},
        {"-1", NULL},
        {"1.5", NULL},
        {"1e3", NULL},
        {"\"2026-08-13 11:05:00\"", "2026-08-13 11:05:00"},
        {"\"2026-02-30 11:05:00\"", NULL},
        {"\"\"", NULL},
        {"null", NULL},
        {"true", NULL},
        {"[]", NULL},
    };
    struct pipeline *p = twin_pipeline(&(struct twin_spec){0});

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char document[100];
        snprintf(document, sizeof document, "{\"io_id\":1,\"ts\":%s}", cases[i].ts);
        int rc = map(p, document);
        if ((rc == 0) != (cases[i].version != NULL))
            fail_msg("%s: %d", cases[i].ts, rc);
        if (rc == 0)
            assert_string_equal(mapped.version.data, cases[i].version);
        else
            assert_int_equal(class, DEAD_CONVERT);
        assert_string_equal(mapped.key.data, "1");
    }
    assert_int_equal(map(p, "{\"io_id\":1}"), -1);
    assert_non_null(strstr(err.text, "ts"));
    pipeline_free(p);
}

/* ------------------------------------------------------------------ documents */

static void test_no_documents(void **state)
{
    static const char *const texts[] = {"",
                                        "null",
                                        "1",
                                        "\"x\"",
                                        "[]",
                                        "[{\"io_id\":1}]",
                                        "{",
                                        "{\"io_id\":1",
                                        "{\"io_id\":1}x",
                                        "{\"io_id\":1,\"io_id\":1}",
                                        "{\"io_id\":1,\"a\":{\"b\":1,\"b\":2}}",
                                        "{\"io_id\":01}",
                                        "{\"io_id\":1,\"a\":\"\\u0000\"}",
                                        "{\"io_id\":1,\"a\":\"\xC3\"}",
                                        "{\"io_id\":1,\"a\":\"\\ud800\"}",
                                        "{\"io_id\":1,\"a\":tru}",
                                        "{\"io_id\":1,\"a\":\"\n\"}"};
    struct pipeline *p = twin_pipeline(&(struct twin_spec){.options = ""});

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(map(p, "{\"io_id\":99}"), 0);
        if (map(p, texts[i]) == 0)
            fail_msg("%s is accepted", texts[i]);
        assert_int_equal(class, DEAD_PARSE);
        assert_int_equal(err.kind, ERR_REJECT);
        assert_string_equal(mapped.key.data, ""); /* not the one before */
    }
    pipeline_free(p);
}

/* Nothing of one document stays for the next. */
static void test_reuse(void **state)
{
    struct pipeline *p = twin_pipeline(&(struct twin_spec){0});

    (void)state;
    assert_int_equal(map(p, "{\"io_id\":1,\"ts\":5,\"items\":[{\"ioi_id\":1},{\"ioi_id\":2}]}"), 0);
    assert_int_equal(mapped.rows, 2);
    assert_int_equal(map(p, "{\"io_id\":1,\"ts\":5,\"items\":[{\"ioi_id\":1},7]}"), -1);
    assert_int_equal(map(p, "{\"io_id\":2,\"ts\":6}"), 0);
    assert_int_equal(mapped.rows, 1);
    assert_string_equal(mapped.key.data, "2");
    assert_string_equal(mapped.version.data, "6");
    assert_string_equal(mapped.value.data, "{\"id\":\"2-\",\"io_id\":2,\"note\":null,\"qty\":null}\n");
    pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_booleans),  cmocka_unit_test(test_texts),
        cmocka_unit_test(test_lines),  cmocka_unit_test(test_bad_lines), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_keys),   cmocka_unit_test(test_versions),  cmocka_unit_test(test_no_documents),
        cmocka_unit_test(test_reuse),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
