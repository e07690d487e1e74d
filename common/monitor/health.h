/* The state behind /healthz, /readyz and jst_up_dependency. A change is logged once. Thread-safe. */
#ifndef JST_COMMON_MONITOR_HEALTH_H
#define JST_COMMON_MONITOR_HEALTH_H

#include <stdbool.h>

struct buf;
struct metric_family;

extern const struct metric_family health_up_dependency;

/* A dependency ("kafka", "mysql", "api") answers or does not. Logs the change once (the first call counts as
 * one), sets jst_up_dependency{name} and the readiness reason of that name. why: the fault; ignored when up.
 */
void health_dependency(const char *name, bool up, const char *why);

/* A reason why the program is not ready (why != NULL), or its end (NULL). key names the reason: "assignment",
 * "pipeline purchasein". At most 64 reasons are kept, further ones are dropped. Does not log. */
void health_reason(const char *key, const char *why);

/* Call this once: when a reason ends and, for the first time, none is left. On the thread that ended it. */
void health_when_ready(void (*call)(void));

void health_turn(void); /* called in each turn of the main loop, and during long waits at the start */

/* healthz: did the loop turn within the last 30 s? readyz: is the list of reasons empty? Both describe the
 * state in *out. */
bool health_alive(struct buf *out);
bool health_ready(struct buf *out);

void health_forget(void); /* for tests */

#endif
