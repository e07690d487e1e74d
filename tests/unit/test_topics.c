#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/faults.h"
#include "common/wire/topics_file.h"

static void assert_same(const struct topics *a, const struct topics *b)
{
    for (int role = 0; role < TOPIC_ROLES; role++) {
        const struct topic_rule *x = &a->rules[role], *y = &b->rules[role];
        assert_string_equal(x->pattern, y->pattern);
        assert_int_equal(x->partitions, y->partitions);
        assert_int_equal(x->replication, y->replication);
        assert_int_equal(x->setting_count, y->setting_count);
        for (size_t i = 0; i < x->setting_count; i++) {
            assert_string_equal(x->settings[i].name, y->settings[i].name);
            assert_string_equal(x->settings[i].value, y->settings[i].value);
        }
    }
}

static void test_shipped_file_is_built_in(void **state)
{
    struct topics shipped, built_in;
    struct faults faults = FAULTS_INIT;

    (void)state;
    topics_read("topics.conf", 1, &shipped, &faults);
    topics_read("no-such.conf", 0, &built_in, &faults);
    assert_int_equal(faults.count, 0);
    assert_same(&shipped, &built_in);
    assert_int_equal(shipped.rules[TOPIC_ROWS].partitions, 6);
    assert_string_equal(topic_setting(&shipped.rules[TOPIC_STATE], "cleanup.policy"), "compact");
    assert_null(topic_setting(&shipped.rules[TOPIC_RAW], "cleanup.policy"));
    topics_free(&shipped);
    topics_free(&built_in);
}

static void test_missing_file_that_was_asked_for(void **state)
{
    struct topics topics;
    struct faults faults = FAULTS_INIT;

    (void)state;
    topics_read("no-such.conf", 1, &topics, &faults);
    assert_int_equal(faults.errors, 1);
    assert_string_equal(faults.list[0].place, "no-such.conf");
    assert_non_null(topics.rules[TOPIC_RAW].pattern); /* whole all the same */
    topics_free(&topics);
    topics_read("tests", 0, &topics, &faults);
    assert_int_equal(faults.errors, 2);
    topics_free(&topics);
    faults_free(&faults);
}

static void assert_name(const struct topics *topics, enum topic_role role, const char *pipeline,
                        const char *name)
{
    char *got = topic_name(topics, role, pipeline);
    assert_string_equal(got, name);
    free(got);
}

static void test_own_rules(void **state)
{
    static const char text[] = "# ours\n"
                               "\n"
                               "raw a.{pipeline}.b 12 replication=3 retention.ms=1000 "
                               "message.timestamp.type=LogAppendTime # short\r\n"
                               "\tstate  ours_state\t1  cleanup.policy=compact\n";
    struct topics topics;
    struct faults faults = FAULTS_INIT;

    (void)state;
    topics_parse("t", text, &topics, &faults);
    assert_int_equal(faults.count, 0);
    assert_int_equal(topics.rules[TOPIC_RAW].partitions, 12);
    assert_int_equal(topics.rules[TOPIC_RAW].replication, 3);
    assert_int_equal(topics.rules[TOPIC_RAW].setting_count, 2);
    assert_name(&topics, TOPIC_RAW, "x", "a.x.b");
    assert_name(&topics, TOPIC_ROWS, "x", "jst.x.rows");
    assert_name(&topics, TOPIC_STATE, "x", "ours_state");
    assert_string_equal(topic_role_name(TOPIC_DEAD), "dead");
    topics_free(&topics);
    topics_free(NULL);
}

#define LONG60 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"

#define RAW     "raw jst.{pipeline}.raw 3 "
#define ROWS    "rows jst.{pipeline}.rows 3 "
#define DEAD    "dead jst.{pipeline}.dead 1 "
#define STATE   "state s 1 cleanup.policy=compact"
#define APPEND  "message.timestamp.type=LogAppendTime "
#define APPENDS " message.timestamp.type=LogAppendTime"

