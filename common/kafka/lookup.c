/* What the broker knows of partitions: the group's offsets, the bounds of their logs, and whether these logs
 * are still those that were read. Each question waits for its answer, for 2 s at most. */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/kafka/consumer_private.h"

enum {
    LOOKUP_TIMEOUT_MS = 2000,
    FIRST_RETRY_MS = 500,
    LAST_RETRY_MS = 5000,
    VERIFY_EVERY_MS = 5000,
    WHY_TEXT = 256,
};

/* What ListOffsets takes in place of a time. */
enum { TIME_OF_END = -1, TIME_OF_START = -2 };

/* ---- questions ---- */

rd_kafka_resp_err_t kafka_offsets_of_times(struct kafka_source *s, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(s->rk, list, LOOKUP_TIMEOUT_MS);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
        code = list->elems[i].err;
    return code;
}

static rd_kafka_resp_err_t offsets_of_time(struct kafka_source *s, rd_kafka_topic_partition_list_t *list,
                                           int64_t time_ms)
{
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = time_ms;
    return kafka_offsets_of_times(s, list);
}

static rd_kafka_resp_err_t look_up_committed(struct kafka_source *s, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = rd_kafka_committed(s->rk, list, LOOKUP_TIMEOUT_MS);

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *at = &list->elems[i];
        struct part *p = kafka_part(s, at->topic, at->partition);
        code = at->err;
        p->committed = at->offset >= 0 ? at->offset : -1;
        p->was_committed |= at->offset >= 0;
    }
    return code;
}

static rd_kafka_resp_err_t look_up_bounds(struct kafka_source *s, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = offsets_of_time(s, list, TIME_OF_START);

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
        kafka_part(s, list->elems[i].topic, list->elems[i].partition)->low = list->elems[i].offset;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = offsets_of_time(s, list, TIME_OF_END);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
        kafka_part(s, list->elems[i].topic, list->elems[i].partition)->high = list->elems[i].offset;
    return code;
}

/* ---- is the log still the same? ---- */

/* Has the broker forgotten the group's offset, as it does when a topic is deleted? */
static bool is_forgotten(const struct part *p)
{
    return p->was_committed && p->committed < 0;
}

static void add_mark(rd_kafka_topic_partition_list_t *list, const struct part *p)
{
    rd_kafka_topic_partition_list_add(list, p->topic->name, p->partition)->offset = p->mark_ms + 1;
}

/* The broker's times rise, so the first message later than the mark stands behind it; in a log that was made
 * later it is the first of all. after: its offset; -1: there is none. */
static bool is_other_log(const struct part *p, int64_t after)
{
    return after >= 0 && after <= p->mark && after <= p->low;
}

/* Of a partition whose offset and bounds have just been looked up. */
static rd_kafka_resp_err_t look_at_log(struct kafka_source *s, const struct part *p, bool *ret_other)
{
    *ret_other = is_forgotten(p);
    if (*ret_other || p->mark < 0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    add_mark(list, p);
    rd_kafka_resp_err_t code = kafka_offsets_of_times(s, list);
    *ret_other = is_other_log(p, list->elems[0].offset);
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

static void doubt_listed(struct kafka_source *s, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        struct part *p = kafka_part(s, list->elems[i].topic, list->elems[i].partition);
        int64_t after = list->elems[i].offset;
        if (after >= 0 && after <= p->mark)
            kafka_part_is_missing(s, p);
    }
}

/* A topic can be deleted and made again between two statistics, and librdkafka goes on at the old offset in
 * the new log, if that is long enough. But whenever a topic was away, librdkafka asks for metadata: then the
 * marks of all partitions are looked up at once. */
static void verify_logs(struct kafka_source *s)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i].state == PART_READ && s->parts[i].mark >= 0)
            add_mark(list, &s->parts[i]);
    s->verified_ms = clock_monotonic_ms();
    s->verify = list->cnt > 0 && kafka_offsets_of_times(s, list) != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (list->cnt > 0 && !s->verify)
        doubt_listed(s, list);
    s->metadata_requests = 0; /* this may have asked for metadata, too */
    rd_kafka_topic_partition_list_destroy(list);
}

/* ---- topic by topic ---- */

static rd_kafka_resp_err_t begin_listed(struct kafka_source *s, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        struct part *p = kafka_part(s, list->elems[i].topic, list->elems[i].partition);
        bool other = false;
        if (p->gone)
            code = look_at_log(s, p, &other);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            kafka_begin_part(s, p, other);
    }
    kafka_check_ended(s);
    return code;
}

static rd_kafka_topic_partition_list_t *parts_to_look_up(struct kafka_source *s, const struct topic_read *t)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i].topic == t && kafka_part_is_unknown(&s->parts[i]))
            rd_kafka_topic_partition_list_add(list, t->name, s->parts[i].partition);
    return list;
}

static rd_kafka_resp_err_t look_up_listed(struct kafka_source *s, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    if (kafka_commits(s))
        code = look_up_committed(s, list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = look_up_bounds(s, list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && s->config.replay)
        code = kafka_replay_look_up(s, list);
    return code != RD_KAFKA_RESP_ERR_NO_ERROR ? code : begin_listed(s, list);
}

static int64_t retry_ms(int failures)
{
    int64_t pause_ms = FIRST_RETRY_MS * (int64_t)failures;

    return pause_ms < LAST_RETRY_MS ? pause_ms : LAST_RETRY_MS;
}

/* false: the broker did not answer, or not well. */
static bool look_up_topic(struct kafka_source *s, struct topic_read *t)
{
    rd_kafka_topic_partition_list_t *list = parts_to_look_up(s, t);
    rd_kafka_resp_err_t code = list->cnt > 0 ? look_up_listed(s, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    char why[WHY_TEXT];

    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        t->failures = 0;
        return true;
    }
    snprintf(why, sizeof why, "where to begin cannot be looked up: %s", rd_kafka_err2str(code));
    kafka_trouble_begins(s, t, code, why);
    t->look_at_ms = clock_monotonic_ms() + retry_ms(++t->failures);
    return false;
}

/* A topic that fails costs the others this call only: it waits for its own time. */
static void look_up_topics(struct kafka_source *s)
{
    int64_t now_ms = clock_monotonic_ms();

    for (size_t i = 0; i < s->config.topic_count; i++)
        if (s->topics[i].look_at_ms <= now_ms && !look_up_topic(s, &s->topics[i]))
            return;
}

void kafka_look_up_due(struct kafka_source *s)
{
    if (s->verify && clock_monotonic_ms() - s->verified_ms >= VERIFY_EVERY_MS)
        verify_logs(s);
    if (s->look_count > 0)
        look_up_topics(s);
}
