#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "loader/flow.h"
#include "tests/unit/twins/memory_source.h"
#include "tests/unit/twins/rows_message.h"
#include "tests/unit/twins/twin_pipeline.h"

#define ROWS "jst.p.rows"

static const struct batch_limits limits = {.rows = 4, .bytes = 1024 * 1024};
static struct pipeline *p;
static struct route route;
static struct memory_source *in;
static struct flow flow;

static int set_up(void **state)
{
    static char rows[] = ROWS;

    (void)state;
    p = twin_pipeline(&(struct twin_spec){0});
    route = (struct route){.pipeline = p, .rows = rows};
    in = memory_source_new(false);
    flow_init(&flow, &route);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    flow_free(&flow, &in->base);
    size_t out = in->out;
    source_free(&in->base);
    pipeline_free(p);
    return out == 0 ? 0 : -1;
}

static void take_records(void)
{
    struct source_event event;

    while (source_poll(&in->base, 0, &event, NULL) == 0 && event.kind == SOURCE_RECORD)
        flow_add(&flow, &event.record, &limits, 0);
}

/* Documents first..last, each of so many rows, into the flow. */
static void add_to(int partition, int first, int last, int rows)
{
    for (int i = first; i <= last; i++)
        add_document(in, partition, i, 1, rows, "x");
    take_records();
}

static void add_numbered(int first, int last, int rows)
{
    add_to(0, first, last, rows);
}

static struct shipment *ship(void)
{
    return flow_ship(&flow, &limits, 0);
}

static void set_committed(struct shipment *s)
{
    shipment_committed(s);
    s->state = SHIPMENT_COMMITTED;
}

static void assert_flow(size_t shipments, size_t filling, size_t held)
{
    assert_int_equal(flow.shipment_count, shipments);
    assert_int_equal(flow.filling != NULL ? flow.filling->document_count : 0, filling);
    assert_int_equal(flow.held_count, held);
    assert_int_equal(flow_is_blocked(&flow), held > 0);
    assert_int_equal(flow_is_empty(&flow), shipments == 0 && filling == 0 && held == 0);
}

static void assign(int32_t partition, int64_t written)
{
    flow.parts = mem_grow(flow.parts, &flow.part_cap, flow.part_count, sizeof *flow.parts);
    flow.parts[flow.part_count++] =
        (struct flow_part){.log = {.topic = ROWS, .partition = partition}, .next = -1, .written = written};
}

/* ------------------------------------------------------------------ records */

/* What has no room is held, in order, and goes on with the next batches. */
static void test_held(void **state)
{
    int next = 1;

    (void)state;
    assert_flow(0, 0, 0);
    add_numbered(1, 11, 1);
    assert_flow(0, 4, 7);
    while (flow.filling != NULL) {
        struct shipment *s = ship();
        for (size_t i = 0; i < s->batch->document_count; i++)
            assert_int_equal(strtol(s->batch->documents[i].id, NULL, 10), next++);
    }
    assert_int_equal(next, 12);
    assert_flow(3, 0, 0);
}

/* Behind a held record everything is held, though it had room: order. */
static void test_order_behind_a_held_one(void **state)
{
    (void)state;
    add_numbered(1, 1, 1);
    add_numbered(2, 2, 9);
    add_numbered(3, 3, 1);
    assert_flow(0, 1, 2);
    ship();
    assert_flow(1, 1, 1);
    assert_int_equal(flow.filling->row_count, 9);
    ship();
    assert_flow(2, 1, 0);
}

static void test_place(void **state)
{
    (void)state;
    for (int i = 0; i < SHIPMENTS_MAX; i++) {
        assert_true(flow_has_place(&flow));
        add_numbered(i, i, 1);
        ship();
    }
    assert_false(flow_has_place(&flow));
}

static void test_memory(void **state)
{
    (void)state;
    assert_int_equal(flow_memory(&flow), 0);
    add_numbered(1, 4, 1);
    size_t filling = flow_memory(&flow);
    assert_true(filling > (size_t)4 * 1024); /* headers count, too */
    add_numbered(5, 6, 1);
    size_t held = flow_memory(&flow);
    assert_true(held > filling);
    ship();
    assert_true(flow_memory(&flow) >= held);
    flow_drop(&flow, &in->base);
    assert_int_equal(flow_memory(&flow), 0);
}

static void test_overlaps(void **state)
{
    (void)state;
    add_numbered(1, 3, 1);
    struct shipment *s = ship();
    add_numbered(4, 5, 1);
    assert_false(flow_overlaps(&flow));
    add_numbered(3, 3, 1);
    for (int state_now = SHIPMENT_WAITS; state_now <= SHIPMENT_DONE; state_now++) {
        s->state = (enum shipment_state)state_now;
        assert_int_equal(flow_overlaps(&flow), state_now <= SHIPMENT_WRITES);
    }
}

/* ------------------------------------------------------------------ forgetting */

static void test_drop(void **state)
{
    (void)state;
    add_numbered(1, 10, 1);
    struct shipment *writes = ship();
    struct shipment *committed = ship();
    writes->state = SHIPMENT_WRITES;
    set_committed(committed);
    assert_flow(2, 2, 0);
    flow_drop(&flow, &in->base);
    assert_flow(0, 0, 0);
    assert_true(writes->orphaned);
    assert_int_equal(in->out, 4); /* those of the one on a writing thread */
    shipment_free(writes, &in->base);
}

