/* A thread that does one job at a time, so that the loop that serves Kafka goes on while MySQL works. */
#ifndef JST_LOADER_WORKER_H
#define JST_LOADER_WORKER_H

#include <stdbool.h>

struct worker;
typedef void worker_job(void *arg);

struct worker *worker_new(void) __attribute__((returns_nonnull));

/* Start a job. No other job may be under way. */
void worker_start(struct worker *w, worker_job *job, void *arg);
/* Is no job under way? Waits for at most timeout_ms for its end. */
bool worker_idle(struct worker *w, int timeout_ms);

/* Waits for a job under way, then ends the thread. NULL ok. */
void worker_free(struct worker *w);

#endif
