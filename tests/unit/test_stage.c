/* What the loop does with the events of a source that asks where its partitions begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"
#include "common/monitor/metrics.h"
#include "common/skeleton/stage.h"
#include "tests/unit/twins/memory_source.h"

enum { RECORDS = 4, IDLE_TURNS = 3 };

static const char rows[] = "jst.p.rows";
static const struct metric_family paused = {
    .name = "jst_test_paused", .type = METRIC_GAUGE, .help = "Test.", .labels = {"pipeline", "reason"}};

static struct {
    struct memory_source *in;
    struct stage stage;
    int64_t answer; /* where the program says that a partition begins; -1: it does not say */
    int64_t first;  /* the first offset that came; -1: none */
    size_t records, starts, idle_turns;
    bool recreated; /* the last start said so */
} world;

static enum stage_next take_turn(void *arg, bool quiet, int *timeout_ms, struct err *err)
{
    (void)arg, (void)err;
    *timeout_ms = 0;
    world.idle_turns = quiet ? world.idle_turns + 1 : 0;
    return STAGE_POLL;
}

static int take_record(void *arg, size_t route, const struct record *r, struct err *err)
{
    struct record copy = *r;

    (void)arg, (void)route, (void)err;
    if (world.first < 0)
        world.first = r->offset;
    world.records++;
    source_store(&world.in->base, r->topic, r->partition, r->offset);
    source_release(&world.in->base, &copy);
    return 0;
}

static int take_start(void *arg, size_t route, const struct source_start *start, struct err *err)
{
    (void)arg, (void)err;
    assert_int_equal(route, 0);
    world.starts++;
    world.recreated = start->recreated;
    if (world.answer >= 0)
        source_seek(&world.in->base, start->topic, start->partition, world.answer);
    return 0;
}

static void take_revoked(void *arg)
{
    (void)arg;
}

static bool is_done(void *arg)
{
    (void)arg;
    return true;
}

static bool is_idle(void)
{
    return world.idle_turns >= IDLE_TURNS;
}

static struct stage_ops ops = {.turn = take_turn,
                               .record = take_record,
                               .start = take_start,
                               .revoked = take_revoked,
                               .working = is_done,
                               .done = is_done};

static int run_until_idle(void)
{
    static struct pipeline pipeline = {.name = (char *)(uintptr_t) "p"};
    static struct route route = {.pipeline = &pipeline, .rows = (char *)(uintptr_t)rows};
    static struct routes routes = {.list = &route, .count = 1};
    struct err err = ERR_INIT;

    world.first = -1;
    world.records = world.starts = world.idle_turns = 0;
    world.stage = (struct stage){.in = &world.in->base,
                                 .routes = &routes,
                                 .role = TOPIC_ROWS,
                                 .paused = &paused,
                                 .stopping = is_idle,
                                 .ops = &ops};
    int rc = stage_run(&world.stage, &err);
    stage_free(&world.stage);
    return rc;
}

static int setup(void **state)
{
    (void)state;
    world.in = memory_source_new(false);
    world.in->ask_start = true;
    ops.start = take_start;
    ops.lost_cure = NULL;
    world.answer = -1;
    for (int i = 0; i < RECORDS; i++)
        memory_source_add(world.in, rows, 0, 1, NULL, "{}", 2, NULL, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    source_free(&world.in->base);
    metrics_forget();
    health_forget();
    return 0;
}

static void the_program_says_where_a_partition_begins(void **state)
{
    (void)state;
    world.answer = 2;
    assert_int_equal(run_until_idle(), 0);
    assert_int_equal(world.starts, 1);
    assert_int_equal(world.first, 2);
    assert_int_equal(world.records, 2);
}

static void nothing_comes_until_it_has_said_so(void **state)
{
    (void)state;
    assert_int_equal(run_until_idle(), 0);
    assert_int_equal(world.starts, 1);
    assert_int_equal(world.records, 0);
    assert_int_equal(memory_source_position(world.in, rows, 0), -1);
}

/* A program without a say reads from the group's offset. */
static void without_a_say_the_group_decides(void **state)
{
    (void)state;
    ops.start = NULL;
    memory_source_commit(world.in, rows, 0, 3);
    assert_int_equal(run_until_idle(), 0);
    assert_int_equal(world.first, 3);
}

static void a_topic_that_was_made_again_asks_again(void **state)
{
    (void)state;
    world.answer = 0;
    assert_int_equal(run_until_idle(), 0);
    memory_source_recreate(world.in, rows, 0);
    memory_source_add(world.in, rows, 0, 1, NULL, "{}", 2, NULL, 0);
    assert_int_equal(run_until_idle(), 0);
    assert_int_equal(world.starts, 1);
    assert_true(world.recreated);
    assert_int_equal(world.records, 1);
}

static char *tell_cure(void *arg, size_t route, const char *of, int32_t partition)
{
    (void)arg;
    return mem_printf("mend %zu %s/%d", route, of, partition);
}

static void assert_reason(const char *text)
{
    struct buf why;

    buf_init(&why, 4096);
    assert_false(health_ready(&why));
    if (strstr(why.data, text) == NULL)
        fail_msg("%s", why.data);
    buf_free(&why);
}

/* The reason names the gap and the command that goes on behind it. */
static void lost_messages_are_named(void **state)
{
    (void)state;

    world.answer = 1;
    memory_source_delete_below(world.in, rows, 0, 3);
    assert_int_equal(run_until_idle(), 0);
    assert_int_equal(world.records, 0);
    assert_reason("jst.p.rows/0: messages 1 to 2 were deleted before they were read");
    assert_reason("--group g --topic jst.p.rows:0 --reset-offsets --to-earliest --execute, and start");
}

static void the_program_adds_its_own_cure_of_lost_messages(void **state)
{
    (void)state;
    ops.lost_cure = tell_cure;
    world.answer = 1;
    memory_source_delete_below(world.in, rows, 0, 3);
    assert_int_equal(run_until_idle(), 0);
    assert_reason("--execute, mend 0 jst.p.rows/0, and start them again");
}

/* A replay is in no group, and there is nothing to go on from. */
static void lost_messages_of_a_replay_have_no_cure_but_another_one(void **state)
{
    (void)state;
    world.answer = 1;
    world.in->group = "";
    memory_source_delete_below(world.in, rows, 0, 3);
    assert_int_equal(run_until_idle(), 0);
    assert_reason("messages 1 to 2 were deleted before they were read. The topic's retention has overtaken");
}

/* What was read before a seek is not stored after it; else a crash would skip what lies between. */
static void an_offset_that_was_not_handed_out_since_a_seek_is_not_stored(void **state)
{
    (void)state;
    world.answer = 0;
    assert_int_equal(run_until_idle(), 0);
    assert_int_equal(memory_source_committed(world.in, rows, 0), RECORDS);
    source_seek(&world.in->base, rows, 0, 1);
    source_store(&world.in->base, rows, 0, 2);
    assert_int_equal(memory_source_committed(world.in, rows, 0), RECORDS);
    source_store(&world.in->base, rows, 0, 0);
    assert_int_equal(memory_source_committed(world.in, rows, 0), 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_program_says_where_a_partition_begins),
        CASE(nothing_comes_until_it_has_said_so),
        CASE(without_a_say_the_group_decides),
        CASE(a_topic_that_was_made_again_asks_again),
        CASE(lost_messages_are_named),
        CASE(the_program_adds_its_own_cure_of_lost_messages),
        CASE(lost_messages_of_a_replay_have_no_cure_but_another_one),
        CASE(an_offset_that_was_not_handed_out_since_a_seek_is_not_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
