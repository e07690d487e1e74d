/* Private to pipeline*.c: reading one pipeline's JSON, with a path for every fault. */
#ifndef JST_COMMON_PIPELINE_PARSE_H
#define JST_COMMON_PIPELINE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json/json.h"
#include "common/pipeline/endpoints.h"
#include "common/pipeline/pipeline.h"

enum {
    JSON_PATH_MAX = 256,
    COLUMNS_MAX = 1017 /* of an InnoDB table; so many entries and names in a list, too */
};

/* A value and where it stands: "target.request[3].value". */
struct node {
    const struct json_value *v;    /* NULL: not there */
    const struct json_value *near; /* v; or, where it is not there, the innermost value around its place */
    char path[JSON_PATH_MAX];      /* cut to fit */
};

/* A place in a text, as people count: from 1, and characters rather than bytes. */
struct text_place {
    size_t at; /* bytes from the start */
    size_t line, column;
};

struct reader {
    const char *file;
    const char *text; /* of the file */
    size_t len;
    struct text_place last; /* where the last fault was: the next one is looked for from there */
    struct json_doc *doc;
    struct node root;
    struct faults *faults;
    struct pipeline *p;

    /* what one section found and a later one needs */
    const struct endpoint *endpoint; /* NULL: not listed */
    struct name_list source_id;
    int64_t asked_page_size; /* of the request; 0: none */
    struct node page_size_at;
    int64_t pagination_size; /* of pagination; 0: none */
    struct request *into;    /* where request fields go */
    size_t *into_cap;
    size_t request_cap, sweep_cap, column_cap;
    bool has_main_sql, has_limit, has_retry_count, has_retry_interval, has_log_errors, has_notify;
    struct name_list sql_columns, sql_updates;
    bool failed_column;
    struct node main_sql_at;
};

/* ---- faults (reader.c) ---- */

