#include "tests/unit/twins/memory_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/err.h"
#include "common/base/mem.h"

enum { IDLE_SLEEP_MS = 2 };

struct memory_log {
    char *topic;
    int32_t partition;
    struct record *records; /* the originals */
    size_t count, cap;
    int64_t position, stored, committed; /* next offsets; stored, committed: -1 none */
    int64_t low;
    bool assigned;
    bool started;   /* it gives records: the program has said from where, or need not */
    bool asked;     /* SOURCE_START has been given */
    bool recreated; /* and nobody has been told */
    bool lost;      /* SOURCE_LOST has been given: silent until sought */
};

static struct memory_source *of(struct source *source)
{
    return (struct memory_source *)source;
}

static struct memory_log *log_find(const struct memory_source *m, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < m->log_count; i++)
        if (m->logs[i].partition == partition && strcmp(m->logs[i].topic, topic) == 0)
            return &m->logs[i];
    return NULL;
}

static struct memory_log *log_get(struct memory_source *m, const char *topic, int32_t partition)
{
    struct memory_log *found = log_find(m, topic, partition);

    if (found != NULL)
        return found;
    m->logs = mem_grow(m->logs, &m->log_cap, m->log_count, sizeof *m->logs);
    m->logs[m->log_count] = (struct memory_log){
        .topic = mem_strdup(topic), .partition = partition, .stored = -1, .committed = -1, .assigned = true};
    return &m->logs[m->log_count++];
}

static char *copy_bytes(const char *bytes, size_t len)
{
    return bytes != NULL ? mem_strndup(bytes, len) : NULL;
}

static struct header header_copy(const struct header *h)
{
    size_t len = h->value == NULL || h->value_len > 0 ? h->value_len : strlen(h->value);

    return (struct header){.name = mem_strdup(h->name), .value = copy_bytes(h->value, len), .value_len = len};
}

static struct record record_copy(const struct record *r)
{
    struct record copy = *r;

    copy.topic = mem_strdup(r->topic);
    copy.key = copy_bytes(r->key, r->key_len);
    copy.value = copy_bytes(r->value, r->value_len);
    struct header *headers = mem_zalloc(r->header_count, sizeof *headers);
    for (size_t i = 0; i < r->header_count; i++)
        headers[i] = header_copy(&r->headers[i]);
    copy.headers = headers;
    return copy;
}

static void record_free(struct record *r)
{
    free((void *)(uintptr_t)r->topic);
    free((void *)(uintptr_t)r->key);
    free((void *)(uintptr_t)r->value);
    for (size_t i = 0; i < r->header_count; i++) {
        free((void *)(uintptr_t)r->headers[i].name);
        free((void *)(uintptr_t)r->headers[i].value);
    }
    free((void *)(uintptr_t)r->headers);
}

int64_t memory_source_add(struct memory_source *m, const char *topic, int32_t partition, int64_t timestamp_ms,
                          const char *key, const char *value, size_t value_len, const struct header *headers,
                          size_t header_count)
{
    struct memory_log *l = log_get(m, topic, partition);
    struct record r = {
        .topic = topic,
        .partition = partition,
        .offset = (int64_t)l->count,
        .timestamp_ms = timestamp_ms,
        .key = key,
        .key_len = key != NULL ? strlen(key) : 0,
        .has_key = key != NULL,
        .value = value,
        .value_len = value_len,
        .has_value = value != NULL,
        .headers = headers,
        .header_count = header_count,
    };

    l->records = mem_grow(l->records, &l->cap, l->count, sizeof *l->records);
    l->records[l->count++] = record_copy(&r);
    return r.offset;
}

void memory_source_delete_below(struct memory_source *m, const char *topic, int32_t partition, int64_t low)
{
    log_get(m, topic, partition)->low = low;
}

void memory_source_recreate(struct memory_source *m, const char *topic, int32_t partition)
{
    struct memory_log *l = log_get(m, topic, partition);

    for (size_t i = 0; i < l->count; i++)
        record_free(&l->records[i]);
    l->count = 0;
    l->low = l->position = 0;
    l->stored = l->committed = -1;
    l->recreated = true;
    l->started = l->asked = false;
    m->end_given = false;
}

void memory_source_commit(struct memory_source *m, const char *topic, int32_t partition, int64_t offset)
{
    log_get(m, topic, partition)->committed = offset;
}

