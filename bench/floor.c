/* Write the bench's rows from memory into the database, BATCH_ROWS a transaction. With a topic, another
 * thread reads it at the same pace and throws the messages away: a loader that has nothing to do. */
#include "bench/floor.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/arguments.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/kafka/kafka.h"
#include "common/options/options.h"

static const char usage[] = "bench_floor text|load|bulk SET CONNECTIONS BATCH_ROWS DOCUMENTS TOPIC|none";

enum { CONNECTIONS_MAX = 8, READ_AHEAD = 2, POLL_MS = 100, DEADLOCK = 1213 };

static struct {
    const struct options *options;
    const struct floor_way *way;
    const struct row_set *set;
    size_t batch_rows;
    struct floor_batch *batches;
    size_t count;
    uint64_t rows;
    atomic_size_t next;
    const char *topic; /* NULL: no reader */
    sem_t has_been_read, may_be_read;
} all;

static void fail(const char *what, const char *text) __attribute__((noreturn));
static void fail(const char *what, const char *text)
{
    struct err err;

    err_set(&err, ERR_FATAL, 0, "%s: %s", what, text);
    arguments_fail(&err);
}

static void fill(uint64_t documents)
{
    static struct row_document d;
    uint64_t *order = row_order(documents);
    uint64_t lines = (uint64_t)all.set->lines;

    all.rows = documents * lines;
    all.count = (all.rows + all.batch_rows - 1) / all.batch_rows;
    all.batches = mem_zalloc(all.count, sizeof *all.batches);
    for (uint64_t row = 0; row < all.rows; row++) {
        struct floor_batch *b = &all.batches[row / all.batch_rows];
        if (row % lines == 0)
            all.set->make(order[row / lines], &d);
        if (b->rows == 0) {
            *b = (struct floor_batch){.set = all.set, .room = all.batch_rows};
            all.way->begin(b);
        }
        all.way->add(b, &d, (int)(row % lines));
        b->rows++;
    }
    free(order);
}

static MYSQL *open_connection(void)
{
    const struct options *o = all.options;
    MYSQL *db = mysql_init(NULL);
    unsigned int on = 1;

    mysql_options(db, MYSQL_OPT_LOCAL_INFILE, &on);
    mysql_options(db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(db, options_text(o, "mysql-host"), options_text(o, "mysql-user"),
                           options_text(o, "mysql-password"), options_text(o, "mysql-database"),
                           (unsigned int)options_number(o, "mysql-port"), NULL, 0) == NULL)
        fail("connect", mysql_error(db));
    return db;
}

/* Two transactions that replace rows may meet in an index: the server gives one of them up. */
static void send_batch(MYSQL *db, MYSQL_STMT *stmt, struct floor_batch *b)
{
    while (all.way->send(db, stmt, b) != 0) {
        unsigned int code = stmt != NULL ? mysql_stmt_errno(stmt) : mysql_errno(db);
        if (code != DEADLOCK)
            fail(all.way->name, stmt != NULL ? mysql_stmt_error(stmt) : mysql_error(db));
    }
}

static void *write_batches(void *arg)
{
    MYSQL *db = arg;
    MYSQL_STMT *stmt = NULL;

    if (all.way->connect != NULL && all.way->connect(db, all.set, &stmt) != 0)
        fail("prepare", mysql_stmt_error(stmt));
    for (;;) {
        size_t i = atomic_fetch_add(&all.next, 1);
        if (i >= all.count)
            break;
        if (all.topic != NULL)
            sem_wait(&all.has_been_read);
        send_batch(db, stmt, &all.batches[i]);
        if (all.topic != NULL)
            sem_post(&all.may_be_read);
    }
    if (stmt != NULL)
        mysql_stmt_close(stmt);
    mysql_close(db);
    return NULL;
}

/* A batch may be written when as many rows have been read. */
static void *read_topic(void *arg)
{
    struct source *in = arg;
    struct err err = ERR_INIT;
    struct source_event event;
    uint64_t rows = 0;
    size_t batches = 0;

    while (batches < all.count) {
        if (source_poll(in, POLL_MS, &event, &err) != 0)
            arguments_fail(&err);
        if (event.kind != SOURCE_RECORD)
            continue;
        rows += (uint64_t)all.set->lines;
        source_release(in, &event.record);
        /* the last message may complete two batches: a whole one and the rest */
        while (batches < all.count && (rows >= (batches + 1) * all.batch_rows || rows >= all.rows)) {
            batches++;
            sem_post(&all.has_been_read);
            sem_wait(&all.may_be_read);
        }
    }
    return NULL;
}

static struct source *open_source(void)
{
    struct source_config config = {
        .group = options_text(all.options, "group"), .topics = &all.topic, .topic_count = 1};
    struct source *in = NULL;
    struct err err = ERR_INIT;

    if (all.topic != NULL && kafka_source_open(all.options, &config, &in, &err) != 0)
        arguments_fail(&err);
    return in;
}

static void run(int connections)
{
    pthread_t writers[CONNECTIONS_MAX];
    pthread_t reader;
    struct source *in = open_source();

    sem_init(&all.has_been_read, 0, 0);
    sem_init(&all.may_be_read, 0, READ_AHEAD * (unsigned)connections);
    for (int i = 0; i < connections; i++)
        if (pthread_create(&writers[i], NULL, write_batches, open_connection()) != 0)
            fail("thread", "cannot be started");
    if (in != NULL && pthread_create(&reader, NULL, read_topic, in) != 0)
        fail("thread", "cannot be started");
    for (int i = 0; i < connections; i++)
        pthread_join(writers[i], NULL);
    if (in != NULL)
        pthread_join(reader, NULL);
    source_free(in);
}

int main(int argc, char **argv)
{
    struct options *options = arguments_options(argc, argv, 6, usage);
    int64_t connections = arguments_number(argv[3], usage);
    size_t way = 0;

    all.set = row_set_find(argv[2]);
    while (way < floor_way_count && strcmp(floor_ways[way].name, argv[1]) != 0)
        way++;
    if (way == floor_way_count || all.set == NULL || connections > CONNECTIONS_MAX)
        arguments_number("", usage);
    all.options = options;
    all.way = &floor_ways[way];
    all.batch_rows = (size_t)arguments_number(argv[4], usage);
    all.topic = strcmp(argv[6], "none") != 0 ? argv[6] : NULL;
    fill((uint64_t)arguments_number(argv[5], usage));
    run((int)connections);
    options_free(options);
    return 0;
}
