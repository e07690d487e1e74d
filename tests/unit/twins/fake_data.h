/* What a database holds, in memory: rows of target tables, heads, marks; and changes of it that are not
 * committed. */
#ifndef JST_TESTS_FAKE_DATA_H
#define JST_TESTS_FAKE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/pipeline/pipeline.h"
#include "loader/stamp.h"

struct buf;

enum { FAKE_COLUMNS_MAX = 8 };

/* Each owns its texts. */
struct fake_row {
    char *table;
    char *cells[FAKE_COLUMNS_MAX]; /* by column; NULL: SQL's NULL */
};
struct fake_head {
    char *pipeline, *document;
    struct stamp stamp;
    size_t rows;
    char *source;
};
struct fake_mark {
    char *pipeline, *topic, *target;
    int32_t partition;
    int64_t next_offset;
};

struct fake_data {
    struct fake_row *rows;
    size_t row_count, row_cap;
    struct fake_head *heads;
    size_t head_count, head_cap;
    struct fake_mark *marks;
    size_t mark_count, mark_cap;
};

/* All copy what they are given; what is there under the same key is replaced. */
void fake_data_free(struct fake_data *d); /* leaves it empty */
void fake_data_copy(struct fake_data *to, const struct fake_data *from);
/* The row of that key; SIZE_MAX: none. A NULL is equal to nothing. */
size_t fake_data_find_row(const struct fake_data *d, const struct pipeline *p, const char *const *cells);
/* As main_sql says: a row that is there is replaced, or gets the columns that an INSERT updates. True: it was
 * there. */
bool fake_data_put_row(struct fake_data *d, const struct pipeline *p, const char *const *cells);
void fake_data_drop_row(struct fake_data *d, size_t i);
struct fake_head *fake_data_head(const struct fake_data *d, const char *pipeline, const char *document);
void fake_data_put_head(struct fake_data *d, const struct fake_head *head);
struct fake_mark *fake_data_mark(const struct fake_data *d, const char *pipeline, const char *topic,
                                 int32_t partition);
void fake_data_put_mark(struct fake_data *d, const struct fake_mark *mark);
void fake_data_drop_mark(struct fake_data *d, const char *pipeline, const char *topic, int32_t partition);
/* DROP TABLE and CREATE TABLE. */
void fake_data_empty_table(struct fake_data *d, const char *table);

/* The rows of a table, sorted, one a line, cells joined by '|', NULL as '~'. */
void fake_data_dump(const struct fake_data *d, const char *table, size_t columns, struct buf *out);

#endif
