/* Topics: what is there, compared with topics.conf; creation and alteration. */
#include "common/kafka/kafka_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/monitor/health.h"
#include "common/options/options.h"

enum { ATTEMPT_TIMEOUT_MS = 5000, ATTEMPT_EVERY_MS = 1000, ONCE_PATIENCE_MS = 60 * 1000, DIFFERS_MAX = 4096 };

static void report_add(struct topic_report *report, char *name, const struct topic_rule *rule)
{
    report->list = mem_realloc(report->list, (report->count + 1) * sizeof *report->list);
    report->list[report->count++] = (struct topic_state){.name = name, .rule = rule};
}

void topic_report_free(struct topic_report *report)
{
    if (report == NULL)
        return;
    for (size_t i = 0; i < report->count; i++) {
        free(report->list[i].name);
        free(report->list[i].differs);
    }
    free(report->list);
    *report = (struct topic_report){0};
}

static void list_wanted(const struct topics *topics, const struct pipelines *pipelines, unsigned roles,
                        struct topic_report *ret)
{
    for (int role = 0; role < TOPIC_ROLES; role++) {
        if ((roles & (1U << role)) == 0)
            continue;
        if (role == TOPIC_STATE) {
            report_add(ret, topic_name(topics, TOPIC_STATE, ""), &topics->rules[role]);
            continue;
        }
        for (size_t i = 0; i < pipelines->count; i++)
            report_add(ret, topic_name(topics, (enum topic_role)role, pipelines->list[i]->name),
                       &topics->rules[role]);
    }
}

/* The first reason that the client itself gives for a broker that it does not reach. */
static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct buf *text = opaque;

    (void)rk;
    if (text->len == 0 && code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        buf_add_text(text, reason);
}

static int no_answer(rd_kafka_t *rk, rd_kafka_resp_err_t code, struct err *err)
{
    const struct buf *why = rd_kafka_opaque(rk);

    rd_kafka_poll(rk, 0); /* serves on_error() */
    return err_set(err, ERR_RETRY, (int)code, "the brokers do not answer: %s",
                   why->len > 0 ? why->data : rd_kafka_err2str(code));
}

/* Which of them the cluster has, and with how many partitions. */
static int look_at_metadata(rd_kafka_t *rk, int timeout_ms, struct topic_report *report, struct err *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 1, NULL, &metadata, timeout_ms);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return no_answer(rk, code, err);
    for (size_t i = 0; i < report->count; i++) {
        struct topic_state *t = &report->list[i];
        t->exists = false;
        for (int j = 0; j < metadata->topic_cnt; j++) {
            if (strcmp(metadata->topics[j].topic, t->name) != 0 ||
                metadata->topics[j].err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
                continue;
            t->exists = true;
            t->partitions = metadata->topics[j].partition_cnt;
            t->replication = t->partitions > 0 ? metadata->topics[j].partitions[0].replica_cnt : 0;
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

/* ------------------------------------------------------------------ one admin request, from call to result
 */

struct admin_call {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *options;
    int timeout_ms;
};

static struct admin_call admin_call(rd_kafka_t *rk, rd_kafka_admin_op_t op, int timeout_ms)
{
    struct admin_call call = {.rk = rk,
                              .queue = rd_kafka_queue_new(rk),
                              .options = rd_kafka_AdminOptions_new(rk, op),
                              .timeout_ms = timeout_ms};

    rd_kafka_AdminOptions_set_request_timeout(call.options, timeout_ms, NULL, 0);
    return call;
}

/* The result, or NULL with ERR_RETRY. */
static rd_kafka_event_t *admin_result(struct admin_call *call, struct err *err)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(call->queue, call->timeout_ms + 500);

    if (event == NULL)
        err_set(err, ERR_RETRY, 0, "no answer within %d ms", call->timeout_ms);
    else if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        err_set(err, ERR_RETRY, (int)rd_kafka_event_error(event), "%s", rd_kafka_event_error_string(event));
    else
        return event;
    if (event != NULL)
        rd_kafka_event_destroy(event);
    return NULL;
}

static void admin_done(struct admin_call *call, rd_kafka_event_t *event)
{
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(call->options);
    rd_kafka_queue_destroy(call->queue);
}

/* ------------------------------------------------------------------ create */

static rd_kafka_NewTopic_t *new_topic(const struct topic_state *t, struct err *err)
{
    char text[256];
    int replication = t->rule->replication > 0 ? t->rule->replication : -1;
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(t->name, t->rule->partitions, replication, text, sizeof text);

    if (topic == NULL) {
        err_set(err, ERR_CONFIG, 0, "topic %s: %s", t->name, text);
        return NULL;
    }
    for (size_t i = 0; i < t->rule->setting_count; i++)
        rd_kafka_NewTopic_set_config(topic, t->rule->settings[i].name, t->rule->settings[i].value);
    return topic;
}

static int creation_result(rd_kafka_event_t *event, struct err *err)
{
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);

    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        bool ours = code == RD_KAFKA_RESP_ERR_INVALID_CONFIG || code == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS;
        return err_set(err, ours ? ERR_CONFIG : ERR_RETRY, (int)code, "topic %s cannot be created: %s",
                       rd_kafka_topic_result_name(results[i]),
                       rd_kafka_topic_result_error_string(results[i]));
    }
    return 0;
}

