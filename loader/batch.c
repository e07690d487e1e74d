#include "loader/batch.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/wire/version.h"

enum { INDEX_START = 1024, TEXT_MAX = 1U << 30 };

struct batch *batch_new(const struct pipeline *pipeline)
{
    struct batch *b = mem_zalloc(1, sizeof *b);

    b->pipeline = pipeline;
    buf_init(&b->text, TEXT_MAX);
    b->index_size = INDEX_START;
    b->index = mem_zalloc(b->index_size, sizeof *b->index);
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
    free(b->index);
    buf_free(&b->text);
    free(b);
}

bool batch_is_full(const struct batch *b, const struct batch_limits *limits)
{
    return b->row_count >= limits->rows || b->document_count >= limits->rows || b->bytes >= limits->bytes;
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

static uint64_t hash_of(const char *id)
{
    uint64_t h = 14695981039346656037ULL; /* FNV-1a */

    for (; *id != '\0'; id++)
        h = (h ^ (unsigned char)*id) * 1099511628211ULL;
    return h;
}

/* The slot of that id: the one of its document, or a free one. */
static size_t *slot_of(const struct batch *b, const char *id)
{
    size_t at = (size_t)hash_of(id) & (b->index_size - 1);

    while (b->index[at] != 0 && strcmp(b->documents[b->index[at] - 1].id, id) != 0)
        at = (at + 1) & (b->index_size - 1);
    return &b->index[at];
}

static void grow_index(struct batch *b)
{
    if (b->document_count * 2 < b->index_size)
        return;
    size_t *old = b->index;
    size_t old_size = b->index_size;

    b->index_size *= 2;
    b->index = mem_zalloc(b->index_size, sizeof *b->index);
    for (size_t i = 0; i < old_size && b->documents != NULL; i++)
        if (old[i] != 0)
            *slot_of(b, b->documents[old[i] - 1].id) = old[i];
    free(old);
}

/* ------------------------------------------------------------------ rows */

static struct cell put_cell(struct batch *b, const struct json_value *v)
{
    const char *text = json_text(v);

    if (json_type(v) == JSON_TRUE || json_type(v) == JSON_FALSE)
        text = json_type(v) == JSON_TRUE ? "1" : "0";
    if (text == NULL)
        return (struct cell){.len = VALUE_NULL};
    struct cell c = {.at = (uint32_t)b->text.len, .len = (uint32_t)strlen(text)};
    buf_add(&b->text, text, c.len);
    return c;
}

static int read_row(struct batch *b, struct json_doc *doc, const char *line, size_t len, struct err *err)
{
    const struct json_value *object;

    if (json_parse(doc, line, len, &object, err) != 0)
        return -1;
    if (json_type(object) != JSON_OBJECT)
        return err_set(err, ERR_REJECT, 0, "a row is no object");
    b->rows = mem_grow(b->rows, &b->row_cap, b->row_count, sizeof *b->rows);
    b->rows[b->row_count++] = (struct row){
        .document = b->document_count, .first_cell = b->cell_count, .line = line, .line_len = len};
    const struct json_value *at = NULL; /* a row has its columns in order, unless an older mapping made it */
    for (size_t i = 0; i < b->pipeline->column_count; i++) {
        const struct json_value *v = json_member_near(object, b->pipeline->columns[i].name, &at);
        if (json_type(v) == JSON_OBJECT || json_type(v) == JSON_ARRAY)
            return err_set(err, ERR_REJECT, 0, "column %s is an object or array",
                           b->pipeline->columns[i].name);
        b->cells = mem_grow(b->cells, &b->cell_cap, b->cell_count, sizeof *b->cells);
        b->cells[b->cell_count++] = put_cell(b, v);
    }
    return 0;
}

static int read_rows(struct batch *b, const struct record *r, struct err *err)
{
    static struct json_doc *doc; /* shared by all batches, since one thread fills them */
    const char *at = r->value;
    const char *end = r->value + r->value_len;

    if (doc == NULL)
        doc = json_doc_new();
    for (size_t n = 1; at < end; n++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL)
            return err_set(err, ERR_REJECT, 0, "the last row is not ended by a newline");
        if (read_row(b, doc, at, (size_t)(newline - at), err) != 0)
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
    d->received_at_ms = m.received_at_ms;
    d->published_ms = r->timestamp_ms > 0 ? r->timestamp_ms : 0; /* -1: none */
    if (*m.version == '\0')
        d->version = (uint64_t)m.received_at_ms;
    else if (version_parse(m.version, &d->version) != 0)
        return err_set(err, ERR_REJECT, 0, "header %s is neither a 64-bit number nor a datetime", H_VERSION);
    d->first_row = b->row_count;
    if (read_rows(b, r, err) != 0)
        return -1;
    d->row_count = b->row_count - d->first_row;
    return 0;
}

static bool is_older(const struct document *a, const struct document *b)
{
    return a->version != b->version ? a->version < b->version : a->published_ms < b->published_ms;
}

static void set_stale(struct batch *b, struct document *d)
{
    d->state = DOCUMENT_STALE;
    b->wanted--;
    b->wanted_rows -= d->row_count;
}

void batch_add(struct batch *b, const struct record *r, int64_t now_monotonic_ms)
{
    struct err err = ERR_INIT;
    size_t rows = b->row_count;
    size_t cells = b->cell_count;
    size_t text = b->text.len;

    if (b->document_count == 0)
        b->since_ms = now_monotonic_ms;
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
    size_t *slot = slot_of(b, d->id);
    struct document *other = *slot != 0 ? &b->documents[*slot - 1] : NULL;
    if (other != NULL && is_older(d, other)) {
        set_stale(b, d);
        return;
    }
    if (other != NULL)
        set_stale(b, other);
    *slot = b->document_count;
    grow_index(b);
}

/* ------------------------------------------------------------------ rejections */

static bool has_rejected_row(const struct batch *b, const struct document *d)
{
    for (size_t i = 0; i < d->row_count; i++)
        if (b->rows[d->first_row + i].rejected)
            return true;
    return false;
}

size_t batch_bad_documents(const struct batch *b, const size_t *sorted, const bool *lost, size_t count)
{
    size_t bad = 0;

    for (size_t i = 0; i < b->document_count; i++)
        bad += b->documents[i].state == DOCUMENT_BROKEN ||
               (sorted == NULL && b->documents[i].state == DOCUMENT_WANTED &&
                has_rejected_row(b, &b->documents[i]));
    for (size_t i = 0; i < count && sorted != NULL && lost != NULL; i++)
        bad += !lost[i] && has_rejected_row(b, &b->documents[sorted[i]]);
    return bad;
}

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
    qsort_r(list, count, sizeof *list, compare_ids, (void *)(uintptr_t)b);
    *ret_count = count;
    return list;
}
