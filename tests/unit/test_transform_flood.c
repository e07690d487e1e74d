#include "tests/unit/twins/transform_world.h"

static void add_bad_pages(int pages)
{
    for (int i = 0; i < pages; i++)
        add_page(0, "{\"io_id\":1},{\"io_id\":2},{\"io_id\":3,\"ts\":7,\"items\":[]}"); /* two without ts */
}

static void test_flood(void **state)
{
    struct err err;

    (void)state;
    world.transform.flood_limit = 500;
    world.transform.bounded = true;
    world.in->bounded = true;
    add_bad_pages(40);
    assert_int_equal(run(&err), -1);
    assert_int_equal(err.kind, ERR_PAUSE);
    /* the page that would pass the limit sends no dead letter, and no offset goes beyond it */
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 48);
    assert_true(memory_source_committed(world.in, "jst.p.raw", 0) <= 24);
}

static void test_flood_waits(void **state)
{
    (void)state;
    world.transform.flood_limit = 500;
    add_bad_pages(30);
    world.idle_goal = 5;
    assert_ran();
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 48);
    assert_int_equal(memory_source_committed(world.in, "jst.p.raw", 0), 24);
}

/* The queue was full before the page turned out to be a flood: only its own topic stands still. */
static void test_flood_with_a_full_queue(void **state)
{
    struct buf page;

    (void)state;
    buf_init(&page, 65536);
    for (int i = 1; i <= 80; i++)
        buf_printf(&page, "%s{\"io_id\":%d%s}", i > 1 ? "," : "", i, i <= 3 ? ",\"ts\":7,\"items\":[]" : "");
    add_page(0, page.data);
    buf_free(&page);
    world.transform.flood_limit = 500;
    world.out->queue_max = 1;
    world.idle_goal = 5;
    assert_ran();
    assert_true(world.out->fulls > 0);
    assert_int_equal(memory_source_done(world.in), 0);
    assert_false(world.in->all_paused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_flood),
        CASE(test_flood_waits),
        CASE(test_flood_with_a_full_queue),
    };
    log_setup("test_transform_flood", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
