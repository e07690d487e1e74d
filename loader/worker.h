/* A thread that does one job at a time, so that the loop which serves Kafka keeps turning while MySQL works.
 */
#ifndef JST_LOADER_WORKER_H
#define JST_LOADER_WORKER_H

#include <stdbool.h>

struct worker;
typedef void worker_job(void *arg);

struct worker *worker_new(void) __attribute__((returns_nonnull));

/* Start a job; there must be none. */
void worker_start(struct worker *w, worker_job *job, void *arg);
/* Is there none (any more)? Waits for at most timeout_ms. */
bool worker_idle(struct worker *w, int timeout_ms);

/* Ends the thread; waits for a job under way. NULL ok. */
void worker_free(struct worker *w);

#endif
