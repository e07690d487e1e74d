/* Random histories of documents: what states they pass through and in which order those arrive. The twin's
 * tests (load_history.h) and those with real servers (tests/integration/probe/history.c) draw from it. */
#ifndef JST_TESTS_HISTORY_H
#define JST_TESTS_HISTORY_H

#include <stdbool.h>
#include <stdio.h>

enum {
    DOCUMENTS = 7, /* of one history */
    VERSIONS = 5,
    LINES_MOST = 4, /* of a state: below that, from 0 */
    NOTE_TEXT = 32,
};

/* The same numbers everywhere: 0 … below - 1. */
static inline int draw_number(unsigned *random, int below)
{
    *random = *random * 1103515245U + 12345U;
    return (int)(*random >> 16 & 0x7FFF) % below;
}

/* What a state holds follows from document and version alone: read twice, it is the same. Its lines count
 * from 1. */
static inline int lines_of(int document, int version)
{
    return (version * 7 + document) % LINES_MOST;
}

/* The table refuses this line. In states with bad lines those of even versions are all bad. */
static inline bool is_bad_line(int document, int version, int line)
{
    return (version * 3 + document) % 11 == 0 && (version % 2 == 0 || line % 2 == 1);
}

static inline bool has_bad_line(int document, int version)
{
    return lines_of(document, version) > 0 && is_bad_line(document, version, 1);
}

static inline bool is_cancelled(int document, int version)
{
    return (version * 5 + document) % 6 == 0;
}

/* What stands in every line that is not bad. */
static inline void write_note(int document, int version, char ret[NOTE_TEXT])
{
    snprintf(ret, NOTE_TEXT, "%sv%d", is_cancelled(document, version) ? "cancelled " : "", version);
}

#endif
