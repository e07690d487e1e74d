/* How a process is asked to stop, waits, and ends: the signals, the one sleep, the exit codes. */
#ifndef JST_COMMON_BASE_STOP_H
#define JST_COMMON_BASE_STOP_H

#include <stdbool.h>
#include <stdint.h>

enum { EXIT_DONE = 0, EXIT_FOUND = 1, EXIT_USAGE = 100, EXIT_TEMPORARY = 111 };

/* From now on SIGTERM and SIGINT ask to stop, and a second one ends the process at once with code 111.
 * SIGPIPE is ignored. Called once, by the main thread, before other threads start. */
void stop_on_signals(void);

/* Did a signal ask to stop? From any thread. */
bool stop_requested(void);

/* Was there a SIGHUP since the last call? SIGHUP, too, only sets a flag, from stop_on_signals() on. */
bool stop_hangup_taken(void);

/* Wait until the monotonic deadline, or less when a signal comes; returns at once while stopping. */
void stop_sleep_until(int64_t deadline_ms);

#endif
