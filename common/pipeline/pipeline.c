#include "common/pipeline/pipeline.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/err.h"
#include "common/base/file.h"
#include "common/base/mem.h"

enum { FILE_MAX_BYTES = 4 * 1024 * 1024 };

/* ---- one pipeline ---- */

static void request_free(struct request *request)
{
    for (size_t i = 0; i < request->count; i++) {
        struct request_field *f = &request->fields[i];
        free(f->name);
        free(f->type);
        free(f->json);
        template_free(&f->value);
    }
    free(request->fields);
}

static void column_free(struct column *c)
{
    for (size_t i = 0; i < c->part_count; i++) {
        free(c->parts[i].literal);
        free(c->parts[i].field.array);
        free(c->parts[i].field.path);
    }
    free(c->parts);
    free(c->name);
    free(c->label);
}

void pipeline_free(struct pipeline *p)
{
    if (p == NULL)
        return;
    request_free(&p->request);
    request_free(&p->sweep_request);
    for (size_t i = 0; i < p->column_count; i++)
        column_free(&p->columns[i]);
    free(p->columns);
    free(p->updated);
    names_free(&p->key);
    names_free(&p->document);
    char *const texts[] = {p->name,          p->title,        p->file,          p->api,
                           p->flatten,       p->window_begin, p->window_end,    p->table,
                           p->list,          p->version,      p->modified,      p->crontab,
                           p->sweep_crontab, p->name_place,   p->request_place, p->sweep_place,
                           p->table_of,      p->table_place,  p->table_of_place};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    free(p);
}

bool pipeline_is_document(const struct pipeline *p, size_t column)
{
    for (size_t i = 0; i < p->document_column_count; i++)
        if (p->document_columns[i] == column)
            return true;
    return false;
}

size_t pipeline_column(const struct pipeline *p, const char *name)
{
    for (size_t i = 0; i < p->column_count; i++)
        if (strcmp(p->columns[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* ---- all of them ---- */

void pipelines_free(struct pipelines *pipelines)
{
    if (pipelines == NULL)
        return;
    for (size_t i = 0; i < pipelines->count; i++)
        pipeline_free(pipelines->list[i]);
    free(pipelines->list);
    *pipelines = (struct pipelines){0};
}

const struct pipeline *pipelines_find(const struct pipelines *pipelines, const char *name)
{
    for (size_t i = 0; i < pipelines->count; i++)
        if (strcmp(pipelines->list[i]->name, name) == 0)
            return pipelines->list[i];
    return NULL;
}

/* Keeps the list sorted. Of two with one name the first stays. */
static void keep_pipeline(struct pipelines *ret, struct pipeline *p, struct faults *faults)
{
    const struct pipeline *twin = pipelines_find(ret, p->name);
    size_t i = ret->count;

    if (twin != NULL) {
        fault_add(faults, FAULT_ERROR, p->name_place,
                  "\"%s\" is the name of %s too: each pipeline needs its own", p->name, twin->file);
        pipeline_free(p);
        return;
    }
    ret->list = mem_realloc(ret->list, (ret->count + 1) * sizeof(struct pipeline *));
    for (; i > 0 && strcmp(ret->list[i - 1]->name, p->name) > 0; i--)
        ret->list[i] = ret->list[i - 1];
    ret->list[i] = p;
    ret->count++;
}

static void read_file(const char *path, struct pipelines *ret, struct faults *faults)
{
    struct err err = ERR_INIT;
    char *text;
    size_t len;

    if (file_read(path, FILE_MAX_BYTES, &text, &len, &err) != 0) {
        fault_add(faults, FAULT_ERROR, path, "%s", err.text);
        return;
    }
    struct pipeline *p = pipeline_parse(path, text, len, faults);
    if (p != NULL)
        keep_pipeline(ret, p, faults);
    free(text);
}

static int is_pipeline_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot != NULL && strcmp(dot, ".json") == 0;
}

/* Returns how many files there were. */
static size_t read_directory(const char *path, struct pipelines *ret, struct faults *faults)
{
    size_t path_len = strlen(path);
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_pipeline_file, alphasort);

    if (count < 0) {
        fault_add(faults, FAULT_ERROR, path, "cannot be read: %m");
        return 1;
    }
    while (path_len > 1 && path[path_len - 1] == '/')
        path_len--;
    for (int i = 0; i < count; i++) {
        char *file = mem_printf("%.*s/%s", (int)path_len, path, entries[i]->d_name);
        read_file(file, ret, faults);
        free(file);
        free(entries[i]);
    }
    free(entries);
    return (size_t)count;
}

void pipelines_read(const char *const *paths, size_t path_count, struct pipelines *ret, struct faults *faults)
{
    size_t files = 0;

    *ret = (struct pipelines){0};
    for (size_t i = 0; i < path_count; i++) {
        struct stat st;
        if (stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode)) {
            files += read_directory(paths[i], ret, faults);
        } else {
            read_file(paths[i], ret, faults);
            files++;
        }
    }
    if (files == 0)
        fault_add(faults, FAULT_ERROR, path_count > 0 ? paths[0] : "--pipelines",
                  "no pipeline is here: a file whose name ends in .json is expected");
}
