/* What is ours: schedule, error handling and options. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pipeline/parse.h"

#define SECONDS(n) ((int64_t)(n)*1000)
#define MINUTES(n) SECONDS((n)*60)
#define DAYS(n)    MINUTES((n)*24 * 60)

enum { RETRIES_MAX = 100 };

void options_defaults(struct pipeline *p)
{
    p->title = mem_strdup("");
    p->modified = mem_strdup("modified");
    p->statement_rows = 1000;
    p->retry_count = 3;
    p->retry_interval_ms = MINUTES(5);
    p->log_errors = true;
    p->notify_on_failure = true;
    p->overlap_ms = MINUTES(10);
    p->lag_ms = MINUTES(1);
}

/* ---- schedule ---- */

static void read_crontab(struct reader *r, const struct node *n)
{
    if (read_cron(r, n, &r->p->cron, &r->p->crontab))
        r->p->scheduled = true;
}

void read_schedule(struct reader *r, const struct node *n)
{
    static const struct member_spec specs[] = {{"crontab", read_crontab}};

    READ_OBJECT(r, n, specs, UNKNOWN_ERROR);
}

void schedule_finish(struct reader *r, bool given)
{
    if (!given)
        read_warning_at(r, "schedule.crontab",
                        "missing: without it the extractor reads this pipeline at its start, and not again");
}

/* ---- error_handling ---- */

static void note_once(struct reader *r, const struct node *n, bool *given)
{
    if (*given)
        read_error(r, n, "given twice: at the top level and in error_handling");
    *given = true;
}

void read_retry_count(struct reader *r, const struct node *n)
{
    note_once(r, n, &r->has_retry_count);
    read_int(r, n, 0, RETRIES_MAX, &r->p->retry_count);
}

void read_retry_interval(struct reader *r, const struct node *n)
{
    note_once(r, n, &r->has_retry_interval);
    read_duration(r, n, SECONDS(1), DAYS(1), &r->p->retry_interval_ms);
}

void read_log_errors(struct reader *r, const struct node *n)
{
    note_once(r, n, &r->has_log_errors);
    read_bool(r, n, &r->p->log_errors);
}

void read_notify_on_failure(struct reader *r, const struct node *n)
{
    note_once(r, n, &r->has_notify);
    read_bool(r, n, &r->p->notify_on_failure);
}

void read_error_handling(struct reader *r, const struct node *n)
{
    static const struct member_spec specs[] = {{"retry_count", read_retry_count},
                                               {"retry_interval", read_retry_interval},
                                               {"log_errors", read_log_errors},
                                               {"notify_on_failure", read_notify_on_failure}};

    READ_OBJECT(r, n, specs, UNKNOWN_ERROR);
}

/* ---- options ---- */

static void read_one_name(struct reader *r, const struct node *n, char **ret)
{
    struct name_list names = {0};

    if (!read_names(r, n, &names))
        return;
    if (names.count == 1) {
        free(*ret);
        *ret = mem_strdup(names.names[0]);
    } else {
        read_error(r, n, "one name is expected");
    }
    names_free(&names);
}

static void read_list(struct reader *r, const struct node *n)
{
    read_one_name(r, n, &r->p->list);
}

static void read_key(struct reader *r, const struct node *n)
{
    read_names(r, n, &r->p->key);
}

static void read_document(struct reader *r, const struct node *n)
{
    read_names(r, n, &r->p->document);
}

static void read_version(struct reader *r, const struct node *n)
{
    read_one_name(r, n, &r->p->version);
}

static void read_modified(struct reader *r, const struct node *n)
{
    read_one_name(r, n, &r->p->modified);
}

static void read_mode(struct reader *r, const struct node *n)
{
    static const char *const names[] = {"window", "version"};
    size_t i;

    if (!read_choice(r, n, names, 2, &i))
        return;
    r->p->mode = i == 0 ? READ_WINDOW : READ_VERSION;
    if (r->p->mode == READ_VERSION)
        read_unsupported(r, n, UNSUPPORTED_VERSION_MODE);
}

static void read_write(struct reader *r, const struct node *n)
{
    static const char *const names[] = {"document", "replace"};
    size_t i;

    if (read_choice(r, n, names, 2, &i))
        r->p->write = i == 0 ? WRITE_DOCUMENT : WRITE_REPLACE;
}

static void read_table_of(struct reader *r, const struct node *n)
{
    const char *name;

    if (!read_text(r, n, &name))
        return;
    free(r->p->table_of);
    r->p->table_of = mem_strdup(name);
}

static void read_empty_document(struct reader *r, const struct node *n)
{
    static const char *const names[] = {"row", "none"};
    size_t i;

    if (read_choice(r, n, names, 2, &i))
        r->p->empty_document = i == 0 ? EMPTY_ROW : EMPTY_NONE;
}

