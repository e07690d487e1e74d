#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loader/batch.h"
#include "tests/unit/twins/memory_source.h"
#include "tests/unit/twins/rows_message.h"
#include "tests/unit/twins/twin_pipeline.h"

static struct pipeline *p;
static struct row_reader *reader;
static struct memory_source *in;
static struct batch *b;

static int set_up(void **state)
{
    (void)state;
    p = twin_pipeline(&(struct twin_spec){0});
    reader = row_reader_new(p);
    in = memory_source_new(false);
    b = batch_new(reader);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    batch_free(b, &in->base);
    size_t out = in->out;
    source_free(&in->base);
    row_reader_free(reader);
    pipeline_free(p);
    return out == 0 ? 0 : -1;
}

static bool take(struct record *ret)
{
    struct source_event event;
    bool got = source_poll(&in->base, 0, &event, NULL) == 0 && event.kind == SOURCE_RECORD;

    if (got)
        *ret = event.record;
    return got;
}

static void fill(void)
{
    struct record r;

    while (take(&r))
        batch_add(b, &r, 500);
}

static const char *cell(size_t row, size_t column)
{
    static char text[200];
    size_t len;
    const char *at = batch_cell(b, &b->rows[row], column, &len);

    if (at == NULL)
        return "NULL";
    snprintf(text, sizeof text, "%.*s", (int)len, at);
    return text;
}

/* ------------------------------------------------------------------ */

static void test_one(void **state)
{
    (void)state;
    add_rows(in,
             &(struct rows_spec){.document = "7",
                                 .version = "5",
                                 .published_ms = 1234,
                                 .value = "{\"id\":\"7-1\",\"io_id\":7,\"note\":null,\"qty\":1.50}\n"
                                          "{\"id\":\"\",\"io_id\":\"7\",\"note\":\"a\\nb\",\"qty\":\"\"}\n"});
    fill();
    assert_int_equal(b->document_count, 1);
    assert_int_equal(b->wanted, 1);
    assert_int_equal(b->wanted_rows, 2);
    assert_int_equal(b->since_ms, 500);
    const struct document *d = &b->documents[0];
    assert_int_equal(d->state, DOCUMENT_WANTED);
    assert_string_equal(d->id, "7");
    assert_int_equal(d->stamp.version, 5);
    assert_int_equal(d->stamp.published_ms, 1234);
    assert_int_equal(d->stamp.received_ms, 1786590300123);
    assert_int_equal(d->row_count, 2);
    static const char *const cells[2][4] = {{"7-1", "7", "NULL", "1.50"}, {"", "7", "a\nb", ""}};
    for (size_t i = 0; i < 2; i++)
        for (size_t c = 0; c < 4; c++)
            assert_string_equal(cell(i, c), cells[i][c]);
    assert_int_equal(strncmp(b->rows[1].line, "{\"id\":\"\",", 9), 0);
    assert_int_equal(b->rows[0].line[b->rows[0].line_len], '\n');
}

/* Rows of an older or newer mapping: other columns, another order. */
static void test_other_mapping(void **state)
{
    (void)state;
    add_rows(in,
             &(struct rows_spec){.document = "7",
                                 .version = "5",
                                 .value = "{\"qty\":1,\"old\":9,\"io_id\":7,\"id\":\"k\"}\n"
                                          "{\"id\":null}\n"
                                          "{\"note\":true,\"qty\":false}\n"
                                          "{\"ID\":\"x\",\"io_id\":8,\"new\":{\"a\":[1]},\"note\":\"n\"}\n"});
    fill();
    static const char *const cells[4][4] = {{"k", "7", "NULL", "1"},
                                            {"NULL", "NULL", "NULL", "NULL"},
                                            {"NULL", "NULL", "1", "0"},
                                            {"NULL", "8", "n", "NULL"}};
    assert_int_equal(b->documents[0].state, DOCUMENT_WANTED);
    for (size_t i = 0; i < 4; i++)
        for (size_t c = 0; c < 4; c++)
            assert_string_equal(cell(i, c), cells[i][c]);
}

