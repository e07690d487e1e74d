/* Rows read without copying: an object of scalars whose names and their order are known beforehand, as the
 * transformer writes them. Whatever is written in another way is left to json_parse(). Pure. */
#ifndef JST_COMMON_JSON_FLAT_H
#define JST_COMMON_JSON_FLAT_H

#include <stddef.h>
#include <stdint.h>

struct flat_names; /* the names of a row's members, in their order; read-only once made: any thread may use it
                    */

/* Copies the names. NULL ok with count 0: the row is {}. Names that no row can have (one twice, one that is
 * not UTF-8) are taken, and no line is plain then. */
struct flat_names *flat_names_new(const char *const *names, size_t count) __attribute__((returns_nonnull));
void flat_names_free(struct flat_names *names); /* NULL ok */

/* A value of a flat object: a piece of the line. */
struct flat_value {
    uint32_t at;  /* bytes from the start of the line; a string's piece is between its quotes */
    uint32_t len; /* bytes; FLAT_NULL: null, and at is 0 */
};
#define FLAT_NULL UINT32_MAX

/* Read one line, without its newline.
 *   values   room for as many as there are names
 * Returns 0 when the line is plain: an object with exactly these members in this order, without white space,
 * each value a string without a backslash, a number or null. The pieces then are the very texts that
 * json_parse() and json_text() give. Anything else (escapes, true, another order, broken JSON, 4 GiB): -1,
 * and values holds nothing of use; json_parse() tells what the line is. */
int flat_read(const char *line, size_t len, const struct flat_names *names, struct flat_value *values)
    __attribute__((warn_unused_result));

#endif
