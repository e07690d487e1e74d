#include "extractor/setup.h"

#include <sys/random.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/http/http.h"
#include "common/kafka/kafka.h"
#include "common/monitor/health.h"
#include "common/pipeline/pipeline.h"
#include "common/skeleton/app.h"
#include "extractor/api/client.h"
#include "extractor/api/query.h"

static uint64_t random_bits(void)
{
    uint64_t bits = 0;

    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        bits = (uint64_t)clock_monotonic_ms();
    return bits;
}

/* ---- configuration ---- */

static void check_request(const struct pipeline *p, struct faults *faults)
{
    const struct biz biz = {.window = {0, 1}, .page = 1, .page_size = p->page_size, .now_s = 1};
    struct err err = ERR_INIT;
    struct buf out;

    buf_init(&out, 256 * 1024);
    if (biz_write(p, &biz, &out, &err) != 0)
        fault_add(faults, FAULT_ERROR, p->request_place, "%s", err.text);
    if (p->sweeps)
        fault_add(faults, FAULT_WARNING, p->sweep_place, "sweeps are not run yet");
    buf_free(&out);
}

void setup_check(const struct app *app, struct faults *faults)
{
    struct rate rate;
    struct err err = ERR_INIT;
    const char *ca_file = options_text(app->options, "ca-file");

    if (rate_parse(options_text(app->options, "rate"), &rate, &err) != 0)
        fault_add(faults, FAULT_ERROR, "--rate", "%s", err.text);
    if (!http_url_ok(options_text(app->options, "api-url")))
        fault_add(faults, FAULT_ERROR, "--api-url", "is not a URL of the form https://HOST[:PORT]");
    if (options_text(app->options, "app-key") == NULL)
        fault_add(faults, FAULT_ERROR, "JST_APP_KEY", "is needed: the application's key");
    if (options_text(app->options, "app-secret") == NULL)
        fault_add(faults, FAULT_ERROR, "JST_APP_SECRET", "is needed, or JST_APP_SECRET_FILE");
    if (ca_file != NULL && access(ca_file, R_OK) != 0)
        fault_add(faults, FAULT_ERROR, "--ca-file", "%s cannot be read: %m", ca_file);
    for (size_t i = 0; i < app->pipelines->count; i++)
        check_request(app->pipelines->list[i], faults);
}

/* ---- what the loop is made of ---- */

int setup_api(const struct options *o, struct api **ret, struct err *err)
{
    const struct http_config config = {
        .url = options_text(o, "api-url"),
        .proxy = options_text(o, "proxy"),
        .ca_file = options_text(o, "ca-file"),
        .stopping = stop_requested,
        .still_here = health_turn,
    };
    return http_open(&config, ret, err);
}

int setup_client(const struct options *o, struct api *api, struct client *ret, struct err *err)
{
    const struct account account = {options_text(o, "app-key"), options_text(o, "app-secret")};
    struct rate rate;

    if (rate_parse(options_text(o, "rate"), &rate, err) != 0)
        return -1;
    client_init(ret, api, &account, random_bits, &rate, options_text(o, "access-token"),
                options_text(o, "token-file"));
    return 0;
}

int setup_state_source(const struct options *o, const char *topic, struct source **ret, struct err *err)
{
    const struct source_config config = {
        .group = options_text(o, "group"),
        .topics = &topic,
        .topic_count = 1,
        .bounded = true,
        .from_beginning = true,
    };
    return kafka_source_open(o, &config, ret, err);
}
