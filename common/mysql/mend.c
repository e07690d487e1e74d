#include "common/mysql/mend.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/mysql/sql.h"

enum {
    PIECE_MAX = 4096,
    FRAME_BYTES = 256, /* mend_result()'s own words, and what callers put before an error's text */
};

void mend_init(struct mend *m, const char *table)
{
    *m = (struct mend){.table = table, .between = "; "};
    buf_init(&m->why, PIECE_MAX);
    buf_init(&m->clause, PIECE_MAX);
    buf_init(&m->faults, PIECE_MAX);
    buf_init(&m->clauses, PIECE_MAX);
}

void mend_free(struct mend *m)
{
    buf_free(&m->why);
    buf_free(&m->clause);
    buf_free(&m->faults);
    buf_free(&m->clauses);
}

static void join_piece(struct buf *list, const char *between, const struct buf *piece)
{
    if (list->len > 0)
        buf_add_text(list, between);
    buf_add(list, piece->data, piece->len);
}

/* A statement is whole or it is of no use: what does not fit is for the next look at the table. */
void mend_add(struct mend *m)
{
    size_t frame = FRAME_BYTES + 2 * strlen(m->table);
    size_t used = frame + m->faults.len + m->clauses.len;

    if (m->left > 0 || used + m->why.len + m->clause.len + 4 > ERR_TEXT_MAX) {
        m->left++;
    } else {
        join_piece(&m->faults, m->between, &m->why);
        join_piece(&m->clauses, ", ", &m->clause);
    }
    m->count++;
    m->between = "; ";
    buf_reset(&m->why);
    buf_reset(&m->clause);
}

void mend_put_statement(const struct mend *m, struct buf *out)
{
    buf_add_text(out, "ALTER TABLE ");
    sql_put_table(out, m->table);
    buf_printf(out, " %s", m->clauses.data);
}

int mend_result(const struct mend *m, struct err *err)
{
    struct buf statement;
    char more[40] = "";

    if (m->count == 0)
        return 0;
    buf_init(&statement, 2 * PIECE_MAX);
    if (m->clauses.len > 0)
        mend_put_statement(m, &statement);
    else
        buf_add_text(&statement, "an ALTER TABLE that is too long for a message");
    if (m->left > 0)
        snprintf(more, sizeof more, "; %zu more faults", m->left);
    err_set(err, ERR_PAUSE, m->code, "table %s: %s%s; mend it with: %s", m->table, m->faults.data, more,
            statement.data);
    buf_free(&statement);
    return -1;
}
