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

/* ---- pauses ---- */

static rd_kafka_topic_partition_list_t *list_part(rd_kafka_topic_partition_list_t *list, const struct part *p)
{
    rd_kafka_topic_partition_list_add(list, p->topic->name, p->partition);
    return list;
}

/* The partitions that are read, of that topic or of all (NULL). */
static rd_kafka_topic_partition_list_t *list_read(const struct kafka_source *s, const struct topic_read *t)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i].state == PART_READ && (t == NULL || s->parts[i].topic == t))
            list_part(list, &s->parts[i]);
    return list;
}

static enum pause_told wanted_of(const struct kafka_source *s, const struct part *p)
{
    return kafka_topic_is_paused(s, p->topic->name) ? TOLD_PAUSED : TOLD_RUNS;
}

/* A partition that librdkafka does not know yet was told nothing. */
static void tell_listed(struct kafka_source *s, enum pause_told what)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    for (size_t i = 0; i < s->part_count; i++) {
        const struct part *p = &s->parts[i];
        if (p->state == PART_READ && p->told != what && wanted_of(s, p) == what)
            list_part(list, p);
    }
    if (list->cnt > 0 && what == TOLD_PAUSED)
        rd_kafka_pause_partitions(s->rk, list);
    else if (list->cnt > 0)
        rd_kafka_resume_partitions(s->rk, list);
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR)
            kafka_part(s, list->elems[i].topic, list->elems[i].partition)->told = what;
    rd_kafka_topic_partition_list_destroy(list);
}

static void tell_pauses(struct kafka_source *s)
{
    if (s->beginning)
        return;
    tell_listed(s, TOLD_PAUSED);
    tell_listed(s, TOLD_RUNS);
}

void kafka_fetch_anew(struct kafka_source *s, const struct topic_read *t)
{
    if (s->beginning)
        return;
    rd_kafka_topic_partition_list_t *list = list_read(s, t);
    rd_kafka_pause_partitions(s->rk, list);
    rd_kafka_resume_partitions(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_stop_fetching(struct kafka_source *s)
{
    rd_kafka_topic_partition_list_t *list = list_read(s, NULL);

    rd_kafka_pause_partitions(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

/* ---- beginning ----
 *
 * librdkafka numbers the orders to a partition where they are given, and drops one that arrives behind a
 * higher number. Its own thread gives the order to begin, some time after rd_kafka_assign() has returned. A
 * pause or resume from here at that moment is dropped, or has the beginning dropped, and then the partition
 * stands still for ever, without an error. So none is given until that thread has begun. */

static void ask_its_thread(struct kafka_source *s)
{
    rd_kafka_topic_partition_list_t *list = NULL;

    if (rd_kafka_assignment(s->rk, &list) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_topic_partition_list_destroy(list);
}

/* What was read before must stop first. When the thread answers the first question, "stopped" is in its
 * queue; when it answers the second, it has taken that out and begun. While a commit is under way it begins
 * nothing.
 */
static void wait_for_beginning(struct kafka_source *s)
{
    ask_its_thread(s);
    ask_its_thread(s);
    s->beginning = s->committing;
}

rd_kafka_resp_err_t kafka_assign_list(struct kafka_source *s, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = rd_kafka_assign(s->rk, list);

    s->beginning = true;
    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i].told == TOLD_PAUSED)
            s->parts[i].told = TOLD_UNKNOWN;
    wait_for_beginning(s);
    tell_pauses(s);
    return code;
}

void kafka_pauses_due(struct kafka_source *s)
{
    if (!s->beginning || s->committing)
        return;
    wait_for_beginning(s);
    tell_pauses(s);
}

/* ---- assignments ---- */

void kafka_forget_assignment(struct kafka_source *s)
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

    if (s->leaving) {
        rd_kafka_assign(rk, NULL);
        return;
    }
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        kafka_take_partitions(s, list);
        return;
    }
    if (s->commit_again && !rd_kafka_assignment_lost(rk))
        kafka_commit_revoked(s);
    kafka_forget_assignment(s);
    rd_kafka_assign(rk, NULL);
}

/* ---- the program's pauses ---- */

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
    tell_pauses(s);
}

void kafka_resume(struct source *source, const char *topic)
{
    struct kafka_source *s = (struct kafka_source *)source;

    if (topic == NULL) {
        if (!s->all_paused)
            return;
        s->all_paused = false;
        tell_pauses(s);
        return;
    }
    for (size_t i = 0; i < s->paused_count; i++) {
        if (strcmp(s->paused[i], topic) == 0) {
            free(s->paused[i]);
            s->paused[i] = s->paused[--s->paused_count];
            tell_pauses(s);
            return;
        }
    }
}
