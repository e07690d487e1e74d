#include "jstctl/verb_topics.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/skeleton/app.h"
#include "jstctl/listing.h"
#include "jstctl/verbs.h"

enum {
    COLUMNS = 3,
    ANSWER_MS = 10000, /* of the broker, for each question */
    SETTLE_MS = 5000,  /* until every broker knows of a change */
    LOOK_AGAIN_MS = 250,
    ALL_ROLES = (1 << TOPIC_ROLES) - 1,
};

/* One topic, as it was found and as it is now. */
struct change {
    const struct topic_state *before;
    const struct topic_state *now;
    bool applied;
};

static bool is_fine(const struct topic_state *t)
{
    return t->exists && t->differs == NULL;
}

static bool has_too_many(const struct topic_state *t)
{
    return t->exists && t->partitions > t->rule->partitions;
}

static bool is_replicated_otherwise(const struct topic_state *t)
{
    return t->exists && t->rule->replication > 0 && t->replication != t->rule->replication;
}

/* Does it differ in what cannot be altered? */
static bool is_hopeless(const struct topic_state *t)
{
    return has_too_many(t) || is_replicated_otherwise(t);
}

/* "created", "altered" or "none". */
static const char *change_name(const struct change *c)
{
    if (!c->before->exists && c->now->exists)
        return "created";
    if (c->before->differs != NULL &&
        (c->now->differs == NULL || strcmp(c->before->differs, c->now->differs) != 0))
        return "altered";
    return "none";
}

static struct change change_at(const struct topic_report *before, const struct topic_report *after, size_t i)
{
    return (struct change){
        .before = &before->list[i],
        .now = after != NULL ? &after->list[i] : &before->list[i],
        .applied = after != NULL,
    };
}

static size_t count_wrong(const struct topic_report *report)
{
    size_t n = 0;

    for (size_t i = 0; i < report->count; i++)
        n += is_fine(&report->list[i]) ? 0 : 1;
    return n;
}

/* ---- for people ---- */

static char *state_text(const struct change *c)
{
    const struct topic_state *now = c->now;

    if (!now->exists)
        return mem_printf("missing; %d partition%s wanted", now->rule->partitions,
                          plural((size_t)now->rule->partitions));
    if (now->differs != NULL)
        return mem_printf("%s%s", c->applied ? "still differs: " : "differs: ", now->differs);
    if (!c->before->exists)
        return mem_strdup("created");
    if (c->before->differs != NULL)
        return mem_printf("altered; it had %s", c->before->differs);
    return mem_strdup("fine");
}

static void print_hints(const struct topic_report *now, bool applied, FILE *out)
{
    size_t wrong = 0, too_many = 0, replicated = 0, hopeless = 0;

    for (size_t i = 0; i < now->count; i++) {
        const struct topic_state *t = &now->list[i];
        wrong += is_fine(t) ? 0 : 1;
        too_many += has_too_many(t) ? 1 : 0;
        replicated += is_replicated_otherwise(t) ? 1 : 0;
        hopeless += is_hopeless(t) ? 1 : 0;
    }
    fprintf(out, "\n%zu topic%s, ", now->count, plural(now->count));
    if (wrong == 0)
        fputs("all as topics.conf has them", out);
    else
        fprintf(out, "%zu not as topics.conf has %s", wrong, wrong == 1 ? "it" : "them");
    fputs(!applied && wrong > hopeless ? "; `jstctl topics --apply` creates and alters\n" : "\n", out);
    if (too_many > 0)
        fputs("Kafka takes no partitions away: write what is there into topics.conf\n", out);
    if (replicated > 0)
        fputs("Replication is changed by Kafka's own kafka-reassign-partitions alone\n", out);
}

