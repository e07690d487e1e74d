#include "common/mysql/ddl.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/pipeline/pipeline.h"
#include "common/skeleton/app.h"
#include "jstctl/listing.h"
#include "jstctl/verbs.h"

enum { STATEMENT_MAX = 4 * 1024 * 1024 };

/* Names and labels are in any language, whatever the client that runs this takes for its own. */
static void print_sql(const struct pipeline *p, bool mariadb, const char *target, const char *heads,
                      FILE *out)
{
    fprintf(out,
            "-- The tables of pipeline %s, for %s\n"
            "SET NAMES utf8mb4;\n\n"
            "%s;\n\n"
            "%s;\n",
            p->name, mariadb ? "MariaDB" : "MySQL 8.0.17 and newer", target, heads);
}

static void print_sql_json(const struct pipeline *p, bool mariadb, const char *target, const char *heads,
                           FILE *out)
{
    fputs("{\"pipeline\":", out);
    print_json(p->name, out);
    print_json_member("server", mariadb ? "mariadb" : "mysql", out);
    fputs(",\"statements\":[", out);
    print_json(target, out);
    fputc(',', out);
    print_json(heads, out);
    fputs("]}\n", out);
}

int ddl_run(const struct call *call, struct err *err)
{
    const struct pipeline *p = verb_pipeline(call, call->args[0], err);
    bool mariadb;
    struct buf target, heads;

    if (p == NULL)
        return -1;
    mariadb = strcmp(options_text(call->app->options, "server"), "mariadb") == 0;
    buf_init(&target, STATEMENT_MAX);
    buf_init(&heads, STATEMENT_MAX);
    ddl_target(p, mariadb, &target);
    ddl_heads(mariadb, &heads);
    if (call->json)
        print_sql_json(p, mariadb, target.data, heads.data, call->out);
    else
        print_sql(p, mariadb, target.data, heads.data, call->out);
    buf_free(&target);
    buf_free(&heads);
    return EXIT_DONE;
}