/* A pipeline that waits for a person keeps one batch; the rest is read again. */
static void test_shed(void **state)
{
    (void)state;
    assign(0, -1);
    assign(1, -1);
    add_numbered(1, 4, 1);
    add_to(1, 1, 2, 1);
    ship();
    ship();
    add_numbered(5, 14, 1);
    ship();
    assert_true(flow.held_count > 0);
    flow_shed(&flow, &in->base);
    assert_flow(1, 0, 0);
    assert_int_equal(in->out, 4);
    assert_int_equal(memory_source_position(in, ROWS, 0), 4);
    assert_int_equal(memory_source_position(in, ROWS, 1), 0);
}

/* One on a writing thread, or committed, is not forgotten, nor what lies before it. */
static void test_shed_behind_what_is_written(void **state)
{
    (void)state;
    assign(0, -1);
    add_numbered(1, 12, 1);
    ship();
    struct shipment *writes = ship();
    writes->state = SHIPMENT_WRITES;
    ship();
    add_numbered(13, 13, 1);
    flow_shed(&flow, &in->base);
    assert_flow(2, 0, 0);
    assert_int_equal(memory_source_position(in, ROWS, 0), 8);
    writes->state = SHIPMENT_WAITS;
}

/* ------------------------------------------------------------------ marks */

static void assert_marks(const struct mark_list *marks, const int64_t *next_offsets, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (next_offsets[i] < 0)
            continue;
        assert_true(n < marks->count);
        assert_int_equal(marks->list[n].partition, i);
        assert_int_equal(marks->list[n++].next_offset, next_offsets[i]);
    }
    assert_int_equal(marks->count, n);
}

static void assert_shipment_marks(const struct shipment *s, int64_t first, int64_t second)
{
    struct mark_list marks = {0};

    flow_marks(s, &marks);
    assert_marks(&marks, (const int64_t[]){first, second}, 2);
    free(marks.list);
}

static void assert_lagging(int64_t first, int64_t second)
{
    struct mark_list marks = {0};

    flow_lagging_marks(&flow, &marks);
    assert_marks(&marks, (const int64_t[]){first, second}, 2);
    free(marks.list);
}

/* A transaction writes its own end only if all before it is committed, and then that of those behind it that
 * are. */
static void test_marks(void **state)
{
    (void)state;
    add_to(1, 1, 2, 1);
    struct shipment *a = ship();
    add_to(0, 3, 5, 1);
    struct shipment *b = ship();
    add_to(1, 6, 7, 1);
    struct shipment *c = ship();
    assert_shipment_marks(a, -1, 2);
    assert_shipment_marks(b, -1, -1);
    assert_shipment_marks(c, -1, -1);
    set_committed(b); /* before a */
    assert_shipment_marks(a, 3, 2);
    assert_shipment_marks(c, -1, -1);
    shipment_committed(c); /* the loop has not heard of it */
    assert_shipment_marks(a, 3, 4);
    set_committed(a);
    assert_shipment_marks(b, 3, 4);
    assert_shipment_marks(c, -1, 4);
    a->orphaned = true;
    assert_shipment_marks(a, -1, -1);
}

/* What lags is written when there is nothing else to do: nothing of a partition that was never marked, or
 * whose start is not decided. */
static void test_lagging(void **state)
{
    (void)state;
    assign(0, 0);
    assign(1, 1);
    add_to(0, 1, 3, 1);
    struct shipment *a = ship();
    add_to(1, 4, 5, 1);
    struct shipment *b = ship();
    set_committed(b);
    flow_advance(&flow);
    assert_lagging(-1, -1);
    set_committed(a);
    flow_advance(&flow);
    assert_lagging(3, 2);
    struct mark own = {.topic = ROWS, .partition = 1, .next_offset = 2};
    flow_marks_written(&flow, &(const struct mark_list){.list = &own, .count = 1});
    assert_lagging(3, 2); /* what does not lag is checked with the others */
    flow.parts[0].waiting = true;
    assert_lagging(-1, -1);
}

/* Offsets are stored in order, whatever the order of the commits. */
static void test_done_in_order(void **state)
{
    (void)state;
    add_numbered(1, 1, 1);
    struct shipment *a = ship();
    add_numbered(2, 2, 1);
    struct shipment *b = ship();
    b->state = SHIPMENT_DONE;
    assert_null(flow_take_done(&flow));
    set_committed(a);
    assert_null(flow_take_done(&flow));
    a->state = SHIPMENT_DONE;
    assert_ptr_equal(flow_take_done(&flow), a);
    shipment_free(a, &in->base);
    assert_ptr_equal(flow_take_done(&flow), b);
    shipment_free(b, &in->base);
    assert_null(flow_take_done(&flow));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_held),          CASE(test_order_behind_a_held_one),
        CASE(test_place),         CASE(test_memory),
        CASE(test_overlaps),      CASE(test_drop),
        CASE(test_shed),          CASE(test_shed_behind_what_is_written),
        CASE(test_marks),         CASE(test_lagging),
        CASE(test_done_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