static int create_missing(rd_kafka_t *rk, int timeout_ms, const struct topic_report *report, struct err *err)
{
    rd_kafka_NewTopic_t **list = mem_zalloc(report->count, sizeof(rd_kafka_NewTopic_t *));
    size_t count = 0;
    int rc = 0;

    for (size_t i = 0; i < report->count && rc == 0; i++) {
        if (report->list[i].exists)
            continue;
        list[count] = new_topic(&report->list[i], err);
        if (list[count] == NULL)
            rc = -1;
        else
            count++;
    }
    if (rc == 0 && count > 0) {
        struct admin_call call = admin_call(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
        rd_kafka_AdminOptions_set_operation_timeout(call.options, timeout_ms, NULL, 0);
        rd_kafka_CreateTopics(rk, list, count, call.options, call.queue);
        rd_kafka_event_t *event = admin_result(&call, err);
        rc = event != NULL ? creation_result(event, err) : -1;
        admin_done(&call, event);
    }
    rd_kafka_NewTopic_destroy_array(list, count);
    free(list);
    return rc;
}

/* ------------------------------------------------------------------ compare */

/* Settings that say the same in other words. */
static bool same_setting(const char *wanted, const char *actual)
{
    return actual != NULL && strcmp(wanted, actual) == 0;
}

static const char *config_value(const rd_kafka_ConfigResource_t *resource, const char *name)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    return NULL;
}

static const char *separator_before(const struct buf *text)
{
    return text->len > 0 ? ", " : "";
}

static void describe_difference(struct topic_state *t, const rd_kafka_ConfigResource_t *resource)
{
    struct buf text;

    buf_init(&text, DIFFERS_MAX);
    if (t->partitions != t->rule->partitions)
        buf_printf(&text, "%d partitions instead of %d", t->partitions, t->rule->partitions);
    if (t->rule->replication > 0 && t->replication != t->rule->replication)
        buf_printf(&text, "%sreplication=%d instead of %d", separator_before(&text), t->replication,
                   t->rule->replication);
    if (resource == NULL)
        buf_printf(&text, "%sits settings may not be read", separator_before(&text));
    for (size_t i = 0; resource != NULL && i < t->rule->setting_count; i++) {
        const struct topic_setting *s = &t->rule->settings[i];
        const char *actual = config_value(resource, s->name);
        if (!same_setting(s->value, actual))
            buf_printf(&text, "%s%s=%s instead of %s", separator_before(&text), s->name,
                       actual != NULL ? actual : "(unknown)", s->value);
    }
    free(t->differs);
    t->differs = text.len > 0 ? buf_take(&text, NULL) : NULL;
    buf_free(&text);
}

static struct topic_state *report_find(struct topic_report *report, const char *name)
{
    for (size_t i = 0; i < report->count; i++)
        if (strcmp(report->list[i].name, name) == 0)
            return &report->list[i];
    return NULL;
}

/* Ask for the settings of every topic that exists; give each answer to `use`. */
static int with_configs(rd_kafka_t *rk, int timeout_ms, struct topic_report *report,
                        int (*use)(rd_kafka_t *, int, struct topic_state *, const rd_kafka_ConfigResource_t *,
                                   struct err *),
                        struct err *err)
{
    rd_kafka_ConfigResource_t **list = mem_zalloc(report->count, sizeof(rd_kafka_ConfigResource_t *));
    size_t count = 0;
    int rc = 0;

