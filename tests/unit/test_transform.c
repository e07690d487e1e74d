#include "tests/unit/twins/clock.h"
#include "tests/unit/twins/transform_world.h"

static void test_rows(void **state)
{
    (void)state;
    world.in->bounded = true;
    add_document(0, 41);
    add_page(
        1,
        "{\"io_id\":42,\"ts\":8,\"items\":[]},{\"io_id\":43,\"ts\":9,\"items\":[{\"ioi_id\":1},{\"ioi_id\":"
        "2}]}");
    assert_ran();
    assert_int_equal(memory_sink_count(world.out, "jst.p.rows"), 3);
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 0);
    const struct memory_message *m = memory_sink_nth(world.out, "jst.p.rows", 2);
    assert_string_equal(m->key, "43");
    assert_string_equal(m->value, "{\"id\":\"43-1\",\"io_id\":43,\"note\":null,\"qty\":null}\n"
                                  "{\"id\":\"43-2\",\"io_id\":43,\"note\":null,\"qty\":null}\n");
    static const char *const headers[][2] = {
        {H_PIPELINE, "p"},           {H_DOCUMENT, "43"}, {H_VERSION, "9"},
        {H_SOURCE, "jst.p.raw/1/0"}, {H_ROWS, "2"},      {H_RECEIVED_AT, "2026-08-13T03:05:00.000Z"},
    };
    assert_int_equal(m->header_count, sizeof headers / sizeof headers[0]);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_string_equal(memory_header(m, headers[i][0]), headers[i][1]);
    assert_int_equal(memory_source_committed(world.in, "jst.p.raw", 0), 1);
    assert_int_equal(memory_source_committed(world.in, "jst.p.raw", 1), 1);
    assert_true(metric("jst_transformer_pages_total{pipeline=\"p\"} ") == 2);
    assert_true(metric("jst_transformer_documents_total{pipeline=\"p\"} ") == 3);
    assert_true(metric("jst_transformer_rows_total{pipeline=\"p\"} ") == 4);
}

static void test_bounded_and_empty(void **state)
{
    (void)state;
    world.in->bounded = true;
    assert_ran();
    assert_int_equal(world.out->count, 0);
}

/* A bad document is a dead letter, and the rest goes on. */
static void test_bad_documents(void **state)
{
    (void)state;
    world.in->bounded = true;
    add_page(0,
             "{\"io_id\":1,\"ts\":7},{\"io_id\":2,\"ts\":7,\"a\":01},{\"io_id\":3,\"ts\":\"x\"},{\"ts\":7},"
             "[1],{\"io_id\":4,\"ts\":7,\"items\":[{\"qty\":\"two\"}]},{\"io_id\":5,\"ts\":7}");
    add_document(0, 6);
    assert_ran();
    assert_int_equal(memory_sink_count(world.out, "jst.p.rows"), 3);
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 5);
    assert_dead(0, NULL, "parse", "{\"io_id\":2,\"ts\":7,\"a\":01}");
    assert_dead(1, "3", "convert", "{\"io_id\":3,\"ts\":\"x\"}");
    assert_dead(2, NULL, "convert", "{\"ts\":7}");
    assert_dead(3, NULL, "parse", "[1]");
    assert_dead(4, "4", "convert", NULL);
    const struct memory_message *m = memory_sink_nth(world.out, "jst.p.dead", 4);
    assert_non_null(strstr(memory_header(m, H_ERROR_TEXT), "qty"));
    assert_string_equal(memory_header(m, H_ERROR_SOURCE), "jst.p.raw/0/0");
    assert_string_equal(memory_header(m, H_RUN), "live"); /* all that it had */
    assert_string_equal(memory_header(m, H_FAILED_AT), "2026-08-13T03:05:01.000Z");
    assert_int_equal(memory_source_done(world.in), 2);
    assert_true(metric("jst_dead_letters_total{pipeline=\"p\",stage=\"transformer\",class=\"convert\"} ") ==
                3);
    assert_true(metric("jst_dead_letters_total{pipeline=\"p\",stage=\"transformer\",class=\"parse\"} ") == 2);
}

