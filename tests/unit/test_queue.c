#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loader/queue.h"
#include "tests/unit/twins/memory_source.h"
#include "tests/unit/twins/rows_message.h"
#include "tests/unit/twins/twin_pipeline.h"

enum { WAIT_MS = 200 };

static const struct batch_limits limits = {.rows = 4, .bytes = 1024 * 1024};
static struct pipeline *p;
static struct route route;
static struct memory_source *in;
static struct pipeline_queue queue;

static int set_up(void **state)
{
    (void)state;
    p = twin_pipeline(&(struct twin_spec){0});
    route = (struct route){.pipeline = p};
    in = memory_source_new(false);
    queue = (struct pipeline_queue){.route = &route};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    queue_free(&queue, &in->base);
    size_t out = in->out;
    source_free(&in->base);
    pipeline_free(p);
    return out == 0 ? 0 : -1;
}

/* Documents first..last, each of so many rows, into the queue. */
static void add(int first, int last, int rows, int64_t now_ms)
{
    struct source_event event;

    for (int i = first; i <= last; i++)
        add_document(in, 0, i, 1, rows, "x");
    while (source_poll(&in->base, 0, &event, NULL) == 0 && event.kind == SOURCE_RECORD)
        queue_add(&queue, &event.record, &limits, now_ms);
}

static void assert_queue(size_t due, size_t filling, size_t held)
{
    assert_int_equal(queue.due != NULL ? queue.due->document_count : 0, due);
    assert_int_equal(queue.filling != NULL ? queue.filling->document_count : 0, filling);
    assert_int_equal(queue.held_count, held);
    assert_int_equal(queue_is_blocked(&queue), held > 0);
    assert_int_equal(queue_is_empty(&queue), due == 0 && filling == 0 && held == 0);
}

static void written(void)
{
    batch_free(queue.due, &in->base);
    queue.due = NULL;
}

static void advance(bool flush, int64_t now_ms)
{
    queue_advance(&queue, &limits, WAIT_MS, flush, now_ms);
}

/* ------------------------------------------------------------------ */

static void test_rules(void **state)
{
    (void)state;
    assert_queue(0, 0, 0);
    assert_true(queue_due_at(&queue, WAIT_MS) == INT64_MAX);
    advance(true, 0);
    assert_queue(0, 0, 0); /* nothing is not a batch */
    add(1, 2, 1, 1000);
    assert_queue(0, 2, 0);
    assert_int_equal(queue_due_at(&queue, WAIT_MS), 1200);
    advance(false, 1199);
    assert_queue(0, 2, 0); /* neither full nor old */
    advance(false, 1200);
    assert_queue(2, 0, 0);
    written();
    add(3, 3, 1, 2000);
    advance(true, 2000);
    assert_queue(1, 0, 0); /* nothing more comes */
    written();
    add(4, 7, 1, 3000);
    advance(false, 3000);
    assert_queue(4, 0, 0); /* full */
}

static void test_due_one_is_not_replaced(void **state)
{
    (void)state;
    add(1, 4, 1, 0);
    advance(false, 0);
    add(5, 8, 1, 0);
    struct batch *due = queue.due;
    queue.attempts = 3;
    advance(true, 99999);
    assert_ptr_equal(queue.due, due);
    assert_int_equal(queue.attempts, 3);
    assert_queue(4, 4, 0);
}

/* What has no room is held, in order, and goes on with the next batches. */
static void test_held(void **state)
{
    int next = 1;

    (void)state;
    add(1, 11, 1, 0);
    assert_queue(0, 4, 7);
    queue.attempts = queue.unknown = 2;
    queue.retry_at_ms = 77;
    advance(false, 0);
    assert_queue(4, 4, 3);
    assert_int_equal(queue.attempts, 0);
    assert_int_equal(queue.unknown, 0);
    assert_int_equal(queue.retry_at_ms, 0);
    while (queue.due != NULL) {
        for (size_t i = 0; i < queue.due->document_count; i++)
            assert_int_equal(strtol(queue.due->documents[i].id, NULL, 10), next++);
        written();
        advance(next == 9, 0); /* the last ones are not full */
    }
    assert_int_equal(next, 12);
    assert_queue(0, 0, 0);
}

/* Behind a held record everything is held, though it had room: order. */
static void test_order_behind_a_held_one(void **state)
{
    (void)state;
    add(1, 1, 1, 0);
    add(2, 2, 9, 0);
    add(3, 3, 1, 0);
    assert_queue(0, 1, 2);
    advance(false, 0); /* somebody is held: the batch goes */
    assert_queue(1, 1, 1);
    assert_int_equal(queue.filling->row_count, 9);
    written();
    advance(false, 0);
    assert_queue(1, 1, 0);
}

static void test_drop(void **state)
{
    (void)state;
    add(1, 10, 1, 0);
    advance(false, 0);
    assert_queue(4, 4, 2);
    assert_int_equal(in->out, 10);
    queue_drop(&queue, &in->base, true); /* the due one is being written */
    assert_queue(4, 0, 0);
    assert_true(queue.orphaned);
    assert_int_equal(in->out, 4);
    queue.orphaned = false;
    add(11, 12, 1, 0);
    queue_drop(&queue, &in->base, false);
    assert_queue(0, 0, 0);
    assert_false(queue.orphaned);
    assert_int_equal(in->out, 0);
    queue_drop(&queue, &in->base, false);
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
