/* Databases that were set back, emptied or are others, and topics that were made again: the table fills
 * itself from what Kafka holds. */
#include "tests/unit/twins/load_world.h"

#define TOPIC "jst.p.rows"

enum { DOCUMENTS = 6, STAGES_MAX = 4 };

/* A run goes through stages: when everything is committed, the next one changes the world. */
static struct {
    void (*next[STAGES_MAX])(void);
    size_t stage;
    int64_t records; /* that Kafka has */
    size_t commits;  /* to wait for */
    struct fake_data copy;
} play;

static const char *const all_rows = "1-1|1|a|1\n2-1|2|a|1\n3-1|3|a|1\n4-1|4|a|1\n5-1|5|a|1\n6-1|6|a|1\n";

static void add_documents(int first, int last)
{
    for (int d = first; d <= last; d++)
        add_document(world.in, 0, d, 5, 1, "a");
    play.records = last;
}

static bool has_rows(size_t count)
{
    pthread_mutex_lock(&world.db->lock);
    bool has = world.db->committed.row_count == count && world.db->open == 0;
    pthread_mutex_unlock(&world.db->lock);
    return has;
}

/* Go to the next stage when all that Kafka has is in the table, and in the group's offset; after the last
 * one, stop. */
static void play_on(void *arg)
{
    on_poll(arg);
    if (!has_rows((size_t)play.records) || memory_source_committed(world.in, TOPIC, 0) != play.records ||
        world.stop)
        return;
    void (*next)(void) = play.next[play.stage];
    if (next == NULL) {
        world.stop = true;
        return;
    }
    play.stage++;
    next();
}

static void begin_play(void (*first)(void), void (*second)(void))
{
    fake_data_free(&play.copy);
    memset(&play, 0, sizeof play);
    play.next[0] = first;
    play.next[1] = second;
    world.in->on_poll = play_on;
    add_documents(1, 3);
}

static void assert_mark(int64_t next_offset)
{
    const struct fake_mark *m = fake_data_mark(&world.db->committed, "p", TOPIC, 0);

    assert_non_null(m);
    assert_int_equal(m->next_offset, next_offset);
    assert_string_equal(m->target, "db.t");
}

static void keep_copy(void)
{
    pthread_mutex_lock(&world.db->lock);
    fake_data_copy(&play.copy, &world.db->committed);
    pthread_mutex_unlock(&world.db->lock);
    add_documents(4, DOCUMENTS);
}

static void restore_copy(void)
{
    pthread_mutex_lock(&world.db->lock);
    fake_data_copy(&world.db->committed, &play.copy);
    pthread_mutex_unlock(&world.db->lock);
}

static void restore_nothing(void)
{
    pthread_mutex_lock(&world.db->lock);
    fake_data_free(&world.db->committed);
    pthread_mutex_unlock(&world.db->lock);
}

static void truncate_table(void)
{
    pthread_mutex_lock(&world.db->lock);
    fake_data_empty_table(&world.db->committed, "t");
    pthread_mutex_unlock(&world.db->lock);
}

/* ------------------------------------------------------------------ while it runs */

static void restore_and_add(void)
{
    restore_nothing();
    add_documents(4, DOCUMENTS);
}

/* The next transaction finds its mark lower than it was, and goes back. */
static void test_set_back_under_way(void **state)
{
    (void)state;
    begin_play(restore_and_add, NULL);
    assert_ran();
    assert_rows(all_rows);
    assert_mark(DOCUMENTS);
}

/* Nothing comes any more: the looks of an idle loader find it. */
static void test_set_back_while_idle(void **state)
{
    static void (*const ways[])(void) = {restore_copy, restore_nothing, truncate_table};

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        again(state);
        begin_play(keep_copy, ways[i]);
        assert_ran();
        assert_int_equal(play.stage, 2);
        assert_rows(all_rows);
        assert_mark(DOCUMENTS);
    }
}

/* The second time comes before a look has found the rows of the first filling. */
static void test_emptied_twice(void **state)
{
    (void)state;
    begin_play(truncate_table, truncate_table);
    assert_ran();
    assert_int_equal(play.stage, 2);
    assert_rows("1-1|1|a|1\n2-1|2|a|1\n3-1|3|a|1\n");
    assert_mark(3);
}

static void make_topic_again(void)
{
    memory_source_recreate(world.in, TOPIC, 0);
    add_document(world.in, 0, 7, 5, 1, "new");
    play.records = 1;
    truncate_table(); /* only so that the stage's end can be seen */
}

/* The log is a new one: it is read from its start, and its mark is lower than the old one's. */
static void test_topic_made_again(void **state)
{
    (void)state;
    begin_play(make_topic_again, NULL);
    assert_ran();
    assert_rows("7-1|7|new|1\n");
    assert_mark(1);
}

/* ------------------------------------------------------------------ while it is away */

/* Run until the documents are there, let something happen, and run again. */
static void run_around(void (*happens)(void))
{
    begin_play(keep_copy, NULL);
    assert_ran();
    happens();
    world.stop = false;
    play.records = DOCUMENTS;
    memory_source_kill(world.in);
    assert_ran();
}

static void lose_group(void)
{
    memory_source_kill(world.in);
    memory_source_commit(world.in, TOPIC, 0, -1);
    truncate_table();
}

static void lower_group(void)
{
    memory_source_kill(world.in);
    memory_source_commit(world.in, TOPIC, 0, 1);
}

static void raise_group(void)
{
    restore_copy();
    memory_source_kill(world.in);
    memory_source_commit(world.in, TOPIC, 0, DOCUMENTS);
}

static void move_table(void)
{
    struct fake_mark *m = fake_data_mark(&world.db->committed, "p", TOPIC, 0);

    free(m->target);
    m->target = strdup("db.old");
    truncate_table();
}

static void forget_heads(void)
{
    restore_nothing();
}

static void test_what_happens_meanwhile(void **state)
{
    static void (*const ways[])(void) = {restore_copy, restore_nothing, truncate_table, lose_group,
                                         lower_group,  raise_group,     move_table,     forget_heads};

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        again(state);
        run_around(ways[i]);
        assert_rows(all_rows);
        assert_mark(DOCUMENTS);
    }
}

/* A table that stays empty, since Kafka has nothing of it any more, is refilled once, not for ever. */
static void test_empty_for_good(void **state)
{
    const struct stamp old = {.kind = STAMP_INTEGER, .version = 1};
    struct fake_head head = {.stamp = old, .rows = 3};
    char pipeline[] = "p";
    char document[] = "77";

    (void)state;
    head.pipeline = pipeline;
    head.document = document;
    fake_data_put_head(&world.db->committed, &head);
    add_document(world.in, 0, 1, 5, 0, "a"); /* no rows */
    world.idle_goal = 300;                   /* half a minute and two looks */
    assert_ran();
    assert_in_range(world.db->steps[STEP_LOOK], 4, 12);
    assert_in_range(world.in->given, 1, 2);
    assert_mark(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_set_back_under_way), CASE(test_set_back_while_idle),    CASE(test_emptied_twice),
        CASE(test_topic_made_again),   CASE(test_what_happens_meanwhile), CASE(test_empty_for_good),
    };
    log_setup("test_load_marks", LOG_ERROR, false);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    fake_data_free(&play.copy);
    return rc;
}
