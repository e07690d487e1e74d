/* Templates of the metadata: "{io_id}-{items_ioi_id}", "{{LAST_SYNC_TIME|datetime}}". Pure. */
#ifndef JST_COMMON_PIPELINE_TEMPLATE_H
#define JST_COMMON_PIPELINE_TEMPLATE_H

#include <stddef.h>

struct err;

struct template_part {
    char *text;   /* a literal, or the placeholder's name: "io_id", "items.v", "LAST_SYNC_TIME" */
    char *filter; /* "datetime" behind a bar; NULL: none */
    int placeholder;
};

struct template
{
    struct template_part *parts;
    size_t count; /* 0: the empty text */
};

/* {name} and {{name}} are the same; a name is letters, digits, '_', '.', '-' and characters beyond ASCII,
 * with an optional "|filter". A brace that opens no such placeholder is a literal. ERR_CONFIG: an empty or
 * unclosed
 * "{{". */
int template_parse(const char *text, struct template *ret, struct err *err)
    __attribute__((warn_unused_result));
void template_free(struct template *t); /* NULL ok */

/* The name of a template that is one placeholder alone, without filter; else NULL. */
const char *template_alone(const struct template *t);

#endif
