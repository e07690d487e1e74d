/* The faults of one table, and the one ALTER TABLE that mends them. Pure. */
#ifndef JST_COMMON_MYSQL_MEND_H
#define JST_COMMON_MYSQL_MEND_H

#include <stddef.h>

#include "common/base/buf.h"

struct err;

struct mend {
    const char *table;      /* as messages and SQL name it: "t", "db.t" */
    int code;               /* of the error; 0: none */
    struct buf why, clause; /* the fault that is being described */
    const char *between;    /* it and the one before, for once: "; " */
    struct buf faults;      /* "…; …" */
    struct buf clauses;     /* "…, …" */
    size_t count;           /* faults described */
    size_t left;            /* that did not fit into an error's text any more */
};

void mend_init(struct mend *m, const char *table);
void mend_free(struct mend *m);

/* Take the fault that the caller put into why and clause, and empty both. */
void mend_add(struct mend *m);

/* Append "ALTER TABLE `t` …" with all clauses. */
void mend_put_statement(const struct mend *m, struct buf *out);

/* Returns 0 without a fault; else -1 with ERR_PAUSE, the faults and the statement. */
int mend_result(const struct mend *m, struct err *err) __attribute__((warn_unused_result));

#endif
