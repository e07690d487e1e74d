#include "loader/writers.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/mysql/db.h"
#include "loader/store.h"

struct writer {
    struct writers *all;
    struct store *store;
    pthread_t thread;
    pthread_cond_t given;
    writer_job *job; /* NULL: idle */
    void *arg;
};

struct writers {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    size_t ended_count; /* jobs that ended since the last writers_wait() */
    bool ending;
    size_t count;
    struct writer *list;
};

static void *serve_jobs(void *arg)
{
    struct writer *writer = arg;
    struct writers *w = writer->all;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (writer->job == NULL && !w->ending)
            pthread_cond_wait(&writer->given, &w->lock);
        if (writer->job == NULL)
            break;
        pthread_mutex_unlock(&w->lock);
        writer->job(writer->store, writer->arg);
        pthread_mutex_lock(&w->lock);
        writer->job = NULL;
        w->ended_count++;
        pthread_cond_signal(&w->ended);
    }
    pthread_mutex_unlock(&w->lock);
    db_thread_end();
    return NULL;
}

/* A process that gets no thread cannot work. It ends, so that a new one may have more luck. */
static void start_thread(struct writer *writer)
{
    if (pthread_create(&writer->thread, NULL, serve_jobs, writer) == 0)
        return;
    fputs("cannot start a writing thread\n", stderr);
    abort();
}

struct writers *writers_new(struct store *const *stores, size_t count)
{
    struct writers *w = mem_zalloc(1, sizeof *w);
    pthread_condattr_t attr;
    sigset_t all;
    sigset_t old;

    w->count = count;
    w->list = mem_zalloc(count, sizeof *w->list);
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->ended, &attr);
    pthread_condattr_destroy(&attr);
    /* the main thread takes the signals, because its waits must end on them */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (size_t i = 0; i < count; i++) {
        w->list[i].all = w;
        w->list[i].store = stores[i];
        pthread_cond_init(&w->list[i].given, NULL);
        start_thread(&w->list[i]);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return w;
}

void writers_start(struct writers *w, size_t i, writer_job *job, void *arg)
{
    pthread_mutex_lock(&w->lock);
    w->list[i].job = job;
    w->list[i].arg = arg;
    pthread_cond_signal(&w->list[i].given);
    pthread_mutex_unlock(&w->lock);
}

bool writers_busy(struct writers *w, size_t i)
{
    pthread_mutex_lock(&w->lock);
    bool busy = w->list[i].job != NULL;
    pthread_mutex_unlock(&w->lock);
    return busy;
}

void writers_wait(struct writers *w, int timeout_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&w->lock);
    while (w->ended_count == 0)
        if (pthread_cond_timedwait(&w->ended, &w->lock, &until) != 0)
            break;
    w->ended_count = 0;
    pthread_mutex_unlock(&w->lock);
}

void writers_abort(struct writers *w, size_t i)
{
    store_abort(w->list[i].store);
}

void writers_free(struct writers *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    for (size_t i = 0; i < w->count; i++)
        pthread_cond_signal(&w->list[i].given);
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < w->count; i++) {
        pthread_join(w->list[i].thread, NULL);
        pthread_cond_destroy(&w->list[i].given);
    }
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->ended);
    free(w->list);
    free(w);
}
