/* The partitions that a consumer reads, and the offsets at which it starts.
 *
 * This file decides where a partition starts, not auto.offset.reset: at the committed offset, or at the
 * beginning when the group has never committed one. An offset out of range therefore always means that
 * messages were deleted unread. It is reported as SOURCE_LOST and never skipped. */
#include "common/kafka/consumer_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"

enum { LOOKUP_TIMEOUT_MS = 2000, ASSIGN_RETRY_MS = 500 };

struct part *kafka_part(struct kafka_source *s, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i].partition == partition && strcmp(s->parts[i].topic, topic) == 0)
            return &s->parts[i];
    s->parts = mem_grow(s->parts, &s->part_cap, s->part_count, sizeof *s->parts);
    s->parts[s->part_count] =
        (struct part){.topic = mem_strdup(topic), .partition = partition, .start = -1, .end = -1};
    return &s->parts[s->part_count++];
}

bool kafka_topic_is_paused(const struct kafka_source *s, const char *topic)
{
    if (s->all_paused)
        return true;
    for (size_t i = 0; i < s->paused_count; i++)
        if (strcmp(s->paused[i], topic) == 0)
            return true;
    return false;
}

/* Pause or resume the assigned partitions of one topic, or of all. */
void kafka_switch_partitions(struct kafka_source *s, const char *topic, bool pause)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    for (size_t i = 0; i < s->part_count; i++) {
        const struct part *p = &s->parts[i];
        if (p->assigned && (topic == NULL || strcmp(p->topic, topic) == 0) &&
            (pause || !kafka_topic_is_paused(s, p->topic)))
            rd_kafka_topic_partition_list_add(list, p->topic, p->partition);
    }
    if (pause)
        rd_kafka_pause_partitions(s->rk, list);
    else
        rd_kafka_resume_partitions(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

/* Fill in the offsets to start at. Returns -1 when the broker does not answer in time. */
static int look_up_starts(struct kafka_source *s, rd_kafka_topic_partition_list_t *list)
{
    int64_t low;
    int64_t high;

    if (!s->config.from_beginning &&
        rd_kafka_committed(s->rk, list, LOOKUP_TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *at = &list->elems[i];
        struct part *p = kafka_part(s, at->topic, at->partition);
        if (at->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return -1;
        if (s->config.from_beginning || at->offset < 0)
            at->offset = RD_KAFKA_OFFSET_BEGINNING;
        p->start = at->offset >= 0 ? at->offset : -1;
        if (!s->config.bounded)
            continue;
        if (rd_kafka_query_watermark_offsets(s->rk, at->topic, at->partition, &low, &high,
                                             LOOKUP_TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
            return -1;
        if (p->end < 0)
            p->end = high;
        /* also when the partition came back: what this process read of it before may not be committed */
        p->done = low >= p->end || (at->offset >= 0 && at->offset >= p->end);
    }
    return 0;
}

static void start_assignment(struct kafka_source *s, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_assign(s->rk, list);
    for (int i = 0; i < list->cnt; i++) {
        kafka_part(s, list->elems[i].topic, list->elems[i].partition)->assigned = true;
        kafka_trouble_ends(s, list->elems[i].topic);
    }
    /* librdkafka remembers a pause when a partition is lost and assigned again. Resume all, then pause
     * exactly the topics that are paused now. */
    kafka_switch_partitions(s, NULL, false);
    if (s->all_paused)
        kafka_switch_partitions(s, NULL, true);
    for (size_t i = 0; i < s->paused_count; i++)
        kafka_switch_partitions(s, s->paused[i], true);
    s->assigned = list->cnt + 1;
    health_reason("assignment", NULL);
}

/* Called by poll(): look up the start offsets again if the broker did not answer during the rebalance. */
void kafka_retry_assignment(struct kafka_source *s)
{
    if (s->waiting == NULL || clock_monotonic_ms() < s->waiting_until_ms)
        return;
    if (look_up_starts(s, s->waiting) != 0) {
        s->waiting_until_ms = clock_monotonic_ms() + ASSIGN_RETRY_MS;
        return;
    }
    rd_kafka_topic_partition_list_t *list = s->waiting;
    s->waiting = NULL;
    start_assignment(s, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void forget_assignment(struct kafka_source *s)
{
    kafka_stash_drop(s);
    for (size_t i = 0; i < s->part_count; i++) {
        s->parts[i].assigned = s->parts[i].lost = false;
        if (s->config.from_beginning) {
            s->parts[i].end = -1;
            s->parts[i].done = false;
        }
    }
    if (s->waiting != NULL)
        rd_kafka_topic_partition_list_destroy(s->waiting);
    s->waiting = NULL;
    /* Discard the events of this assignment that were not handed out yet. */
    s->revoked = true;
    s->assigned = 0;
    s->ended = s->end_given = false;
    s->lost_count = 0;
    s->commit_failed = false;
    health_reason("commit", NULL);
    kafka_stats_forget_lags();
    health_reason("assignment", "no partitions are assigned");
}

void kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                        void *arg)
{
    struct kafka_source *s = arg;

    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        if (look_up_starts(s, list) == 0) {
            start_assignment(s, list);
            return;
        }
        rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(1);
        rd_kafka_assign(rk, none);
        rd_kafka_topic_partition_list_destroy(none);
        s->waiting = rd_kafka_topic_partition_list_copy(list);
        s->waiting_until_ms = clock_monotonic_ms() + ASSIGN_RETRY_MS;
        return;
    }
    if (!s->config.from_beginning && !rd_kafka_assignment_lost(rk) && s->commit_again)
        rd_kafka_commit(rk, NULL, 0);
    forget_assignment(s);
    rd_kafka_assign(rk, NULL);
}

void kafka_pause(struct source *source, const char *topic)
{
    struct kafka_source *s = (struct kafka_source *)source;

    if (topic == NULL) {
        if (s->all_paused)
            return;
        s->all_paused = true;
    } else {
        for (size_t i = 0; i < s->paused_count; i++)
            if (strcmp(s->paused[i], topic) == 0)
                return;
        s->paused = mem_grow(s->paused, &s->paused_cap, s->paused_count, sizeof *s->paused);
        s->paused[s->paused_count++] = mem_strdup(topic);
    }
    kafka_switch_partitions(s, topic, true);
}

void kafka_resume(struct source *source, const char *topic)
{
    struct kafka_source *s = (struct kafka_source *)source;

    if (topic == NULL) {
        if (!s->all_paused)
            return;
        s->all_paused = false;
        kafka_switch_partitions(s, NULL, false);
        return;
    }
    for (size_t i = 0; i < s->paused_count; i++) {
        if (strcmp(s->paused[i], topic) == 0) {
            free(s->paused[i]);
            s->paused[i] = s->paused[--s->paused_count];
            kafka_switch_partitions(s, topic, false);
            return;
        }
    }
}
