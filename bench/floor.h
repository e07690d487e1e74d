/* The floor: how fast the server takes the bench's rows from memory, without Kafka and JSON. */
#ifndef JST_BENCH_FLOOR_H
#define JST_BENCH_FLOOR_H

#include <mysql/mysql.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/rows.h"
#include "common/base/buf.h"

struct options;

/* The rows of one transaction, ready to be sent. */
struct floor_batch {
    const struct row_set *set;
    size_t rows, room;
    struct buf text;        /* the statement, or what LOAD DATA reads */
    size_t read;            /* of it, by LOAD DATA */
    char **values;          /* bulk: rows x columns, column by column; NULL: null */
    unsigned long *lengths; /* bulk: likewise */
    char *indicators;       /* bulk: likewise */
};

struct floor_way {
    const char *name;
    void (*begin)(struct floor_batch *batch);
    void (*add)(struct floor_batch *batch, const struct row_document *d, int line);
    int (*connect)(MYSQL *db, const struct row_set *set, MYSQL_STMT **ret); /* once a connection */
    int (*send)(MYSQL *db, MYSQL_STMT *stmt, struct floor_batch *batch);
};
extern const struct floor_way floor_ways[];
extern const size_t floor_way_count;

#endif
