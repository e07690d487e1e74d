/* A pipeline: the metadata of one integration, read, checked and compiled. DESIGN: ARCHITECTURE.md,
 * pipelines. */
#ifndef JST_COMMON_PIPELINE_PIPELINE_H
#define JST_COMMON_PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/faults.h"
#include "common/base/names.h"
#include "common/pipeline/cron.h"
#include "common/pipeline/template.h"

struct options;

enum value_type { VALUE_STRING, VALUE_INT, VALUE_FLOAT }; /* INT and FLOAT: a number in the rows message */

/* One field of the request. */
struct request_field {
    char *name; /* "page_index" */
    char *type; /* as given: "string", "int", "array" …; never NULL */
    struct template value;
    char *json; /* a value that was not text in the metadata (a number, an array): its JSON text; else NULL */
};

struct request {
    struct request_field *fields; /* in the metadata's order: request, params, otherRequest; names are unique.
                                   * What stands there for the page and the window is not to be sent as it is:
                                   * page_size, window_begin and window_end below say what counts. */
    size_t count;
};

/* Where a column's placeholder takes its value. */
struct source_field {
    char *array; /* the flattened array, "items"; NULL: the document itself */
    char *path;  /* the field below it, dots for nested objects: "ioi_id", "a.b" */
};

struct column_part {
    char *literal;             /* text, or NULL for a placeholder */
    struct source_field field; /* the placeholder */
};

struct column {
    char *name; /* the target field, which is the table's column */
    char *label;
    enum value_type type;
    struct column_part *parts;
    size_t part_count;
    bool alone;   /* one placeholder and nothing else: null stays null */
    bool of_line; /* some placeholder takes from the flattened array */
};

enum write_mode {
    WRITE_DOCUMENT, /* a document's newest version replaces its rows */
    WRITE_REPLACE,  /* each row by itself, in the topic's order: no heads, and nothing is deleted */
};
enum read_mode { READ_WINDOW, READ_VERSION };
enum empty_document { EMPTY_ROW, EMPTY_NONE };

enum {
    DOCUMENT_FIELDS_MAX = 3 /* that identify a document: so many VARCHAR(255) of utf8mb4 fit into an index */
};

struct pipeline {
    char *name;  /* [a-z0-9][a-z0-9_-]{0,62}: topics, metrics and keys are made of it */
    char *title; /* may be "" */
    char *file;  /* where it was read */
    /* Places in it for faults that are found later: "a.json:2:11: name", source.request, omissionRemedy,
     * main_sql, options.table_of. */
    char *name_place, *request_place, *sweep_place, *table_place, *table_of_place;

    /* source */
    char *api;         /* "/open/purchasein/query" */
    int64_t page_size; /* 1 to the endpoint's maximum, default 50 */
    struct request request;
    char *flatten;      /* the array to expand into rows (beatFlat), NULL: one row a document */
    char *window_begin; /* names of the window fields, always in the request: "modified_begin" */
    char *window_end;
    struct cron sweep_cron; /* omissionRemedy */
    char *sweep_crontab;    /* its text; NULL: no sweeps */
    bool sweeps;
    struct request sweep_request;

    /* target */
    char *table; /* from main_sql: "purchasein_query", or "db.table" */
    bool insert; /* INSERT INTO rather than REPLACE INTO */
    /* INSERT INTO only: the columns (indexes, ascending) that a row which is there gets from the new one, as
     * ON DUPLICATE KEY UPDATE names them; all of them where main_sql ends with VALUES, since every row may
     * come again. With WRITE_DOCUMENT the document's column is among them, named or not. */
    size_t *updated;
    size_t updated_count;
    struct column *columns;
    size_t column_count;
    int64_t statement_rows; /* limit: rows a statement takes at most, 1-1000 */

    /* schedule, error_handling */
    struct cron cron;
    char *crontab;                      /* its text; NULL: not scheduled */
    bool scheduled;                     /* false: no crontab */
    int64_t retry_count;                /* rounds, default 3 */
    int64_t retry_interval_ms;          /* default 5m */
    bool log_errors, notify_on_failure; /* default true */

    /* options */
    char *list;                /* NULL: the only array */
    struct name_list key;      /* target fields, at least one */
    struct name_list document; /* source fields, at least one */
    char *version;             /* source field; NULL: the instant of reception */
    char *modified;            /* source field, default "modified" */
    enum read_mode mode;
    enum write_mode write;
    char *table_of;         /* the pipeline whose table and heads this one shares; NULL: its own */
    const char *heads_name; /* under which jst_heads keeps its documents: table_of, or else its name */
    enum empty_document empty_document;
    int64_t overlap_ms, lag_ms, max_window_ms;
    /* Indexes of the columns whose values are just the document's fields, in their order; none with
     * WRITE_REPLACE. */
    size_t document_columns[DOCUMENT_FIELDS_MAX];
    size_t document_column_count;
};

struct pipelines {
    struct pipeline **list; /* sorted by name */
    size_t count;
};

/* Read every *.json of the given files and directories. Faults carry file, line, column and the JSON path; a
 * pipeline with an error is left out, so that all files are checked in one go. Two pipelines of one name, and
 * no pipeline at all, are errors. */
void pipelines_read(const char *const *paths, size_t path_count, struct pipelines *ret,
                    struct faults *faults);
void pipelines_free(struct pipelines *pipelines); /* NULL ok */
const struct pipeline *pipelines_find(const struct pipelines *pipelines, const char *name);

/* One file's text. Returns NULL when it has errors. */
struct pipeline *pipeline_parse(const char *file, const char *text, size_t len, struct faults *faults);
void pipeline_free(struct pipeline *p); /* NULL ok */

/* Does this column hold a field of the document's id? */
bool pipeline_is_document(const struct pipeline *p, size_t column);

/* The index of a target field; SIZE_MAX when there is none. */
size_t pipeline_column(const struct pipeline *p, const char *name);

#endif
