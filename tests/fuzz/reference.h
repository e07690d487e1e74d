/* A second, slow and plain reading of RFC 8259 with the pre-pass' further rules, to compare it with. */
#ifndef JST_TESTS_FUZZ_REFERENCE_H
#define JST_TESTS_FUZZ_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

bool reference_accepts(const char *text, size_t len);

#endif
