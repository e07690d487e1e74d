/* Text to number: wholly, or not at all. */
#ifndef JST_COMMON_BASE_UNITS_H
#define JST_COMMON_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All return 0, or -1 when the text (up to its NUL) is not wholly of the form, or does not fit; *ret is then
 * untouched. No leading or trailing space, no '+'. */
int parse_int64(const char *text, int64_t *ret);
int parse_uint64(const char *text, uint64_t *ret);
/* "200ms", "5s", "10m", "2h", "7d", also several units, each once, from large to small: "1h30m"; a bare
 * number has no unit and is refused, but "0" is fine. Result in milliseconds. */
int parse_duration(const char *text, int64_t *ret_ms);
/* "1024", "64KiB", "8MiB", "2GiB" (powers of 1024), "8MB", "64kB", "2GB" (powers of 1000). Result in bytes.
 */
int parse_size(const char *text, int64_t *ret_bytes);
/* "5%", "0.5%", "100%": hundredths of a per cent (500, 50, 10000). At most two decimals; may pass 100%. */
int parse_percent(const char *text, int64_t *ret_basis_points);

/* The form that parse_duration reads back, in the largest units: 600000 -> "10m", 90000 -> "1m30s". A
 * negative duration gets a '-' (for people only). out: 32 bytes suffice. Returns out. */
const char *format_duration(int64_t ms, char *out, size_t size);

#endif
