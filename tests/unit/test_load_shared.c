/* Two pipelines of one table: the newest version of a document wins, whichever of them brought it. */
#include "tests/unit/twins/load_world.h"

enum { SEEDS = 40, MESSAGES = 60, DOCUMENTS = 7, VERSIONS = 5, PARTITIONS = 3, LINES_MOST = 4, ID_TEXT = 16 };

static unsigned random_state;
static int newest[DOCUMENTS]; /* version; -1: none */

/* The same numbers everywhere. */
static int next_random(void)
{
    random_state = random_state * 1103515245U + 12345U;
    return (int)(random_state >> 16 & 0x7FFF);
}

/* q writes into the table of p, and keeps its heads under that name. */
static void share_table(void)
{
    routes_free(&world.routes);
    pipeline_free(world.list[1]);
    world.list[1] =
        twin_pipeline(&(struct twin_spec){.name = "q", .options = ",\"version\":\"ts\",\"table_of\":\"p\""});
    routes_init(&world.routes, &world.pipelines, &world.topics);
    load_metrics_init(&world.routes);
}

static int lines_of(int document, int version)
{
    return (version * 7 + document) % LINES_MOST;
}

static void send_document(const char *pipeline, int document, int version)
{
    char id[ID_TEXT];
    char text[ID_TEXT];
    struct buf value;

    buf_init(&value, 4096);
    buf_add_text(&value, "");
    for (int n = 1; n <= lines_of(document, version); n++)
        buf_printf(&value, "{\"id\":\"%d-%d\",\"io_id\":%d,\"note\":\"v%d\",\"qty\":%d}\n", document, n,
                   document, version, n);
    snprintf(id, sizeof id, "%d", document);
    snprintf(text, sizeof text, "%d", version);
    add_rows(world.in, &(struct rows_spec){.pipeline = pipeline,
                                           .partition = document % PARTITIONS,
                                           .document = id,
                                           .version = text,
                                           .value = value.data});
    buf_free(&value);
    if (version > newest[document])
        newest[document] = version;
}

static void assert_newest(void)
{
    struct buf rows;

    buf_init(&rows, 65536);
    buf_add_text(&rows, "");
    for (int d = 0; d < DOCUMENTS; d++)
        for (int n = 1; newest[d] >= 0 && n <= lines_of(d, newest[d]); n++)
            buf_printf(&rows, "%d-%d|%d|v%d|%d\n", d, n, d, newest[d], n);
    assert_rows(rows.data);
    buf_free(&rows);
}

static void add_faults(void)
{
    static const int codes[] = {1213, 1205, 2013, 1114};

    for (int i = 0; i < 4; i++)
        fake_database_fail(world.db,
                           &(struct fake_fault){.step = (enum fake_step)(next_random() % STEP_COUNT),
                                                .skip = next_random() % 20,
                                                .times = 1,
                                                .code = codes[next_random() % 4],
                                                .done = next_random() % 2 == 0});
}

static void run_seed(unsigned seed)
{
    random_state = seed;
    memset(newest, -1, sizeof newest);
    share_table();
    for (int i = 0; i < MESSAGES; i++)
        send_document(next_random() % 2 == 0 ? "p" : "q", next_random() % DOCUMENTS,
                      next_random() % VERSIONS);
    add_faults();
    world.in->bounded = world.load.bounded = true;
    world.load.limits.rows = world.load.enough_rows = 1 + seed % 7;
    assert_ran();
    assert_newest();
    assert_int_equal(memory_source_done(world.in), MESSAGES);
}

static void the_newest_wins_whichever_brought_it(void **state)
{
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        again(state);
        run_seed(seed);
    }
}

/* Heads are one pipeline's and the other's; marks are each pipeline's own. */
static void heads_are_shared_and_marks_are_not(void **state)
{
    (void)state;
    memset(newest, -1, sizeof newest);
    share_table();
    send_document("p", 1, 3);
    send_document("q", 1, 2);
    send_document("q", 2, 1);
    world.in->bounded = world.load.bounded = true;
    assert_ran();
    assert_newest();
    const struct fake_data *d = &world.db->committed;
    assert_int_equal(d->head_count, 2);
    assert_int_equal(fake_data_head(d, "p", "1")->stamp.version, 3);
    assert_non_null(fake_data_head(d, "p", "2"));
    assert_int_equal(fake_data_mark(d, "p", "jst.p.rows", 1)->next_offset, 1);
    assert_int_equal(fake_data_mark(d, "q", "jst.q.rows", 1)->next_offset, 1);
    assert_int_equal(fake_data_mark(d, "q", "jst.q.rows", 2)->next_offset, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(the_newest_wins_whichever_brought_it),
                                       CASE(heads_are_shared_and_marks_are_not)};

    log_setup("test_load_shared", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
