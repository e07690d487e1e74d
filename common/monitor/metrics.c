#include "common/monitor/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"

enum { LABELS_MAX = 3 };

/* Values are doubles, as in Prometheus. C11 has no atomic addition of doubles, so an update repeats its
 * exchange until no other thread came in between. */
struct metric {
    struct metric *next;
    const struct metric_family *family;
    char *labels[LABELS_MAX];
    bool shown;                /* read and written under the lock */
    _Atomic double value;      /* of a histogram: the sum */
    _Atomic uint64_t *buckets; /* bucket_count and the +Inf one, each counting its own range only */
};

struct known_family {
    struct known_family *next;
    const struct metric_family *spec;
    struct metric *first, *last;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct known_family *families;

/* Families are compared by name, not by address: two files that define the same one share its series. */
static struct known_family *find_family(const struct metric_family *spec)
{
    struct known_family **at = &families;

    for (; *at != NULL; at = &(*at)->next) {
        if ((*at)->spec == spec || strcmp((*at)->spec->name, spec->name) == 0)
            return *at;
    }
    *at = mem_zalloc(1, sizeof **at);
    (*at)->spec = spec;
    return *at;
}

static int label_count(const struct metric_family *spec)
{
    int n = 0;

    while (n < LABELS_MAX && spec->labels[n] != NULL)
        n++;
    return n;
}

static struct metric *find_series(const struct known_family *family, const char *const *values, int count)
{
    for (struct metric *m = family->first; m != NULL; m = m->next) {
        int i = 0;
        while (i < count && strcmp(m->labels[i], values[i]) == 0)
            i++;
        if (i == count)
            return m;
    }
    return NULL;
}

static struct metric *add_series(struct known_family *family, const char *const *values, int count)
{
    struct metric *m = mem_zalloc(1, sizeof *m);

    m->family = family->spec;
    for (int i = 0; i < count; i++)
        m->labels[i] = mem_strdup(values[i]);
    if (family->spec->type == METRIC_HISTOGRAM)
        m->buckets = mem_zalloc((size_t)family->spec->bucket_count + 1, sizeof *m->buckets);
    if (family->last != NULL)
        family->last->next = m;
    else
        family->first = m;
    family->last = m;
    return m;
}

struct metric *metric_get(const struct metric_family *spec, ...)
{
    const char *values[LABELS_MAX] = {"", "", ""};
    int count = label_count(spec);
    va_list args;

    va_start(args, spec);
    for (int i = 0; i < count; i++) {
        const char *value = va_arg(args, const char *);
        if (value == NULL)
            break;
        values[i] = value;
    }
    va_end(args);

    pthread_mutex_lock(&lock);
    struct known_family *family = find_family(spec);
    struct metric *m = find_series(family, values, count);
    if (m == NULL)
        m = add_series(family, values, count);
    m->shown = true;
    pthread_mutex_unlock(&lock);
    return m;
}

void metric_add(struct metric *m, double n)
{
    double old = atomic_load_explicit(&m->value, memory_order_relaxed);

    while (!atomic_compare_exchange_weak(&m->value, &old, old + n))
        ;
}

void metric_set(struct metric *m, double value)
{
    atomic_store(&m->value, value);
}

double metric_value(const struct metric *m)
{
    return atomic_load(&m->value);
}

void metric_observe(struct metric *m, double value)
{
    int i = 0;

    while (i < m->family->bucket_count && value > m->family->buckets[i])
        i++;
    atomic_fetch_add(&m->buckets[i], 1);
    metric_add(m, value);
}

void metric_hide_all(const struct metric_family *spec)
{
    pthread_mutex_lock(&lock);
    for (struct metric *m = find_family(spec)->first; m != NULL; m = m->next)
        m->shown = false;
    pthread_mutex_unlock(&lock);
}

static void put_number(struct buf *out, double value)
{
    if (isnan(value))
        buf_add_text(out, "NaN");
    else if (isinf(value))
        buf_add_text(out, value > 0 ? "+Inf" : "-Inf");
    else if (value > -1e15 && value < 1e15 && (double)(int64_t)value == value)
        buf_printf(out, "%lld", (long long)value);
    else
        buf_printf(out, "%.15g", value);
}

static void put_escaped(struct buf *out, const char *text, bool quotes)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            buf_add_text(out, "\\n");
        else if (*text == '\\' || (quotes && *text == '"'))
            buf_printf(out, "\\%c", *text);
        else
            buf_add_char(out, *text);
    }
}

/* Append `name_suffix{a="x",le="0.5"} `; bound NULL: without le. */
static void put_series_name(struct buf *out, const struct metric *m, const char *suffix, const double *bound)
{
    int count = label_count(m->family);

    buf_printf(out, "%s%s", m->family->name, suffix);
    for (int i = 0; i < count; i++) {
        buf_printf(out, "%c%s=\"", i == 0 ? '{' : ',', m->family->labels[i]);
        put_escaped(out, m->labels[i], true);
        buf_add_char(out, '"');
    }
    if (bound != NULL) {
        buf_printf(out, "%cle=\"", count == 0 ? '{' : ',');
        put_number(out, *bound);
        buf_add_char(out, '"');
    }
    buf_add_text(out, count > 0 || bound != NULL ? "} " : " ");
}

static void put_histogram(struct buf *out, const struct metric *m)
{
    static const double infinity = INFINITY;
    uint64_t count = 0;

    for (int i = 0; i <= m->family->bucket_count; i++) {
        bool last = i == m->family->bucket_count;
        count += atomic_load(&m->buckets[i]);
        put_series_name(out, m, "_bucket", last ? &infinity : &m->family->buckets[i]);
        buf_printf(out, "%llu\n", (unsigned long long)count);
    }
    put_series_name(out, m, "_sum", NULL);
    put_number(out, metric_value(m));
    buf_add_char(out, '\n');
    put_series_name(out, m, "_count", NULL);
    buf_printf(out, "%llu\n", (unsigned long long)count);
}

static void put_series(struct buf *out, const struct metric *m)
{
    if (m->family->type == METRIC_HISTOGRAM) {
        put_histogram(out, m);
        return;
    }
    put_series_name(out, m, "", NULL);
    put_number(out, metric_value(m));
    buf_add_char(out, '\n');
}

static void put_family(struct buf *out, const struct known_family *family)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};

    buf_printf(out, "# HELP %s ", family->spec->name);
    put_escaped(out, family->spec->help, false);
    buf_printf(out, "\n# TYPE %s %s\n", family->spec->name, types[family->spec->type]);
    for (const struct metric *m = family->first; m != NULL; m = m->next) {
        if (m->shown)
            put_series(out, m);
    }
}

void metrics_render(struct buf *out)
{
    pthread_mutex_lock(&lock);
    for (const struct known_family *family = families; family != NULL; family = family->next)
        put_family(out, family);
    pthread_mutex_unlock(&lock);
}

static void free_series(struct metric *m)
{
    for (int i = 0; i < LABELS_MAX; i++)
        free(m->labels[i]);
    free(m->buckets);
    free(m);
}

void metrics_forget(void)
{
    pthread_mutex_lock(&lock);
    while (families != NULL) {
        struct known_family *family = families;
        families = family->next;
        while (family->first != NULL) {
            struct metric *m = family->first;
            family->first = m->next;
            free_series(m);
        }
        free(family);
    }
    pthread_mutex_unlock(&lock);
}
