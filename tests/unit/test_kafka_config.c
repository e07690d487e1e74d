#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/faults.h"
#include "common/kafka/kafka.h"
#include "common/options/options.h"
#include "common/wire/topics_file.h"

static char folder[] = "/tmp/jst-kafka-config-XXXXXX";
static char path[64];
static struct topics topics; /* the built-in ones */

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/kafka.conf", folder);
    struct faults faults = FAULTS_INIT;
    topics_parse("t", "", &topics, &faults);
    return faults.count == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    topics_free(&topics);
    return rmdir(folder);
}

/* The faults of a file's text (NULL: no file is named) and two --kafka flags (NULL: none). */
static void check(const char *text, const char *a, const char *b, struct faults *ret)
{
    char *argv[8] = {(char *)(uintptr_t) "loader"};
    int argc = 1;
    char *env[] = {NULL};
    struct faults faults = FAULTS_INIT;

    if (text != NULL) {
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        fputs(text, out);
        fclose(out);
        argv[argc++] = (char *)(uintptr_t) "--kafka-config";
        argv[argc++] = path;
    }
    for (int i = 0; i < 2; i++) {
        const char *flag = i == 0 ? a : b;
        if (flag != NULL) {
            argv[argc++] = (char *)(uintptr_t) "--kafka";
            argv[argc++] = (char *)(uintptr_t)flag;
        }
    }
    struct options *options = options_read(PROGRAM_LOADER, argc, argv, env, &faults);
    assert_int_equal(faults.errors, 0);
    *ret = (struct faults)FAULTS_INIT;
    kafka_check(options, &topics, ret);
    options_free(options);
    faults_free(&faults);
}

static void assert_fault(const struct faults *faults, size_t i, const char *place, const char *text)
{
    assert_true(i < faults->count);
    const struct fault *f = &faults->list[i];
    assert_int_equal(f->level, FAULT_ERROR);
    if (place[0] == ':') /* a line of the file */
        assert_string_equal(f->place + strlen(path), place);
    else
        assert_string_equal(f->place, place);
    if (strstr(f->text, text) == NULL)
        fail_msg("%s is not in: %s", text, f->text);
}

static void test_fine(void **state)
{
    static const char *const texts[] = {
        NULL,
        "",
        "# a comment\n\n   \nsecurity.protocol=ssl\n  ssl.endpoint.identification.algorithm = https \r\n#x\n",
        "security.protocol=sasl_plaintext\nsasl.username=a=b=c\nsasl.password=p w d\nsasl.mechanism=PLAIN",
        "client.id=\n",
    };
    struct faults faults;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        check(texts[i], "session.timeout.ms=6000", "linger.ms=50", &faults);
        if (faults.count > 0)
            fail_msg("%s: %s", faults.list[0].place, faults.list[0].text);
        faults_free(&faults);
    }
}

/* Every fault, in the order of the lines, with its place. */
static void test_file(void **state)
{
    struct faults faults;

    (void)state;
    check("security.protokol=ssl\n"
          "\n"
          "# fine\n"
          "  group.id = mine\n"
          "linger\n"
          "zzzzzzzzzz=1\n"
          "linger.ms=soon\n"
          "linger.ms=5\n"
          "=5\n"
          "sasl.password=secret\n"
          "security.protocol=secret\n"
          "acks=1",
          NULL, NULL, &faults);
    assert_fault(&faults, 0, ":1", "unknown property; did you mean security.protocol?");
    assert_fault(&faults, 1, ":4", "group.id cannot be set here: use --group");
    assert_fault(&faults, 2, ":5", "the line is not of the form name=value");
    assert_fault(&faults, 3, ":6", "unknown property");
    assert_null(strstr(faults.list[3].text, "did you mean"));
    assert_fault(&faults, 4, ":7", "linger.ms does not take this value");
    assert_fault(&faults, 5, ":9", "");
    assert_fault(&faults, 6, ":11", "security.protocol does not take this value");
    assert_null(strstr(faults.list[6].text, "secret")); /* never the value */
    assert_fault(&faults, 7, ":12", "acks cannot be set here");
    assert_int_equal(faults.count, 8);
    faults_free(&faults);
}

