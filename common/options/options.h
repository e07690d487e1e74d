/* Options are data: one table for all programs (table.c) says name, type, default, bounds and help; it
 * parses flags and environment, prints --help, and is what the documentation is checked against. */
#ifndef JST_COMMON_OPTIONS_OPTIONS_H
#define JST_COMMON_OPTIONS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/faults.h"

struct err;

enum program { PROGRAM_EXTRACTOR = 1, PROGRAM_TRANSFORMER = 2, PROGRAM_LOADER = 4, PROGRAM_JSTCTL = 8 };

enum option_type {
    OPT_FLAG, /* no value: --once; in the environment 1/true/on or 0/false/off */
    OPT_TEXT,
    OPT_LIST,  /* comma-separated; repeated flags add */
    OPT_PAIRS, /* NAME=VALUE items: each flag adds one, whole; a variable holds several, between white space
                */
    OPT_INT,
    OPT_DURATION, /* milliseconds */
    OPT_SIZE,     /* bytes */
    OPT_PERCENT,  /* hundredths of a per cent */
    OPT_CHOICE,   /* one of spec->choices, "off|preferred|required|verify" */
    OPT_TIME,     /* Beijing time, seconds since 1970 UTC */
    OPT_SINCE,    /* a time or a duration ago: text, see options_since() */
};

enum option_place {
    OPT_ANYWHERE,   /* --x, JST_X and JST_PROGRAM_X */
    OPT_NOT_SHARED, /* --x and JST_PROGRAM_X: group, listen, once, check, replay-* */
    OPT_FLAG_ONLY,  /* --help, --version, --json */
    OPT_SECRET,     /* JST_X, JST_PROGRAM_X or a file named by either with _FILE: never a flag, never shown */
    OPT_ENV_ONLY,   /* like a secret, but no secret: JST_APP_KEY */
};

struct option_spec {
    const char *name; /* "mysql-host" */
    int programs;     /* enum program, or-ed */
    enum option_type type;
    enum option_place place;
    const char *fallback; /* the default, as a person would write it; NULL: none */
    int64_t min, max;     /* numbers; both 0: no bounds but >= 0 */
    const char *choices;
    const char *arg;  /* "HOST:PORT" in --help */
    const char *help; /* one line */
};

/* A name may have several rows, of different programs (another default for each). */
extern const struct option_spec option_table[];
extern const size_t option_table_count;

/* The text around the options in --help. */
struct program_help {
    enum program program;
    const char *usage;   /* "[OPTION...]" */
    const char *summary; /* what it does; lines ended by \n */
    const char *codes;   /* exit codes; lines ended by \n */
};
extern const struct program_help program_help_table[];
extern const size_t program_help_count;

const char *program_name(enum program program);

struct options;

/* Reads flags over JST_<PROGRAM>_<NAME> over JST_<NAME> over defaults. Every fault is added to *faults, with
 * the nearest known name for an unknown one; the result is whole all the same (defaults in place of what is
 * wrong), so that further checks can go on. Words that are not flags are kept (jstctl's verb and arguments)
 * where the program is jstctl, an error elsewhere. A flag is --name VALUE or --name=VALUE; the last one
 * holds, but lists add up (and replace the list of the environment); everything after "--" is a word. An
 * empty variable is one that is not set, since `JST_X: ${X:-}` is how compose files pass one on; an empty
 * value of a flag is a fault. A secret's file: at most 64 KiB, line ends at its end are cut.
 * Never NULL; free with options_free(). */
struct options *options_read(enum program program, int argc, char **argv, char **env, struct faults *faults)
    __attribute__((returns_nonnull));
void options_free(struct options *options); /* NULL ok; overwrites secrets first */

/* Values by name. A name that the program's table does not have, or has with another type, ends the process:
 * a mistake in the code. Numbers are 0 where nothing is given and there is no default. */
const char *options_text(const struct options *o, const char *name);        /* NULL: not given, no default */
const char *options_secret_file(const struct options *o, const char *name); /* NULL: it was in no file */
int64_t options_number(const struct options *o, const char *name); /* INT, DURATION, SIZE, PERCENT, TIME */
bool options_flag(const struct options *o, const char *name);      /* FLAG, and CHOICE on|off */
size_t options_list(const struct options *o, const char *name, const char *const **ret_items);
bool options_given(const struct options *o, const char *name); /* by a flag or the environment */
size_t options_words(const struct options *o, const char *const **ret_words);
/* Read a secret again from the file that options_secret_file() named; *ret is ended by a NUL, the caller
 * overwrites and frees it. ERR_CONFIG, with the path in the text: it cannot be read, holds a NUL, or nothing.
 */
int secret_read(const char *path, char **ret, struct err *err) __attribute__((warn_unused_result));
/* SINCE: the instant meant, in seconds; a duration counts back from now_s. -1: not given, no default. */
int64_t options_since(const struct options *o, const char *name, int64_t now_s);

/* Usage, every option with its default, the environment and the exit codes. */
void options_help(enum program program, FILE *out);
/* The lines of some options only, "Options:" on top: for a verb of jstctl. */
void options_help_some(enum program program, const char *const *names, size_t count, FILE *out);

/* docs/options.md: the options of all programs as a Markdown page, in English or Chinese. */
void options_page(bool chinese, FILE *out);

#endif
