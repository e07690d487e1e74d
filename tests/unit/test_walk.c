#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "extractor/reading/walk.h"

/* A slice on the server: ids in the server's order. */
struct server {
    uint64_t ids[4096];
    size_t count;
    size_t page_size;
    bool counts, says_next;
    int page_count_shift; /* what the server's page_count is wrong by */
};

static void server_fill(struct server *s, size_t count, size_t page_size)
{
    *s = (struct server){.count = count, .page_size = page_size, .counts = true, .says_next = true};
    for (size_t i = 0; i < count; i++)
        s->ids[i] = 1000 + i;
}

static void server_remove(struct server *s, size_t at)
{
    memmove(&s->ids[at], &s->ids[at + 1], (s->count - at - 1) * sizeof s->ids[0]);
    s->count--;
}

static void server_insert(struct server *s, size_t at, uint64_t id)
{
    memmove(&s->ids[at + 1], &s->ids[at], (s->count - at) * sizeof s->ids[0]);
    s->ids[at] = id;
    s->count++;
}

/* Answer what the walk asks for, and note what was given out. */
static void server_answer(const struct server *s, struct walk *w, bool *given)
{
    size_t first = ((size_t)w->page - 1) * s->page_size;
    size_t pages = (s->count + s->page_size - 1) / s->page_size;
    struct walk_answer a = {
        .page_count = s->counts ? (int64_t)pages + s->page_count_shift : -1,
        .data_count = s->counts ? (int64_t)s->count : -1,
        .has_next = s->says_next ? first + s->page_size < s->count : -1,
    };
    for (size_t i = first; i < s->count && i < first + s->page_size; i++) {
        walk_see(w, hash_bytes(0, &s->ids[i], sizeof s->ids[i]));
        given[s->ids[i]] = true;
        a.documents++;
    }
    walk_take(w, &a);
}

enum { IDS_MAX = 8192 };

static bool all_given(const struct server *s, const bool *given)
{
    for (size_t i = 0; i < s->count; i++)
        if (!given[s->ids[i]])
            return false;
    return true;
}

/* The pages that are asked for while nothing changes. */
static void check_pages(struct server *s, const char *expected)
{
    bool given[IDS_MAX] = {false};
    char asked[512] = "";
    size_t len = 0;
    struct walk w;

    walk_init(&w);
    while (w.state == WALK_ASKS && len < sizeof asked - 32) {
        asked[len++] = (char)('0' + w.page);
        asked[len] = '\0';
        server_answer(s, &w, given);
    }
    assert_int_equal(w.state, WALK_DONE);
    assert_string_equal(asked, expected);
    assert_true(all_given(s, given));
    walk_free(&w);
}

static void asks_from_the_last_page_to_the_first(void **state)
{
    static struct server s;
    (void)state;

    server_fill(&s, 0, 10);
    check_pages(&s, "1");
    server_fill(&s, 1, 10);
    check_pages(&s, "1");
    server_fill(&s, 10, 10);
    check_pages(&s, "1");
    server_fill(&s, 11, 10);
    check_pages(&s, "121");
    server_fill(&s, 45, 10);
    check_pages(&s, "154321");
    server_fill(&s, 50, 10);
    check_pages(&s, "154321");
    s.page_count_shift = 1; /* too many: an empty page more */
    check_pages(&s, "1654321");
    s.page_count_shift = -2; /* too few: has_next tells */
    check_pages(&s, "13454321");
    s.page_count_shift = -4; /* claims one page, and has_next */
    check_pages(&s, "123454321");
}

static void walks_forward_without_counts(void **state)
{
    static struct server s;
    (void)state;

    server_fill(&s, 25, 10);
    s.counts = false;
    check_pages(&s, "123123");
    s.says_next = false; /* only an empty page tells the end */
    check_pages(&s, "12341234");
    server_fill(&s, 0, 10);
    s.counts = false;
    s.says_next = false;
    check_pages(&s, "1");
    server_fill(&s, 5, 10);
    s.counts = false;
    check_pages(&s, "1");
}

/* A total below what the page holds means nothing: it would be reached at once. */
static void does_not_believe_a_total_below_the_page(void **state)
{
    struct walk w;
    (void)state;

    walk_init(&w);
    for (uint64_t id = 1; id <= 10; id++)
        walk_see(&w, id);
    walk_take(&w, &(struct walk_answer){.page_count = 0, .data_count = 0, .has_next = -1, .documents = 10});
    assert_int_equal(w.state, WALK_ASKS);
    assert_int_equal(w.page, 2);
    walk_free(&w);
}

