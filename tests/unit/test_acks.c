#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/skeleton/acks.h"
#include "tests/unit/twins/clock.h"
#include "tests/unit/twins/memory_sink.h"
#include "tests/unit/twins/memory_source.h"

static bool stop;
static struct memory_source *in;
static struct memory_sink *out;
static struct acks acks;
static size_t refusals;
static enum err_kind refusal; /* what the callback answers */
static uint64_t tickets;
static bool resend; /* the callback sends another message */

static void on_wait(int timeout_ms)
{
    twin_pass(timeout_ms);
}

static bool stopping(void)
{
    return stop;
}

static void send(const char *topic, const char *value)
{
    assert_int_equal(
        sink_send(&out->base,
                  &(struct message){
                      .topic = topic, .value = value, .value_len = strlen(value), .ticket = ++tickets},
                  NULL),
        0);
}

static int refused(void *arg, const struct sink_failure *failure, struct err *err)
{
    assert_ptr_equal(arg, &acks);
    assert_true(failure->ticket > 0);
    refusals++;
    if (resend)
        send("dead", "x");
    return refusal == ERR_NONE ? 0 : err_set(err, refusal, 0, "no");
}

static int set_up(void **state)
{
    (void)state;
    twin_clock_use();
    stop = resend = false;
    refusals = 0;
    refusal = ERR_NONE;
    in = memory_source_new(false);
    out = memory_sink_new();
    out->on_wait = on_wait;
    acks = (struct acks){
        .in = &in->base, .out = &out->base, .stopping = stopping, .refused = refused, .arg = &acks};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    source_free(&in->base);
    sink_free(&out->base);
    return 0;
}

/* ------------------------------------------------------------------ */

static void test_room(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    err_set(&err, ERR_RETRY, 0, "full");
    assert_int_equal(acks_room(&acks, &err), 0);
    assert_int_equal(out->waits, 1);
    assert_false(in->all_paused); /* a pause throws away what was fetched ahead: not for a moment */
    for (int i = 0; i < 12; i++) {
        err_set(&err, ERR_RETRY, 0, "full");
        assert_int_equal(acks_room(&acks, &err), 0);
    }
    assert_true(in->all_paused); /* no records pile up */
    assert_true(in->serves > 0);
    acks_go_on(&acks);
    assert_false(in->all_paused);
    out->waits = 1;
    static const enum err_kind others[] = {ERR_REJECT, ERR_FATAL, ERR_NONE};
    for (size_t i = 0; i < 3; i++) {
        err_set(&err, others[i], 7, "as it was");
        assert_int_equal(acks_room(&acks, &err), -1);
        assert_int_equal(err.kind, others[i]);
        assert_int_equal(err.code, 7);
    }
    assert_int_equal(out->waits, 1);
    stop = true;
    err_set(&err, ERR_RETRY, 0, "full");
    assert_int_equal(acks_room(&acks, &err), -1);
    assert_int_equal(err.kind, ERR_RETRY);
    stop = false;
    out->fatal = true;
    assert_int_equal(acks_room(&acks, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
}

static void test_wait(void **state)
{
    static const struct {
        int hold; /* waits of 100 ms */
        bool pauses;
    } cases[] = {{0, false}, {1, false}, {10, false}, {11, true}, {200, true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = ERR_INIT;
        send("rows", "x");
        out->hold = cases[i].hold;
        in->serves = 0;
        assert_int_equal(acks_wait(&acks, &err), 0);
        assert_int_equal(memory_sink_outstanding(out), 0);
        assert_int_equal(in->serves > 0, cases[i].pauses);
        assert_false(in->all_paused);
    }
    assert_int_equal(acks_wait(&acks, NULL), 0); /* nothing was sent */
}

/* A bounded run does not wait for ever: a minute after the last message that left, it gives up. */
static void test_patience(void **state)
{
    struct err err = ERR_INIT;
    int64_t since = twin_monotonic_ms;

    (void)state;
    acks.patience_ms = 60 * 1000;
    send("dead", "x");
    out->hold = 500; /* 50 s */
    assert_int_equal(acks_wait(&acks, &err), 0);
    send("dead", "x");
    out->hold = -1;
    since = twin_monotonic_ms;
    assert_int_equal(acks_wait(&acks, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_in_range(twin_monotonic_ms - since, 60 * 1000, 61 * 1000);
    since = twin_monotonic_ms;
    int rc = 0;
    for (int i = 0; i < 700 && rc == 0; i++) {
        err_set(&err, ERR_RETRY, 0, "full");
        rc = acks_room(&acks, &err);
    }
    assert_int_equal(rc, -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_in_range(twin_monotonic_ms - since, 60 * 1000, 61 * 1000);
}

/* Asked to stop: two seconds more, and no longer. */
static void test_stop(void **state)
{
    struct err err = ERR_INIT;
    int64_t since;

    (void)state;
    send("rows", "x");
    stop = true;
    out->hold = 15;
    assert_int_equal(acks_wait(&acks, &err), 0);
    send("rows", "x");
    out->hold = -1;
    since = twin_monotonic_ms;
    assert_int_equal(acks_wait(&acks, &err), 1);
    assert_in_range(twin_monotonic_ms - since, 2000, 2500);
    assert_false(in->all_paused);
}

/* Every failure is handed on, and what is sent because of it is waited for, too. */
static void test_refused(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    out->refuse_topic = "rows";
    out->refuse_bytes = 1;
    resend = true;
    for (int i = 0; i < 5; i++)
        send("rows", i % 2 ? "large" : "x");
    out->hold = 3;
    assert_int_equal(acks_wait(&acks, &err), 0);
    assert_int_equal(refusals, 2);
    assert_int_equal(memory_sink_count(out, "dead"), 2);
    assert_int_equal(memory_sink_outstanding(out), 0);
    send("rows", "large");
    refusal = ERR_FATAL;
    assert_int_equal(acks_wait(&acks, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
}

static void test_fatal(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    send("rows", "x");
    out->fatal = true;
    assert_int_equal(acks_wait(&acks, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_room), CASE(test_wait),    CASE(test_patience),
        CASE(test_stop), CASE(test_refused), CASE(test_fatal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