int64_t memory_source_position(const struct memory_source *m, const char *topic, int32_t partition)
{
    const struct memory_log *l = log_find(m, topic, partition);

    return m->ask_start && !l->started ? -1 : l->position;
}

void memory_source_lose(struct memory_source *m, const char *topic, int32_t partition)
{
    m->lost = log_get(m, topic, partition);
}

int64_t memory_source_committed(const struct memory_source *m, const char *topic, int32_t partition)
{
    const struct memory_log *l = log_find(m, topic, partition);

    if (l == NULL)
        return -1;
    return l->stored >= 0 ? l->stored : l->committed;
}

int64_t memory_source_done(const struct memory_source *m)
{
    int64_t done = 0;

    for (size_t i = 0; i < m->log_count; i++)
        done += m->logs[i].stored >= 0     ? m->logs[i].stored
                : m->logs[i].committed > 0 ? m->logs[i].committed
                                           : 0;
    return done;
}

static void commit_stored(struct memory_source *m)
{
    for (size_t i = 0; i < m->log_count; i++)
        if (m->logs[i].stored >= 0)
            m->logs[i].committed = m->logs[i].stored;
}

/* As at an assignment. */
static void begin_again(struct memory_log *l)
{
    l->position = l->committed > 0 ? l->committed : 0;
    l->stored = -1;
    l->started = l->asked = l->lost = false;
}

static void rebalance(struct memory_source *m)
{
    commit_stored(m);
    for (size_t i = 0; i < m->log_count; i++) {
        begin_again(&m->logs[i]);
        m->logs[i].assigned = !m->gone_after_rebalance;
    }
    m->revoked = m->assigned = true;
    m->end_given = false;
}

void memory_source_kill(struct memory_source *m)
{
    for (size_t i = 0; i < m->log_count; i++)
        begin_again(&m->logs[i]);
    m->poll_fails = m->end_given = m->all_paused = false;
    m->paused[0] = '\0';
}

static bool is_paused(const struct memory_source *m, const char *topic)
{
    char name[128];

    snprintf(name, sizeof name, "<%s>", topic);
    return m->all_paused || strstr(m->paused, name) != NULL;
}

static bool is_silent(const struct memory_source *m, const struct memory_log *l)
{
    return !l->assigned || l->lost || (m->ask_start && !l->started);
}

/* What is to be told of one partition. */
static bool take_log_event(const struct memory_source *m, struct memory_log *l, struct source_event *ret)
{
    if (l->assigned && (m->ask_start ? !l->started && !l->asked : l->recreated)) {
        ret->kind = m->ask_start ? SOURCE_START : SOURCE_RECREATED;
        ret->start = (struct source_start){l->topic, l->partition,      l->committed,
                                           l->low,   (int64_t)l->count, l->recreated};
        l->asked = true;
        l->recreated = false;
        return true;
    }
    if (is_silent(m, l) || l->position >= l->low || l->low == 0)
        return false;
    *ret = (struct source_event){.kind = SOURCE_LOST,
                                 .lost = {l->topic, l->partition, l->position, l->low, m->group}};
    return l->lost = true;
}

static bool take_event(struct memory_source *m, struct source_event *ret)
{
    if (m->revoked) {
        m->revoked = false;
        ret->kind = SOURCE_REVOKED;
    } else if (m->assigned) {
        m->assigned = false;
        *ret = (struct source_event){.kind = SOURCE_ASSIGNED, .partitions = (int)m->log_count};
    } else if (m->lost != NULL) {
        *ret = (struct source_event){.kind = SOURCE_LOST,
                                     .lost = {m->lost->topic, m->lost->partition, 0, 1, m->group}};
        m->lost = NULL;
    } else {
        for (size_t i = 0; i < m->log_count; i++)
            if (take_log_event(m, &m->logs[i], ret))
                return true;
        return false;
    }
    return true;
}

/* The next record of a partition that has one, each partition in its turn. */
static bool take_record(struct memory_source *m, struct record *ret)
{
    for (size_t i = 0; i < m->log_count; i++) {
        struct memory_log *l = &m->logs[(m->turn + i) % m->log_count];
        if (is_silent(m, l) || is_paused(m, l->topic) || l->position >= (int64_t)l->count)
            continue;
        *ret = record_copy(&l->records[l->position++]);
        m->turn = (m->turn + i + 1) % m->log_count;
        m->given++;
        m->out++;
        return true;
    }
    return false;
}