static void test_versions(void **state)
{
    static const struct {
        const char *text;
        uint64_t version; /* 0: broken */
    } cases[] = {
        {"5", 5},
        {"18446744073709551615", UINT64_MAX},
        {"2026-08-13 11:05:00", 20260813110500},
        {"", 1786590300123}, /* when it was received */
        {"-1", 0},
        {"x", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        add_rows(in, &(struct rows_spec){.document = "7", .version = cases[i].text, .value = ""});
    fill();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(b->documents[i].state == DOCUMENT_BROKEN, cases[i].version == 0);
        if (cases[i].version != 0)
            assert_int_equal(b->documents[i].stamp.version, cases[i].version);
    }
}

/* A message without a timestamp is the oldest of its version, never the newest for ever. */
static void test_no_timestamp(void **state)
{
    (void)state;
    add_rows(in, &(struct rows_spec){.document = "7", .version = "5", .published_ms = 1, .value = ""});
    add_rows(in, &(struct rows_spec){.document = "7", .version = "5", .published_ms = -1, .value = ""});
    fill();
    assert_int_equal(b->documents[1].stamp.published_ms, 0);
    assert_int_equal(b->documents[0].state, DOCUMENT_WANTED);
    assert_int_equal(b->documents[1].state, DOCUMENT_STALE);
}

/* Of several states of one document one is wanted: the highest version, then the latest published, then the
 * last. */
static void test_newest(void **state)
{
    static const struct {
        struct {
            int version;
            int64_t published;
        } in[3];
        size_t wanted;
    } cases[] = {
        {{{1, 10}, {2, 5}, {1, 20}}, 1}, {{{1, 10}, {1, 20}, {1, 15}}, 1}, {{{1, 10}, {1, 10}, {1, 10}}, 2},
        {{{3, 1}, {2, 2}, {1, 3}}, 0},   {{{1, 3}, {2, 2}, {3, 1}}, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        batch_free(b, &in->base);
        b = batch_new(reader);
        for (size_t n = 0; n < 3; n++) {
            char version[8];
            snprintf(version, sizeof version, "%d", cases[i].in[n].version);
            add_rows(in, &(struct rows_spec){.document = "7",
                                             .version = version,
                                             .published_ms = cases[i].in[n].published,
                                             .value = "{\"id\":1}\n"});
        }
        add_document(in, 0, 77, 1, 2, "other");
        fill();
        for (size_t n = 0; n < 3; n++)
            assert_int_equal(b->documents[n].state, n == cases[i].wanted ? DOCUMENT_WANTED : DOCUMENT_STALE);
        assert_int_equal(b->wanted, 2);
        assert_int_equal(b->wanted_rows, 3);
    }
}

/* What cannot be read is kept as it is, with a reason, and leaves nothing else behind. */
static void test_broken(void **state)
{
    static const struct {
        const char *value, *why;
    } cases[] = {
        {"{\"id\":1}\n{\"id\":\n", "row 2"},
        {"{\"id\":\"\\n1\"}\n{\"id\":\n", "row 2"},
        {"[]\n", "row 1: a row is not an object"},
        {"{\"id\":{}}\n", "column id is an object or array"},
        {"{\"id\":1}\n{\"qty\":[1]}\n", "row 2: column qty"},
        {"{\"id\":1,\"id\":2}\n", "row 1"},
        {"\n", "row 1"},
        {"{}", "newline"},
        {"{}\n", "none of the pipeline's columns"},
        {"{\"ID\":1,\"x\":2}\n", "none of the pipeline's columns"},
    };

    (void)state;
    add_document(in, 0, 7, 9, 1, "good");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        add_rows(in, &(struct rows_spec){.document = "7", .version = "10", .value = cases[i].value});
    add_rows(
        in, &(struct rows_spec){.pipeline = "p", .document = "7", .version = "10", .value = "", .rows = "3"});
    add_document(in, 0, 8, 9, 1, "good");
    memory_source_add(in, "jst.p.rows", 0, 1, NULL, NULL, 0, NULL, 0);
    fill();
    size_t count = sizeof cases / sizeof cases[0];
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(b->documents[i + 1].state, DOCUMENT_BROKEN);
        if (strstr(b->documents[i + 1].why, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].value, b->documents[i + 1].why);
        assert_string_equal(b->documents[i + 1].id, "7");
        assert_int_equal(b->documents[i + 1].row_count, 0);
    }
    assert_int_equal(b->documents[count + 1].state, DOCUMENT_BROKEN);
    assert_int_equal(b->documents[count + 3].state, DOCUMENT_BROKEN);
    assert_null(b->documents[count + 3].id);
    assert_int_equal(b->documents[0].state, DOCUMENT_WANTED); /* a broken one is newer than nothing */
    assert_int_equal(b->wanted, 2);
    assert_int_equal(b->row_count, 2);
    assert_int_equal(b->cell_count, 8);
    assert_int_equal(b->text.len, 0); /* what the broken ones had put there is gone */
    assert_string_equal(cell(1, 0), "8-1");
    assert_int_equal(b->rows[1].document, count + 2);
}

/* Every id finds its own document, in however large a batch. */
static void test_many(void **state)
{
    enum { MANY = 5000 };
    size_t count;

    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < MANY; i++)
            add_document(in, 0, i, round + 1, 1, "x");
    fill();
    assert_int_equal(b->document_count, 2 * MANY);
    assert_int_equal(b->wanted, MANY);
    size_t *sorted = batch_sorted(b, &count);
    assert_int_equal(count, MANY);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(b->documents[sorted[i]].stamp.version, 2);
        if (i > 0)
            assert_true(strcmp(b->documents[sorted[i - 1]].id, b->documents[sorted[i]].id) < 0);
    }
    free(sorted);
}

