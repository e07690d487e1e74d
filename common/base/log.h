/* Log lines on standard error: one event, one line, text or JSON. Never a payload, a secret, a token or SQL.
 */
#ifndef JST_COMMON_BASE_LOG_H
#define JST_COMMON_BASE_LOG_H

#include <stdbool.h>

struct err;

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* proc: the program's name, kept by reference. Before this call lines are text at LOG_INFO. */
void log_setup(const char *proc, enum log_level level, bool json);
bool log_enabled(enum log_level level);

/* text: `2026-08-13T03:05:00.123Z INFO  loader: message`; json: one object with time, level, proc, msg.
 * Control characters (a newline in a foreign error text) are escaped in both. Thread-safe. */
void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

#endif
