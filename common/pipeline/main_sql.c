/* main_sql: INSERT or REPLACE INTO table (columns) VALUES, and what an INSERT does with a row that is there.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/pipeline/parse.h"

enum { IDENTIFIER_MAX = 64 };

#define FORM        "\"REPLACE INTO table (column, …) VALUES\" is expected"
#define UPDATE_FORM "\"ON DUPLICATE KEY UPDATE column = VALUES(column), …\""

struct sql {
    const char *at;
    const char *wrong; /* NULL: nothing so far */
};

static void skip_space(struct sql *s)
{
    s->at += strspn(s->at, " \t\r\n");
}

static bool is_ascii_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

static bool is_word(char c)
{
    return is_ascii_word(c) || (unsigned char)c >= 0x80;
}

static bool accept_word(struct sql *s, const char *word)
{
    size_t len = strlen(word);

    skip_space(s);
    if (strncasecmp(s->at, word, len) != 0 || is_word(s->at[len]))
        return false;
    s->at += len;
    return true;
}

static bool accept_char(struct sql *s, char c)
{
    skip_space(s);
    if (*s->at != c)
        return false;
    s->at++;
    return true;
}

/* One identifier, with or without back-quotes; NULL when there is none. */
static char *take_identifier(struct sql *s)
{
    bool quoted = accept_char(s, '`');
    size_t len = 0;

    if (quoted)
        len = strcspn(s->at, "`");
    else
        while (is_word(s->at[len]))
            len++;
    if (len == 0 || (quoted && s->at[len] != '`'))
        return NULL;
    char *name = mem_strndup(s->at, len);
    s->at += len + (quoted ? 1 : 0);
    return name;
}

static bool plain_identifier(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (!is_ascii_word(name[i]))
            return false;
    return len <= IDENTIFIER_MAX;
}

/* [db.]table, without its quotes; NULL with s->wrong. */
static char *take_table(struct sql *s)
{
    char *table = take_identifier(s);
    char *whole = NULL;

    if (table != NULL && accept_char(s, '.')) {
        char *db = table;
        table = take_identifier(s);
        if (table != NULL && plain_identifier(db))
            whole = mem_printf("%s.%s", db, table);
        free(db);
    } else if (table != NULL) {
        whole = mem_strdup(table);
    }
    if (whole == NULL || !plain_identifier(table)) {
        s->wrong =
            "the table's name is letters, digits, _ and $, at most 64, with an optional database and dot "
            "before it";
        free(whole);
        whole = NULL;
    }
    free(table);
    return whole;
}

static void take_columns(struct sql *s, struct name_list *ret)
{
    if (!accept_char(s, '(')) {
        s->wrong = "the list of columns is missing: " FORM;
        return;
    }
    do {
        char *name = take_identifier(s);
        if (name == NULL) {
            s->wrong = "a column's name is expected after each '(' and ','; back-quote unusual ones";
            return;
        }
        names_add(ret, name, strlen(name));
        free(name);
        if (ret->count > COLUMNS_MAX) {
            s->wrong = "a table has at most 1017 columns";
            return;
        }
    } while (accept_char(s, ','));
    if (!accept_char(s, ')'))
        s->wrong = "',' or ')' is expected after a column's name; back-quote unusual ones";
}

static void read_head(struct reader *r, struct sql *s)
{
    r->p->insert = accept_word(s, "INSERT");
    if (!r->p->insert && !accept_word(s, "REPLACE"))
        s->wrong = FORM;
    else if (accept_word(s, "IGNORE") || accept_word(s, "LOW_PRIORITY") || accept_word(s, "DELAYED") ||
             accept_word(s, "HIGH_PRIORITY"))
        s->wrong = "a modifier such as IGNORE would hide errors: " FORM;
    else
        accept_word(s, "INTO");
}

static bool accept_words(struct sql *s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!accept_word(s, words[i]))
            return false;
    return true;
}

/* Behind "column =": VALUES(column), or alias.column. Takes whatever else stands there for wrong. */
static bool accept_own_value(struct sql *s, const char *column, const char *alias)
{
    bool values = accept_word(s, "VALUES");
    char *word = NULL;
    bool own = !values || accept_char(s, '(');

    if (own && !values) {
        word = take_identifier(s);
        own = word != NULL && alias != NULL && strcasecmp(word, alias) == 0 && accept_char(s, '.');
        free(word);
    }
    if (!own)
        return false;
    word = take_identifier(s);
    own = word != NULL && strcasecmp(word, column) == 0 && (!values || accept_char(s, ')'));
    free(word);
    skip_space(s);
    return own && (*s->at == ',' || *s->at == ';' || *s->at == '\0');
}

static void take_update(struct sql *s, const char *alias, struct name_list *ret)
{
    char *column = take_identifier(s);

    if (column == NULL || !accept_char(s, '='))
        s->wrong = "a column and '=' are expected here: " UPDATE_FORM;
    else if (!accept_own_value(s, column, alias))
        s->wrong = "only the row's own value may be assigned, " UPDATE_FORM
                   ": anything else (NOW(), b + 1) would depend on how often the row came";
    else if (names_find(ret, column) == NO_NAME)
        names_add(ret, column, strlen(column));
    free(column);
}

/* ON DUPLICATE KEY UPDATE b = VALUES(b), c = new.c */
static void read_updates(struct reader *r, struct sql *s, const char *alias)
{
    static const char *const head[] = {"ON", "DUPLICATE", "KEY", "UPDATE"};

    if (!r->p->insert)
        s->wrong = "REPLACE INTO takes no ON DUPLICATE KEY UPDATE: write INSERT INTO, or end with VALUES";
    else if (!accept_words(s, head, sizeof head / sizeof head[0]))
        s->wrong = UPDATE_FORM " is expected";
    while (s->wrong == NULL) {
        take_update(s, alias, &r->sql_updates);
        if (r->sql_updates.count == COLUMNS_MAX || !accept_char(s, ','))
            return;
    }
}

static bool stands_at(const struct sql *s, const char *word)
{
    struct sql ahead = *s;

    return accept_word(&ahead, word);
}

static void read_tail(struct reader *r, struct sql *s)
{
    char *alias = NULL;

    if (!accept_word(s, "VALUES") && !accept_word(s, "VALUE")) {
        s->wrong = FORM;
        return;
    }
    if (accept_word(s, "AS"))
        alias = take_identifier(s);
    if (stands_at(s, "ON"))
        read_updates(r, s, alias);
    free(alias);
    accept_char(s, ';');
    skip_space(s);
    if (s->wrong == NULL && *s->at != '\0')
        s->wrong =
            "nothing is expected behind VALUES but " UPDATE_FORM ": the values are added for each batch";
}

void read_main_sql(struct reader *r, const struct node *n)
{
    const char *text;

    if (!read_text(r, n, &text))
        return;
    struct sql s = {.at = text};
    read_head(r, &s);
    if (s.wrong == NULL)
        r->p->table = take_table(&s);
    if (s.wrong == NULL)
        take_columns(&s, &r->sql_columns);
    if (s.wrong == NULL)
        read_tail(r, &s);
    if (s.wrong != NULL) {
        read_error(r, n, "character %zu: %s", utf8_count(text, (size_t)(s.at - text)) + 1, s.wrong);
        names_free(&r->sql_columns);
        names_free(&r->sql_updates);
    }
}
