/* jst_offsets: up to where a partition is committed in this database. It may lag behind the table, and never
 * leads: it is written in the transaction of the rows, as its last statement. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/mysql/sql.h"
#include "loader/store_private.h"

void stored_marks_free(struct stored_marks *marks)
{
    if (marks == NULL)
        return;
    for (size_t i = 0; i < marks->count; i++) {
        free(marks->list[i].pipeline);
        free(marks->list[i].topic);
        free(marks->list[i].target);
    }
    free(marks->list);
    *marks = (struct stored_marks){0};
}

const struct stored_mark *stored_marks_find(const struct stored_marks *marks, const char *topic,
                                            int32_t partition)
{
    for (size_t i = 0; i < marks->count; i++)
        if (marks->list[i].partition == partition && strcmp(marks->list[i].topic, topic) == 0)
            return &marks->list[i];
    return NULL;
}

/* row: pipeline, topic, partition, next_offset, target */
static int read_mark(char *const *row, struct stored_mark *ret)
{
    int64_t partition;

    for (int i = 0; i < 5; i++)
        if (row[i] == NULL)
            return -1;
    if (parse_int64(row[2], &partition) != 0 || partition < 0 || partition > INT32_MAX ||
        parse_int64(row[3], &ret->next_offset) != 0)
        return -1;
    ret->partition = (int32_t)partition;
    ret->pipeline = mem_strdup(row[0]);
    ret->topic = mem_strdup(row[1]);
    ret->target = mem_strdup(row[4]);
    return 0;
}

int store_read_marks(struct store *store, const char *pipeline, bool lock, struct stored_marks *ret,
                     struct err *err)
{
    struct mysql_store *s = mysql_store_of(store);
    struct db_result found = {0};
    int rc = 0;

    *ret = (struct stored_marks){0};
    store_begin_sql(s);
    buf_add_text(&s->sql, "SELECT `pipeline`,`topic`,`partition`,`next_offset`,`target` FROM `jst_offsets` "
                          "WHERE `pipeline`=");
    sql_put_text(&s->sql, pipeline, strlen(pipeline));
    if (lock)
        buf_add_text(&s->sql, " FOR UPDATE");
    if (store_run_sql(s, &found, err) != 0)
        return -1;
    ret->list = mem_zalloc(found.count + 1, sizeof *ret->list);
    for (size_t i = 0; i < found.count && rc == 0; i++) {
        rc = read_mark(found.rows[i], &ret->list[ret->count]);
        ret->count += rc == 0;
    }
    db_result_free(&found);
    if (rc == 0)
        return 0;
    stored_marks_free(ret);
    return err_set(err, ERR_PAUSE, 0, "jst_offsets holds values that the loader did not write");
}

static void put_key(struct buf *sql, const char *pipeline, const struct mark *m)
{
    buf_add_char(sql, '(');
    sql_put_text(sql, pipeline, strlen(pipeline));
    buf_add_char(sql, ',');
    sql_put_text(sql, m->topic, strlen(m->topic));
    buf_printf(sql, ",%" PRId32, m->partition);
}

/* The only lowering: of a topic that was made again, or for a table that is filled anew. */
static int delete_reset(struct mysql_store *s, const char *pipeline, const struct mark *marks, size_t count,
                        struct err *err)
{
    bool any = false;

    store_begin_sql(s);
    buf_add_text(&s->sql, "DELETE FROM `jst_offsets` WHERE (`pipeline`,`topic`,`partition`) IN (");
    for (size_t i = 0; i < count; i++) {
        if (!marks[i].reset)
            continue;
        if (any)
            buf_add_char(&s->sql, ',');
        put_key(&s->sql, pipeline, &marks[i]);
        buf_add_char(&s->sql, ')');
        any = true;
    }
    buf_add_char(&s->sql, ')');
    return any ? store_run_sql(s, NULL, err) : 0;
}

int store_put_marks(struct store *store, const struct table *table, const struct mark *marks, size_t count,
                    struct err *err)
{
    struct mysql_store *s = mysql_store_of(store);
    const char *pipeline = table->pipeline->name;

    if (delete_reset(s, pipeline, marks, count, err) != 0)
        return -1;
    store_begin_sql(s);
    buf_add_text(&s->sql, "INSERT INTO `jst_offsets` "
                          "(`pipeline`,`topic`,`partition`,`next_offset`,`target`,`updated_at`) VALUES ");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(&s->sql, ',');
        put_key(&s->sql, pipeline, &marks[i]);
        buf_printf(&s->sql, ",%" PRId64 ",", marks[i].next_offset);
        sql_put_text(&s->sql, table->name, strlen(table->name));
        buf_add_text(&s->sql, ",NOW(3))");
    }
    /* a loader that was taken for dead may come late: it must not lower what its successor wrote */
    buf_add_text(&s->sql, " ON DUPLICATE KEY UPDATE "
                          "`next_offset`=IF(`target`=VALUES(`target`),GREATEST(`next_offset`,VALUES(`next_"
                          "offset`)),VALUES(`next_offset`)),`updated_at`=VALUES(`updated_at`),"
                          "`target`=VALUES(`target`)");
    return store_run_sql(s, NULL, err);
}