    for (size_t i = 0; i < report->count; i++)
        if (report->list[i].exists)
            list[count++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, report->list[i].name);
    if (count > 0) {
        struct admin_call call = admin_call(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms);
        rd_kafka_DescribeConfigs(rk, list, count, call.options, call.queue);
        rd_kafka_event_t *event = admin_result(&call, err);
        size_t answers = 0;
        const rd_kafka_ConfigResource_t **resources = NULL;
        if (event != NULL)
            resources = rd_kafka_DescribeConfigs_result_resources(
                rd_kafka_event_DescribeConfigs_result(event), &answers);
        else
            rc = -1;
        for (size_t i = 0; i < answers && rc == 0; i++) {
            struct topic_state *t = report_find(report, rd_kafka_ConfigResource_name(resources[i]));
            bool readable = rd_kafka_ConfigResource_error(resources[i]) == RD_KAFKA_RESP_ERR_NO_ERROR;
            if (t != NULL)
                rc = use(rk, timeout_ms, t, readable ? resources[i] : NULL, err);
        }
        admin_done(&call, event);
    }
    rd_kafka_ConfigResource_destroy_array(list, count);
    free(list);
    return rc;
}

static int compare_one(rd_kafka_t *rk, int timeout_ms, struct topic_state *t,
                       const rd_kafka_ConfigResource_t *resource, struct err *err)
{
    (void)rk, (void)timeout_ms, (void)err;
    describe_difference(t, resource);
    return 0;
}

/* ------------------------------------------------------------------ alter */

static int grow_partitions(rd_kafka_t *rk, int timeout_ms, const struct topic_state *t, struct err *err)
{
    char text[256];

    if (t->partitions >= t->rule->partitions)
        return 0;
    rd_kafka_NewPartitions_t *more =
        rd_kafka_NewPartitions_new(t->name, (size_t)t->rule->partitions, text, sizeof text);
    if (more == NULL)
        return err_set(err, ERR_CONFIG, 0, "topic %s: %s", t->name, text);
    struct admin_call call = admin_call(rk, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout_ms);
    rd_kafka_CreatePartitions(rk, &more, 1, call.options, call.queue);
    rd_kafka_event_t *event = admin_result(&call, err);
    int rc = event != NULL ? 0 : -1;
    if (event != NULL) {
        size_t count;
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &count);
        for (size_t i = 0; i < count; i++)
            if (rd_kafka_topic_result_error(results[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
                rc = err_set(err, ERR_RETRY, (int)rd_kafka_topic_result_error(results[i]), "topic %s: %s",
                             t->name, rd_kafka_topic_result_error_string(results[i]));
    }
    admin_done(&call, event);
    rd_kafka_NewPartitions_destroy(more);
    return rc;
}

/* AlterConfigs replaces all settings of a topic: those that were set by hand go with it, unless they are sent
 * again. */
static void keep_others(rd_kafka_ConfigResource_t *wanted, const struct topic_rule *rule,
                        const rd_kafka_ConfigResource_t *actual)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(actual, &count);

    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[i]);
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (rd_kafka_ConfigEntry_source(entries[i]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG &&
            value != NULL && topic_setting(rule, name) == NULL)
            rd_kafka_ConfigResource_set_config(wanted, name, value);
    }
}