/* By bytes, as the primary key of jst_heads: lower case after upper, Chinese after ASCII. */
static void test_order(void **state)
{
    static const char *const ids[] = {"b",  "\xE5\x8D\x95",     "B", "a", "10", "9",
                                      "a ", "\xF0\x9F\x98\x80", "A"};
    static const char *const sorted_ids[] = {
        "10", "9", "A", "B", "a", "a ", "b", "\xE5\x8D\x95", "\xF0\x9F\x98\x80"};
    size_t count;

    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        add_rows(in, &(struct rows_spec){.document = ids[i], .version = "1", .value = ""});
    fill();
    size_t *sorted = batch_sorted(b, &count);
    assert_int_equal(count, sizeof ids / sizeof ids[0]);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(b->documents[sorted[i]].id, sorted_ids[i]);
    free(sorted);
    batch_free(b, &in->base);
    b = batch_new(reader);
    sorted = batch_sorted(b, &count);
    assert_int_equal(count, 0);
    free(sorted);
}

static void test_limits(void **state)
{
    static const struct {
        int rows_there; /* documents of one row each */
        size_t bytes;   /* limit */
        int rows;       /* of the next */
        const char *said;
        bool room, full;
    } cases[] = {
        {0, 65536, 100, NULL, true, false}, /* the first always */
        {0, 1, 100, NULL, true, false},     /* however large */
        {9, 65536, 1, NULL, true, false},   {9, 65536, 2, NULL, false, false},
        {9, 65536, 11, NULL, false, false}, /* larger than a batch: alone */
        {10, 65536, 1, NULL, false, true},  {10, 65536, 0, NULL, false, true},
        {3, 50, 1, NULL, false, true},      {3, 65536, 1, "99999999999999999999999", false, false},
        {3, 65536, 1, "x", true, false}, /* it will be a broken one */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct batch_limits limits = {.rows = 10, .bytes = cases[i].bytes};
        struct record r;
        batch_free(b, &in->base);
        b = batch_new(reader);
        for (int n = 0; n < cases[i].rows_there; n++)
            add_document(in, 0, n, 1, 1, "x");
        fill();
        add_document(in, 0, 99, 1, cases[i].rows, "x");
        assert_true(take(&r));
        if (cases[i].said != NULL)
            for (size_t h = 0; h < r.header_count; h++)
                if (strcmp(r.headers[h].name, H_ROWS) == 0) {
                    struct header *said = (struct header *)(uintptr_t)&r.headers[h];
                    free((void *)(uintptr_t)said->value);
                    *said = (struct header)HEADER(said->name, strdup(cases[i].said));
                }
        assert_int_equal(batch_is_full(b, &limits), cases[i].full);
        if (batch_has_room(b, &r, &limits) != cases[i].room)
            fail_msg("case %zu", i);
        source_release(&in->base, &r);
    }
    /* documents without rows count, too */
    const struct batch_limits limits = {.rows = 10, .bytes = 65536};
    batch_free(b, &in->base);
    b = batch_new(reader);
    for (int n = 0; n < 10; n++)
        add_document(in, 0, n, 1, 0, "x");
    fill();
    assert_true(batch_is_full(b, &limits));
}

