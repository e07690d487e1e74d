#include "common/mysql/own_tables.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/mysql/ddl.h"
#include "common/mysql/sql.h"

#define ASCII       "CHARACTER SET ascii COLLATE ascii_bin"
#define EXACT       "CHARACTER SET utf8mb4 COLLATE @"
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const struct own_column heads_columns[] = {
    {"pipeline", "VARCHAR(63) " ASCII " NOT NULL"},
    {"document", "VARCHAR(255) " EXACT " NOT NULL"},
    {"kind",
     "TINYINT UNSIGNED NULL COMMENT 'of the version: 0 received, 1 datetime, 2 integer, NULL of an older "
     "loader'"},
    {"version", "BIGINT UNSIGNED NOT NULL"},
    {"received", "BIGINT NULL COMMENT 'from the API, ms since 1970 UTC'"},
    {"published", "BIGINT NOT NULL COMMENT 'timestamp of the rows message, ms since 1970 UTC'"},
    {"rows", "INT UNSIGNED NOT NULL"},
    {"source", "VARCHAR(300) " EXACT " NULL COMMENT 'topic/partition/offset of the raw page'"},
    {"updated_at", "DATETIME(3) NOT NULL"},
};
const struct own_table own_heads = {
    .name = "jst_heads",
    .comment = "the version of each document that its table shows",
    .columns = heads_columns,
    .count = COUNT(heads_columns),
    .key_count = 2,
};

static const struct own_column offsets_columns[] = {
    {"pipeline", "VARCHAR(63) " ASCII " NOT NULL"},
    {"topic", "VARCHAR(249) " ASCII " NOT NULL"},
    {"partition", "INT NOT NULL"},
    {"target", "VARCHAR(129) " EXACT " NOT NULL COMMENT 'database.table'"},
    {"next_offset", "BIGINT NOT NULL COMMENT 'every message below it is committed in this database'"},
    {"updated_at", "DATETIME(3) NOT NULL"},
};
const struct own_table own_offsets = {
    .name = "jst_offsets",
    .comment = "how far each partition is committed in this database",
    .columns = offsets_columns,
    .count = COUNT(offsets_columns),
    .key_count = 3,
};

void own_column_put(const struct own_column *column, bool mariadb, struct buf *out)
{
    const char *at = strchr(column->type, '@');

    sql_put_name(out, column->name);
    if (at == NULL)
        buf_printf(out, " %s", column->type);
    else
        buf_printf(out, " %.*s%s%s", (int)(at - column->type), column->type, ddl_collation(mariadb), at + 1);
}

void own_table_put(const struct own_table *table, bool mariadb, struct buf *out)
{
    buf_add_text(out, "CREATE TABLE IF NOT EXISTS ");
    sql_put_name(out, table->name);
    buf_add_text(out, " (\n");
    for (size_t i = 0; i < table->count; i++) {
        buf_add_text(out, "  ");
        own_column_put(&table->columns[i], mariadb, out);
        buf_add_text(out, ",\n");
    }
    buf_add_text(out, "  PRIMARY KEY (");
    for (size_t i = 0; i < table->key_count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        sql_put_name(out, table->columns[i].name);
    }
    buf_printf(out, ")\n) ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT '%s'", table->comment);
}
