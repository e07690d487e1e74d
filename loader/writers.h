/* The threads that write, each with a connection of its own, so that the loop that serves Kafka goes on while
 * the database works. */
#ifndef JST_LOADER_WRITERS_H
#define JST_LOADER_WRITERS_H

#include <stdbool.h>
#include <stddef.h>

struct store;
struct writers;

/* Runs on the writing thread. */
typedef void writer_job(struct store *store, void *arg);

/* One thread a store; the stores stay the caller's, and must not be freed before writers_free(). */
struct writers *writers_new(struct store *const *stores, size_t count) __attribute__((returns_nonnull));

/* Give writer i a job. It must be idle. */
void writers_start(struct writers *w, size_t i, writer_job *job, void *arg);
bool writers_busy(struct writers *w, size_t i);
/* Wait until a job has ended since the last call, for at most timeout_ms. */
void writers_wait(struct writers *w, int timeout_ms);
/* Make the job under way fail soon. */
void writers_abort(struct writers *w, size_t i);

/* Waits for the jobs under way, then ends the threads. NULL ok. */
void writers_free(struct writers *w);

#endif