static void test_flags(void **state)
{
    struct faults faults;

    (void)state;
    check(NULL, "linger.mss=5", "enable.auto.commit=true", &faults);
    assert_fault(&faults, 0, "--kafka (item 1)", "did you mean linger.ms?");
    assert_fault(&faults, 1, "--kafka (item 2)", "enable.auto.commit cannot be set here");
    assert_int_equal(faults.count, 2);
    faults_free(&faults);
}

static void test_reserved(void **state)
{
    static const char *const names[] = {
        "bootstrap.servers",
        "metadata.broker.list",
        "group.id",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "auto.offset.reset",
        "enable.partition.eof",
        "partition.assignment.strategy",
        "enable.idempotence",
        "acks",
        "request.required.acks",
        "message.timeout.ms",
        "delivery.timeout.ms",
        "partitioner",
        "message.max.bytes",
        "transactional.id",
        "group.instance.id",
        "test.mock.num.brokers",
    };
    struct faults faults;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char flag[100];
        snprintf(flag, sizeof flag, "%s=all", names[i]);
        check(NULL, flag, NULL, &faults);
        assert_int_equal(faults.count, 1);
        assert_fault(&faults, 0, "--kafka", "cannot be set here");
        faults_free(&faults);
    }
}

/* What may be a password, or a piece of one, is in no message. */
static void a_secret_is_never_shown(void **state)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"sasl.password hunter2", "sasl.password is not of the form name=value"},
        {"sasl.password: hunter2", "sasl.password is not of the form name=value"},
        {"hunter2", "the line is not of the form name=value"},
        {"password hunter2", "the line is not of the form name=value"},
        {"hunter2==", "unknown property"},
        {"sasl.pasword=hunter2", "unknown property; did you mean sasl.password?"},
        {"security.protocol=hunter2", "security.protocol does not take this value"},
        {"sasl.jaas.config=org.x.PlainLoginModule required password=\"hunter2\";", "sasl.username and"},
    };
    struct faults faults;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(cases[i].line, NULL, NULL, &faults);
        assert_int_equal(faults.count, 1);
        assert_fault(&faults, 0, ":1", cases[i].says);
        assert_null(strstr(faults.list[0].text, "hunter2"));
        faults_free(&faults);
    }
}

/* A flag, and a variable, can be read by others on the machine: the file is the place. */
static void a_secret_is_never_a_flag(void **state)
{
    static const char *const names[] = {
        "sasl.password", "ssl.key.password",        "ssl.keystore.password", "sasl.oauthbearer.client.secret",
        "ssl.key.pem",   "ssl.truststore.password", "sasl.jaas.config",
    };
    char flag[100], line[100];
    struct faults faults;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(flag, sizeof flag, "%s=hunter2", names[i]);
        check(NULL, flag, NULL, &faults);
        assert_int_equal(faults.count, 1);
        assert_fault(&faults, 0, "--kafka", "write it as a line into the file that --kafka-config names");
        assert_null(strstr(faults.list[0].text, "hunter2"));
        faults_free(&faults);
    }
    snprintf(line, sizeof line, "%s=hunter2", names[0]);
    check(line, NULL, NULL, &faults);
    assert_int_equal(faults.count, 0);
}

static void names_of_the_java_client_are_explained(void **state)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"ssl.truststore.location=/x", "is a name of the Java client: here it is ssl.ca.location"},
        {"max.poll.records=5", "max.poll.records is a name of the Java client and has no counterpart here"},
        {"key.serializer=x", "keys and values are bytes"},
        {"max.request.size=1", "follows max.message.bytes in topics.conf"},
    };
    struct faults faults;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(cases[i].line, NULL, NULL, &faults);
        assert_int_equal(faults.count, 1);
        assert_fault(&faults, 0, ":1", cases[i].says);
        faults_free(&faults);
    }
}

