#include "loader/batch.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"

enum {
    TEXT_MAX = 1U << 30,
    SOURCE_MAX = 300,       /* bytes, as jst_heads has room for */
    RECORD_OVERHEAD = 1024, /* bytes: headers, and what librdkafka keeps of a message */
};

struct batch *batch_new(struct row_reader *reader)
{
    struct batch *b = mem_zalloc(1, sizeof *b);

    b->reader = reader;
    b->pipeline = row_reader_pipeline(reader);
    buf_init(&b->text, TEXT_MAX);
    hash_begin(&b->index, 0);
    return b;
}

void batch_free(struct batch *b, struct source *source)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < b->document_count; i++) {
        source_release(source, &b->documents[i].record);
        free(b->documents[i].why);
    }
    for (size_t i = 0; i < b->row_count; i++)
        free(b->rows[i].why);
    free(b->documents);
    free(b->rows);
    free(b->cells);
    free(b->parts);
    hash_free(&b->index);
    buf_free(&b->text);
    free(b);
}

bool batch_is_full(const struct batch *b, const struct batch_limits *limits)
{
    return b->row_count >= limits->rows || b->document_count >= limits->rows || b->bytes >= limits->bytes;
}

size_t batch_memory(const struct batch *b)
{
    return b->bytes + b->document_count * (RECORD_OVERHEAD + sizeof *b->documents) + b->text.cap +
           b->row_cap * sizeof *b->rows + b->cell_cap * sizeof *b->cells;
}

/* The number of rows that the header claims; reading the message checks it. */
static size_t rows_said(const struct record *r)
{
    const char *text = record_header(r, H_ROWS);
    size_t n = 0;

    for (; text != NULL && *text >= '0' && *text <= '9' && n < SIZE_MAX / 16; text++)
        n = n * 10 + (size_t)(*text - '0');
    return n;
}

bool batch_has_room(const struct batch *b, const struct record *r, const struct batch_limits *limits)
{
    if (b->document_count == 0)
        return true;
    return !batch_is_full(b, limits) && b->row_count + rows_said(r) <= limits->rows &&
           b->bytes + r->value_len <= limits->bytes * 2;
}

/* ------------------------------------------------------------------ documents by id */

/* The first document of that id, or NULL; *probe is then where to put one. */
static struct document *find_first(const struct batch *b, const char *id, struct hash_probe *probe)
{
    uintptr_t item;

    *probe = hash_probe(&b->index, hash_text(id));
    while (hash_next(&b->index, probe, &item))
        if (strcmp(b->documents[item].id, id) == 0)
            return &b->documents[item];
    return NULL;
}

bool batch_overlaps(const struct batch *a, const struct batch *b)
{
    if (a->pipeline->write == WRITE_REPLACE)
        return true;

    struct hash_probe probe;
    const struct batch *few = a->document_count < b->document_count ? a : b;
    const struct batch *many = few == a ? b : a;

    for (size_t i = 0; i < few->document_count; i++)
        if (few->documents[i].state == DOCUMENT_WANTED &&
            find_first(many, few->documents[i].id, &probe) != NULL)
            return true;
    return false;
}

/* ------------------------------------------------------------------ partitions */

static void note_part(struct batch *b, const struct record *r)
{
    for (size_t i = 0; i < b->part_count; i++) {
        struct batch_part *part = &b->parts[i];
        if (part->partition == r->partition && strcmp(part->topic, r->topic) == 0) {
            part->last = r->offset;
            return;
        }
    }
    b->parts = mem_grow(b->parts, &b->part_cap, b->part_count, sizeof *b->parts);
    b->parts[b->part_count++] = (struct batch_part){
        .topic = r->topic, .partition = r->partition, .first = r->offset, .last = r->offset, .written = -1};
}

/* ------------------------------------------------------------------ rows */

static int read_row(struct batch *b, const char *line, size_t len, struct err *err)
{
    size_t columns = b->pipeline->column_count;

    b->rows = mem_grow(b->rows, &b->row_cap, b->row_count, sizeof *b->rows);
    while (b->cell_count + columns > b->cell_cap)
        b->cells = mem_grow(b->cells, &b->cell_cap, b->cell_cap, sizeof *b->cells);
    if (row_read(b->reader, line, len, &b->cells[b->cell_count], &b->text, err) != 0)
        return -1;
    b->rows[b->row_count++] = (struct row){
        .document = b->document_count, .first_cell = b->cell_count, .line = line, .line_len = len};
    b->cell_count += columns;
    return 0;
}

