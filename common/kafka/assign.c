/* The partitions that a consumer reads, and its pauses. */
#include "common/kafka/consumer_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/monitor/health.h"

struct topic_read *kafka_topic(const struct kafka_source *s, const char *topic)
{
    for (size_t i = 0; i < s->config.topic_count; i++)
        if (strcmp(s->topics[i].name, topic) == 0)
            return &s->topics[i];
    return NULL;
}

static bool is_part(const struct part *p, const char *topic, int32_t partition)
{
    return p->partition == partition && strcmp(p->topic->name, topic) == 0;
}

/* Messages come in runs of one partition, so the last one is looked at first. */
struct part *kafka_part(struct kafka_source *s, const char *topic, int32_t partition)
{
    if (s->recent < s->part_count && is_part(&s->parts[s->recent], topic, partition))
        return &s->parts[s->recent];
    for (size_t i = 0; i < s->part_count; i++) {
        if (is_part(&s->parts[i], topic, partition)) {
            s->recent = i;
            return &s->parts[i];
        }
    }
    struct topic_read *t = kafka_topic(s, topic);
    if (t == NULL)
        return NULL;
    s->parts = mem_grow(s->parts, &s->part_cap, s->part_count, sizeof *s->parts);
    s->parts[s->part_count] = (struct part){
        .topic = t,
        .partition = partition,
        .committed = -1,
        .low = -1,
        .high = -1,
        .next = SOURCE_BEGINNING,
        .end = -1,
        .mark = -1,
        .stored = -1,
    };
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

void kafka_switch_partitions(struct kafka_source *s, const char *topic, bool pause)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    for (size_t i = 0; i < s->part_count; i++) {
        const struct part *p = &s->parts[i];
        if (p->state == PART_READ && (topic == NULL || strcmp(p->topic->name, topic) == 0) &&
            (pause || !kafka_topic_is_paused(s, p->topic->name)))
            rd_kafka_topic_partition_list_add(list, p->topic->name, p->partition);
    }
    if (pause)
        rd_kafka_pause_partitions(s->rk, list);
    else
        rd_kafka_resume_partitions(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_renew_pauses(struct kafka_source *s)
{
    kafka_switch_partitions(s, NULL, false);
    if (s->all_paused)
        kafka_switch_partitions(s, NULL, true);
    for (size_t i = 0; i < s->paused_count; i++)
        kafka_switch_partitions(s, s->paused[i], true);
}

/* Discard the events of this assignment that were not handed out yet. */
static void forget_assignment(struct kafka_source *s)
{
    kafka_stash_drop(s, NULL);
    for (size_t i = 0; i < s->part_count; i++)
        kafka_part_ends(s, &s->parts[i]);
    s->revoked = true;
    s->assigned = 0;
    s->moved = false;
    s->ended = s->end_given = false;
    s->commit_failed = false;
    health_reason("commit", NULL);
    kafka_stats_forget_lags();
    health_reason("assignment", "no partitions are assigned");
}

/* kafka_starts_due() finds out from where they are read. */
void kafka_take_partitions(struct kafka_source *s, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(1);

    rd_kafka_assign(s->rk, none);
    rd_kafka_topic_partition_list_destroy(none);
    if (list->cnt == 0) /* else ready is who knows where to begin: starts.c */
        health_reason("assignment", NULL);
    for (int i = 0; i < list->cnt; i++) {
        struct part *p = kafka_part(s, list->elems[i].topic, list->elems[i].partition);
        if (p != NULL)
            kafka_look_up_later(s, p, PART_NEW);
    }
    s->assigned = list->cnt + 1;
}

void kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                        void *arg)
{
    struct kafka_source *s = arg;

    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        kafka_take_partitions(s, list);
        return;
    }
    if (s->commit_again && !rd_kafka_assignment_lost(rk))
        kafka_commit_revoked(s);
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