static void a_file_that_is_no_text_is_refused(void **state)
{
    struct options *options;
    struct faults faults = FAULTS_INIT;
    char *argv[] = {(char *)(uintptr_t) "loader", (char *)(uintptr_t) "--kafka-config", path, NULL};
    char *env[] = {NULL};
    FILE *out = fopen(path, "w");

    (void)state;
    assert_non_null(out);
    fwrite("linger.ms=5\0\nzzz=1\n", 1, 20, out);
    fclose(out);
    options = options_read(PROGRAM_LOADER, 3, argv, env, &faults);
    kafka_check(options, &topics, &faults);
    assert_int_equal(faults.count, 1);
    assert_fault(&faults, 0, path, "holds a NUL byte");
    faults_free(&faults);
    options_free(options);
}

/* What librdkafka looks at only when the client is made. */
static void what_would_end_the_start_is_found(void **state)
{
    static const struct {
        const char *lines, *says;
    } cases[] = {
        {"security.protocol=ssl\nssl.ca.location=/etc/passwd", "ssl.ca.location"},
        {"security.protocol=ssl\nssl.keystore.location=/etc/passwd", "ssl.keystore.location"},
        {"security.protocol=sasl_plaintext\nsasl.mechanism=PLAIN", "sasl.username"},
        {"security.protocol=sasl_ssl\nsasl.mechanism=SCRAM-SHA-256\nsasl.username=u", "sasl.username"},
        {"security.protocol=sasl_plaintext\nsasl.mechanism=NONSENSE", "NONSENSE"},
        {"session.timeout.ms=400000", "session.timeout.ms"},
        {"fetch.max.bytes=1000000000\nreceive.message.max.bytes=20000000", "receive.message.max.bytes"},
        {"max.in.flight=6", "max.in.flight"},
        {"queue.buffering.max.messages=0\nretries=0", "retries"},
    };
    struct faults faults;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(cases[i].lines, NULL, NULL, &faults);
        if (faults.count != 1)
            fail_msg("%s: %zu faults", cases[i].lines, faults.count);
        assert_fault(&faults, 0, path, cases[i].says);
        faults_free(&faults);
    }
}

static void files_that_cannot_be_read_are_named_by_their_property(void **state)
{
    static const char *const names[] = {"ssl.ca.location", "ssl.certificate.location", "ssl.key.location",
                                        "ssl.keystore.location", "ssl.crl.location"};
    char line[100], says[100];
    struct faults faults;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(line, sizeof line, "security.protocol=ssl\n%s=/no/such", names[i]);
        snprintf(says, sizeof says, "the file of %s cannot be read: No such file", names[i]);
        check(line, NULL, NULL, &faults);
        assert_int_equal(faults.count, 1);
        assert_fault(&faults, 0, ":2", says);
        faults_free(&faults);
    }
}

static void what_the_topics_take_is_received(void **state)
{
    struct faults faults = FAULTS_INIT;

    (void)state;
    check("receive.message.max.bytes=17891328", NULL, NULL, &faults); /* 17 MiB and 64 KiB */
    assert_int_equal(faults.count, 0);
    check("receive.message.max.bytes=17891327", NULL, NULL, &faults);
    assert_int_equal(faults.count, 1);
    assert_fault(&faults, 0, path,
                 "receive.message.max.bytes is too small: topics.conf lets a message have 17825792 bytes, so "
                 "17891328 is the least");
    faults_free(&faults);

    topics_free(&topics);
    topics_parse("t", "dead x.{pipeline}.dead 1 max.message.bytes=256MiB", &topics, &faults);
    check(NULL, NULL, NULL, &faults);
    assert_int_equal(faults.count, 0); /* the largest that topics.conf allows */
    topics_free(&topics);
    topics_parse("t", "", &topics, &faults);
}

