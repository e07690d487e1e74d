#include "common/monitor/health.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/monitor/metrics.h"

enum { REASONS_MAX = 64, DEPENDENCIES_MAX = 8, NAME_BYTES = 96, WHY_BYTES = 2048, ALIVE_MS = 30000 };

const struct metric_family health_up_dependency = {
    .name = "jst_up_dependency",
    .type = METRIC_GAUGE,
    .help = "kafka, mysql, api: 1 answers, 0 does not.",
    .labels = {"name"},
};

struct reason {
    char key[NAME_BYTES];
    char why[WHY_BYTES];
};

struct dependency {
    char name[NAME_BYTES];
    bool up;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct reason reasons[REASONS_MAX];
static int reason_count;
static struct dependency dependencies[DEPENDENCIES_MAX];
static int dependency_count;
static void (*when_ready)(void);     /* NULL: nobody asked, or it has been called */
static _Atomic int64_t turned_at_ms; /* monotonic; 0: never */

/* Remember the state. true: it is new. */
static bool dependency_changed(const char *name, bool up)
{
    for (int i = 0; i < dependency_count; i++) {
        if (strcmp(dependencies[i].name, name) != 0)
            continue;
        bool changed = dependencies[i].up != up;
        dependencies[i].up = up;
        return changed;
    }
    if (dependency_count < DEPENDENCIES_MAX) {
        struct dependency *d = &dependencies[dependency_count++];
        snprintf(d->name, sizeof d->name, "%s", name);
        d->up = up;
    }
    return true;
}

void health_dependency(const char *name, bool up, const char *why)
{
    pthread_mutex_lock(&lock);
    bool changed = dependency_changed(name, up);
    pthread_mutex_unlock(&lock);

    metric_set(metric_get(&health_up_dependency, name, NULL), up ? 1 : 0);
    health_reason(name, up ? NULL : why != NULL ? why : "does not answer");
    if (changed && up)
        log_info("%s: up", name);
    else if (changed)
        log_warn("%s: down: %s", name, why != NULL ? why : "does not answer");
}

static struct reason *find_reason(const char *key)
{
    for (int i = 0; i < reason_count; i++) {
        if (strncmp(reasons[i].key, key, sizeof reasons[i].key - 1) == 0)
            return &reasons[i];
    }
    return NULL;
}

static void end_reason(struct reason *r)
{
    size_t behind = (size_t)(&reasons[--reason_count] - r);

    memmove(r, r + 1, behind * sizeof *r);
}

void health_when_ready(void (*call)(void))
{
    pthread_mutex_lock(&lock);
    when_ready = call;
    pthread_mutex_unlock(&lock);
}

void health_reason(const char *key, const char *why)
{
    void (*call)(void) = NULL;

    pthread_mutex_lock(&lock);
    struct reason *r = find_reason(key);
    if (why == NULL && r != NULL) {
        end_reason(r);
    } else if (why != NULL) {
        if (r == NULL && reason_count < REASONS_MAX)
            r = &reasons[reason_count++];
        if (r != NULL) {
            snprintf(r->key, sizeof r->key, "%s", key);
            snprintf(r->why, sizeof r->why, "%s", why);
        }
    }
    if (why == NULL && reason_count == 0) {
        call = when_ready;
        when_ready = NULL;
    }
    pthread_mutex_unlock(&lock);
    if (call != NULL)
        call();
}

void health_turn(void)
{
    atomic_store(&turned_at_ms, clock_monotonic_ms());
}

bool health_alive(struct buf *out)
{
    int64_t turned = atomic_load(&turned_at_ms);
    int64_t ago = clock_monotonic_ms() - turned;

    if (turned == 0) {
        buf_add_text(out, "the main loop has not turned yet\n");
        return false;
    }
    bool alive = ago <= ALIVE_MS;
    buf_printf(out, "%s: the main loop turned %lld.%01lld s ago\n", alive ? "alive" : "stuck",
               (long long)(ago / 1000), (long long)(ago % 1000 / 100));
    return alive;
}

bool health_ready(struct buf *out)
{
    pthread_mutex_lock(&lock);
    int count = reason_count;
    if (count == 0)
        buf_add_text(out, "ready\n");
    for (int i = 0; i < count; i++)
        buf_printf(out, "%s: %s\n", reasons[i].key, reasons[i].why);
    pthread_mutex_unlock(&lock);
    return count == 0;
}

void health_forget(void)
{
    pthread_mutex_lock(&lock);
    reason_count = 0;
    dependency_count = 0;
    when_ready = NULL;
    pthread_mutex_unlock(&lock);
    atomic_store(&turned_at_ms, 0);
}
