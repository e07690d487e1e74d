#include "tests/unit/twins/transform_world.h"

#define GOOD_DOCUMENT ",{\"io_id\":9000,\"ts\":7,\"items\":[]}"

/* Pages of `bad` documents without ts, each with an id of its own, and of what is behind them. */
static void add_pages(int pages, int bad, const char *behind)
{
    for (int i = 0; i < pages; i++) {
        struct buf page;
        buf_init(&page, 65536);
        for (int k = 1; k <= bad; k++)
            buf_printf(&page, "%s{\"io_id\":%d}", k > 1 ? "," : "", i * bad + k);
        buf_add_text(&page, behind);
        add_page(0, page.data);
        buf_free(&page);
    }
}

static void add_bad_pages(int pages)
{
    add_pages(pages, 2, GOOD_DOCUMENT);
}

/* Does readiness say so? */
static bool is_shown(const char *text)
{
    struct buf out;

    buf_init(&out, 65536);
    health_ready(&out);
    bool shown = strstr(out.data, text) != NULL;
    if (!shown)
        print_message("not in readiness: %s\n%s", text, out.data);
    buf_free(&out);
    return shown;
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

/* What the mapping takes from none: after 20 documents it is no use to send their letters. */
static void a_run_of_bad_documents_is_a_flood(void **state)
{
    (void)state;
    world.transform.flood_limit = 500;
    add_pages(1, 19, "");
    add_pages(1, 1, "");                  /* its id has been there: it counts once */
    add_pages(1, 1, GOOD_DOCUMENT);       /* the run ends */
    add_page(0, "{\"io_id\":501}");       /* 1 */
    add_pages(1, 18, ",{\"io_id\":502}"); /* the 18 are known: 2 */
    world.idle_goal = 5;
    assert_ran();
    assert_int_equal(memory_source_committed(world.in, "jst.p.raw", 0), 5);
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 19 + 1 + 1 + 1 + 19);
}

static void the_twentieth_in_a_row_stays_unsent(void **state)
{
    (void)state;
    world.transform.flood_limit = 500;
    add_pages(1, 19, "");
    add_page(0, "{\"io_id\":20}" GOOD_DOCUMENT); /* a good one behind it changes nothing */
    world.idle_goal = 5;
    assert_ran();
    assert_int_equal(memory_source_committed(world.in, "jst.p.raw", 0), 1);
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 19);
}

static void a_good_document_before_the_twentieth_ends_the_run(void **state)
{
    (void)state;
    world.transform.flood_limit = 500;
    add_pages(1, 19, "");
    add_page(0, "{\"io_id\":9000,\"ts\":7,\"items\":[]},{\"io_id\":20}");
    world.idle_goal = 5;
    assert_ran();
    assert_int_equal(memory_source_committed(world.in, "jst.p.raw", 0), 2);
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 20);
}

/* Records that are not pages count as well, each once. */
static void foreign_records_are_a_run(void **state)
{
    char text[32];

    (void)state;
    world.transform.flood_limit = 500;
    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof text, "no page %d", i / 2);
        add_page(0, text);
    }
    world.idle_goal = 5;
    assert_ran();
    assert_int_equal(memory_source_committed(world.in, "jst.p.raw", 0), 38);
}

static void whoever_wants_no_pause_gets_none(void **state)
{
    (void)state;
    world.transform.flood_limit = 10000;
    add_pages(3, 50, "");
    world.idle_goal = 5;
    assert_ran();
    assert_int_equal(memory_source_committed(world.in, "jst.p.raw", 0), 3);
    assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 150);
}

#define BAD_QTY(value) ",\"ts\":7,\"items\":[{\"qty\":" value "}]}"

/* Readiness names the first document that would be a letter, the column, its value and the reason. */
static void the_first_bad_document_is_named(void **state)
{
    static const struct {
        const char *document, *text;
    } cases[] = {
        {"{\"io_id\":1" BAD_QTY("\"2..0\\n\""),
         "first document 1, column qty, value \"2..0\\n\": line 1: column qty: "},
        {"{\"io_id\":1" BAD_QTY("{\"a\":[1]}"),
         "first document 1, column qty, value \"{\"a\":[1]}\": line 1: "},
        {"{\"io_id\":1,\"ts\":\"soon\"}", "first document 1, column ts, value \"soon\": ts is neither"},
        {"{\"io_id\":1}", "first document 1, column ts: the document has no ts"},
        {"{\"ts\":1}", "first document without a readable id, column io_id: the document has no io_id"},
        {"{\"io_id\":01}", "first document without a readable id: byte 9: "},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf page;
        again(state);
        world.transform.flood_limit = 500;
        buf_init(&page, 65536);
        buf_printf(&page, "{\"io_id\":9000,\"ts\":7,\"items\":[]},%s", cases[i].document);
        for (int id = 101; id < 130; id++)
            buf_printf(&page, ",{\"io_id\":%d}", id);
        add_page(0, page.data);
        buf_free(&page);
        world.idle_goal = 5;
        assert_ran();
        assert_int_equal(memory_sink_count(world.out, "jst.p.dead"), 0);
        assert_true(is_shown(cases[i].text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_flood),
        CASE(test_flood_waits),
        CASE(test_flood_with_a_full_queue),
        CASE(a_run_of_bad_documents_is_a_flood),
        CASE(the_twentieth_in_a_row_stays_unsent),
        CASE(a_good_document_before_the_twentieth_ends_the_run),
        CASE(foreign_records_are_a_run),
        CASE(whoever_wants_no_pause_gets_none),
        CASE(the_first_bad_document_is_named),
    };
    log_setup("test_transform_flood", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
