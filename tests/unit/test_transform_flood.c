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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_flood),
        CASE(test_flood_waits),
    };
    log_setup("test_transform_flood", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
