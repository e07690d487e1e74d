#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loader/lane.h"
#include "tests/unit/twins/memory_source.h"
#include "tests/unit/twins/rows_message.h"
#include "tests/unit/twins/twin_pipeline.h"

enum { WAIT_MS = 200 };

static const struct batch_limits limits = {.rows = 4, .bytes = 1024 * 1024};
static struct pipeline *p;
static struct route route;
static struct memory_source *in;
static struct lane lane;

static int set_up(void **state)
{
    (void)state;
    p = twin_pipeline(&(struct twin_spec){0});
    route = (struct route){.pipeline = p};
    in = memory_source_new(false);
    lane = (struct lane){.route = &route};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lane_free(&lane, &in->base);
    size_t out = in->out;
    source_free(&in->base);
    pipeline_free(p);
    return out == 0 ? 0 : -1;
}

/* Documents first..last, each of so many rows, into the lane. */
static void add(int first, int last, int rows, int64_t now_ms)
{
    struct source_event event;

    for (int i = first; i <= last; i++)
        add_document(in, 0, i, 1, rows, "x");
    while (source_poll(&in->base, 0, &event, NULL) == 0 && event.kind == SOURCE_RECORD)
        lane_add(&lane, &event.record, &limits, now_ms);
}

static void assert_lane(size_t due, size_t filling, size_t held)
{
    assert_int_equal(lane.due != NULL ? lane.due->document_count : 0, due);
    assert_int_equal(lane.filling != NULL ? lane.filling->document_count : 0, filling);
    assert_int_equal(lane.held_count, held);
    assert_int_equal(lane_is_blocked(&lane), held > 0);
    assert_int_equal(lane_is_empty(&lane), due == 0 && filling == 0 && held == 0);
}

static void written(void)
{
    batch_free(lane.due, &in->base);
    lane.due = NULL;
}

static void advance(bool flush, int64_t now_ms)
{
    lane_advance(&lane, &limits, WAIT_MS, flush, now_ms);
}

/* ------------------------------------------------------------------ */

static void test_rules(void **state)
{
    (void)state;
    assert_lane(0, 0, 0);
    assert_true(lane_due_at(&lane, WAIT_MS) == INT64_MAX);
    advance(true, 0);
    assert_lane(0, 0, 0); /* nothing is not a batch */
    add(1, 2, 1, 1000);
    assert_lane(0, 2, 0);
    assert_int_equal(lane_due_at(&lane, WAIT_MS), 1200);
    advance(false, 1199);
    assert_lane(0, 2, 0); /* neither full nor old */
    advance(false, 1200);
    assert_lane(2, 0, 0);
    written();
    add(3, 3, 1, 2000);
    advance(true, 2000);
    assert_lane(1, 0, 0); /* nothing more comes */
    written();
    add(4, 7, 1, 3000);
    advance(false, 3000);
    assert_lane(4, 0, 0); /* full */
}

static void test_due_one_is_not_replaced(void **state)
{
    (void)state;
    add(1, 4, 1, 0);
    advance(false, 0);
    add(5, 8, 1, 0);
    struct batch *due = lane.due;
    lane.attempts = 3;
    advance(true, 99999);
    assert_ptr_equal(lane.due, due);
    assert_int_equal(lane.attempts, 3);
    assert_lane(4, 4, 0);
}

/* What has no room is held, in order, and goes on with the next batches. */
static void test_held(void **state)
{
    int next = 1;

    (void)state;
    add(1, 11, 1, 0);
    assert_lane(0, 4, 7);
    lane.attempts = lane.unknown = 2;
    lane.retry_at_ms = 77;
    advance(false, 0);
    assert_lane(4, 4, 3);
    assert_int_equal(lane.attempts, 0);
    assert_int_equal(lane.unknown, 0);
    assert_int_equal(lane.retry_at_ms, 0);
    while (lane.due != NULL) {
        for (size_t i = 0; i < lane.due->document_count; i++)
            assert_int_equal(strtol(lane.due->documents[i].id, NULL, 10), next++);
        written();
        advance(next == 9, 0); /* the last ones are not full */
    }
    assert_int_equal(next, 12);
    assert_lane(0, 0, 0);
}

/* Behind a held record everything is held, though it had room: order. */
static void test_order_behind_a_held_one(void **state)
{
    (void)state;
    add(1, 1, 1, 0);
    add(2, 2, 9, 0);
    add(3, 3, 1, 0);
    assert_lane(0, 1, 2);
    advance(false, 0); /* somebody is held: the batch goes */
    assert_lane(1, 1, 1);
    assert_int_equal(lane.filling->row_count, 9);
    written();
    advance(false, 0);
    assert_lane(1, 1, 0);
}

static void test_drop(void **state)
{
    (void)state;
    add(1, 10, 1, 0);
    advance(false, 0);
    assert_lane(4, 4, 2);
    assert_int_equal(in->out, 10);
    lane_drop(&lane, &in->base, true); /* the due one is being written */
    assert_lane(4, 0, 0);
    assert_true(lane.orphaned);
    assert_int_equal(in->out, 4);
    lane.orphaned = false;
    add(11, 12, 1, 0);
    lane_drop(&lane, &in->base, false);
    assert_lane(0, 0, 0);
    assert_false(lane.orphaned);
    assert_int_equal(in->out, 0);
    lane_drop(&lane, &in->base, false);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_rules), CASE(test_due_one_is_not_replaced),
        CASE(test_held),  CASE(test_order_behind_a_held_one),
        CASE(test_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
