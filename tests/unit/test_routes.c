#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/wire/routes.h"
#include "common/wire/topics_file.h"
#include "tests/unit/twins/twin_pipeline.h"

static void test_routes(void **state)
{
    struct pipeline *list[] = {twin_pipeline(&(struct twin_spec){.name = "a"}),
                               twin_pipeline(&(struct twin_spec){.name = "a-b"})};
    struct pipelines pipelines = {.list = list, .count = 2};
    struct topics topics;
    struct faults faults = FAULTS_INIT;
    struct routes routes;

    (void)state;
    topics_parse("t",
                 "raw x.{pipeline}.raw 1 message.timestamp.type=LogAppendTime\n"
                 "rows x.{pipeline}.rows 1 max.message.bytes=2MiB message.timestamp.type=LogAppendTime\n"
                 "dead {pipeline}-dead 1 max.message.bytes=4MiB\n",
                 &topics, &faults);
    assert_int_equal(faults.errors, 0);
    routes_init(&routes, &pipelines, &topics);
    assert_int_equal(routes.count, 2);
    assert_ptr_equal(routes.list[1].pipeline, list[1]);
    assert_string_equal(routes.list[0].raw, "x.a.raw");
    assert_string_equal(routes.list[1].rows, "x.a-b.rows");
    assert_string_equal(routes.list[1].dead, "a-b-dead");
    assert_ptr_equal(routes_by_topic(&routes, TOPIC_RAW, "x.a-b.raw"), &routes.list[1]);
    assert_ptr_equal(routes_by_topic(&routes, TOPIC_ROWS, "x.a.rows"), &routes.list[0]);
    assert_null(routes_by_topic(&routes, TOPIC_RAW, "x.a.rows"));
    assert_null(routes_by_topic(&routes, TOPIC_ROWS, "x.a.raw"));
    assert_null(routes_by_topic(&routes, TOPIC_ROWS, "x.a.row"));
    assert_null(routes_by_topic(&routes, TOPIC_ROWS, ""));
    assert_int_equal(topic_max_bytes(&topics, TOPIC_RAW), 1048588); /* Kafka's default */
    assert_int_equal(topic_max_bytes(&topics, TOPIC_ROWS), 2 << 20);
    assert_int_equal(topic_max_bytes(&topics, TOPIC_DEAD), 4 << 20);
    routes_free(&routes);
    assert_int_equal(routes.count, 0);
    routes_free(&routes);
    routes_free(NULL);
    topics_free(&topics);
    faults_free(&faults);
    pipeline_free(list[0]);
    pipeline_free(list[1]);
}

static void test_none(void **state)
{
    struct pipelines none = {0};
    struct topics topics;
    struct faults faults = FAULTS_INIT;
    struct routes routes;

    (void)state;
    topics_parse("t", "", &topics, &faults);
    routes_init(&routes, &none, &topics);
    assert_null(routes_by_topic(&routes, TOPIC_RAW, "jst.p.raw"));
    routes_free(&routes);
    topics_free(&topics);
    faults_free(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
