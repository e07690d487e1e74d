#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/wire/message.h"
#include "loader/past_letters.h"

static struct past_letters past;
static struct flood flood;

static int tear_down(void **state)
{
    (void)state;
    past_letters_free(&past);
    flood = (struct flood){0};
    return 0;
}

static void add_letter(const char *stage, const char *source, const char *document)
{
    const struct header headers[] = {HEADER(H_DOCUMENT, document), HEADER(H_VERSION, "1"),
                                     HEADER(H_ERROR_STAGE, stage), HEADER(H_ERROR_SOURCE, source)};

    past_letters_add(&past, "jst.p.rows",
                     &(struct record){.topic = "jst.p.dead", .headers = headers, .header_count = 4});
}

static void add_letters(int partition, int first, int last)
{
    for (int offset = first; offset <= last; offset++) {
        char source[40];
        char document[24];
        snprintf(source, sizeof source, "jst.p.rows/%d/%d", partition, offset);
        snprintf(document, sizeof document, "%d", partition * 1000 + offset);
        add_letter(LOADER_STAGE, source, document);
    }
}

static size_t run_before(int partition, int64_t offset)
{
    past_letters_feed(&past, partition, offset, &flood);
    return flood_run(&flood);
}

static void the_documents_just_before_are_a_run(void **state)
{
    (void)state;
    add_letters(0, 3, 4);
    add_letters(0, 6, 9);
    assert_int_equal(run_before(0, 10), 4); /* 5 was good */
}

static void what_is_read_again_is_not_fed(void **state)
{
    (void)state;
    add_letters(0, 3, 9);
    assert_int_equal(run_before(0, 5), 2);
}

static void a_good_document_ends_the_run(void **state)
{
    (void)state;
    add_letters(0, 3, 9);
    assert_int_equal(run_before(0, 11), 0);
    assert_int_equal(run_before(1, 10), 0);
}

static void partitions_add_up_to_a_flood_at_most(void **state)
{
    (void)state;
    add_letters(0, 0, 9);
    add_letters(1, 0, 90);
    assert_int_equal(run_before(0, 10), 10);
    assert_int_equal(run_before(1, 91), FLOOD_RUN);
}

/* One with several bad rows has several letters. */
static void a_document_counts_once(void **state)
{
    (void)state;
    add_letters(0, 8, 9);
    add_letters(0, 9, 9);
    assert_int_equal(run_before(0, 10), 2);
}

static void letters_of_others_are_none(void **state)
{
    (void)state;
    add_letter("transformer", "jst.p.rows/0/9", "1");
    add_letter(LOADER_STAGE, "jst.p.raw/0/9", "1");
    add_letter(LOADER_STAGE, "jst.p.rows2/0/9", "1");
    add_letter(LOADER_STAGE, "jst.p.rows/0", "1");
    add_letter(LOADER_STAGE, "jst.p.rows/x/9", "1");
    add_letter(LOADER_STAGE, "jst.p.rows/0/9x", "1");
    assert_int_equal(past.count, 0);
}

#define CASE(f) cmocka_unit_test_teardown(f, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_documents_just_before_are_a_run),
        CASE(what_is_read_again_is_not_fed),
        CASE(a_good_document_ends_the_run),
        CASE(partitions_add_up_to_a_flood_at_most),
        CASE(a_document_counts_once),
        CASE(letters_of_others_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