static const struct {
    const char *text, *place, *fault;
    enum fault_level level;
} fault_cases[] = {
    {"rwa jst.{pipeline}.raw 3", "t:1", "unknown role \"rwa\"; did you mean raw?", FAULT_ERROR},
    {"nonsense jst.{pipeline}.raw 3", "t:1", "roles are raw, rows, dead and state", FAULT_ERROR},
    {"raw jst.{pipeline}.raw", "t:1", "a line is: role topic partitions", FAULT_ERROR},
    {"#\nraw jst.{pipeline}.raw 0" APPENDS, "t:2", "partitions: \"0\" is not a number from 1 to 1000",
     FAULT_ERROR},
    {"raw jst.{pipeline}.raw 1001" APPENDS, "t:1", "partitions: \"1001\"", FAULT_ERROR},
    {"raw jst.{pipeline}.raw 3x" APPENDS, "t:1", "partitions: \"3x\"", FAULT_ERROR},
    {RAW APPEND "replication=0", "t:1", "replication: \"0\"", FAULT_ERROR},
    {RAW APPEND "replication=1 replication=2", "t:1", "replication is given twice", FAULT_ERROR},
    {RAW APPEND "\nraw a.{pipeline} 3", "t:2", "the role raw is given twice", FAULT_ERROR},
    {"raw jst.raw 3" APPENDS, "t:1", "each pipeline has a raw topic of its own", FAULT_ERROR},
    {"raw jst.{pipelin}.raw 3" APPENDS, "t:1", "each pipeline has", FAULT_ERROR},
    {"raw jst/{pipeline} 3" APPENDS, "t:1", "is not a topic name", FAULT_ERROR},
    {"raw {pipeline}{pipeline} 3" APPENDS, "t:1", "is not a topic name", FAULT_ERROR},
    {"state jst.{pipeline} 1 cleanup.policy=compact", "t:1", "the state topic belongs to all", FAULT_ERROR},
    {"state .. 1 cleanup.policy=compact", "t:1", "is not a topic name", FAULT_ERROR},
    {"state s 2 cleanup.policy=compact", "t:1", "the state topic has 1 partition, not 2", FAULT_ERROR},
    {"state s 1", "t:1", "needs cleanup.policy=compact", FAULT_ERROR},
    {"state s 1 cleanup.policy=compact,delete", "t:1", "needs cleanup.policy=compact", FAULT_ERROR},
    {"raw " LONG60 LONG60 LONG60 "1234567{pipeline} 3" APPENDS, "t:1", "this one has 250", FAULT_ERROR},
    {"raw jst.{pipeline}.rows 3" APPENDS, "t", "raw and rows have the same topic jst.{pipeline}.rows",
     FAULT_ERROR},
    {RAW APPEND "retention", "t:1", "a setting is written name=value", FAULT_ERROR},
    {RAW APPEND "retention.ms=", "t:1", "a setting is written name=value", FAULT_ERROR},
    {RAW APPEND "retention.ms=1 retention.ms=2", "t:1", "retention.ms is given twice", FAULT_ERROR},
    {RAW APPEND "retentoin.ms=1", "t:1", "did you mean retention.ms?", FAULT_ERROR},
    {RAW APPEND "confluent.tier.enable=true", "t:1", "the broker will decide", FAULT_WARNING},

    /* values */
    {RAW APPEND "retention.ms=90", NULL, NULL, FAULT_WARNING},
    {RAW APPEND "retention.ms=90days", "t:1", "a duration such as 90d, or milliseconds, is expected",
     FAULT_ERROR},
    {RAW APPEND "retention.ms=-2", "t:1", "-1 is the least that retention.ms may be", FAULT_ERROR},
    {DEAD "max.message.bytes=17M", "t:1", "a size such as 16MiB, or bytes, is expected", FAULT_ERROR},
    {DEAD "max.message.bytes=257MiB", "t:1", "268435456 is the most that max.message.bytes may be",
     FAULT_ERROR},
    {RAW APPEND "max.message.bytes=1000000000", "t:1", "268435456 is the most", FAULT_ERROR},
    {RAW APPEND "max.message.bytes=12", "t:1", "1024 is the least", FAULT_ERROR},
    {RAW APPEND "segment.bytes=2GiB", "t:1", "2147483647 is the most", FAULT_ERROR},
    {RAW APPEND "min.insync.replicas=2s", "t:1", "a whole number is expected", FAULT_ERROR},

    /* promises */
    {RAW, "t:1", "the raw topics need message.timestamp.type=LogAppendTime", FAULT_ERROR},
    {"\n" ROWS "message.timestamp.type=CreateTime", "t:2", "the rows topics need", FAULT_ERROR},
    {RAW APPEND "cleanup.policy=compact", "t:1", "must be delete, the default, for the raw topics",
     FAULT_ERROR},
    {ROWS APPEND "cleanup.policy=compact,delete", "t:1", "for the rows topics", FAULT_ERROR},
    {DEAD "max.message.bytes=17MiB cleanup.policy=compact", "t:1", "for the dead topics", FAULT_ERROR},
    {RAW APPEND "cleanup.policy=delete", NULL, NULL, FAULT_WARNING},
    {RAW APPEND "max.message.bytes=1048575", "t:1",
     "max.message.bytes=1048575 is too small for the raw topics", FAULT_ERROR},
    {ROWS APPEND "max.message.bytes=64KiB", "t:1", "too small for the rows topics: 1MiB is the least",
     FAULT_ERROR},
    {RAW APPEND "max.message.bytes=1MiB", NULL, NULL, FAULT_WARNING},
    {RAW APPEND "max.message.bytes=16777217", "t",
     "a message of raw, which may have 16777217, so 17825793 is", FAULT_ERROR},
    {DEAD "max.message.bytes=17825791", "t:1", "max.message.bytes=17825791 is too small for the dead topics",
     FAULT_ERROR},
    {"\n" DEAD, "t:2", "max.message.bytes=1048588 (the broker's default) is too small", FAULT_ERROR},
    {RAW APPEND "\n" ROWS APPEND "\n" DEAD "max.message.bytes=2097164\n" STATE, NULL, NULL, FAULT_WARNING},
    {RAW APPEND "\n" ROWS APPEND "\n" DEAD "max.message.bytes=2097163\n" STATE, "t:3",
     "so 2097164 is the least", FAULT_ERROR},
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fault_cases / sizeof fault_cases[0]; i++) {
        struct topics topics;
        struct faults faults = FAULTS_INIT;
        topics_parse("t", fault_cases[i].text, &topics, &faults);
        if (faults.count != (fault_cases[i].fault != NULL))
            fail_msg("%s: %zu faults: %s", fault_cases[i].text, faults.count,
                     faults.count > 0 ? faults.list[faults.count - 1].text : "");
        if (faults.count == 0) {
            topics_free(&topics);
            continue;
        }
        assert_string_equal(faults.list[0].place, fault_cases[i].place);
        assert_int_equal(faults.list[0].level, fault_cases[i].level);
        if (strstr(faults.list[0].text, fault_cases[i].fault) == NULL)
            fail_msg("%s: %s", fault_cases[i].text, faults.list[0].text);
        topics_free(&topics);
        faults_free(&faults);
    }
}

