#include "loader/heads.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/mysql/sql.h"

bool heads_newer(uint64_t a_version, uint64_t a_published, uint64_t b_version, uint64_t b_published)
{
    return a_version != b_version ? a_version > b_version : a_published > b_published;
}

void heads_put_raise(struct buf *sql)
{
    buf_add_text(
        sql,
        "INSERT INTO `jst_heads` (`pipeline`,`document`,`version`,`published`,`rows`,`updated_at`) VALUES ");
}

void heads_put_values(struct buf *sql, bool first, const char *pipeline, const char *document,
                      uint64_t version, uint64_t published_ms, size_t rows)
{
    buf_add_text(sql, first ? "(" : ",(");
    sql_put_text(sql, pipeline, strlen(pipeline));
    buf_add_char(sql, ',');
    sql_put_text(sql, document, strlen(document));
    buf_printf(sql, ",%" PRIu64 ",%" PRIu64 ",%zu,NOW(3))", version, published_ms, rows);
}

/* Assignments run from left to right, and each sees the results of the earlier ones. So version comes last:
 * the comparisons before it still see the old version. */
void heads_put_raise_end(struct buf *sql)
{
#define WINS                                                                                                 \
    "VALUES(`version`)>`version` OR (VALUES(`version`)=`version` AND VALUES(`published`)>=`published`)"
    buf_add_text(sql, " ON DUPLICATE KEY UPDATE"
                      " `rows`=IF(" WINS ",VALUES(`rows`),`rows`),"
                      " `updated_at`=IF(" WINS ",VALUES(`updated_at`),`updated_at`),"
                      " `published`=IF(" WINS ",VALUES(`published`),`published`),"
                      " `version`=GREATEST(`version`,VALUES(`version`))");
#undef WINS
}

void heads_put_select(struct buf *sql, const char *pipeline)
{
    buf_add_text(
        sql,
        "SELECT `document`,`version`,`published` FROM `jst_heads` FORCE INDEX (PRIMARY) WHERE `pipeline`=");
    sql_put_text(sql, pipeline, strlen(pipeline));
    buf_add_text(sql, " AND `document` IN (");
}
