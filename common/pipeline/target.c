/* The target: the table, its columns, and how many rows a statement takes. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pipeline/parse.h"

enum { STATEMENT_ROWS_MAX = 1000 };

static void read_columns(struct reader *r, const struct node *n)
{
    read_entries(r, n, read_column);
}

static void read_statement(struct reader *r, const struct node *n)
{
    if (r->has_main_sql) {
        read_error(r, n, "main_sql is given twice: see %s", r->main_sql_at.path);
        return;
    }
    r->has_main_sql = true;
    r->main_sql_at = *n;
    read_main_sql(r, n);
}

static void read_limit(struct reader *r, const struct node *n)
{
    if (r->has_limit)
        read_error(r, n, "limit is given twice");
    r->has_limit = true;
    read_int(r, n, 1, STATEMENT_ROWS_MAX, &r->p->statement_rows);
}

static void read_setting(struct reader *r, const struct entry *entry)
{
    static const char *const names[] = {"main_sql", "limit"};

    if (strcmp(entry->name, "main_sql") == 0) {
        read_statement(r, &entry->value);
    } else if (strcmp(entry->name, "limit") == 0) {
        read_limit(r, &entry->value);
    } else {
        const char *nearest = nearest_name(entry->name, names, 2);
        read_warning(r, &entry->at, "%s is not used%s%s%s", entry->name,
                     nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "\"?" : "");
    }
}

static void read_settings(struct reader *r, const struct node *n)
{
    read_entries(r, n, read_setting);
}

static void read_effect(struct reader *r, const struct node *n)
{
    const char *text;

    if (read_text(r, n, &text) && strcasecmp(text, "EXECUTE") != 0 && strcasecmp(text, "WRITE") != 0)
        read_warning(r, n, "\"%s\" is not followed: a target is an EXECUTE", text);
}

void read_target(struct reader *r, const struct node *n)
{
    static const struct member_spec specs[] = {
        {"api", NULL},
        {"effect", read_effect},
        {"type", read_effect},
        {"method", NULL},
        {"number", NULL},
        {"id", NULL},
        {"name", NULL},
        {"idCheck", read_id_check},
        {"request", read_columns},
        {"params", read_columns},
        {"otherRequest", read_settings},
        {"main_sql", read_statement},
        {"limit", read_limit},
    };

    READ_OBJECT(r, n, specs, UNKNOWN_WARN);
}

/* ---- the whole target ---- */

static void check_agreement(struct reader *r)
{
    const struct pipeline *p = r->p;
    size_t count = p->column_count < r->sql_columns.count ? p->column_count : r->sql_columns.count;

    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(p->columns[i].name, r->sql_columns.names[i]) != 0) {
            read_error(r, &r->main_sql_at,
                       "column %zu is %s here and %s in target.request: both lists must name the "
                       "same columns in the same order",
                       i + 1, r->sql_columns.names[i], p->columns[i].name);
            return;
        }
    }
    if (p->column_count > count)
        read_error(r, &r->main_sql_at, "%zu columns here and %zu in target.request: %s is missing here",
                   count, p->column_count, p->columns[count].name);
    else if (r->sql_columns.count > count)
        read_error(r, &r->main_sql_at, "%zu columns here and %zu in target.request: %s is missing there",
                   r->sql_columns.count, count, r->sql_columns.names[count]);
}

void target_finish(struct reader *r)
{
    if (r->p->column_count == 0)
        read_error_at(r, "target.request", "missing: the columns, each as {\"field\": …, \"value\": …}");
    if (!r->has_main_sql)
        read_error_at(r, "target.otherRequest",
                      "missing: main_sql, like \"REPLACE INTO table (column, …) VALUES\"");
    if (r->p->column_count > 0 && r->sql_columns.count > 0)
        check_agreement(r);
}
