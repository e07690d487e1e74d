/* One column of the target: its name, its type, and where its value comes from. */
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/pipeline/parse.h"

enum { COLUMN_NAME_MAX = 64 };

/* ---- placeholders ---- */

/* Is name "<array>_<rest>" or "<array>.<rest>"? Gives the rest. */
static const char *below_array(const char *name, const char *array)
{
    size_t len = strlen(array);

    if (strncmp(name, array, len) != 0 || (name[len] != '_' && name[len] != '.') || name[len + 1] == '\0')
        return NULL;
    return name + len + 1;
}

struct source_field source_field_make(const struct pipeline *p, const char *name)
{
    const char *rest = p->flatten != NULL ? below_array(name, p->flatten) : NULL;

    if (rest != NULL)
        return (struct source_field){.array = mem_strdup(p->flatten), .path = mem_strdup(rest)};
    return (struct source_field){.path = mem_strdup(name)};
}

/* A field of an array that is not expanded would be NULL in every row: surely a slip. */
static void warn_of_array(struct reader *r, const struct node *at, const struct source_field *field)
{
    if (r->endpoint == NULL || field->array != NULL)
        return;
    for (size_t i = 0; r->endpoint->nested[i] != NULL; i++) {
        const char *array = r->endpoint->nested[i];
        if (below_array(field->path, array) != NULL)
            read_warning(r, at,
                         "{%s} looks like a field of the array %s, which source.beatFlat does not name: "
                         "it would be empty",
                         field->path, array);
    }
}

static void check_placeholder(struct reader *r, const struct node *at, const struct template_part *part)
{
    if (part->filter != NULL)
        read_unsupported(r, at, UNSUPPORTED_COLUMN_FILTER);
    else if (request_variable(part->text))
        read_unsupported(r, at, UNSUPPORTED_COLUMN_VARIABLE);
    else if (part->text[0] == '.' || part->text[strlen(part->text) - 1] == '.' ||
             strstr(part->text, "..") != NULL)
        read_error(r, at, "{%s}: a name stands on each side of a dot", part->text);
}

static void compile_parts(struct reader *r, const struct node *at, const struct template *t, struct column *c)
{
    c->parts = mem_zalloc(t->count, sizeof *c->parts);
    c->part_count = t->count;
    c->alone = template_alone(t) != NULL;
    for (size_t i = 0; i < t->count; i++) {
        struct column_part *part = &c->parts[i];
        if (!t->parts[i].placeholder) {
            part->literal = mem_strdup(t->parts[i].text);
            if (strpbrk(part->literal, "{}") != NULL)
                read_warning(r, at, "a brace in \"%s\" belongs to no placeholder, and is taken as text",
                             part->literal);
            continue;
        }
        check_placeholder(r, at, &t->parts[i]);
        part->field = source_field_make(r->p, t->parts[i].text);
        c->of_line = c->of_line || part->field.array != NULL;
        warn_of_array(r, at, &part->field);
    }
}

/* ---- the column ---- */

static bool begins_with_word(const char *text, const char *word)
{
    text += strspn(text, " \t\r\n");
    return strncmp(text, word, strlen(word)) == 0;
}

static bool read_value(struct reader *r, const struct node *value, struct column *c)
{
    struct template t = {0};
    struct err err = ERR_INIT;
    const char *text = node_text(value);
    bool good = false;

    if (text == NULL)
        read_error(r, value, "a value is expected: text with placeholders like \"{io_id}\", or \"\"");
    else if (begins_with_word(text, "_function"))
        read_unsupported(r, value, UNSUPPORTED_FUNCTION);
    else if (begins_with_word(text, "_findCollection"))
        read_unsupported(r, value, UNSUPPORTED_FIND_COLLECTION);
    else if (template_parse(text, &t, &err) != 0)
        read_error(r, value, "%s", err.text);
    else
        good = true;
    if (good)
        compile_parts(r, value, &t, c);
    template_free(&t);
    return good;
}

static void read_type(struct reader *r, const struct entry *entry, struct column *c)
{
    static const char *const names[] = {"string", "int", "float", "number"};
    static const enum value_type types[] = {VALUE_STRING, VALUE_INT, VALUE_FLOAT, VALUE_FLOAT};
    const char *type = entry->type != NULL && entry->type[0] != '\0' ? entry->type : "string";

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(type, names[i]) == 0) {
            c->type = types[i];
            return;
        }
    }
    struct node at = node_member(&entry->at, "type");
    read_unknown(r, &at, "type", type, names, sizeof names / sizeof names[0]);
}

/* MySQL takes column names without regard to case. */
static bool check_name(struct reader *r, const struct entry *entry)
{
    const struct pipeline *p = r->p;

    if (strlen(entry->name) > COLUMN_NAME_MAX || strpbrk(entry->name, "`. \t\r\n") != NULL) {
        read_error(r, &entry->at,
                   "\"%s\" is not a column's name: at most %d bytes without space, dot and back-quote",
                   entry->name, COLUMN_NAME_MAX);
        return false;
    }
    for (size_t i = 0; i < p->column_count; i++) {
        if (strcasecmp(p->columns[i].name, entry->name) == 0) {
            read_error(r, &entry->at, "the column %s is given twice", entry->name);
            return false;
        }
    }
    if (p->column_count == COLUMNS_MAX)
        read_error(r, &entry->at, "a table has at most %d columns", COLUMNS_MAX);
    return p->column_count < COLUMNS_MAX;
}

void read_column(struct reader *r, const struct entry *entry)
{
    struct pipeline *p = r->p;

    if (!check_name(r, entry))
        return;
    p->columns = mem_grow(p->columns, &r->column_cap, p->column_count, sizeof *p->columns);
    struct column *c = &p->columns[p->column_count++];
    *c = (struct column){.name = mem_strdup(entry->name),
                         .label = mem_strdup(entry->label != NULL ? entry->label : "")};
    read_type(r, entry, c);
    if (!read_value(r, &entry->value, c))
        r->failed_column = true;
}