static int read_rows(struct batch *b, const struct record *r, struct err *err)
{
    const char *at = r->value;
    const char *end = r->value + r->value_len;

    for (size_t n = 1; at < end; n++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL)
            return err_set(err, ERR_REJECT, 0, "the last row is not ended by a newline");
        if (read_row(b, at, (size_t)(newline - at), err) != 0)
            return err_prefix(err, "row %zu", n);
        at = newline + 1;
    }
    return b->text.overflowed ? err_set(err, ERR_REJECT, 0, "the rows are larger than 1 GiB") : 0;
}

/* ------------------------------------------------------------------ adding */

static int read_document(struct batch *b, const struct record *r, struct document *d, struct err *err)
{
    struct rows_message m;

    d->id = record_header(r, H_DOCUMENT); /* set even if the message is broken: the key of its dead letter */
    if (rows_message_read(r, b->pipeline->name, &m, err) != 0)
        return -1;
    d->id = m.document;
    if (stamp_read(m.version, m.received_at_ms, r->timestamp_ms > 0 ? r->timestamp_ms : 0 /* -1: none */,
                   &d->stamp) != 0)
        return err_set(err, ERR_REJECT, 0, "header %s is neither a 64-bit number nor a datetime", H_VERSION);
    const char *source = record_header(r, H_SOURCE);
    d->source = source != NULL && strlen(source) <= SOURCE_MAX ? source : "";
    d->first_row = b->row_count;
    if (read_rows(b, r, err) != 0)
        return -1;
    d->row_count = b->row_count - d->first_row;
    return 0;
}

static void set_stale(struct batch *b, struct document *d)
{
    d->state = DOCUMENT_STALE;
    b->wanted--;
    b->wanted_rows -= d->row_count;
}

/* Of two versions of one document the older one becomes stale. */
static void keep_newest(struct batch *b, struct document *d)
{
    size_t at = (size_t)(d - b->documents);
    struct hash_probe probe;
    struct document *first = find_first(b, d->id, &probe);

    if (first == NULL) {
        d->newest = at;
        hash_put(&b->index, &probe, at);
        return;
    }
    struct document *newest = &b->documents[first->newest];
    if (stamp_newer(&newest->stamp, &d->stamp)) {
        set_stale(b, d);
        return;
    }
    set_stale(b, newest);
    first->newest = at;
}

void batch_add(struct batch *b, const struct record *r, int64_t now_monotonic_ms)
{
    struct err err = ERR_INIT;
    size_t rows = b->row_count;
    size_t cells = b->cell_count;
    size_t text = b->text.len;

    if (b->document_count == 0)
        b->since_ms = now_monotonic_ms;
    note_part(b, r);
    b->bytes += r->value_len;
    b->documents = mem_grow(b->documents, &b->document_cap, b->document_count, sizeof *b->documents);
    struct document *d = &b->documents[b->document_count];
    *d = (struct document){.record = *r, .state = DOCUMENT_WANTED};
    if (read_document(b, r, d, &err) != 0) {
        b->row_count = rows;
        b->cell_count = cells;
        buf_cut(&b->text, text);
        b->text.overflowed = false;
        d->row_count = 0;
        d->state = DOCUMENT_BROKEN;
        d->why = mem_strdup(err.text);
        b->document_count++;
        return;
    }
    b->document_count++;
    b->wanted++;
    b->wanted_rows += d->row_count;
    if (b->pipeline->write == WRITE_DOCUMENT)
        keep_newest(b, d);
}

/* ------------------------------------------------------------------ rejections */

void batch_forget_rejections(struct batch *b)
{
    for (size_t i = 0; i < b->row_count; i++) {
        b->rows[i].rejected = false;
        free(b->rows[i].why);
        b->rows[i].why = NULL;
    }
}

/* ------------------------------------------------------------------ order */

static int compare_ids(const void *a, const void *b, void *arg)
{
    const struct batch *batch = arg;
    const size_t *x = a;
    const size_t *y = b;

    return strcmp(batch->documents[*x].id, batch->documents[*y].id);
}

size_t *batch_sorted(const struct batch *b, size_t *ret_count)
{
    size_t *list = mem_alloc((b->wanted + 1) * sizeof *list);
    size_t count = 0;

    for (size_t i = 0; i < b->document_count; i++)
        if (b->documents[i].state == DOCUMENT_WANTED)
            list[count++] = i;
    if (b->pipeline->write == WRITE_DOCUMENT)
        qsort_r(list, count, sizeof *list, compare_ids, (void *)(uintptr_t)b);
    *ret_count = count;
    return list;
}
