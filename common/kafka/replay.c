/* The partitions of a replay: all that there are, in no group, from one time to another. */
#include "common/base/clock.h"
#include "common/kafka/consumer_private.h"

enum { ASK_TIMEOUT_MS = 2000, RETRY_MS = 500 };

/* Add the partitions of a topic to the list. */
static rd_kafka_resp_err_t list_partitions(struct kafka_source *s, const struct topic_read *t,
                                           rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(s->rk, t->name, NULL);
    const struct rd_kafka_metadata *found = NULL;

    if (topic == NULL)
        return rd_kafka_last_error();
    rd_kafka_resp_err_t code = rd_kafka_metadata(s->rk, 0, topic, &found, ASK_TIMEOUT_MS);
    rd_kafka_topic_destroy(topic);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return code;
    code = found->topic_cnt == 1 ? found->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < found->topics[0].partition_cnt; i++)
        rd_kafka_topic_partition_list_add(list, t->name, found->topics[0].partitions[i].id);
    rd_kafka_metadata_destroy(found);
    return code;
}

static bool list_all(struct kafka_source *s, rd_kafka_topic_partition_list_t *list)
{
    for (size_t i = 0; i < s->config.topic_count; i++) {
        struct topic_read *t = &s->topics[i];
        rd_kafka_resp_err_t code = list_partitions(s, t, list);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            kafka_trouble_begins(s, t, code, rd_kafka_err2str(code));
            return false;
        }
        kafka_trouble_ends(s, t);
    }
    return true;
}

void kafka_replay_due(struct kafka_source *s)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    if (clock_monotonic_ms() >= s->replay_at_ms) {
        s->replay_known = list_all(s, list);
        if (s->replay_known)
            kafka_take_partitions(s, list);
        else
            s->replay_at_ms = clock_monotonic_ms() + RETRY_MS;
    }
    rd_kafka_topic_partition_list_destroy(list);
}

/* The offset of the first message of that time or later, for each of the list; the log's end where there is
 * none. */
static rd_kafka_resp_err_t offsets_since(struct kafka_source *s, rd_kafka_topic_partition_list_t *list,
                                         int64_t time_ms)
{
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = time_ms;
    rd_kafka_resp_err_t code = kafka_offsets_of_times(s, list);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
        if (list->elems[i].offset < 0)
            list->elems[i].offset = kafka_part(s, list->elems[i].topic, list->elems[i].partition)->high;
    return code;
}

/* Between the question for the end and that for the times a message may have come. */
static int64_t at_most(int64_t offset, int64_t end)
{
    return offset < end ? offset : end;
}

rd_kafka_resp_err_t kafka_replay_look_up(struct kafka_source *s, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = offsets_since(s, list, s->config.replay_from_ms);

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        struct part *p = kafka_part(s, list->elems[i].topic, list->elems[i].partition);
        if (p->state == PART_NEW)
            p->first = at_most(list->elems[i].offset, p->high);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || s->config.replay_to_ms <= 0)
        return code;
    code = offsets_since(s, list, s->config.replay_to_ms);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        struct part *p = kafka_part(s, list->elems[i].topic, list->elems[i].partition);
        if (p->state == PART_NEW)
            p->end = at_most(list->elems[i].offset, p->high);
    }
    return code;
}

bool kafka_replay_progress(const struct source *source, int64_t *ret_done, int64_t *ret_all)
{
    const struct kafka_source *s = (const struct kafka_source *)source;
    int64_t done = 0;
    int64_t all = 0;

    if (!s->replay_known || s->look_count > 0)
        return false;
    for (size_t i = 0; i < s->part_count; i++) {
        const struct part *p = &s->parts[i];
        if (p->end <= p->first)
            continue;
        all += p->end - p->first;
        if (p->next > p->first)
            done += at_most(p->next, p->end) - p->first;
    }
    *ret_done = done;
    *ret_all = all;
    return true;
}