static bool all_read(const struct memory_source *m)
{
    for (size_t i = 0; i < m->log_count; i++)
        if ((m->logs[i].assigned && is_silent(m, &m->logs[i])) ||
            m->logs[i].position < (int64_t)m->logs[i].count)
            return false;
    return true;
}

static int source_poll_memory(struct source *source, int timeout_ms, struct source_event *ret,
                              struct err *err)
{
    struct memory_source *m = of(source);

    m->last_timeout_ms = timeout_ms;
    if (m->on_poll != NULL)
        m->on_poll(m->arg);
    if (m->poll_fails)
        return err_set(err, ERR_FATAL, 0, "the consumer is fenced");
    if (atomic_exchange(&m->rebalance, false))
        rebalance(m);
    commit_stored(m);
    ret->kind = SOURCE_NONE;
    if (take_event(m, ret))
        return 0;
    if (take_record(m, &ret->record)) {
        ret->kind = SOURCE_RECORD;
        m->idle_polls = 0;
        return 0;
    }
    if (m->bounded && !m->end_given && all_read(m)) {
        m->end_given = true;
        ret->kind = SOURCE_END;
        return 0;
    }
    m->idle_polls++;
    m->polls_at_once += timeout_ms == 0;
    int ms = timeout_ms < IDLE_SLEEP_MS ? timeout_ms : IDLE_SLEEP_MS;
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
    return 0;
}

static int source_serve_memory(struct source *source, int timeout_ms, struct err *err)
{
    struct memory_source *m = of(source);

    (void)timeout_ms, (void)err;
    m->serves++;
    commit_stored(m);
    if (atomic_exchange(&m->rebalance, false))
        rebalance(m);
    return 0;
}

static void source_release_memory(struct source *source, struct record *record)
{
    of(source)->out--;
    record_free(record);
}

static void source_store_memory(struct source *source, const char *topic, int32_t partition, int64_t offset)
{
    struct memory_source *m = of(source);
    struct memory_log *l = log_find(m, topic, partition);

    if (m->on_store != NULL)
        m->on_store(m->arg, topic, partition, offset);
    if (l->assigned && offset < l->position)
        l->stored = offset + 1;
}

static void source_seek_memory(struct source *source, const char *topic, int32_t partition, int64_t offset)
{
    struct memory_source *m = of(source);
    struct memory_log *l = log_find(m, topic, partition);

    if (l == NULL || !l->assigned)
        return;
    l->position = offset == SOURCE_BEGINNING ? l->low : offset;
    l->started = l->asked = true;
    l->lost = false;
    if (l->position < (int64_t)l->count)
        m->end_given = false;
}

static void source_pause_memory(struct source *source, const char *topic)
{
    struct memory_source *m = of(source);
    size_t len = strlen(m->paused);

    if (topic == NULL)
        m->all_paused = true;
    else
        snprintf(m->paused + len, sizeof m->paused - len, "<%s>", topic);
}

static void source_resume_memory(struct source *source, const char *topic)
{
    struct memory_source *m = of(source);
    char name[128];

    if (topic == NULL) {
        m->all_paused = false;
        return;
    }
    snprintf(name, sizeof name, "<%s>", topic);
    char *at = strstr(m->paused, name);
    if (at != NULL)
        memmove(at, at + strlen(name), strlen(at + strlen(name)) + 1);
}

static void source_free_memory(struct source *source)
{
    struct memory_source *m = of(source);

    for (size_t i = 0; i < m->log_count; i++) {
        for (size_t j = 0; j < m->logs[i].count; j++)
            record_free(&m->logs[i].records[j]);
        free(m->logs[i].records);
        free(m->logs[i].topic);
    }
    free(m->logs);
    free(m);
}

static const struct source_ops memory_ops = {
    .poll = source_poll_memory,
    .serve = source_serve_memory,
    .release = source_release_memory,
    .store = source_store_memory,
    .seek = source_seek_memory,
    .pause = source_pause_memory,
    .resume = source_resume_memory,
    .free = source_free_memory,
};

struct memory_source *memory_source_new(bool bounded)
{
    struct memory_source *m = mem_zalloc(1, sizeof *m);

    m->base.ops = &memory_ops;
    m->bounded = bounded;
    m->group = "g";
    return m;
}
