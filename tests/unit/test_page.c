#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/base/err.h"
#include "common/pipeline/pipeline.h"
#include "common/wire/envelope.h"
#include "extractor/reading/seen.h"
#include "extractor/reading/walk.h"

/* How many distinct documents a list holds, by these id fields. */
static size_t distinct(const char *list, const char *field, const char *second)
{
    char *names[] = {(char *)(uintptr_t)field, (char *)(uintptr_t)second};
    struct pipeline p = {.document = {.names = names, .count = second != NULL ? 2 : 1}};
    struct envelope e = {.list = {.at = list, .len = strlen(list)}};
    struct walk w;

    walk_init(&w);
    page_see(&p, &e, &w);
    size_t count = w.seen.count;
    walk_free(&w);
    return count;
}

static void documents_are_their_ids(void **state)
{
    static const struct {
        const char *list, *field, *second;
        size_t count;
    } cases[] = {
        {"[]", "id", NULL, 0},
        {"[{\"id\":1},{\"id\":2},{\"id\":1,\"x\":2}]", "id", NULL, 2},
        {"[{\"id\":100},{\"id\":\"100\"}]", "id", NULL, 1},
        {"[{\"a\":1,\"b\":2},{\"a\":2,\"b\":2},{\"a\":1,\"b\":2}]", "a", "b", 2},
        {"[{\"a\":1,\"b\":23},{\"a\":12,\"b\":3}]", "a", "b", 2},
        {"[{\"o\":{\"id\":1}},{\"o\":{\"id\":2}},{\"o\":{\"id\":2}}]", "o.id", NULL, 2},
        /* no id to be read: each text counts */
        {"[{\"x\":1},{\"x\":2},{\"x\":2}]", "id", NULL, 2},
        {"[{\"id\":null,\"x\":1},{\"id\":null,\"x\":2}]", "id", NULL, 2},
        {"[{\"id\":[1],\"x\":1},{\"id\":{},\"x\":2},7]", "id", NULL, 3},
        {"[{\"o\":1,\"x\":1},{\"o\":1,\"x\":2}]", "o.id", NULL, 2},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t count = distinct(cases[i].list, cases[i].field, cases[i].second);
        if (count != cases[i].count)
            fail_msg("%s: %zu", cases[i].list, count);
    }
}

static void no_list_no_documents(void **state)
{
    struct pipeline p = {.document = {.count = 0}};
    struct envelope e = {.list = {.at = NULL}};
    struct walk w;
    (void)state;

    walk_init(&w);
    page_see(&p, &e, &w);
    assert_int_equal(w.seen.count, 0);
    walk_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_their_ids),
        cmocka_unit_test(no_list_no_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
