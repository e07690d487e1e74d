/* Random histories of documents through the loader, and what must come of them: whatever the order, the
 * repetitions and the faults. */
#ifndef JST_TESTS_LOAD_HISTORY_H
#define JST_TESTS_LOAD_HISTORY_H

#include "tests/unit/twins/history.h"
#include "tests/unit/twins/load_world.h"

enum {
    PARTITIONS = 3,
    MESSAGES_MAX = 400,
    ID_TEXT = 16,
};

struct history_message {
    int document, version;
    int64_t offset;
};

static struct history {
    unsigned random;
    struct history_message messages[MESSAGES_MAX];
    size_t count;
    struct memory_sink *before; /* the dead letters of the process that was killed; NULL: none */
} history;

static inline int next_random(int below)
{
    return draw_number(&history.random, below);
}

/* A document's partition is that of its key. */
static inline int partition_of(int document)
{
    return document % PARTITIONS;
}

static inline int reject_bad(const struct fake_row *row)
{
    return row->cells[2] != NULL && strcmp(row->cells[2], "bad") == 0 ? 1366 : 0;
}

static inline void add_message(int document, int version)
{
    struct history_message *m = &history.messages[history.count++];
    struct buf value;
    char id[ID_TEXT];
    char text[ID_TEXT];
    char note[NOTE_TEXT];

    buf_init(&value, 65536);
    write_note(document, version, note);
    for (int n = 1; n <= lines_of(document, version); n++)
        buf_printf(&value, "{\"id\":\"%d-%d\",\"io_id\":%d,\"note\":\"%s\",\"qty\":%d}\n", document, n,
                   document, is_bad_line(document, version, n) ? "bad" : note, n);
    snprintf(id, sizeof id, "%d", document);
    snprintf(text, sizeof text, "%d", version);
    *m = (struct history_message){.document = document, .version = version};
    m->offset = add_rows(world.in, &(struct rows_spec){.partition = partition_of(document),
                                                       .document = id,
                                                       .version = text,
                                                       .value = value.len > 0 ? value.data : ""});
    buf_free(&value);
}

static inline void open_history(unsigned seed)
{
    history = (struct history){.random = seed};
    put_witness();
    world.db->row_fault = reject_bad;
    world.db->numbered = seed % 2 == 0;
    world.db->refuses_load = seed % 3 == 0;
}

static inline int newest_of(int document)
{
    int newest = -1;

    for (size_t i = 0; i < history.count; i++)
        if (history.messages[i].document == document && history.messages[i].version > newest)
            newest = history.messages[i].version;
    return newest;
}

/* Just the rows of the newest states. */
static inline void assert_history(void)
{
    struct buf rows;

    buf_init(&rows, 65536);
    for (int d = 0; d < DOCUMENTS; d++) {
        int v = newest_of(d);
        char note[NOTE_TEXT];
        write_note(d, v, note);
        for (int n = 1; v >= 0 && n <= lines_of(d, v); n++)
            if (!is_bad_line(d, v, n))
                buf_printf(&rows, "%d-%d|%d|%s|%d\n", d, n, d, note, n);
    }
    buf_add_text(&rows, "99-1|99|w|1\n");
    assert_rows(rows.data);
    buf_free(&rows);
}

static inline bool has_letter(const struct memory_sink *sink, const struct history_message *m)
{
    char id[ID_TEXT];
    char version[ID_TEXT];

    snprintf(id, sizeof id, "%d", m->document);
    snprintf(version, sizeof version, "%d", m->version);
    for (size_t i = 0; sink != NULL && i < sink->count; i++)
        if (sink->list[i].acked && strcmp(sink->list[i].key, id) == 0 &&
            strcmp(memory_header(&sink->list[i], H_VERSION), version) == 0)
            return true;
    return false;
}

/* Is the message in the database, or a newer state of its document? */
static inline bool is_committed(const struct history_message *m)
{
    char id[ID_TEXT];

    snprintf(id, sizeof id, "%d", m->document);
    const struct fake_head *h = fake_data_head(&world.db->committed, "p", id);
    return h != NULL && h->stamp.version >= (uint64_t)m->version;
}

/* A bad state that was the newest when it came has a letter; one that lost need not. */
static inline bool is_settled(const struct history_message *m)
{
    char id[ID_TEXT];

    if (!is_committed(m))
        return false;
    snprintf(id, sizeof id, "%d", m->document);
    if (!has_bad_line(m->document, m->version) ||
        fake_data_head(&world.db->committed, "p", id)->stamp.version > (uint64_t)m->version)
        return true;
    return has_letter(world.dead, m) || has_letter(history.before, m);
}

/* An offset is stored when everything up to it is in the database, and its dead letters are acknowledged. */
static inline void check_store(void *arg, const char *topic, int32_t partition, int64_t offset)
{
    (void)arg, (void)topic;
    pthread_mutex_lock(&world.db->lock);
    for (size_t i = 0; i < history.count; i++)
        if (partition_of(history.messages[i].document) == partition && history.messages[i].offset <= offset &&
            !is_settled(&history.messages[i]))
            note_broken("an offset is stored for what is not settled");
    pthread_mutex_unlock(&world.db->lock);
}

/* No mark leads. */
static inline void assert_marks_hold(void)
{
    for (size_t i = 0; i < history.count; i++) {
        const struct history_message *m = &history.messages[i];
        const struct fake_mark *mark =
            fake_data_mark(&world.db->committed, "p", "jst.p.rows", partition_of(m->document));
        if (mark != NULL && m->offset < mark->next_offset && !is_committed(m))
            fail_msg("the mark of partition %d leads", partition_of(m->document));
    }
}

/* At the end of a bounded run the marks are where the group is. */
static inline void assert_marks_arrived(void)
{
    assert_marks_hold();
    for (int i = 0; i < PARTITIONS; i++) {
        const struct fake_mark *mark = fake_data_mark(&world.db->committed, "p", "jst.p.rows", i);
        if (mark != NULL)
            assert_int_equal(mark->next_offset, memory_source_committed(world.in, "jst.p.rows", i));
    }
}

#endif
