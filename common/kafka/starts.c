/* From where each partition is read.
 *
 * This file decides it, not auto.offset.reset: the group's offset, or the log's start when the group has
 * none, or what the program says. An offset below the log's start means that messages were deleted unread;
 * that is reported as SOURCE_LOST and never skipped. One above the log's end means that the topic was made
 * again (or that the log was cut, as an unclean election of a leader does): then reading from the log's start
 * repeats work and loses nothing.
 *
 * librdkafka is told by rd_kafka_assign(), with all partitions that are read and their offsets. Its seek
 * fails in silence for a partition that has not begun yet or had nothing at its offset, and single partitions
 * can be assigned only under cooperative rebalancing. What was fetched ahead of the other partitions is
 * fetched once more; that is rare. */
#include "common/kafka/consumer_private.h"
#include "common/monitor/health.h"

/* ---- states ---- */

/* Assigned, and not known yet from where it is read. */
static bool has_no_start(const struct part *p)
{
    return p->state == PART_NEW || p->state == PART_ASKED;
}

static void set_state(struct kafka_source *s, struct part *p, enum part_state state)
{
    size_t before = s->startless_count;

    s->look_count -= kafka_part_is_unknown(p);
    s->startless_count -= has_no_start(p);
    p->state = state;
    s->look_count += kafka_part_is_unknown(p);
    s->startless_count += has_no_start(p);
    if ((before > 0) != (s->startless_count > 0))
        health_reason("assignment", s->startless_count > 0
                                        ? "it is not known yet from where its partitions are read"
                                        : NULL);
}

static void set_news(struct kafka_source *s, struct part *p, enum part_news news)
{
    s->news_count -= p->news != NEWS_NONE;
    p->news = news;
    s->news_count += p->news != NEWS_NONE;
}

void kafka_look_up_later(struct kafka_source *s, struct part *p, enum part_state why)
{
    set_state(s, p, why);
    p->topic->look_at_ms = 0;
}

void kafka_part_is_missing(struct kafka_source *s, struct part *p)
{
    p->gone = true;
    p->outside = p->next;
    kafka_look_up_later(s, p, PART_OUTSIDE);
    s->moved = true;
}

void kafka_part_ends(struct kafka_source *s, struct part *p)
{
    set_state(s, p, PART_ELSEWHERE);
    set_news(s, p, NEWS_NONE);
    p->told = TOLD_UNKNOWN;
    p->stored = -1;
    p->unsent = false;
    if (s->config.from_beginning) {
        p->end = -1;
        p->done = false;
    }
}

void kafka_check_ended(struct kafka_source *s)
{
    if (!s->config.bounded || s->end_given)
        return;
    for (size_t i = 0; i < s->part_count; i++)
        if (kafka_part_is_assigned(&s->parts[i]) && (s->parts[i].state != PART_READ || !s->parts[i].done))
            return;
    s->end_given = true;
    s->ended = true;
}

static bool is_at_end(const struct part *p)
{
    return p->end >= 0 && (p->low >= p->end || (p->next >= 0 && p->next >= p->end));
}

static void read_from(struct kafka_source *s, struct part *p, int64_t offset)
{
    set_state(s, p, PART_READ);
    p->next = offset;
    p->done = is_at_end(p);
    s->moved = true;
    if (!p->done)
        s->ended = s->end_given = false;
    kafka_trouble_ends(s, p->topic);
}

void kafka_seek(struct source *source, const char *topic, int32_t partition, int64_t offset)
{
    struct kafka_source *s = (struct kafka_source *)source;
    struct part *p = kafka_part(s, topic, partition);

    if (p == NULL || !kafka_part_is_assigned(p) || kafka_part_is_unknown(p))
        return;
    set_news(s, p, NEWS_NONE);
    p->mark = -1;
    read_from(s, p, offset);
    kafka_check_ended(s);
}

/* ---- what follows ---- */

/* A partition that waits for its start is not in librdkafka's statistics, and its lag is worth knowing. */
static void ask_start(struct kafka_source *s, struct part *p)
{
    int64_t begin = p->committed > p->low && !p->recreated ? p->committed : p->low;

    if (p->topic->pipeline != NULL)
        kafka_stats_set_lag(p->topic->pipeline, p->topic->name, p->partition, p->high - begin);
    set_state(s, p, PART_ASKED);
    set_news(s, p, NEWS_START);
}

