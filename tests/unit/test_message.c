#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/wire/message.h"

enum { HEADERS_MAX = 100 };

static struct record make_record(const struct header *headers, size_t count, const char *value)
{
    static struct header list[HEADERS_MAX]; /* of one record at a time */
    struct record r = {
        .topic = "jst.p.rows",
        .partition = 3,
        .offset = 77,
        .timestamp_ms = 1000,
        .value = value,
        .value_len = value != NULL ? strlen(value) : 0,
        .has_value = value != NULL,
    };

    if (count > 0)
        memmove(list, headers, count * sizeof list[0]);
    r.headers = list;
    r.header_count = count;
    return r;
}

static struct header *header_of(const struct record *r, size_t i)
{
    return (struct header *)(uintptr_t)&r->headers[i];
}

/* The headers without the i-th, or with its value replaced. */
static struct record changed(const struct header *headers, size_t count, size_t i, const char *value,
                             const char *body)
{
    struct record r = make_record(headers, count, body);

    if (value != NULL) {
        header_of(&r, i)->value = value;
        return r;
    }
    memmove(header_of(&r, i), header_of(&r, i + 1), (count - i - 1) * sizeof r.headers[0]);
    r.header_count--;
    return r;
}

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* ------------------------------------------------------------------ raw */

static const struct header raw[] = {
    HEADER(H_PIPELINE, "p"),
    HEADER(H_API, "/open/x"),
    HEADER(H_BIZ, "{}"),
    HEADER(H_FETCHED_AT, "2026-08-13T03:05:00.123Z"),
    HEADER(H_RUN, "live"),
    HEADER(H_PAGE, "1"),
    HEADER(H_WINDOW_BEGIN, "2026-08-13 00:00:00"),
    HEADER(H_WINDOW_END, "2026-08-13 01:00:00"),
};

