#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "extractor/state.h"
#include "tests/unit/extractor_twins.h"

#define AT "\"2026-08-13 11:05:00\""

static struct record record(const char *key, const char *value)
{
    return (struct record){
        .key = key,
        .key_len = strlen(key),
        .has_key = true,
        .value = value,
        .value_len = value != NULL ? strlen(value) : 0,
        .has_value = value != NULL,
    };
}

static void take(struct state *s, const char *key, const char *value)
{
    struct record r = record(key, value);
    state_take(s, &r);
}

static void keeps_the_newest_of_each_pipeline(void **state)
{
    struct pipeline a = {.name = (char[]){"a"}};
    struct pipeline ab = {.name = (char[]){"ab"}};
    struct pipeline *list[] = {&a, &ab};
    struct pipelines pipelines = {.list = list, .count = 2};
    struct state s;
    (void)state;

    state_init(&s, &pipelines);
    assert_int_equal(s.entries[0].checkpoint.synced_to_s, -1);
    take(&s, "ab/live", "{\"v\":1,\"synced_to\":" AT "}");
    assert_int_equal(s.entries[0].checkpoint.synced_to_s, -1);
    assert_true(s.entries[1].checkpoint.synced_to_s > 0);
    take(&s, "ab/live", "{\"v\":1,\"synced_to\":\"2026-08-13 11:05:01\"}");
    assert_int_equal(s.entries[1].checkpoint.synced_to_s % 60, 1);
    /* others' keys */
    take(&s, "b/live", "{\"v\":1,\"synced_to\":" AT "}");
    take(&s, "a/sweep", "{\"v\":1,\"synced_to\":" AT "}");
    take(&s, "/live", "{\"v\":1,\"synced_to\":" AT "}");
    take(&s, "a", "{\"v\":1,\"synced_to\":" AT "}");
    assert_int_equal(s.entries[0].checkpoint.synced_to_s, -1);
    struct record keyless = record("a/live", "{}");
    keyless.has_key = false;
    state_take(&s, &keyless);
    assert_int_equal(s.entries[0].refused.kind, ERR_NONE);
    /* deleted */
    take(&s, "ab/live", NULL);
    assert_int_equal(s.entries[1].checkpoint.synced_to_s, -1);
    /* refused, and mended by a later one */
    take(&s, "a/live", "{\"v\":9}");
    assert_int_equal(s.entries[0].refused.kind, ERR_PAUSE);
    assert_int_equal(s.entries[0].checkpoint.synced_to_s, -1);
    take(&s, "a/live", "{\"v\":1,\"synced_to\":" AT "}");
    assert_int_equal(s.entries[0].refused.kind, ERR_NONE);
    state_forget(&s);
    assert_int_equal(s.entries[0].checkpoint.synced_to_s, -1);
    char *key = state_key("ab");
    assert_string_equal(key, "ab/live");
    free(key);
    state_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_the_newest_of_each_pipeline)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