/* The broker is told plain numbers, and what it answers is compared with them. */
static void units_are_kept_as_numbers(void **state)
{
    struct topics topics;
    struct faults faults = FAULTS_INIT;

    (void)state;
    topics_parse("t",
                 RAW APPEND
                 "retention.ms=1d12h segment.bytes=64MiB max.message.bytes=20MB flush.messages=7\n" DEAD
                 "retention.ms=-1 max.message.bytes=256MiB",
                 &topics, &faults);
    assert_int_equal(faults.count, 0);
    assert_string_equal(topic_setting(&topics.rules[TOPIC_RAW], "retention.ms"), "129600000");
    assert_string_equal(topic_setting(&topics.rules[TOPIC_RAW], "segment.bytes"), "67108864");
    assert_string_equal(topic_setting(&topics.rules[TOPIC_RAW], "flush.messages"), "7");
    assert_string_equal(topic_setting(&topics.rules[TOPIC_DEAD], "retention.ms"), "-1");
    assert_int_equal(topic_max_bytes(&topics, TOPIC_RAW), 20000000);
    assert_int_equal(topic_max_bytes(&topics, TOPIC_DEAD), 268435456);
    assert_int_equal(topic_max_bytes(&topics, TOPIC_STATE), 1048588);
    topics_free(&topics);
}

static void a_nul_does_not_cut_the_file(void **state)
{
    static const char text[] = "# ours\0\nraw\n";
    char path[] = "/tmp/jst-topics-XXXXXX";
    int fd = mkstemp(path);
    struct topics topics;
    struct faults faults = FAULTS_INIT;

    (void)state;
    assert_true(fd >= 0 && write(fd, text, sizeof text - 1) == sizeof text - 1);
    close(fd);
    topics_read(path, 1, &topics, &faults);
    assert_int_equal(faults.errors, 1);
    assert_string_equal(faults.list[0].text, "holds a NUL byte: it is not text");
    topics_free(&topics);
    faults_free(&faults);
    unlink(path);
}

static void test_longest_name_fits(void **state)
{
    struct topics topics;
    struct faults faults = FAULTS_INIT;

    (void)state;
    topics_parse("t", "raw " LONG60 LONG60 LONG60 "123456{pipeline} 3" APPENDS, &topics, &faults);
    assert_int_equal(faults.count, 0);
    topics_free(&topics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_file_is_built_in),
        cmocka_unit_test(test_missing_file_that_was_asked_for),
        cmocka_unit_test(test_own_rules),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(units_are_kept_as_numbers),
        cmocka_unit_test(a_nul_does_not_cut_the_file),
        cmocka_unit_test(test_longest_name_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