/* An interface that does not know pages gives the same one for ever. */
static void ends_at_a_page_that_repeats(void **state)
{
    struct walk w;
    int answers = 0;
    (void)state;

    walk_init(&w);
    while (w.state == WALK_ASKS && answers++ < 100) {
        for (uint64_t id = 1; id <= 3; id++)
            walk_see(&w, id);
        walk_take(&w,
                  &(struct walk_answer){.page_count = -1, .data_count = -1, .has_next = -1, .documents = 3});
    }
    assert_int_equal(w.state, WALK_DONE);
    assert_int_equal(answers, 4);
    walk_free(&w);
}

/* page_count is not given: it follows from the total and what a page really holds. */
static void makes_up_for_a_missing_page_count(void **state)
{
    struct walk w;
    (void)state;

    walk_init(&w);
    for (size_t i = 0; i < 10; i++)
        walk_see(&w, 1 + i);
    walk_take(&w, &(struct walk_answer){.page_count = -1, .data_count = 45, .has_next = 1, .documents = 10});
    assert_int_equal(w.page, 5);
    walk_free(&w);
}

static uint32_t random_state = 1;
static size_t below(size_t n)
{
    random_state = random_state * 1664525U + 1013904223U;
    return (random_state >> 8) % n;
}

/* While a slice is read documents leave it (changed again) or become visible late. Whatever is in it when the
 * walk says done, and was so before the last pass began or appeared later, has been given. */
static void misses_nothing(bool leave, bool arrive, size_t first_count)
{
    static struct server s;
    struct walk w;
    bool given[IDS_MAX] = {false};
    uint64_t next_id = 6000;
    int changes = 40;

    server_fill(&s, first_count, 10);
    walk_init(&w);
    while (w.state == WALK_ASKS) {
        server_answer(&s, &w, given);
        if (w.state != WALK_ASKS)
            break;
        bool now_leave = leave && (!arrive || below(2) == 0);
        if (changes > 0 && below(3) == 0) {
            changes--;
            if (now_leave && s.count > 0)
                server_remove(&s, below(s.count));
            else if (!now_leave && arrive)
                server_insert(&s, below(s.count + 1), next_id++);
        }
    }
    if (w.state == WALK_DONE)
        assert_true(all_given(&s, given));
    else
        assert_true(arrive); /* only late ones can make it give up */
    walk_free(&w);
}

static void misses_nothing_while_documents_change(void **state)
{
    (void)state;
    for (size_t round = 0; round < 3000; round++) {
        size_t count = below(120);
        misses_nothing(true, false, count);
        misses_nothing(false, true, count);
        misses_nothing(true, true, count);
    }
}

/* A document that became visible late lies behind: one more pass. */
static void reads_again_when_a_total_rose(void **state)
{
    static struct server s;
    bool given[IDS_MAX] = {false};
    struct walk w;
    (void)state;

    server_fill(&s, 30, 10);
    walk_init(&w);
    server_answer(&s, &w, given); /* 1 */
    server_answer(&s, &w, given); /* 3 */
    server_insert(&s, 29, 5000);
    server_answer(&s, &w, given); /* 2 */
    server_answer(&s, &w, given); /* 1 */
    assert_int_equal(w.state, WALK_ASKS);
    assert_int_equal(w.pass, 2);
    while (w.state == WALK_ASKS)
        server_answer(&s, &w, given);
    assert_int_equal(w.state, WALK_DONE);
    assert_int_equal(w.pass, 2);
    assert_true(given[5000]);
    walk_free(&w);
}

/* What an earlier pass saw may have left: a pass counts by itself. */
static void each_pass_counts_by_itself(void **state)
{
    struct walk w;
    (void)state;

    walk_init(&w);
    for (uint64_t id = 1; id <= 3; id++) {
        walk_see(&w, id);
        walk_take(&w, &(struct walk_answer){.page_count = 1, .data_count = 2, .has_next = 0, .documents = 1});
        assert_int_equal(w.state, WALK_ASKS);
    }
    walk_free(&w);
}

/* The total claims more than can be seen: not done, and not for ever. */
static void gives_up(void **state)
{
    struct walk w;
    int answers = 0;
    (void)state;

    walk_init(&w);
    while (w.state == WALK_ASKS && answers < 1000) {
        walk_see(&w, 1);
        walk_take(&w, &(struct walk_answer){.page_count = 1, .data_count = 2, .has_next = 0, .documents = 1});
        answers++;
    }
    assert_int_equal(w.state, WALK_GIVES_UP);
    assert_int_equal(answers, WALK_PASSES_MAX);
    walk_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_from_the_last_page_to_the_first),
        cmocka_unit_test(walks_forward_without_counts),
        cmocka_unit_test(does_not_believe_a_total_below_the_page),
        cmocka_unit_test(ends_at_a_page_that_repeats),
        cmocka_unit_test(makes_up_for_a_missing_page_count),
        cmocka_unit_test(misses_nothing_while_documents_change),
        cmocka_unit_test(reads_again_when_a_total_rose),
        cmocka_unit_test(each_pass_counts_by_itself),
        cmocka_unit_test(gives_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