static int alter_settings(rd_kafka_t *rk, int timeout_ms, const struct topic_state *t,
                          const rd_kafka_ConfigResource_t *actual, struct err *err)
{
    rd_kafka_ConfigResource_t *wanted = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, t->name);

    keep_others(wanted, t->rule, actual);
    for (size_t i = 0; i < t->rule->setting_count; i++)
        rd_kafka_ConfigResource_set_config(wanted, t->rule->settings[i].name, t->rule->settings[i].value);
    struct admin_call call = admin_call(rk, RD_KAFKA_ADMIN_OP_ALTERCONFIGS, timeout_ms);
    rd_kafka_AlterConfigs(rk, &wanted, 1, call.options, call.queue);
    rd_kafka_event_t *event = admin_result(&call, err);
    int rc = event != NULL ? 0 : -1;
    if (event != NULL) {
        size_t count;
        const rd_kafka_ConfigResource_t **results =
            rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &count);
        for (size_t i = 0; i < count; i++)
            if (rd_kafka_ConfigResource_error(results[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
                rc = err_set(err, ERR_RETRY, (int)rd_kafka_ConfigResource_error(results[i]), "topic %s: %s",
                             t->name, rd_kafka_ConfigResource_error_string(results[i]));
    }
    admin_done(&call, event);
    rd_kafka_ConfigResource_destroy(wanted);
    return rc;
}

static int alter_one(rd_kafka_t *rk, int timeout_ms, struct topic_state *t,
                     const rd_kafka_ConfigResource_t *actual, struct err *err)
{
    if (t->differs == NULL || actual == NULL)
        return 0;
    if (grow_partitions(rk, timeout_ms, t, err) != 0)
        return -1;
    return alter_settings(rk, timeout_ms, t, actual, err);
}

/* ------------------------------------------------------------------ the whole */

static int look_and_mend(rd_kafka_t *rk, enum topic_action action, int timeout_ms,
                         struct topic_report *report, struct err *err)
{
    if (look_at_metadata(rk, timeout_ms, report, err) != 0)
        return -1;
    if (action != TOPICS_LOOK && (create_missing(rk, timeout_ms, report, err) != 0 ||
                                  look_at_metadata(rk, timeout_ms, report, err) != 0))
        return -1;
    if (with_configs(rk, timeout_ms, report, compare_one, err) != 0)
        return -1;
    if (action != TOPICS_APPLY)
        return 0;
    if (with_configs(rk, timeout_ms, report, alter_one, err) != 0 ||
        look_at_metadata(rk, timeout_ms, report, err) != 0)
        return -1;
    return with_configs(rk, timeout_ms, report, compare_one, err);
}

int kafka_topics(const struct options *options, const struct topics *topics,
                 const struct pipelines *pipelines, unsigned roles, enum topic_action action, int timeout_ms,
                 struct topic_report *ret, struct err *err)
{
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    struct topic_report report = {0};
    struct buf why; /* of on_error() */

    if (kafka_conf_new(options, KAFKA_ADMIN, &conf, err) != 0)
        return -1;
    buf_init(&why, ERR_TEXT_MAX);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_opaque(conf, &why);
    if (kafka_client_new(RD_KAFKA_PRODUCER, conf, &rk, err) != 0)
        return -1;
    list_wanted(topics, pipelines, roles, &report);
    int rc = look_and_mend(rk, action, timeout_ms, &report, err);
    rd_kafka_destroy(rk);
    buf_free(&why);
    if (rc != 0)
        topic_report_free(&report);
    else
        *ret = report;
    return rc;
}

static bool is_compacted(const struct topic_state *t)
{
    return t->partitions == 1 && (t->differs == NULL || strstr(t->differs, "cleanup.policy=") == NULL);
}

/* What the report means for a program that starts. */
static int judge_report(const struct options *options, const struct topics *topics,
                        const struct topic_report *report, struct faults *faults, struct err *err)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct topic_state *t = &report->list[i];
        if (!t->exists)
            return err_set(err, ERR_RETRY, 0, "topic %s does not exist%s", t->name,
                           options_flag(options, "create-topics") ? " yet" : ", and --create-topics is off");
        if (t->rule == &topics->rules[TOPIC_STATE] && !is_compacted(t))
            return err_set(
                err, ERR_CONFIG, 0,
                "topic %s must have one partition and cleanup.policy=compact, it has %d partitions%s%s; "
                "`jstctl topics` shows and mends it",
                t->name, t->partitions, t->differs != NULL ? ": " : "", t->differs != NULL ? t->differs : "");
    }
    for (size_t i = 0; i < report->count; i++)
        if (report->list[i].differs != NULL)
            fault_add(faults, FAULT_WARNING, report->list[i].name, "the topic differs from topics.conf: %s",
                      report->list[i].differs);
    return 0;
}

int kafka_prepare_topics(const struct options *options, const struct topics *topics,
                         const struct pipelines *pipelines, unsigned roles, bool (*stopping)(void),
                         struct faults *faults, struct err *err)
{
    enum topic_action action = options_flag(options, "create-topics") ? TOPICS_CREATE : TOPICS_LOOK;

    int64_t give_up = options_flag(options, "once") ? clock_monotonic_ms() + ONCE_PATIENCE_MS : INT64_MAX;

    while (!stopping()) {
        struct topic_report report = {0};
        err_clear(err);
        health_turn();
        int rc = kafka_topics(options, topics, pipelines, roles, action, ATTEMPT_TIMEOUT_MS, &report, err);
        if (rc == 0)
            rc = judge_report(options, topics, &report, faults, err);
        topic_report_free(&report);
        if (rc == 0) {
            health_dependency("kafka", true, NULL);
            return 0;
        }
        if (err->kind != ERR_RETRY)
            return -1;
        if (clock_monotonic_ms() > give_up)
            return err_prefix(err, "given up");
        health_dependency("kafka", false, err->text);
        stop_sleep_until(clock_monotonic_ms() + ATTEMPT_EVERY_MS);
    }
    return err_set(err, ERR_RETRY, 0, "asked to stop before the topics were there");
}
