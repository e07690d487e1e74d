#include "common/mysql/ddl.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/mysql/own_tables.h"
#include "common/pipeline/pipeline.h"
#include "common/skeleton/app.h"
#include "jstctl/listing.h"
#include "jstctl/verbs.h"

enum { STATEMENT_MAX = 4 * 1024 * 1024, STATEMENTS = 3 };

/* The target, jst_heads, jst_offsets. */
static void put_statements(const struct pipeline *p, bool mariadb, struct buf statements[STATEMENTS])
{
    for (int i = 0; i < STATEMENTS; i++)
        buf_init(&statements[i], STATEMENT_MAX);
    ddl_target(p, mariadb, &statements[0]);
    own_table_put(&own_heads, mariadb, &statements[1]);
    own_table_put(&own_offsets, mariadb, &statements[2]);
}

/* Names and labels are in any language, whatever the client that runs this takes for its own. */
static void print_sql(const struct pipeline *p, bool mariadb, const struct buf *statements, FILE *out)
{
    fprintf(out, "-- The tables of pipeline %s, for %s\nSET NAMES utf8mb4;\n", p->name,
            mariadb ? "MariaDB" : "MySQL 8.0.17 and newer");
    for (int i = 0; i < STATEMENTS; i++)
        fprintf(out, "\n%s;\n", statements[i].data);
}

static void print_sql_json(const struct pipeline *p, bool mariadb, const struct buf *statements, FILE *out)
{
    fputs("{\"pipeline\":", out);
    print_json(p->name, out);
    print_json_member("server", mariadb ? "mariadb" : "mysql", out);
    fputs(",\"statements\":", out);
    for (int i = 0; i < STATEMENTS; i++) {
        fputc(i == 0 ? '[' : ',', out);
        print_json(statements[i].data, out);
    }
    fputs("]}\n", out);
}

int ddl_run(const struct call *call, struct err *err)
{
    const struct pipeline *p = verb_pipeline(call, call->args[0], err);
    struct buf statements[STATEMENTS];

    if (p == NULL)
        return -1;
    bool mariadb = strcmp(options_text(call->app->options, "server"), "mariadb") == 0;
    put_statements(p, mariadb, statements);
    if (call->json)
        print_sql_json(p, mariadb, statements, call->out);
    else
        print_sql(p, mariadb, statements, call->out);
    for (int i = 0; i < STATEMENTS; i++)
        buf_free(&statements[i]);
    return EXIT_DONE;
}
