/* Counts how many of a pipeline's last documents ended in dead letters. Few: their data is wrong. Many, or
 * only such: the mapping, the table or the API is wrong, and the pipeline should pause. Pure. */
#ifndef JST_COMMON_WIRE_FLOOD_H
#define JST_COMMON_WIRE_FLOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FLOOD_WINDOW = 1000,
    FLOOD_LEAST = 50,    /* fewer bad documents say nothing about a share */
    FLOOD_RUN = 20,      /* so many different ones, and no good one between them */
    FLOOD_NEVER = 10000, /* the limit, in hundredths of a per cent, at which nothing is a flood */
};

/* All zero: no document has come yet. A copy may be fed to learn what would be. */
struct flood {
    uint64_t last[FLOOD_WINDOW]; /* a ring of the last documents: 0 for a good one, else which one it is */
    size_t at, count, bad_count;
    size_t run; /* bad ones since the last good one */
};

/* Which document it is, in which version ("" where there is none): a number for flood_add_bad(). */
uint64_t flood_document(const void *id, size_t id_len, const char *version);

/* Documents that are done: `good` written, then `bad` in dead letters, of which nothing else is known: they
 * count in the share only. */
void flood_add(struct flood *f, size_t good, size_t bad);
/* One that ended in a dead letter. A document whose letter is among the last ones counts once, however often
 * it comes again. */
void flood_add_bad(struct flood *f, uint64_t document);

/* How many different documents in a row, the last ones, ended in dead letters. */
size_t flood_run(const struct flood *f);
/* Is it a flood: a share of the last FLOOD_WINDOW documents above the limit (hundredths of a per cent), and
 * FLOOD_LEAST of them; or a run of FLOOD_RUN? */
bool flood_reached(const struct flood *f, int64_t limit);
/* Would these more pass the share? */
bool flood_exceeds(const struct flood *f, size_t good, size_t bad, int64_t limit);

/* The first document of a flood, for people: each a text on one line, safe for a terminal and a log, or NULL
 * where it is not known. All zero: nothing yet. */
struct flood_first {
    char *document; /* its id */
    char *column;   /* the target's column, or the source's field */
    char *value;    /* at most 40 characters, then … */
    char *reason;
};
/* Copies what is not NULL; what was there is freed. value: value_len bytes of any kind. */
void flood_first_set(struct flood_first *first, const char *document, const char *column, const char *value,
                     size_t value_len, const char *reason);
void flood_first_free(struct flood_first *first); /* NULL ok; leaves it empty */
/* `document 100, column qty, value "2..0": not a number`; the caller frees it. */
char *flood_first_text(const struct flood_first *first) __attribute__((returns_nonnull));

#endif
