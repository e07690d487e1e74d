/* What the options_*.c files share; nobody else includes it. */
#ifndef JST_COMMON_OPTIONS_OPTIONS_PRIVATE_H
#define JST_COMMON_OPTIONS_OPTIONS_PRIVATE_H

#include "common/options/options.h"

enum { ENV_NAME_TEXT = 80, ALLOWED_TEXT = 160 };

/* Where a value came from; a later one wins. */
enum option_origin { FROM_DEFAULT, FROM_SHARED_ENV, FROM_PROGRAM_ENV, FROM_FLAG };

struct option_value {
    const struct option_spec *spec;
    enum option_origin origin;
    char *text;     /* TEXT, CHOICE, SINCE */
    char *file;     /* where a secret's text was read from; NULL: not from a file */
    int64_t number; /* the numbers */
    bool flag;      /* FLAG, CHOICE on|off */
    char **items;   /* LIST, PAIRS */
    size_t item_count, item_cap;
};

struct options {
    enum program program;
    struct option_value *values; /* one for each row of the table that holds for the program */
    size_t count;
    char **words;
    size_t word_count, word_cap;
};

/* The value of that name (of len bytes), or NULL. */
struct option_value *option_find(const struct options *o, const char *name, size_t len);

/* Read text as the option's type. A wrong one is a fault at `place` and changes nothing. */
void option_set(struct option_value *v, enum option_origin origin, const char *place, const char *text,
                struct faults *faults);

/* What the type and bounds allow, in words: "a whole number from 1 to 100000". */
const char *option_allowed(const struct option_spec *spec, char out[ALLOWED_TEXT]);

/* The bounds alone: "1 to 100000"; NULL where there are none. */
const char *option_range(const struct option_spec *spec, char out[ALLOWED_TEXT]);

/* The option's help in Chinese; NULL where there is none yet. */
const char *option_help_chinese(const struct option_spec *spec);

/* Has the option a flag? */
bool option_has_flag(const struct option_spec *spec);

/* "JST_MYSQL_HOST", or "JST_LOADER_MYSQL_HOST" for a program (0: shared). Returns out. */
const char *option_env_name(const struct option_spec *spec, int program, char out[ENV_NAME_TEXT]);
/* Has the option a variable for all programs? Has it one for each program? */
bool option_env_shared(const struct option_spec *spec);
bool option_env_own(const struct option_spec *spec);

/* Take the values of env into *o, and find the variables that nobody knows. */
void options_read_env(struct options *o, char **env, struct faults *faults);

#endif
