#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pipeline/pipeline.h"
#include "common/skeleton/app.h"
#include "jstctl/listing.h"
#include "jstctl/verbs.h"

enum { COLUMNS = 6 };

/* ---- for people ---- */

static char *schedule_text(const struct pipeline *p)
{
    const char *crontab = p->crontab != NULL ? p->crontab : "none";

    return p->sweep_crontab != NULL ? mem_printf("%s; sweep %s", crontab, p->sweep_crontab)
                                    : mem_strdup(crontab);
}

static void print_pipelines(const struct pipelines *all, FILE *out)
{
    static const char *const head[COLUMNS] = {"PIPELINE", "API", "TABLE", "COLUMNS", "SCHEDULE", "FILE"};
    const char **cells = mem_zalloc((all->count + 1) * COLUMNS, sizeof *cells);
    char **made = mem_zalloc(all->count * 2 + 1, sizeof *made);

    memcpy(cells, head, sizeof head);
    for (size_t i = 0; i < all->count; i++) {
        const struct pipeline *p = all->list[i];
        made[i * 2] = mem_printf("%zu", p->column_count);
        made[i * 2 + 1] = schedule_text(p);
        const char *const row[COLUMNS] = {p->name, p->api, p->table, made[i * 2], made[i * 2 + 1], p->file};
        memcpy(cells + (i + 1) * COLUMNS, row, sizeof row);
    }
    print_listing(cells, COLUMNS, all->count + 1, out);
    for (size_t i = 0; i < all->count * 2; i++)
        free(made[i]);
    free(made);
    free(cells);
}

static void print_all(const struct app *app, FILE *out)
{
    const struct faults *faults = &app->faults;
    size_t usable = app->pipelines->count;
    size_t warnings = faults->count - faults->errors;

    for (size_t i = 0; i < faults->count; i++)
        fault_print(&faults->list[i], out);
    if (faults->count > 0 && usable > 0)
        fputc('\n', out);
    if (usable > 0)
        print_pipelines(app->pipelines, out);
    fprintf(out, "\n%zu pipeline%s can be used, %zu error%s, %zu warning%s\n", usable, plural(usable),
            faults->errors, plural(faults->errors), warnings, plural(warnings));
}

/* ---- for programs ---- */

static void print_pipeline_json(const struct pipeline *p, FILE *out)
{
    fputs("{\"name\":", out);
    print_json(p->name, out);
    print_json_member("title", p->title, out);
    print_json_member("file", p->file, out);
    print_json_member("api", p->api, out);
    print_json_member("table", p->table, out);
    fprintf(out, ",\"columns\":%zu", p->column_count);
    print_json_member("schedule", p->crontab, out);
    print_json_member("sweep", p->sweep_crontab, out);
    fputc('}', out);
}

static void print_fault_json(const struct fault *f, FILE *out)
{
    fprintf(out, "{\"level\":\"%s\"", f->level == FAULT_ERROR ? "error" : "warning");
    print_json_member("place", f->place, out);
    print_json_member("text", f->text, out);
    fputc('}', out);
}

static void print_all_json(const struct app *app, FILE *out)
{
    fputs("{\"pipelines\":[", out);
    for (size_t i = 0; i < app->pipelines->count; i++) {
        fputs(i > 0 ? "," : "", out);
        print_pipeline_json(app->pipelines->list[i], out);
    }
    fputs("],\"faults\":[", out);
    for (size_t i = 0; i < app->faults.count; i++) {
        fputs(i > 0 ? "," : "", out);
        print_fault_json(&app->faults.list[i], out);
    }
    fputs("]}\n", out);
}

int check_run(const struct call *call, struct err *err)
{
    (void)err;
    if (call->json)
        print_all_json(call->app, call->out);
    else
        print_all(call->app, call->out);
    return call->app->faults.errors > 0 ? EXIT_FOUND : EXIT_DONE;
}