/* Its place is node_place(r, at). */
void read_fault(struct reader *r, enum fault_level level, const struct node *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#define read_error(r, at, ...)   read_fault((r), FAULT_ERROR, (at), __VA_ARGS__)
#define read_warning(r, at, ...) read_fault((r), FAULT_WARNING, (at), __VA_ARGS__)
/* The same at node_at(r, path), for what a section as a whole lacks. */
void read_fault_at(struct reader *r, enum fault_level level, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#define read_error_at(r, path, ...)   read_fault_at((r), FAULT_ERROR, (path), __VA_ARGS__)
#define read_warning_at(r, path, ...) read_fault_at((r), FAULT_WARNING, (path), __VA_ARGS__)

/* "unknown <what> "x"; did you mean "y"?", or all that are known where none is near. */
void read_unknown(struct reader *r, const struct node *at, const char *what, const char *name,
                  const char *const *names, size_t count);

/* What is understood, and left to a later version: one table of sentences in reader.c. */
enum unsupported {
    UNSUPPORTED_SCRIPT,
    UNSUPPORTED_QUALITY,
    UNSUPPORTED_VERSION_MODE,
    UNSUPPORTED_CONDITION,
    UNSUPPORTED_FORMAT_RESPONSE,
    UNSUPPORTED_SEVERAL_ARRAYS,
    UNSUPPORTED_NO_WINDOW,
    UNSUPPORTED_FUNCTION,
    UNSUPPORTED_FIND_COLLECTION,
    UNSUPPORTED_COLUMN_FILTER,
    UNSUPPORTED_COLUMN_VARIABLE,
};
void read_unsupported(struct reader *r, const struct node *at, enum unsupported what);

/* ---- nodes and typed values (reader.c) ---- */

struct node node_root(const struct json_value *v);
struct node node_member(const struct node *object, const char *name); /* looks for it: linear in the object */
struct node node_of_member(const struct node *object, const struct json_value *member); /* which is at hand */
struct node node_element(const struct node *array, size_t index, const struct json_value *v);
/* "source.request", from the top level on. */
struct node node_at(const struct reader *r, const char *path);
/* "<file>:<line>:<column>: <path>", without the path for the top level; the caller frees it. Lines and
 * columns count from 1, columns in characters. What is not there has the place of what it is missing in. */
char *node_place(struct reader *r, const struct node *n);
char *text_place(struct reader *r, size_t at); /* "<file>:<line>:<column>" of a byte; the caller frees it */
bool node_given(const struct node *n);         /* there, and not null */
/* null, "", [], {} and arrays of nothing else. */
bool node_empty(const struct node *n);
/* A string, a number's digits, "true" or "false"; NULL for the rest. */
const char *node_text(const struct node *n);

/* Each adds its own fault, and returns false and leaves *ret when the value is not as it should be. */
bool read_text(struct reader *r, const struct node *n, const char **ret); /* a string that is not empty */
bool read_bool(struct reader *r, const struct node *n, bool *ret);
bool read_int(struct reader *r, const struct node *n, int64_t min, int64_t max, int64_t *ret);
bool read_duration(struct reader *r, const struct node *n, int64_t min_ms, int64_t max_ms, int64_t *ret_ms);
bool read_choice(struct reader *r, const struct node *n, const char *const *names, size_t count, size_t *ret);
/* "a", "{a}" or an array of these: names of fields, at most COLUMNS_MAX. */
bool read_names(struct reader *r, const struct node *n, struct name_list *ret);
bool read_cron(struct reader *r, const struct node *n, struct cron *ret, char **ret_text);

/* ---- objects and requests (fields.c) ---- */

/* What to do with a known key. */
struct member_spec {
    const char *name;
    void (*read)(struct reader *r, const struct node *value); /* NULL: nothing, and no fault */
};
/* Read the known keys in the table's order, null as if it were not there; then report every other key: as a
 * warning "not used" where foreign metadata stands, else as an error. Not an object: an error. */
enum unknown_keys { UNKNOWN_WARN, UNKNOWN_ERROR };
void read_object(struct reader *r, const struct node *n, const struct member_spec *specs, size_t count,
                 enum unknown_keys unknown);
#define READ_OBJECT(r, n, specs, unknown)                                                                    \
    read_object((r), (n), (specs), sizeof(specs) / sizeof((specs)[0]), (unknown))

/* One field of a request, however it was written. */
struct entry {
    const char *name;  /* not empty */
    const char *label; /* NULL: none */
    const char *type;  /* NULL: not given */
    struct node value; /* value.v NULL: none */
    struct node at;    /* the field as a whole */
};
typedef void use_entry(struct reader *r, const struct entry *entry);
/* An array of {field, value, …}, one such object, or an object of name and value: at most COLUMNS_MAX. */
void read_entries(struct reader *r, const struct node *n, use_entry *use);

/* ---- sections ---- */

void read_source(struct reader *r, const struct node *n); /* source.c */
void source_finish(struct reader *r);                     /* window_fields.c: what needs all of the source */
bool request_variable(const char *name);                  /* LAST_SYNC_TIME and its like */
void read_id_check(struct reader *r, const struct node *n);
void read_target(struct reader *r, const struct node *n); /* target.c */
void target_finish(struct reader *r);
void read_main_sql(struct reader *r, const struct node *n); /* main_sql.c */
void read_options(struct reader *r, const struct node *n);  /* settings.c */
void read_schedule(struct reader *r, const struct node *n);
void schedule_finish(struct reader *r, bool given); /* given: there is a crontab, right or wrong */
void read_error_handling(struct reader *r, const struct node *n);
/* the keys of error_handling, which may stand at the top level too */
void read_retry_count(struct reader *r, const struct node *n);
void read_retry_interval(struct reader *r, const struct node *n);
void read_log_errors(struct reader *r, const struct node *n);
void read_notify_on_failure(struct reader *r, const struct node *n);
void options_defaults(struct pipeline *p);
void options_finish(struct reader *r);
void writing_finish(struct reader *r); /* writing.c: how rows are written, which needs all of the above */
/* Where a placeholder of a column takes its value. */
struct source_field source_field_make(const struct pipeline *p, const char *name); /* column.c */
void read_column(struct reader *r, const struct entry *entry);                     /* a use_entry */

#endif
