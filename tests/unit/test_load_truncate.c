/* A table that is emptied while rows flow is never seen empty: the documents written last tell. */
#include "tests/unit/twins/load_world.h"

#define TOPIC "jst.p.rows"

enum { FIRST = 30, LATER = 10, ALL = FIRST + LATER };

static size_t emptied_at; /* polls; 0: not yet */

static void truncate_table(void)
{
    pthread_mutex_lock(&world.db->lock);
    fake_data_empty_table(&world.db->committed, "t");
    pthread_mutex_unlock(&world.db->lock);
}

static size_t count_rows(void)
{
    pthread_mutex_lock(&world.db->lock);
    size_t n = world.db->committed.row_count;
    pthread_mutex_unlock(&world.db->lock);
    return n;
}

/* When the first ones are there the table is emptied, and new ones come at once. */
static void empty_and_go_on(void *arg)
{
    on_poll(arg);
    if (emptied_at == 0 && memory_source_committed(world.in, TOPIC, 0) == FIRST) {
        emptied_at = world.polls;
        truncate_table();
        for (int d = FIRST + 1; d <= ALL; d++)
            add_document(world.in, 0, d, 5, 1, "a");
    }
    world.stop = world.stop || (emptied_at != 0 && count_rows() == ALL);
}

static void flow_through(void)
{
    emptied_at = 0;
    for (int d = 1; d <= FIRST; d++)
        add_document(world.in, 0, d, 5, 1, "a");
    world.in->on_poll = empty_and_go_on;
    assert_ran();
}

static void a_table_that_is_emptied_while_rows_flow_is_filled_again(void **state)
{
    (void)state;
    flow_through();
    assert_int_equal(count_rows(), ALL);
    assert_in_range(world.in->given, FIRST + ALL, FIRST + LATER + 2 * ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_table_that_is_emptied_while_rows_flow_is_filled_again),
    };
    log_setup("test_load_truncate", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