static void begin_in_new_log(struct kafka_source *s, struct part *p)
{
    p->stored = -1;
    p->unsent = false;
    p->mark = -1;
    p->first = p->low;
    p->end = s->config.bounded ? p->high : -1;
    p->recreated = true;
    if (s->config.ask_start) {
        ask_start(s, p);
        return;
    }
    read_from(s, p, SOURCE_BEGINNING);
    set_news(s, p, NEWS_RECREATED);
}

static void lose_part(struct kafka_source *s, struct part *p, int64_t offset)
{
    set_state(s, p, PART_LOST);
    p->outside = offset;
    set_news(s, p, NEWS_LOST);
}

static void begin_assigned(struct kafka_source *s, struct part *p)
{
    p->next = SOURCE_BEGINNING;
    if (s->config.bounded && p->end < 0)
        p->end = p->high;
    if (s->config.replay) {
        read_from(s, p, p->first);
    } else if (s->config.ask_start) {
        ask_start(s, p);
    } else if (p->committed >= 0 && p->committed < p->low) {
        lose_part(s, p, p->committed);
    } else {
        read_from(s, p, p->committed >= 0 ? p->committed : SOURCE_BEGINNING);
    }
}

/* Inside the log again: a replica that lagged behind had answered. */
static void go_on(struct kafka_source *s, struct part *p)
{
    if (s->config.from_beginning)
        read_from(s, p, SOURCE_BEGINNING);
    else if (p->outside >= 0 && p->outside < p->low)
        lose_part(s, p, p->outside);
    else
        read_from(s, p, p->next);
}

void kafka_begin_part(struct kafka_source *s, struct part *p, bool other_log)
{
    int64_t position = p->state == PART_OUTSIDE ? p->outside : p->committed;
    bool recreated = other_log || position > p->high;

    p->recreated = p->gone = false;
    if (recreated && !s->config.from_beginning)
        begin_in_new_log(s, p);
    else if (p->state == PART_OUTSIDE)
        go_on(s, p);
    else
        begin_assigned(s, p);
}

/* ---- telling librdkafka ---- */

static void assign_parts(struct kafka_source *s)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    for (size_t i = 0; i < s->part_count; i++) {
        const struct part *p = &s->parts[i];
        if (p->state == PART_READ)
            rd_kafka_topic_partition_list_add(list, p->topic->name, p->partition)->offset = p->next;
    }
    kafka_stash_drop(s, NULL);
    s->moved = kafka_assign_list(s, list) != RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
}

_Static_assert(SOURCE_BEGINNING == RD_KAFKA_OFFSET_BEGINNING, "a partition's next is what librdkafka takes");

/* While the program is still to be asked about partitions, its answers may bring further changes. */
void kafka_starts_due(struct kafka_source *s)
{
    if (s->config.replay && !s->replay_known)
        kafka_replay_due(s);
    kafka_look_up_due(s);
    kafka_pauses_due(s);
    if (s->moved && s->news_count == 0)
        assign_parts(s);
}

/* ---- news ---- */

static void fill_news(const struct kafka_source *s, const struct part *p, struct source_event *ret)
{
    if (p->news == NEWS_LOST) {
        *ret = (struct source_event){
            .kind = SOURCE_LOST,
            .lost = {p->topic->name, p->partition, p->outside, p->low, s->config.replay ? "" : s->group},
        };
        return;
    }
    *ret = (struct source_event){
        .kind = p->news == NEWS_START ? SOURCE_START : SOURCE_RECREATED,
        .start = {p->topic->name, p->partition, p->committed, p->low, p->high, p->recreated},
    };
}

bool kafka_take_news(struct kafka_source *s, struct source_event *ret)
{
    for (size_t i = 0; s->news_count > 0 && i < s->part_count; i++) {
        struct part *p = &s->parts[i];
        if (p->news == NEWS_NONE)
            continue;
        fill_news(s, p, ret);
        set_news(s, p, NEWS_NONE);
        return true;
    }
    return false;
}
