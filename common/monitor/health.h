/* What /healthz, /readyz and jst_up_dependency say, and the one log line when it changes. Thread-safe. */
#ifndef JST_COMMON_MONITOR_HEALTH_H
#define JST_COMMON_MONITOR_HEALTH_H

#include <stdbool.h>

struct buf;
struct metric_family;

extern const struct metric_family health_up_dependency;

/* A dependency ("kafka", "mysql", "api") came or went. Logs the change once (the first call counts as one),
 * sets jst_up_dependency{name} and the readiness reason of that name. why: what went wrong; ignored when up.
 */
void health_dependency(const char *name, bool up, const char *why);

/* A reason why the program is not ready (why != NULL), or its end (NULL). key names the reason: "assignment",
 * "pipeline purchasein". At most 64 reasons, further ones are dropped; does not log. */
void health_reason(const char *key, const char *why);

/* Call this once: when a reason ends and, for the first time, none is left. On the thread that ended it. */
void health_when_ready(void (*call)(void));

void health_turn(void); /* the main loop turned; whatever waits long at start calls it, too */

/* healthz: did the loop turn within the last 30 s. readyz: is there no reason against it. Both describe
 * themselves in *out. */
bool health_alive(struct buf *out);
bool health_ready(struct buf *out);

void health_forget(void); /* for tests */

#endif