/* A record that is not a page of documents goes to the dead letters whole: nothing vanishes. */
static void test_foreign_pages(void **state)
{
    static const char good[] = "{\"code\":0,\"data\":{\"datas\":[{\"io_id\":1,\"ts\":7}]}}";
    static const struct {
        const char *value;
        size_t skip;
    } cases[] = {
        {good, 1}, /* no jst-pipeline */
        {"", 0},
        {NULL, 0}, /* a tombstone */
        {"hello", 0},
        {"{\"code\":0,\"data\":{\"datas\":[{\"io_id\":1", 0},
        {"{\"code\":0,\"data\":{\"datas\":{}}}", 0},
        {"{\"code\":199,\"msg\":\"slow down\",\"data\":{\"datas\":[{\"io_id\":1,\"ts\":7}]}}", 0},
        {"{\"code\":0,\"data\":{\"orders\":[{\"io_id\":1,\"ts\":7}]}}", 0}, /* no such list */
        {"{\"code\":0}", 0},
        {"[]", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        again(state);
        world.in->bounded = true;
        add_raw(0, cases[i].value, cases[i].skip);
        add_document(0, 6);
        assert_ran();
        if (memory_sink_count(world.out, "jst.p.dead") != 1)
            fail_msg("%s: no dead letter", cases[i].value);
        assert_dead(0, NULL, "parse", cases[i].value);
        if (cases[i].value == NULL)
            assert_null(memory_sink_nth(world.out, "jst.p.dead", 0)->value);
        assert_int_equal(memory_sink_count(world.out, "jst.p.rows"), 1);
        assert_int_equal(memory_source_done(world.in), 2);
    }
}

static void test_page_without_documents(void **state)
{
    static const char *const lists[] = {"[]", "null"};

    for (size_t i = 0; i < 2; i++) {
        char *text = mem_printf("{\"code\":0,\"data\":{\"datas\":%s}}", lists[i]);
        again(state);
        world.in->bounded = true;
        add_raw(0, text, 0);
        free(text);
        assert_ran();
        assert_int_equal(world.out->count, 0);
        assert_int_equal(memory_source_done(world.in), 1);
    }
}

/* ------------------------------------------------------------------ sizes */

static char *large_document(int id, size_t bytes)
{
    char *note = mem_zalloc(bytes + 1, 1);

    memset(note, 'x', bytes);
    char *text = mem_printf("{\"io_id\":%d,\"ts\":7,\"note\":\"%s\"}", id, note);
    free(note);
    return text;
}

static void add_large(size_t bytes)
{
    char *large = large_document(2, bytes);
    char *text = mem_printf("{\"io_id\":1,\"ts\":7},%s,{\"io_id\":3,\"ts\":7}", large);

    add_page(0, text);
    free(text);
    free(large);
}

static void assert_one_too_large(void)
{
    assert_int_equal(memory_sink_count(world.out, "jst.p.rows"), 2);
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 1);
    assert_dead(0, "2", "too-large", NULL);
    assert_int_equal(strncmp(memory_sink_nth(world.out, "jst.p.dead", 0)->value, "{\"io_id\":2,", 11), 0);
    assert_int_equal(memory_source_done(world.in), 1);
    assert_true(metric("jst_transformer_documents_total{pipeline=\"p\"} ") == 2);
    assert_true(metric("jst_transformer_rows_total{pipeline=\"p\"} ") == 2);
    assert_true(metric("jst_dead_letters_total{pipeline=\"p\",stage=\"transformer\",class=\"too-large\"} ") ==
                1);
}

/* Larger than topics.conf allows; than the client takes; than the broker takes. */
static void test_too_large(void **state)
{
    (void)state;
    world.in->bounded = true;
    add_large(20000);
    assert_ran();
    assert_one_too_large();

    again(state);
    world.in->bounded = true;
    world.transform.rows_max_bytes = 1024 * 1024;
    add_large(20000);
    world.out->max_bytes = 20040; /* the document fits, its row does not */
    assert_ran();
    assert_one_too_large();

    again(state);
    world.in->bounded = true;
    world.out->refuse_topic = "jst.p.rows";
    world.out->refuse_bytes = 5000;
    add_large(8000);
    assert_ran();
    assert_one_too_large();
}