static void print_text(const struct topic_report *before, const struct topic_report *after, FILE *out)
{
    static const char *const head[COLUMNS] = {"TOPIC", "PARTITIONS", "STATE"};
    const char **cells = mem_zalloc((before->count + 1) * COLUMNS, sizeof *cells);
    char **made = mem_zalloc(before->count * 2 + 1, sizeof *made);

    memcpy(cells, head, sizeof head);
    for (size_t i = 0; i < before->count; i++) {
        struct change c = change_at(before, after, i);
        made[i * 2] = c.now->exists ? mem_printf("%d", c.now->partitions) : mem_strdup("-");
        made[i * 2 + 1] = state_text(&c);
        const char *const row[COLUMNS] = {c.now->name, made[i * 2], made[i * 2 + 1]};
        memcpy(cells + (i + 1) * COLUMNS, row, sizeof row);
    }
    print_listing(cells, COLUMNS, before->count + 1, out);
    print_hints(after != NULL ? after : before, after != NULL, out);
    for (size_t i = 0; i < before->count * 2; i++)
        free(made[i]);
    free(made);
    free(cells);
}

/* ---- for programs ---- */

static void print_topic_json(const struct topics *topics, const struct change *c, FILE *out)
{
    const struct topic_state *now = c->now;

    fputs("{\"name\":", out);
    print_json(now->name, out);
    print_json_member("role", topic_role_name((enum topic_role)(now->rule - topics->rules)), out);
    fprintf(out, ",\"exists\":%s,\"partitions\":%d,\"partitions_wanted\":%d", now->exists ? "true" : "false",
            now->exists ? now->partitions : 0, now->rule->partitions);
    print_json_member("differs", now->differs, out);
    print_json_member("change", change_name(c), out);
    fputc('}', out);
}

static void print_all_json(const struct topics *topics, const struct topic_report *before,
                           const struct topic_report *after, FILE *out)
{
    fputs("{\"topics\":[", out);
    for (size_t i = 0; i < before->count; i++) {
        struct change c = change_at(before, after, i);
        fputs(i > 0 ? "," : "", out);
        print_topic_json(topics, &c, out);
    }
    fputs("]}\n", out);
}

size_t topics_print(const struct topics *topics, const struct topic_report *before,
                    const struct topic_report *after, bool json, FILE *out)
{
    if (json)
        print_all_json(topics, before, after, out);
    else
        print_text(before, after, out);
    return count_wrong(after != NULL ? after : before);
}

/* ---- the verb ---- */

static int ask_topics(const struct app *app, enum topic_action action, struct topic_report *ret,
                      struct err *err)
{
    int rc = kafka_topics(app->options, app->topics, app->pipelines, ALL_ROLES, action, ANSWER_MS, ret, err);

    return rc == 0 ? 0 : err_prefix(err, "Kafka at %s", options_text(app->options, "brokers"));
}

static bool may_become_fine(const struct topic_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        if (!is_fine(&report->list[i]) && !is_hopeless(&report->list[i]))
            return true;
    return false;
}

/* A broker may not know at once what another has changed. */
static int mend_topics(const struct app *app, struct topic_report *ret, struct err *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + SETTLE_MS;
    int rc = ask_topics(app, TOPICS_APPLY, ret, err);

    while (rc == 0 && may_become_fine(ret) && clock_monotonic_ms() < deadline_ms) {
        topic_report_free(ret);
        stop_sleep_until(clock_monotonic_ms() + LOOK_AGAIN_MS);
        rc = ask_topics(app, TOPICS_LOOK, ret, err);
    }
    return rc;
}

int topics_run(const struct call *call, struct err *err)
{
    const struct app *app = call->app;
    struct topic_report before = {0};
    struct topic_report after = {0};
    bool apply = options_flag(app->options, "apply");

    if (verb_needs_configuration(call, err) != 0 || ask_topics(app, TOPICS_LOOK, &before, err) != 0)
        return -1;
    apply = apply && count_wrong(&before) > 0;
    int rc = apply ? mend_topics(app, &after, err) : 0;
    size_t wrong = 0;
    if (rc == 0)
        wrong = topics_print(app->topics, &before, apply ? &after : NULL, call->json, call->out);
    topic_report_free(&before);
    topic_report_free(&after);
    return rc != 0 ? -1 : wrong > 0 ? EXIT_FOUND : EXIT_DONE;
}
