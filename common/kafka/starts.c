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

#include <stdio.h>

#include "common/base/clock.h"

enum { LOOKUP_TIMEOUT_MS = 2000, FIRST_RETRY_MS = 500, LAST_RETRY_MS = 5000, WHY_TEXT = 256 };

/* What ListOffsets takes in place of a time. */
enum { TIME_OF_END = -1, TIME_OF_START = -2 };

/* ---- states ---- */

static bool needs_look_up(const struct part *p)
{
    return p->state == PART_NEW || p->state == PART_OUTSIDE;
}

static void set_state(struct kafka_source *s, struct part *p, enum part_state state)
{
    s->look_count -= needs_look_up(p);
    p->state = state;
    s->look_count += needs_look_up(p);
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

void kafka_part_ends(struct kafka_source *s, struct part *p)
{
    set_state(s, p, PART_ELSEWHERE);
    set_news(s, p, NEWS_NONE);
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
    s->ended = s->end_given = s->end_given && p->done;
    kafka_trouble_ends(s, p->topic);
}

void kafka_seek(struct source *source, const char *topic, int32_t partition, int64_t offset)
{
    struct kafka_source *s = (struct kafka_source *)source;
    struct part *p = kafka_part(s, topic, partition);

    if (p == NULL || !kafka_part_is_assigned(p) || needs_look_up(p))
        return;
    set_news(s, p, NEWS_NONE);
    p->read = p->read_ms = 0;
    read_from(s, p, offset);
}

/* ---- looking up ---- */

/* Look the offsets of a time up, for the partitions of a topic that are in the list; -1: there is none. */
static rd_kafka_resp_err_t offsets_of_time(struct kafka_source *s, rd_kafka_topic_partition_list_t *list,
                                           int64_t time_ms)
{
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = time_ms;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(s->rk, list, LOOKUP_TIMEOUT_MS);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
        code = list->elems[i].err;
    return code;
}

static rd_kafka_resp_err_t look_up_committed(struct kafka_source *s, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = rd_kafka_committed(s->rk, list, LOOKUP_TIMEOUT_MS);

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *at = &list->elems[i];
        struct part *p = kafka_part(s, at->topic, at->partition);
        code = at->err;
        if (p->state == PART_NEW)
            p->committed = at->offset >= 0 ? at->offset : -1;
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

/* ---- what follows ---- */

static void begin_in_new_log(struct kafka_source *s, struct part *p)
{
    p->stored = -1;
    p->unsent = false;
    p->read = p->read_ms = 0;
    p->end = s->config.bounded ? p->high : -1;
    p->recreated = true;
    if (s->config.ask_start) {
        set_state(s, p, PART_ASKED);
        set_news(s, p, NEWS_START);
        return;
    }
    read_from(s, p, SOURCE_BEGINNING);
    set_news(s, p, NEWS_RECREATED);
}

static void lose(struct kafka_source *s, struct part *p, int64_t offset)
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
    if (s->config.ask_start) {
        set_state(s, p, PART_ASKED);
        set_news(s, p, NEWS_START);
    } else if (p->committed >= 0 && p->committed < p->low) {
        lose(s, p, p->committed);
    } else {
        read_from(s, p, p->committed >= 0 ? p->committed : SOURCE_BEGINNING);
    }
}

/* Inside the log again: a replica that lagged behind had answered. */
static void go_on(struct kafka_source *s, struct part *p)
{
    if (s->config.from_beginning)
        read_from(s, p, SOURCE_BEGINNING);
    else if (p->outside < p->low)
        lose(s, p, p->outside);
    else
        read_from(s, p, p->next);
}

static void begin_part(struct kafka_source *s, struct part *p, bool other_log)
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

/* Is the log another one than this process has read? Only asked after the topic was seen not to exist. The
 * broker forgets the group's offsets of a topic that is deleted. Else the times tell: they are the broker's
 * and rise, so the first message after the time of the last one that was read stands behind it, or else in a
 * new log. */
static rd_kafka_resp_err_t is_other_log(struct kafka_source *s, const struct part *p, bool *ret)
{
    *ret = p->state == PART_NEW && p->committed < 0;
    if (*ret || p->read_ms <= 0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, p->topic->name, p->partition);
    rd_kafka_resp_err_t code = offsets_of_time(s, list, p->read_ms + 1);
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    *ret = offset >= 0 && offset < p->read;
    return code;
}

static rd_kafka_resp_err_t begin_listed(struct kafka_source *s, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        struct part *p = kafka_part(s, list->elems[i].topic, list->elems[i].partition);
        bool other_log = false;
        if (p->gone && p->read > 0)
            code = is_other_log(s, p, &other_log);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            begin_part(s, p, other_log);
    }
    kafka_check_ended(s);
    return code;
}

static rd_kafka_topic_partition_list_t *parts_to_look_up(struct kafka_source *s, const struct topic_read *t)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i].topic == t && needs_look_up(&s->parts[i]))
            rd_kafka_topic_partition_list_add(list, t->name, s->parts[i].partition);
    return list;
}

static rd_kafka_resp_err_t look_up_listed(struct kafka_source *s, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    if (!s->config.from_beginning)
        code = look_up_committed(s, list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = look_up_bounds(s, list);
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
    kafka_trouble_begins(s, t, why);
    t->look_at_ms = clock_monotonic_ms() + retry_ms(++t->failures);
    return false;
}

/* A topic that fails costs the others this call only: it waits for its own time. */
static void look_up_due(struct kafka_source *s)
{
    int64_t now_ms = clock_monotonic_ms();

    for (size_t i = 0; i < s->config.topic_count; i++)
        if (s->topics[i].look_at_ms <= now_ms && !look_up_topic(s, &s->topics[i]))
            return;
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
    s->moved = rd_kafka_assign(s->rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    kafka_renew_pauses(s);
}

_Static_assert(SOURCE_BEGINNING == RD_KAFKA_OFFSET_BEGINNING, "a partition's next is what librdkafka takes");

/* While the program is still to be asked about partitions, its answers may bring further changes. */
void kafka_starts_due(struct kafka_source *s)
{
    if (s->look_count > 0)
        look_up_due(s);
    if (s->moved && s->news_count == 0)
        assign_parts(s);
}

/* ---- news ---- */

static void fill_news(const struct kafka_source *s, const struct part *p, struct source_event *ret)
{
    if (p->news == NEWS_LOST) {
        *ret = (struct source_event){
            .kind = SOURCE_LOST,
            .lost = {p->topic->name, p->partition, p->outside, p->low, s->group},
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