/* Refused by the broker, among pages of several kinds: each refusal finds its own document. */
static void test_refused_among_others(void **state)
{
    (void)state;
    world.in->bounded = true;
    world.out->refuse_topic = "jst.p.rows";
    world.out->refuse_bytes = 5000;
    add_raw(0, "nonsense", 0);
    add_document(0, 6);
    add_large(8000);
    add_raw(0, "{\"code\":0,\"data\":{\"datas\":null}}", 0);
    add_page(0, "{\"io_id\":7,\"ts\":\"x\"},{\"io_id\":8,\"ts\":7}");
    char *large = large_document(9, 6000);
    add_page(0, large);
    free(large);
    add_raw(0, "{\"code\":0,\"data\":{\"datas\":[]}}", 0);
    assert_ran();
    assert_int_equal(memory_sink_count(world.out, "jst.p.rows"), 4);
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 4);
    assert_dead(0, NULL, "parse", "nonsense");
    assert_dead(1, "2", "too-large", NULL);
    assert_dead(2, "7", "convert", NULL);
    assert_dead(3, "9", "too-large", NULL);
    assert_int_equal(memory_source_done(world.in), 7);
}

/* A dead letter that its topic does not take goes without its value: it says where the record stands and how
 * large it was. */
static void test_refused_dead_letter(void **state)
{
    static const char *const values[] = {
        NULL, /* a foreign page that would read as documents */
        "{\"io_id\":1,\"ts\":\"x\",\"note\":\"xxxxxxxxxxxxxxxxxxx\"}",
        "{\"io_id\":1,\"ts\":7,\"note\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}",
    };
    static const char *const classes[] = {"parse", "convert", "too-large"};

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        again(state);
        world.in->bounded = true;
        world.out->refuse_topic = "jst.p.dead";
        world.out->refuse_bytes = 30; /* less than the page, more than its document */
        if (i == 2)
            world.transform.rows_max_bytes = 2100; /* it is too large already */
        if (values[i] == NULL)
            add_raw(0, "{\"code\":0,\"data\":{\"datas\":[{\"io_id\":1,\"ts\":7}]}}", 1);
        else
            add_page(0, values[i]);
        assert_ran();
        assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 1);
        const struct memory_message *m = memory_sink_nth(world.out, "jst.p.dead", 0);
        assert_null(m->value);
        assert_string_equal(memory_header(m, H_ERROR_CLASS), classes[i]);
        assert_string_equal(memory_header(m, H_ERROR_SOURCE), "jst.p.raw/0/0");
        assert_non_null(strstr(memory_header(m, H_ERROR_TEXT), "bytes are more than topic jst.p.dead takes"));
        assert_int_equal(memory_source_done(world.in), 1);
    }
}

/* The client does not even take it: the same. */
static void test_dead_letter_larger_than_the_client_takes(void **state)
{
    char *large = large_document(1, 3000);
    char *page = mem_printf("%.*s,\"ts\":\"x\"}", (int)strlen(large) - 1, large);

    (void)state;
    world.in->bounded = true;
    world.out->max_bytes = 2000;
    add_page(0, page);
    assert_ran();
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 1);
    assert_null(memory_sink_nth(world.out, "jst.p.dead", 0)->value);
    assert_int_equal(memory_source_done(world.in), 1);
    free(page);
    free(large);
}

