/* A document's version: of two states of a document, the one with the higher version is the newer. Pure. */
#ifndef JST_COMMON_WIRE_VERSION_H
#define JST_COMMON_WIRE_VERSION_H

#include <stdint.h>

/* "1491926160718000123" as it is; a datetime, "2026-08-13 11:05:00" (or with 'T', or a date alone), as
 * yyyymmddhhmmss. -1 for anything else: a sign, a fraction, more than 64 bits, a day that does not exist. */
int version_parse(const char *text, uint64_t *ret);

#endif
