/* A small pipeline for the tests: key id = "{io_id}-{items_ioi_id}", document io_id. */
#ifndef JST_TESTS_TWIN_PIPELINE_H
#define JST_TESTS_TWIN_PIPELINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/faults.h"
#include "common/base/mem.h"
#include "common/pipeline/pipeline.h"
#include "common/wire/routes.h"

#define TWIN_FIELDS                                                                                          \
    "{\"field\":\"id\",\"type\":\"string\",\"value\":\"{io_id}-{items_ioi_id}\"},"                           \
    "{\"field\":\"io_id\",\"type\":\"int\",\"value\":\"{io_id}\"},"                                          \
    "{\"field\":\"note\",\"type\":\"string\",\"value\":\"{note}\"},"                                         \
    "{\"field\":\"qty\",\"type\":\"float\",\"value\":\"{items_qty}\"}"
#define TWIN_SQL "REPLACE INTO t(id,io_id,note,qty) VALUES"

struct twin_spec {
    const char *name;     /* NULL: "p" */
    const char *fields;   /* target.request; NULL: TWIN_FIELDS */
    const char *sql;      /* main_sql; NULL: TWIN_SQL */
    const char *document; /* its JSON; NULL: "io_id" */
    const char *options;  /* members of options, with a comma before the first; NULL: none */
    int limit;            /* rows a statement; 0: 1000 */
};

/* Ends the test program when the specification is wrong. */
static inline struct pipeline *twin_pipeline(const struct twin_spec *spec)
{
    static const char source[] =
        "\"source\":{\"api\":\"/open/purchasein/query\",\"id\":\"io_id\",\"beatFlat\":[\"items\"],"
        "\"request\":[{\"field\":\"page_index\",\"type\":\"string\",\"value\":\"1\"},"
        "{\"field\":\"page_size\",\"type\":\"string\",\"value\":\"50\"},"
        "{\"field\":\"modified_begin\",\"type\":\"string\",\"value\":\"{{LAST_SYNC_TIME|datetime}}\"},"
        "{\"field\":\"modified_end\",\"type\":\"string\",\"value\":\"{{CURRENT_TIME|datetime}}\"}]}";
    struct faults faults = FAULTS_INIT;
    char *text = mem_printf(
        "{\"name\":\"%s\",\"title\":\"twin\",%s,\"target\":{\"api\":\"batchexecute\",\"request\":[%s],"
        "\"otherRequest\":[{\"field\":\"main_sql\",\"type\":\"string\",\"value\":\"%s\"},"
        "{\"field\":\"limit\",\"type\":\"string\",\"value\":\"%d\"}]},"
        "\"options\":{\"document\":%s%s}}",
        spec->name != NULL ? spec->name : "p", source, spec->fields != NULL ? spec->fields : TWIN_FIELDS,
        spec->sql != NULL ? spec->sql : TWIN_SQL, spec->limit > 0 ? spec->limit : 1000,
        spec->document != NULL ? spec->document : "\"io_id\"",
        spec->options != NULL ? spec->options : ",\"version\":\"ts\"");
    struct pipeline *p = pipeline_parse("twin.json", text, strlen(text), &faults);

    if (p == NULL) {
        faults_print(&faults, stderr);
        abort();
    }
    faults_free(&faults);
    free(text);
    return p;
}

#endif