/* A topic that takes not even headers: nothing is committed. */
static void test_topic_that_takes_nothing(void **state)
{
    struct err err;

    (void)state;
    world.in->bounded = true;
    world.out->refuse_all = true;
    world.out->refuse_topic = "jst.p.dead";
    add_page(0, "{\"io_id\":1,\"ts\":\"x\"}");
    assert_int_equal(run(&err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_int_equal(world.stores, 0);
}

/* ------------------------------------------------------------------ flow */

static void test_many(void **state)
{
    (void)state;
    world.in->bounded = true;
    for (int i = 0; i < 1000; i++)
        add_document(i % 3, i);
    assert_ran();
    assert_int_equal(memory_sink_count(world.out, "jst.p.rows"), 1000);
    assert_int_equal(memory_source_done(world.in), 1000);
    assert_true(world.stores >= 1000 / 64);
}

static void test_queue_full(void **state)
{
    (void)state;
    world.in->bounded = true;
    world.out->queue_max = 3;
    add_page(
        0, "{\"io_id\":1,\"ts\":7},{\"io_id\":2,\"ts\":7},{\"io_id\":3,\"ts\":\"x\"},{\"io_id\":4,\"ts\":7},{"
           "\"io_id\":5,\"ts\":\"y\"},{\"io_id\":6,\"ts\":7},{\"io_id\":7,\"ts\":7}");
    assert_ran();
    assert_true(world.out->fulls > 0);
    assert_int_equal(memory_sink_count(world.out, "jst.p.rows"), 5);
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 2);
    assert_int_equal(memory_source_done(world.in), 1);
    assert_false(world.in->all_paused); /* reading goes on */
}

/* Pages are published while earlier ones wait for their acknowledgements. */
static void test_pages_overlap(void **state)
{
    (void)state;
    world.out->hold = -1;
    for (int i = 0; i < 10; i++)
        add_document(i % 2, i);
    world.idle_goal = 3;
    assert_ran();
    assert_int_equal(world.in->given, 10);
    assert_int_equal(world.out->count, 10);
    assert_int_equal(world.stores, 0);
}

/* Whatever comes first: offsets follow in each partition's order (on_store() looks), and all of them come. */
static void test_any_order_of_acknowledgements(void **state)
{
    for (size_t most = 1; most <= 7; most++) {
        again(state);
        world.in->bounded = true;
        world.out->ack_most = most;
        world.out->refuse_topic = "jst.p.rows";
        world.out->refuse_bytes = 5000;
        for (int i = 0; i < 40; i++)
            add_document(i % 3, i);
        add_large(8000);
        add_page(1, "{\"io_id\":7,\"ts\":\"x\"},{\"io_id\":8,\"ts\":7}");
        for (int i = 0; i < 10; i++)
            add_document(i % 3, 100 + i);
        assert_ran();
        assert_int_equal(memory_source_done(world.in), 52);
        assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 2);
    }
}

/* The share of a pipeline fills, its topic is paused after a second, and reading goes on where it can. */
static void test_one_slow_topic_does_not_stop_the_others(void **state)
{
    (void)state;
    world.out->hold = -1;
    for (int i = 0; i < 100; i++)
        add_document(0, i);
    world.idle_goal = 3;
    assert_ran();
    assert_int_equal(world.in->given, 64);
    assert_non_null(strstr(world.in->paused, "<jst.p.raw>"));
}

static void test_slow_acknowledgements(void **state)
{
    (void)state;
    world.in->bounded = true;
    world.out->hold = 20;
    add_document(0, 1);
    add_document(0, 2);
    assert_ran();
    assert_int_equal(memory_source_done(world.in), 2);
    assert_false(world.in->all_paused);
}

/* A flood: the page waits unsent and uncommitted, its topic is paused, what came before it is done. Given
 * back, it is read again. */
static void add_flood(void)
{
    struct buf documents;

    buf_init(&documents, 65536);
    for (int i = 0; i < 60; i++)
        buf_printf(&documents, "%s{\"io_id\":%d,\"ts\":\"bad\"}", i > 0 ? "," : "", i);
    add_page(0, documents.data);
    buf_free(&documents);
}

static void test_flood(void **state)
{
    struct err err;

    (void)state;
    world.transform.flood_limit = 500;
    add_document(0, 1);
    add_flood();
    add_document(0, 2);
    add_document(1, 3);
    world.idle_goal = 3;
    assert_ran();
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 0);
    assert_int_equal(memory_source_committed(world.in, "jst.p.raw", 0), 1);

    again(state);
    world.transform.flood_limit = 500;
    world.in->bounded = world.transform.bounded = true;
    add_document(0, 1);
    add_flood();
    assert_int_equal(run(&err), -1);
    assert_int_equal(err.kind, ERR_PAUSE);
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 0);
    assert_true(memory_source_committed(world.in, "jst.p.raw", 0) <= 1);

    /* the same page in a group that is taken away: nothing is kept twice, nothing lost */
    again(state);
    world.transform.flood_limit = 500;
    add_flood();
    add_document(0, 2);
    world.rebalance_at = 1;
    world.idle_goal = 3;
    assert_ran();
    assert_int_equal(memory_source_done(world.in), 0);
    assert_true(world.in->given >= 2);
}

