/* What the tests of apply_batch() work with: a batch from a source, and the twin of the database. Included
 * after cmocka.h, once in a program. */
#ifndef JST_TESTS_APPLY_WORLD_H
#define JST_TESTS_APPLY_WORLD_H

#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "loader/apply.h"
#include "tests/unit/twins/fake_db.h"
#include "tests/unit/twins/rows_message.h"
#include "tests/unit/twins/twin_pipeline.h"

static struct world {
    struct pipeline *p;
    struct memory_source *in;
    struct fake_db *db;
    struct table *table;
    struct batch *batch;
    const struct flood *flood;
    struct apply_result result;
    struct err err;
    struct buf log;
} world;

static inline void open_world(const struct twin_spec *spec)
{
    memset(&world, 0, sizeof world);
    world.p = twin_pipeline(spec);
    world.in = memory_source_new(false);
    world.db = fake_db_new(world.p);
    world.batch = batch_new(world.p);
    buf_init(&world.log, 16 * 1024 * 1024);
    assert_int_equal(db_connect(&world.db->base, &world.err), 0);
    assert_int_equal(table_load(&world.db->base, world.p, false, &world.table, &world.err), 0);
    world.db->log = &world.log;
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
    table_free(world.table);
    db_free(&world.db->base);
    source_free(&world.in->base);
    pipeline_free(world.p);
    buf_free(&world.log);
    return 0;
}

static inline void again(void **state, const struct twin_spec *spec)
{
    tear_down(state);
    open_world(spec);
}

/* What stands in the source goes into the batch. */
static inline void fill(void)
{
    struct source_event event;

    while (source_poll(&world.in->base, 0, &event, NULL) == 0 && event.kind == SOURCE_RECORD)
        batch_add(world.batch, &event.record, 0);
}

static inline void new_batch(void)
{
    batch_free(world.batch, &world.in->base);
    world.batch = batch_new(world.p);
}

static inline int apply(bool unknown_as_row)
{
    fill();
    err_clear(&world.err);
    buf_reset(&world.log);
    world.result = (struct apply_result){0};
    int rc = apply_batch(
        &world.db->base, world.table, world.batch,
        &(struct apply_rules){.unknown_as_row = unknown_as_row, .flood = world.flood, .flood_limit = 500},
        &world.result, &world.err);
    assert_string_equal(world.db->trouble, "");
    assert_false(world.db->in_transaction);
    return rc;
}

static inline void assert_applied(void)
{
    if (apply(false) != 0)
        fail_msg("%s", world.err.text);
}

static inline void assert_rows(const char *expected)
{
    struct buf rows;

    buf_init(&rows, 16 * 1024 * 1024);
    fake_db_dump(world.db, &rows);
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
    fake_db_put_row(world.db, (const char *const[]){id, io_id, note, "1"});
}

static inline void assert_head(const char *document, uint64_t version, uint64_t published, size_t rows)
{
    const struct fake_head *h = fake_db_head(world.db, document);

    assert_non_null(h);
    assert_int_equal(h->version, version);
    assert_int_equal(h->published, published);
    assert_int_equal(h->rows, rows);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
