#include "loader/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/mem.h"

struct worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    worker_job *job; /* NULL: idle */
    void *arg;
    bool ending;
};

static void *serve_jobs(void *arg)
{
    struct worker *w = arg;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (w->job == NULL && !w->ending)
            pthread_cond_wait(&w->changed, &w->lock);
        if (w->job == NULL)
            break;
        pthread_mutex_unlock(&w->lock);
        w->job(w->arg);
        pthread_mutex_lock(&w->lock);
        w->job = NULL;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct worker *worker_new(void)
{
    struct worker *w = mem_zalloc(1, sizeof *w);
    pthread_condattr_t attr;
    sigset_t all;
    sigset_t old;

    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &attr);
    pthread_condattr_destroy(&attr);
    /* the main thread takes the signals, because its waits must end on them */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (pthread_create(&w->thread, NULL, serve_jobs, w) != 0) {
        log_error("cannot start the writing thread");
        abort();
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return w;
}

void worker_start(struct worker *w, worker_job *job, void *arg)
{
    pthread_mutex_lock(&w->lock);
    w->job = job;
    w->arg = arg;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

bool worker_idle(struct worker *w, int timeout_ms)
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
    while (w->job != NULL && timeout_ms > 0)
        if (pthread_cond_timedwait(&w->changed, &w->lock, &until) != 0)
            break;
    bool idle = w->job == NULL;
    pthread_mutex_unlock(&w->lock);
    return idle;
}

void worker_free(struct worker *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w);
}