/* Taken away and given back in the middle: some pages twice, none missing, the last one committed. */
static void test_rebalance(void **state)
{
    (void)state;
    for (size_t at = 1; at <= 5; at++) {
        again(state);
        for (int i = 0; i < 5; i++)
            add_document(0, i);
        world.rebalance_at = at;
        world.goal = 5;
        assert_ran();
        for (int i = 0; i < 5; i++) {
            bool found = false;
            char id[4];
            snprintf(id, sizeof id, "%d", i);
            for (size_t n = 0; n < world.out->count; n++)
                found = found || strcmp(world.out->list[n].key, id) == 0;
            assert_true(found);
        }
    }
}

/* Asked to stop while the broker acknowledges nothing: no offset; while it takes nothing: likewise. */
static void test_stop(void **state)
{
    (void)state;
    add_document(0, 1);
    add_document(0, 2);
    world.out->hold = -1;
    world.out->queue_max = 1;
    world.stop_at_waits = 3;
    assert_ran();
    assert_int_equal(world.stores, 0);
    assert_int_equal(memory_source_done(world.in), 0);

    again(state);
    add_document(0, 1);
    world.stop_at_waits = 2;
    world.out->hold = 5; /* and then it does: the group in hand is finished */
    assert_ran();
    assert_int_equal(memory_source_done(world.in), 1);
}

static void pass_time(int timeout_ms)
{
    twin_pass(timeout_ms > 0 ? timeout_ms : 1);
}

/* A bounded run waits for the broker for a minute, also when all that it has read is in flight. */
static void test_bounded_gives_up_when_nothing_is_acknowledged(void **state)
{
    struct err err;

    (void)state;
    twin_clock_use();
    int64_t since = twin_monotonic_ms;
    world.give_up_ms = since + 10 * 60 * 1000;
    world.in->bounded = world.transform.bounded = true;
    world.out->on_wait = pass_time;
    world.out->hold = -1;
    add_document(0, 1);
    assert_int_equal(run(&err), -1);
    clock_use(NULL);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_true(twin_monotonic_ms - since >= 60 * 1000);
    assert_true(twin_monotonic_ms - since < 70 * 1000);
    assert_int_equal(world.stores, 0);
}

static void test_fatal(void **state)
{
    struct err err;

    (void)state;
    add_document(0, 1);
    world.out->fatal = true;
    assert_int_equal(run(&err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_int_equal(world.stores, 0);

    again(state);
    world.in->poll_fails = true;
    assert_int_equal(run(&err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
}

static void test_lost(void **state)
{
    struct buf ready;

    (void)state;
    memory_source_lose(world.in, "jst.p.raw", 1);
    world.idle_goal = 1;
    assert_ran();
    buf_init(&ready, 4096);
    assert_false(health_ready(&ready));
    assert_non_null(strstr(ready.data, "jst.p.raw/1"));
    buf_free(&ready);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_rows),
        CASE(test_bounded_and_empty),
        CASE(test_bad_documents),
        CASE(test_foreign_pages),
        CASE(test_page_without_documents),
        CASE(test_too_large),
        CASE(test_refused_among_others),
        CASE(test_refused_dead_letter),
        CASE(test_dead_letter_larger_than_the_client_takes),
        CASE(test_topic_that_takes_nothing),
        CASE(test_pages_overlap),
        CASE(test_any_order_of_acknowledgements),
        CASE(test_one_slow_topic_does_not_stop_the_others),
        CASE(test_many),
        CASE(test_queue_full),
        CASE(test_slow_acknowledgements),
        CASE(test_flood),
        CASE(test_rebalance),
        CASE(test_stop),
        CASE(test_bounded_gives_up_when_nothing_is_acknowledged),
        CASE(test_fatal),
        CASE(test_lost),
    };
    log_setup("test_transform", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