/* Up to where each partition goes, whatever becomes of its records. */
static void test_parts(void **state)
{
    static const struct {
        int32_t partition;
        int64_t first, last;
    } expected[] = {{1, 0, 2}, {0, 0, 0}, {2, 0, 1}};

    (void)state;
    add_document(in, 1, 7, 1, 1, "x");
    fill();
    add_document(in, 0, 7, 1, 1, "x");
    fill();
    add_rows(in, &(struct rows_spec){.partition = 2, .document = "8", .version = "x", .value = ""});
    add_document(in, 1, 7, 0, 1, "older");
    add_document(in, 2, 9, 1, 1, "x");
    add_document(in, 1, 10, 1, 1, "x");
    fill();
    assert_int_equal(b->part_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(b->parts[i].topic, "jst.p.rows");
        assert_int_equal(b->parts[i].partition, expected[i].partition);
        assert_int_equal(b->parts[i].first, expected[i].first);
        assert_int_equal(b->parts[i].last, expected[i].last);
        assert_int_equal(b->parts[i].written, -1);
    }
}

static void assert_overlap(bool expected, int document, int version)
{
    struct batch *other = batch_new(reader);
    struct record r;

    add_document(in, 0, document, version, 1, "x");
    assert_true(take(&r));
    batch_add(other, &r, 0);
    assert_int_equal(batch_overlaps(other, b), expected);
    assert_int_equal(batch_overlaps(b, other), expected);
    batch_free(other, &in->base);
}

static void test_overlap(void **state)
{
    (void)state;
    for (int d = 1; d <= 5; d++)
        add_document(in, 0, d, 5, 1, "x");
    fill();
    assert_overlap(true, 3, 5);
    assert_overlap(true, 3, 1); /* older: it would still wait at the head */
    assert_overlap(false, 6, 5);
}

/* Every version, in the order in which they came. */
static void row_by_row_every_version_is_wanted(void **state)
{
    size_t count;

    tear_down(state);
    p = twin_pipeline(&(struct twin_spec){.options = ",\"version\":\"ts\",\"write\":\"replace\""});
    reader = row_reader_new(p);
    in = memory_source_new(false);
    b = batch_new(reader);
    add_document(in, 0, 2, 5, 1, "a");
    add_document(in, 0, 1, 5, 1, "a");
    add_document(in, 0, 2, 4, 2, "older");
    add_rows(in, &(struct rows_spec){.document = "3", .version = "no", .value = ""});
    add_document(in, 0, 2, 5, 1, "again");
    fill();
    assert_int_equal(b->wanted, 4);
    assert_int_equal(b->wanted_rows, 5);
    size_t *sorted = batch_sorted(b, &count);
    assert_int_equal(count, 4);
    assert_true(sorted[0] == 0 && sorted[1] == 1 && sorted[2] == 2 && sorted[3] == 4);
    free(sorted);
    struct batch *other = batch_new(reader);
    assert_true(batch_overlaps(b, other)); /* one after the other, whatever is in them */
    batch_free(other, &in->base);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_one),          CASE(test_other_mapping), CASE(test_versions),
        CASE(test_no_timestamp), CASE(test_newest),        CASE(test_broken),
        CASE(test_many),         CASE(test_order),         CASE(test_limits),
        CASE(test_parts),        CASE(test_overlap),       CASE(row_by_row_every_version_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
