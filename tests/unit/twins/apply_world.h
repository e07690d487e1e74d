/* What the tests of apply_batch() work with: a batch from a source, and the twin of the store. Included after
 * cmocka.h, once in a program. */
#ifndef JST_TESTS_APPLY_WORLD_H
#define JST_TESTS_APPLY_WORLD_H

#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "loader/apply.h"
#include "tests/unit/twins/fake_store.h"
#include "tests/unit/twins/rows_message.h"
#include "tests/unit/twins/twin_pipeline.h"

static struct world {
    struct pipeline *p;
    struct row_reader *reader;
    struct memory_source *in;
    struct fake_database *db;
    struct store *store;
    struct table *table;
    struct batch *batch;
    struct apply_rules rules;
    struct apply_result result;
    struct err err;
} world;

static inline void open_world(const struct twin_spec *spec)
{
    memset(&world, 0, sizeof world);
    world.p = twin_pipeline(spec);
    world.reader = row_reader_new(world.p);
    world.in = memory_source_new(false);
    world.db = fake_database_new();
    world.store = fake_store_new(world.db);
    world.batch = batch_new(world.reader);
    world.rules = (struct apply_rules){.flood_limit = 500};
    assert_int_equal(store_connect(world.store, &world.err), 0);
    assert_int_equal(world.store->ops->look(world.store, world.p, false, &world.table, &world.err), 0);
}

static inline int set_up(void **state)
{
    (void)state;
    open_world(&(struct twin_spec){0});
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    batch_free(world.batch, &world.in->base);
    free(world.result.rounded);
    table_free(world.table);
    store_free(world.store);
    fake_database_free(world.db);
    source_free(&world.in->base);
    row_reader_free(world.reader);
    pipeline_free(world.p);
    return 0;
}

static inline void again(void **state, const struct twin_spec *spec)
{
    tear_down(state);
    open_world(spec);
}

/* What stands in the source goes into the batch. */
static inline void fill_batch(void)
{
    struct source_event event;

    while (source_poll(&world.in->base, 0, &event, NULL) == 0 && event.kind == SOURCE_RECORD)
        batch_add(world.batch, &event.record, 0);
}

static inline void new_batch(void)
{
    batch_free(world.batch, &world.in->base);
    world.batch = batch_new(world.reader);
}

static inline int apply(void)
{
    fill_batch();
    err_clear(&world.err);
    free(world.result.rounded);
    world.result = (struct apply_result){0};
    int rc = apply_batch(world.store, world.table, world.batch, &world.rules, &world.result, &world.err);
    assert_string_equal(world.db->trouble, "");
    assert_int_equal(world.db->open, 0);
    return rc;
}

static inline void assert_applied(void)
{
    if (apply() != 0)
        fail_msg("%s", world.err.text);
}

static inline void assert_refused(enum err_kind kind, int code, const char *text)
{
    assert_int_equal(apply(), -1);
    assert_int_equal(world.err.kind, kind);
    assert_int_equal(world.err.code, code);
    if (strstr(world.err.text, text) == NULL)
        fail_msg("%s", world.err.text);
}

static inline void assert_rows(const char *expected)
{
    struct buf rows;

    buf_init(&rows, 16 * 1024 * 1024);
    fake_data_dump(&world.db->committed, world.p->table, world.p->column_count, &rows);
    assert_string_equal(rows.data, expected);
    buf_free(&rows);
}

static inline void assert_result(size_t written, size_t stale, size_t rows, size_t pruned, size_t rejected)
{
    assert_int_equal(world.result.written, written);
    assert_int_equal(world.result.stale, stale);
    assert_int_equal(world.result.rows, rows);
    assert_int_equal(world.result.pruned, pruned);
    assert_int_equal(world.result.rejected, rejected);
}

static inline void put_row(const char *id, const char *io_id, const char *note)
{
    fake_database_put_row(world.db, world.p, (const char *const[]){id, io_id, note, "1"});
}

static inline void put_head(const char *document, uint64_t version, int64_t published)
{
    const struct stamp stamp = {.kind = STAMP_INTEGER,
                                .version = version,
                                .received_ms = ROWS_RECEIVED_MS,
                                .published_ms = published};

    fake_database_put_head(world.db, "p", document, &stamp);
}

static inline void assert_head(const char *document, uint64_t version, int64_t published, size_t rows)
{
    const struct fake_head *h = fake_data_head(&world.db->committed, "p", document);

    assert_non_null(h);
    assert_int_equal(h->stamp.kind, STAMP_INTEGER);
    assert_int_equal(h->stamp.version, version);
    assert_int_equal(h->stamp.published_ms, published);
    assert_int_equal(h->rows, rows);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
