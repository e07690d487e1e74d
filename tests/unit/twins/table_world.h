/* A world for the tests of table_load(): a pipeline, a server that describes its tables, and what the loader
 * made of them. */
#ifndef JST_TESTS_TABLE_WORLD_H
#define JST_TESTS_TABLE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/mysql/errors.h"
#include "common/mysql/shape.h"
#include "tests/unit/twins/schema_twin.h"
#include "tests/unit/twins/twin_pipeline.h"

#define EXACT       "utf8mb4_0900_bin"
#define CHARACTERS  "CHARACTER SET utf8mb4 COLLATE " EXACT
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

enum { HEADS, OFFSETS, TARGET, TABLES };

struct table_twin {
    struct db base;
    struct schema_table tables[TABLES]; /* name NULL: not there */
    const char *names[TABLES];          /* what CREATE TABLE makes */
    struct schema_room rooms[TABLES];
    const char *child[3]; /* table, constraint and rule of a foreign key; NULL: none */
    const char *json;     /* a column with the check of MariaDB's JSON; NULL: none */
    bool mariadb, has_rows, raced;
    const char *prefix; /* statements that begin so fail */
    int code;
};

static struct pipeline *p;
static struct table_twin twin;
static struct table *table;
static struct err err;
static struct buf sql;

static inline bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static inline void create(const char *statement, struct db_result *ret)
{
    for (int i = 0; i < TABLES; i++) {
        char name[100];
        snprintf(name, sizeof name, "CREATE TABLE IF NOT EXISTS `%s`", twin.names[i]);
        if (!begins(statement, name))
            continue;
        twin.tables[i].name = twin.names[i];
        ret->warnings = twin.raced;
    }
}

static inline int twin_query(struct db *db, const char *statement, size_t len, struct db_result *ret,
                             struct err *ret_err)
{
    struct db_result result = {0};

    assert_int_equal(len, strlen(statement));
    assert_ptr_equal(db, &twin.base);
    buf_printf(&sql, "%s\n", statement);
    if (twin.prefix != NULL && begins(statement, twin.prefix))
        return err_set(ret_err, db_class_kind(db_error_class(twin.code)), twin.code, "no");
    if (begins(statement, "CREATE TABLE"))
        create(statement, &result);
    else if (begins(statement, "ALTER TABLE `jst_heads` ADD COLUMN"))
        twin.tables[HEADS] = schema_of_own(&own_heads, &twin.rooms[HEADS]);
    else if (strstr(statement, "CHECK_CONSTRAINTS") != NULL && twin.json != NULL)
        schema_add_row(&result, (const char *const[]){twin.json}, 1);
    else if (begins(statement, "SELECT 1 FROM "))
        result.count = 0;
    else if (strstr(statement, "REFERENTIAL_CONSTRAINTS") != NULL && twin.child[0] != NULL)
        schema_add_row(&result, twin.child, 3);
    else if (!schema_answer(twin.tables, TABLES, statement, &result))
        fail_msg("not understood: %s", statement);
    if (begins(statement, "SELECT 1 FROM ") && twin.has_rows)
        schema_add_row(&result, (const char *const[]){"1"}, 1);
    if (ret != NULL)
        *ret = result;
    else
        db_result_free(&result);
    return 0;
}

static inline bool twin_is_mariadb(const struct db *db)
{
    (void)db;
    return twin.mariadb;
}

static const struct db_ops twin_ops = {.query = twin_query, .is_mariadb = twin_is_mariadb};

static inline void open_world(const struct twin_spec *spec)
{
    p = twin_pipeline(spec);
    buf_init(&sql, 65536);
    table = NULL;
    twin = (struct table_twin){.base = {&twin_ops}, .names = {"jst_heads", "jst_offsets", p->table}};
    twin.tables[HEADS] = schema_of_own(&own_heads, &twin.rooms[HEADS]);
    twin.tables[OFFSETS] = schema_of_own(&own_offsets, &twin.rooms[OFFSETS]);
    twin.tables[TARGET] = schema_of_pipeline(p, &twin.rooms[TARGET]);
}

static inline int set_up(void **state)
{
    (void)state;
    open_world(&(struct twin_spec){0});
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    table_free(table);
    pipeline_free(p);
    buf_free(&sql);
    return 0;
}

static inline void begin_again(const struct twin_spec *spec)
{
    tear_down(NULL);
    open_world(spec);
}

static inline int load(bool may_create)
{
    err_clear(&err);
    buf_reset(&sql);
    table_free(table);
    table = NULL;
    return table_load(&twin.base, p, may_create, &table, &err);
}

static inline void assert_says(const char *text)
{
    if (strstr(err.text, text) == NULL)
        fail_msg("%s is not in: %s", text, err.text);
}

static inline void assert_paused(int code, const char *text)
{
    if (load(false) == 0)
        fail_msg("not seen: %s", text);
    assert_null(table);
    assert_int_equal(err.kind, ERR_PAUSE);
    assert_says(text);
    assert_int_equal(err.code, code);
}

static inline void assert_fine(void)
{
    if (load(false) != 0)
        fail_msg("%s", err.text);
}

static inline struct schema_column *column(int index)
{
    return &twin.rooms[TARGET].columns[index];
}

static inline struct schema_column *add_column(const char *name, const char *type)
{
    struct schema_column *c = column((int)twin.tables[TARGET].column_count++);

    *c = (struct schema_column){.name = name, .type = type};
    return c;
}

static inline void use_indexes(const struct schema_index *indexes, size_t count)
{
    twin.tables[TARGET].indexes = indexes;
    twin.tables[TARGET].index_count = count;
}

static inline void add_index(const char *name, const char *non_unique, const char *of)
{
    twin.rooms[TARGET].indexes[twin.tables[TARGET].index_count++] =
        (struct schema_index){.name = name, .non_unique = non_unique, .column = of};
}

enum { ID, IO_ID, NOTE, QTY };

#endif
