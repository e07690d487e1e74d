#include "common/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/utf8.h"

/* A line is written by one write(2) of at most PIPE_BUF bytes, so that lines of several threads and processes
 * do not mix in a pipe. What does not fit is cut. */
enum { LINE_MAX_BYTES = 4096, LINE_TAIL = 8, MESSAGE_MAX = 3072 };

static _Atomic(const char *) log_proc = "jstpipe";
static _Atomic int log_level = LOG_INFO;
static atomic_bool log_json;

struct log_line {
    char text[LINE_MAX_BYTES];
    size_t len;
    bool full; /* something did not fit: nothing more is added, or the line would have a hole */
};

/* Add the bytes whole, or not at all. */
static void put_bytes(struct log_line *line, const char *bytes, size_t len)
{
    line->full = line->full || line->len + len > sizeof line->text - LINE_TAIL;
    if (line->full)
        return;
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
}

static void put_text(struct log_line *line, const char *text)
{
    put_bytes(line, text, strlen(text));
}

/* The escape that JSON knows too, so that text lines need no second set of rules. */
static void put_escape(struct log_line *line, unsigned c)
{
    char escape[8];

    if (c == '\n' || c == '\t' || c == '\r')
        snprintf(escape, sizeof escape, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
    else
        snprintf(escape, sizeof escape, "\\u%04x", c);
    put_text(line, escape);
}

/* A message on its way into a line: no control character passes, and what comes out is UTF-8. */
static void put_message(struct log_line *line, const char *message, bool json)
{
    const char *end = message + strlen(message);

    for (const char *p = message; p < end;) {
        size_t n = utf8_character(p, end);
        uint32_t code = n > 0 ? utf8_code(p, n) : 0xFFFD;
        if (n == 0)
            put_text(line, "\xEF\xBF\xBD");
        else if (code < 0x20 || (code >= 0x7F && code < 0xA0))
            put_escape(line, code);
        else if (json && (code == '"' || code == '\\'))
            put_bytes(line, code == '"' ? "\\\"" : "\\\\", 2);
        else
            put_bytes(line, p, n);
        p += n > 0 ? n : 1;
    }
}

static void write_line(const struct log_line *line)
{
    const char *at = line->text;
    size_t left = line->len;

    while (left > 0) {
        ssize_t n = write(STDERR_FILENO, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nobody to tell */
        at += n;
        left -= (size_t)n;
    }
}

void log_setup(const char *proc, enum log_level level, bool json)
{
    atomic_store(&log_proc, proc);
    atomic_store(&log_level, (int)level);
    atomic_store(&log_json, json);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load(&log_level);
}

static void put_head(struct log_line *line, enum log_level level, bool json)
{
    static const char *const names[] = {"ERROR", "WARN ", "INFO ", "DEBUG"};
    static const char *const json_names[] = {"error", "warn", "info", "debug"};
    char time[RFC3339_TEXT];
    char head[256];

    rfc3339_format(clock_now_ms(), time);
    if (json)
        snprintf(head, sizeof head, "{\"time\":\"%s\",\"level\":\"%s\",\"proc\":\"%s\",\"msg\":\"", time,
                 json_names[level], atomic_load(&log_proc));
    else
        snprintf(head, sizeof head, "%s %s %s: ", time, names[level], atomic_load(&log_proc));
    put_text(line, head);
}

void log_at(enum log_level level, const char *format, ...)
{
    if (!log_enabled(level))
        return;

    int saved = errno;
    bool json = atomic_load(&log_json);
    char message[MESSAGE_MAX];
    struct log_line line;
    va_list args;

    line.len = 0;
    line.full = false;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    put_head(&line, level, json);
    put_message(&line, message, json);
    memcpy(line.text + line.len, json ? "\"}\n" : "\n", json ? 3 : 1);
    line.len += json ? 3 : 1;
    write_line(&line);
    errno = saved;
}