static void assert_foreign_raw(struct record r, const char *text)
{
    struct raw_message m = {.pipeline = "untouched"};
    struct err err = ERR_INIT;

    assert_int_equal(raw_message_read(&r, "p", &m, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    if (strstr(err.text, text) == NULL)
        fail_msg("%s is not in: %s", text, err.text);
    assert_string_equal(m.pipeline, "untouched");
}

static void test_raw(void **state)
{
    struct raw_message m;
    struct record r = make_record(raw, COUNT(raw), "{}");

    (void)state;
    assert_int_equal(raw_message_read(&r, "p", &m, NULL), 0);
    assert_string_equal(m.pipeline, "p");
    r = make_record(raw, COUNT(raw), "");
    assert_int_equal(raw_message_read(&r, "p", &m, NULL), 0);
    for (size_t i = 0; i < COUNT(raw); i++)
        assert_foreign_raw(changed(raw, COUNT(raw), i, NULL, "{}"), raw[i].name);
    assert_foreign_raw(changed(raw, COUNT(raw), 0, "q", "{}"), "does not name p");
    assert_foreign_raw(changed(raw, COUNT(raw), 3, "yesterday", "{}"), "is not an instant");
    assert_foreign_raw(make_record(raw, COUNT(raw), NULL), "no value");
    assert_foreign_raw(make_record(NULL, 0, "{}"), H_PIPELINE);
    /* in version mode a cursor stands for the window */
    r = changed(raw, COUNT(raw), 6, NULL, "{}");
    *header_of(&r, r.header_count - 1) = (struct header)HEADER(H_CURSOR, "1");
    assert_int_equal(raw_message_read(&r, "p", &m, NULL), 0);
    /* a header without a value is none */
    r = make_record(raw, COUNT(raw), "{}");
    header_of(&r, 2)->value = NULL;
    assert_foreign_raw(r, H_BIZ);
}

/* ------------------------------------------------------------------ rows */

static const struct header rows[] = {
    HEADER(H_PIPELINE, "p"),
    HEADER(H_DOCUMENT, "100"),
    HEADER(H_VERSION, "7"),
    HEADER(H_ROWS, "2"),
    HEADER(H_SOURCE, "jst.p.raw/0/1"),
    HEADER(H_RECEIVED_AT, "2026-08-13T03:05:00.123Z"),
};

static void assert_foreign_rows(struct record r, const char *text)
{
    struct rows_message m = {.rows = 77};
    struct err err = ERR_INIT;

    assert_int_equal(rows_message_read(&r, "p", &m, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    if (strstr(err.text, text) == NULL)
        fail_msg("%s is not in: %s", text, err.text);
    assert_int_equal(m.rows, 77);
}

static void test_rows(void **state)
{
    static const char body[] = "{\"a\":1}\n{\"a\":2}\n";
    struct rows_message m;
    struct record r = make_record(rows, COUNT(rows), body);

    (void)state;
    assert_int_equal(rows_message_read(&r, "p", &m, NULL), 0);
    assert_string_equal(m.pipeline, "p");
    assert_string_equal(m.document, "100");
    assert_string_equal(m.version, "7");
    assert_int_equal(m.rows, 2);
    assert_int_equal(m.received_at_ms, 1786590300123);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_foreign_rows(changed(rows, COUNT(rows), i, NULL, body), rows[i].name);
    assert_foreign_rows(changed(rows, COUNT(rows), 0, "pp", body), "does not name p");
    assert_foreign_rows(changed(rows, COUNT(rows), 5, "2026-08-13 03:05:00", body), "is not an instant");
    assert_foreign_rows(make_record(rows, COUNT(rows), NULL), "no value");
    /* several of one name: the last */
    r = make_record(rows, COUNT(rows), body);
    *header_of(&r, r.header_count++) = (struct header)HEADER(H_DOCUMENT, "101");
    assert_int_equal(rows_message_read(&r, "p", &m, NULL), 0);
    assert_string_equal(m.document, "101");
    /* an empty version is one */
    r = changed(rows, COUNT(rows), 2, "", body);
    assert_int_equal(rows_message_read(&r, "p", &m, NULL), 0);
    assert_string_equal(m.version, "");
}

static void test_row_counts(void **state)
{
    static const struct {
        const char *rows, *body, *wrong; /* wrong NULL: fine */
    } cases[] = {
        {"0", "", NULL},
        {"1", "x\n", NULL},
        {"3", "\n\n\n", NULL},
        {"0", "x\n", "has 1 rows"},
        {"1", "", "has 0 rows"},
        {"2", "x\n", "has 1 rows"},
        {"1", "x\ny\n", "has 2 rows"},
        {"1", "x", "not ended by a newline"},
        {"2", "x\ny", "not ended by a newline"},
        {"-1", "", "is not a count"},
        {"", "", "is not a count"},
        {"1x", "x\n", "is not a count"},
        {"99999999999999999999", "x\n", "is not a count"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct record r = changed(rows, COUNT(rows), 3, cases[i].rows, cases[i].body);
        struct rows_message m;
        if (cases[i].wrong != NULL)
            assert_foreign_rows(r, cases[i].wrong);
        else
            assert_int_equal(rows_message_read(&r, "p", &m, NULL), 0);
    }
}

/* What jst_heads could not hold is not accepted: it would stop the pipeline. */
static void test_document_ids(void **state)
{
    static const char *const bad[] = {"", "\xFF", "\xC3", "a\xE4\xB8", "\xED\xA0\x80", "\xC0\xAF"};
    char id[257];
    struct rows_message m;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_foreign_rows(changed(rows, COUNT(rows), 1, bad[i], "x\nx\n"), H_DOCUMENT);
    memset(id, 'k', sizeof id);
    id[256] = '\0';
    assert_foreign_rows(changed(rows, COUNT(rows), 1, id, "x\nx\n"), H_DOCUMENT);
    id[255] = '\0';
    struct record r = changed(rows, COUNT(rows), 1, id, "x\nx\n");
    assert_int_equal(rows_message_read(&r, "p", &m, NULL), 0);
    r = changed(rows, COUNT(rows), 1, "\xE5\x8D\x95/\xF0\x9F\x98\x80 '\\", "x\nx\n");
    assert_int_equal(rows_message_read(&r, "p", &m, NULL), 0);
}

/* ------------------------------------------------------------------ headers */

static const char *value_of(const struct header_set *h, const char *name)
{
    const char *found = NULL;

    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->list[i].name, name) == 0) {
            assert_null(found); /* each name once */
            found = h->list[i].value;
        }
    return found;
}

static void test_header_set(void **state)
{
    struct header_set h;
    char text[8] = "abc";

    (void)state;
    headers_init(&h);
    headers_put(&h, "a", text);
    text[0] = 'x';
    headers_printf(&h, "b", "%d/%s", 7, "y");
    assert_string_equal(value_of(&h, "a"), "abc");
    assert_string_equal(value_of(&h, "b"), "7/y");
    headers_put(&h, "a", "");
    assert_string_equal(value_of(&h, "a"), "");
    assert_int_equal(h.count, 2);
    for (int i = 0; i < 100; i++)
        headers_put(&h, "b", "z"); /* does not leak, does not overflow */
    headers_free(&h);
    assert_int_equal(h.count, 0);
    headers_free(&h);
}

static void test_dead_letter(void **state)
{
    struct record r = make_record(rows, COUNT(rows), "x\n");
    struct header_set h;
    struct dead_letter dead = {
        .stage = "loader",
        .class = DEAD_TOO_LARGE,
        .code = 1406,
        .text = "Data too long",
        .row = 2,
        .rows = 5,
        .failed_at_ms = 1786590301000,
    };

    (void)state;
    dead_letter_headers(&r, &dead, &h);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(value_of(&h, rows[i].name), rows[i].value);
    assert_string_equal(value_of(&h, H_ERROR_SOURCE), "jst.p.rows/3/77");
    assert_string_equal(value_of(&h, H_ERROR_ROW), "2/5");
    assert_string_equal(value_of(&h, H_ERROR_STAGE), "loader");
    assert_string_equal(value_of(&h, H_ERROR_CLASS), "too-large");
    assert_string_equal(value_of(&h, H_ERROR_CODE), "1406");
    assert_string_equal(value_of(&h, H_ERROR_TEXT), "Data too long");
    assert_string_equal(value_of(&h, H_FAILED_AT), "2026-08-13T03:05:01.000Z");
    assert_int_equal(h.count, COUNT(rows) + 7);
    headers_free(&h);
    dead.row = 0;
    dead.code = 0;
    dead_letter_headers(&r, &dead, &h);
    assert_null(value_of(&h, H_ERROR_ROW));
    assert_null(value_of(&h, H_ERROR_CODE));
    headers_free(&h);
}

/* A record that has been a dead letter before: nothing of its old failure stands beside the new one. */
static void test_dead_letter_again(void **state)
{
    static const struct header old[] = {
        HEADER(H_PIPELINE, "p"),      HEADER(H_ERROR_SOURCE, "old"), HEADER(H_ERROR_ROW, "9/9"),
        HEADER(H_ERROR_STAGE, "old"), HEADER(H_ERROR_CLASS, "old"),  HEADER(H_ERROR_CODE, "1"),
        HEADER(H_ERROR_TEXT, "old"),  HEADER(H_FAILED_AT, "old"),    HEADER(H_RESENT, "2026"),
    };
    struct record r = make_record(old, COUNT(old), "x\n");
    struct header_set h;

    (void)state;
    dead_letter_headers(&r, &(struct dead_letter){.stage = "transformer", .class = DEAD_PARSE, .text = "new"},
                        &h);
    assert_null(value_of(&h, H_ERROR_ROW));
    assert_null(value_of(&h, H_ERROR_CODE));
    assert_string_equal(value_of(&h, H_ERROR_TEXT), "new");
    assert_string_equal(value_of(&h, H_ERROR_STAGE), "transformer");
    assert_string_equal(value_of(&h, H_RESENT), "2026");
    assert_string_equal(value_of(&h, H_FAILED_AT), "1970-01-01T00:00:00.000Z");
    headers_free(&h);
}

/* However many headers a foreign message has, its dead letter says why it is one. */
static void test_dead_letter_of_many_headers(void **state)
{
    char names[HEADERS_MAX][8];
    struct record r = make_record(NULL, 0, NULL);
    struct header_set h;

    (void)state;
    for (size_t i = 0; i < HEADERS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "x%zu", i);
        *header_of(&r, r.header_count++) = (struct header)HEADER(names[i], i % 2 ? "v" : NULL);
    }
    dead_letter_headers(
        &r, &(struct dead_letter){.stage = "loader", .class = DEAD_DATA, .text = "why", .code = 1, .row = 1},
        &h);
    assert_string_equal(value_of(&h, H_ERROR_TEXT), "why");
    assert_string_equal(value_of(&h, H_ERROR_SOURCE), "jst.p.rows/3/77");
    assert_non_null(value_of(&h, H_FAILED_AT));
    assert_string_equal(value_of(&h, "x99"), "v");
    headers_free(&h);
}

static void test_class_names(void **state)
{
    static const char *const names[] = {"parse", "convert", "quality", "script", "data", "too-large"};

    (void)state;
    for (int c = DEAD_PARSE; c <= DEAD_TOO_LARGE; c++)
        assert_string_equal(dead_class_name((enum dead_class)c), names[c]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_row_counts),
        cmocka_unit_test(test_document_ids),
        cmocka_unit_test(test_header_set),
        cmocka_unit_test(test_dead_letter),
        cmocka_unit_test(test_dead_letter_again),
        cmocka_unit_test(test_dead_letter_of_many_headers),
        cmocka_unit_test(test_class_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
