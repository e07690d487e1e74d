/* Reads topics.conf and checks it. Pure but for reading the file. */
#ifndef JST_COMMON_WIRE_TOPICS_FILE_H
#define JST_COMMON_WIRE_TOPICS_FILE_H

#include "common/base/faults.h"
#include "common/wire/topics.h"

/* A file that does not exist is an error only if must_exist, because the user named it. Otherwise the
 * built-in rules hold; they are those of the shipped topics.conf. Every fault names file:line. Checked: each
 * role at most once, the {pipeline} where it belongs, legal topic names (letters, digits, . _ -, at most 249
 * with the longest pipeline name), values (durations and sizes take units, and are kept as the broker writes
 * them), and the settings on which the promises rest (topic_rules.c). */
void topics_read(const char *file, int must_exist, struct topics *ret, struct faults *faults);
void topics_parse(const char *file, const char *text, struct topics *ret, struct faults *faults);

#endif