static void check_brokers(const char *list, struct faults *ret)
{
    char *argv[] = {(char *)(uintptr_t) "loader", (char *)(uintptr_t) "--brokers", (char *)(uintptr_t)list,
                    NULL};
    char *env[] = {NULL};
    struct options *options;

    *ret = (struct faults)FAULTS_INIT;
    options = options_read(PROGRAM_LOADER, 3, argv, env, ret);
    assert_int_equal(ret->errors, 0);
    kafka_check(options, &topics, ret);
    options_free(options);
}

static void brokers_are_hosts_and_ports(void **state)
{
    static const char *const fine[] = {"localhost", "a:1", "kafka_1.x-y:65535,10.0.0.1:9092",
                                       "[::1]:9092,[fe80::1]"};
    static const struct {
        const char *list, *says;
    } cases[] = {
        {"http://a:9092", "broker 1 is a URL"},
        {"a:1,ssl://user:hunter2@b:2", "broker 2 is a URL"},
        {"a:1,", "broker 2 is empty"},
        {"a:1,,b:1", "broker 2 is empty"},
        {" ", "broker 1 has white space"},
        {"a:1, b:2", "broker 2 has white space"},
        {"a:0", "broker 1 has no port of 1-65535"},
        {"a:65536", "broker 1 has no port"},
        {"a:", "broker 1 has no port"},
        {"a:90x", "broker 1 has no port"},
        {":9092", "broker 1 is not HOST:PORT"},
        {"a/b:9092", "broker 1 is not HOST:PORT"},
        {"::1", "broker 1 is not HOST:PORT"},
        {"[::1:9092", "broker 1 is not HOST:PORT"},
    };
    struct faults faults;

    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        check_brokers(fine[i], &faults);
        assert_int_equal(faults.count, 0);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_brokers(cases[i].list, &faults);
        if (faults.count != 1)
            fail_msg("%s: %zu faults", cases[i].list, faults.count);
        assert_fault(&faults, 0, "--brokers", cases[i].says);
        assert_null(strstr(faults.list[0].text, "hunter2"));
        faults_free(&faults);
    }
    check_brokers(",", &faults);
    assert_int_equal(faults.count, 2);
    faults_free(&faults);
}

/* No file, and what is none. */
static void test_unreadable(void **state)
{
    struct faults faults;

    (void)state;
    check("x", NULL, NULL, &faults); /* the file is there */
    faults_free(&faults);
    unlink(path);
    char *argv[] = {(char *)(uintptr_t) "loader", (char *)(uintptr_t) "--kafka-config", path, NULL};
    char *env[] = {NULL};
    for (int directory = 0; directory < 2; directory++) {
        struct faults wrong = FAULTS_INIT;
        if (directory)
            assert_int_equal(mkdir(path, 0700), 0);
        struct options *options = options_read(PROGRAM_LOADER, 3, argv, env, &wrong);
        faults = (struct faults)FAULTS_INIT;
        kafka_check(options, &topics, &faults);
        assert_int_equal(faults.count, 1);
        assert_fault(&faults, 0, path, "cannot be read");
        faults_free(&faults);
        faults_free(&wrong);
        options_free(options);
    }
    rmdir(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fine),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_reserved),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(a_secret_is_never_shown),
        cmocka_unit_test(a_secret_is_never_a_flag),
        cmocka_unit_test(names_of_the_java_client_are_explained),
        cmocka_unit_test(what_would_end_the_start_is_found),
        cmocka_unit_test(files_that_cannot_be_read_are_named_by_their_property),
        cmocka_unit_test(what_the_topics_take_is_received),
        cmocka_unit_test(brokers_are_hosts_and_ports),
        cmocka_unit_test(a_file_that_is_no_text_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
