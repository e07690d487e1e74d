/* Read a full topic through our own source to its end, and count how long each message was waited for.
 * A pause is the time inside source_poll() from one message to the next, after the first one; the work that
 * is done on a batch (here: waiting, as for a database) does not count. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/arguments.h"
#include "common/base/err.h"
#include "common/kafka/kafka.h"
#include "common/options/options.h"

static const char usage[] = "bench_consume TOPIC BATCH_MESSAGES WORK_MS|none";

enum { POLL_MS = 100, PAUSES = 6, NS_PER_MS = 1000000 };
static const int64_t pause_below_ms[PAUSES - 1] = {1, 5, 20, 100, 1000};

struct consumption {
    uint64_t messages, bytes;
    uint64_t pauses[PAUSES];
    int64_t longest_ns;
    int64_t begin_ns, end_ns; /* of the first and of the last message */
};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void work(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS};

    nanosleep(&t, NULL);
}

static void count_pause(struct consumption *c, int64_t ns)
{
    int i = 0;

    while (i < PAUSES - 1 && ns >= pause_below_ms[i] * NS_PER_MS)
        i++;
    c->pauses[i]++;
    if (ns > c->longest_ns)
        c->longest_ns = ns;
}

static void read_all(struct source *in, int64_t batch, int64_t work_ms, struct consumption *c)
{
    struct err err = ERR_INIT;
    struct source_event event = {.kind = SOURCE_NONE};
    int64_t since = now_ns();

    while (event.kind != SOURCE_END) {
        if (source_poll(in, POLL_MS, &event, &err) != 0)
            arguments_fail(&err);
        if (event.kind != SOURCE_RECORD)
            continue;
        int64_t now = now_ns();
        c->messages++;
        c->bytes += event.record.value_len;
        if (c->messages > 1)
            count_pause(c, now - since);
        else
            c->begin_ns = now;
        c->end_ns = now;
        source_release(in, &event.record);
        if (work_ms > 0 && c->messages % (uint64_t)batch == 0)
            work(work_ms);
        since = now_ns();
    }
}

static void print(const struct consumption *c)
{
    printf("{\"messages\": %" PRIu64 ", \"bytes\": %" PRIu64
           ", \"seconds\": %.3f, \"longest_ms\": %.1f, \"pauses\": [",
           c->messages, c->bytes, (double)(c->end_ns - c->begin_ns) / 1e9, (double)c->longest_ns / 1e6);
    for (int i = 0; i < PAUSES; i++)
        printf("%s%" PRIu64, i > 0 ? ", " : "", c->pauses[i]);
    printf("]}\n");
}

int main(int argc, char **argv)
{
    static struct consumption c;
    struct options *options = arguments_options(argc, argv, 3, usage);
    bool works = strcmp(argv[3], "none") != 0;
    const char *topic = argv[1];
    struct source_config config = {
        .group = options_text(options, "group"), .topics = &topic, .topic_count = 1, .bounded = true};
    struct source *in = NULL;
    struct err err = ERR_INIT;

    if (kafka_source_open(options, &config, &in, &err) != 0)
        arguments_fail(&err);
    read_all(in, arguments_number(argv[2], usage), works ? arguments_number(argv[3], usage) : 0, &c);
    source_free(in);
    print(&c);
    options_free(options);
    return 0;
}
