/* SQL text. Pure: no connection is needed, since the session's character set is utf8mb4 and its sql_mode,
 * which the loader sets, has neither NO_BACKSLASH_ESCAPES nor ANSI_QUOTES. */
#ifndef JST_COMMON_MYSQL_SQL_H
#define JST_COMMON_MYSQL_SQL_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/* Append 'text' with quotes, escaped. */
void sql_put_text(struct buf *out, const char *text, size_t len);
/* Append 'text' with quotes for statements that a person runs in a session of their own, as a comment of a
 * column or a table: it reads the same with and without NO_BACKSLASH_ESCAPES and ANSI_QUOTES. A quote is
 * doubled; no form of a backslash or a line end does for both, so a backslash becomes a slash, and a control
 * character a space. */
void sql_put_portable_text(struct buf *out, const char *text, size_t len);
/* Append `name` with back-quotes; a name "db.table" becomes `db`.`table`. */
void sql_put_name(struct buf *out, const char *name);
void sql_put_table(struct buf *out, const char *table);
void sql_put_names(struct buf *out, const char *const *names, size_t count);

#endif