static void read_overlap(struct reader *r, const struct node *n)
{
    read_duration(r, n, 0, DAYS(7), &r->p->overlap_ms);
}

static void read_lag(struct reader *r, const struct node *n)
{
    read_duration(r, n, 0, DAYS(1), &r->p->lag_ms);
}

static int64_t widest_window(const struct reader *r)
{
    return r->endpoint != NULL && r->endpoint->window_max_ms > 0 ? r->endpoint->window_max_ms : DAYS(7);
}

static void read_max_window(struct reader *r, const struct node *n)
{
    read_duration(r, n, MINUTES(1), widest_window(r), &r->p->max_window_ms);
}

static void read_script(struct reader *r, const struct node *n)
{
    if (!node_empty(n))
        read_unsupported(r, n, UNSUPPORTED_SCRIPT);
}

void read_options(struct reader *r, const struct node *n)
{
    static const struct member_spec specs[] = {
        {"list", read_list},       {"key", read_key},           {"document", read_document},
        {"version", read_version}, {"modified", read_modified}, {"mode", read_mode},
        {"overlap", read_overlap}, {"lag", read_lag},           {"max_window", read_max_window},
        {"write", read_write},     {"table_of", read_table_of}, {"empty_document", read_empty_document},
        {"script", read_script},
    };

    READ_OBJECT(r, n, specs, UNKNOWN_ERROR);
}

/* ---- what needs source and target ---- */

static void check_list(struct reader *r)
{
    const struct pipeline *p = r->p;

    if (p->list != NULL && r->endpoint != NULL && r->endpoint->list != NULL &&
        strcmp(p->list, r->endpoint->list) != 0)
        read_warning_at(r, "options.list", "this endpoint is known to name its list %s", r->endpoint->list);
}

static void unknown_column(struct reader *r, const char *name)
{
    const struct pipeline *p = r->p;
    const char **names = mem_zalloc(p->column_count, sizeof *names);
    struct node at = node_at(r, "options.key");

    for (size_t i = 0; i < p->column_count; i++)
        names[i] = p->columns[i].name;
    read_unknown(r, &at, "target field", name, names, p->column_count);
    free(names);
}

static void settle_key(struct reader *r)
{
    struct pipeline *p = r->p;
    bool of_line = p->flatten == NULL;

    if (p->column_count == 0)
        return;
    if (p->key.count == 0) {
        const char *name = pipeline_column(p, "id") != SIZE_MAX ? "id" : p->columns[0].name;
        names_add(&p->key, name, strlen(name));
    }
    for (size_t i = 0; i < p->key.count; i++) {
        size_t column = pipeline_column(p, p->key.names[i]);
        if (column == SIZE_MAX) {
            unknown_column(r, p->key.names[i]);
            return;
        }
        of_line = of_line || p->columns[column].of_line;
    }
    if (!of_line)
        read_warning_at(r, "options.key",
                        "no key column takes from %s: all lines of a document would be one row", p->flatten);
}

static bool same_names(const struct name_list *names, const char *const *list)
{
    size_t i = 0;

    for (; i < names->count && list[i] != NULL; i++)
        if (strcmp(names->names[i], list[i]) != 0)
            return false;
    return i == names->count && list[i] == NULL;
}

/* options.document, else source.id, else what the endpoint is known for. */
static const char *take_document(struct reader *r)
{
    struct pipeline *p = r->p;

    if (p->document.count > 0)
        return "options.document";
    p->document = r->source_id;
    r->source_id = (struct name_list){0};
    for (size_t i = 0; p->document.count == i && r->endpoint != NULL && r->endpoint->key[i] != NULL; i++)
        names_add(&p->document, r->endpoint->key[i], strlen(r->endpoint->key[i]));
    return "source.id";
}

static void settle_document(struct reader *r)
{
    struct pipeline *p = r->p;
    const char *path = take_document(r);

    if (p->document.count == 0 && p->api != NULL)
        read_error_at(r, "options.document",
                      "missing: the source field that identifies a document, like \"io_id\"");
    for (size_t i = 0; i < p->document.count; i++) {
        struct source_field field = source_field_make(p, p->document.names[i]);
        if (field.array != NULL)
            read_error_at(r, path,
                          "%s is a field of the array %s: a document is identified by fields of its own",
                          p->document.names[i], field.array);
        free(field.array);
        free(field.path);
    }
    if (p->document.count > 0 && r->endpoint != NULL && !same_names(&p->document, r->endpoint->key)) {
        char *given = names_join(&p->document);
        read_warning_at(r, path, "%s: documents of this endpoint are known to be identified by %s%s", given,
                        r->endpoint->key[0], r->endpoint->key[1] != NULL ? " and more" : "");
        free(given);
    }
}

void options_finish(struct reader *r)
{
    if (r->p->max_window_ms == 0)
        r->p->max_window_ms = widest_window(r);
    check_list(r);
    settle_key(r);
    settle_document(r);
}
