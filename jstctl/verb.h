/* What the verbs of jstctl share: how they are called, found and helped. */
#ifndef JST_JSTCTL_VERB_H
#define JST_JSTCTL_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct app;
struct err;
struct pipeline;

/* One call of a verb. */
struct call {
    const struct app *app;
    const char *const *args; /* behind the verb; as many as it takes */
    bool json;               /* for programs, not for people */
    FILE *out;               /* the results; what is said beside them goes to `notes` */
    FILE *notes;
};

/* Returns EXIT_DONE, or EXIT_FOUND when something was found (faults, differences); -1 with ERR_CONFIG (wrong
 * usage or configuration) or another kind (it could not be done). */
typedef int verb_run(const struct call *call, struct err *err);

enum { VERB_ARGS_MAX = 2, VERB_OPTIONS_MAX = 12 };

struct verb {
    const char *name;
    const char *args[VERB_ARGS_MAX + 1];       /* what it takes, all of them needed: "PIPELINE" */
    const char *summary;                       /* one line */
    const char *details;                       /* lines ended by \n */
    const char *options[VERB_OPTIONS_MAX + 1]; /* those that its --help shows */
    verb_run *run;
};

extern const struct verb verb_table[];
extern const size_t verb_count;

const struct verb *verb_find(const char *name);

/* The verb whose help is asked for: `jstctl VERB … --help`; else NULL. */
const struct verb *verb_help_asked(int argc, char **argv);
void verb_help(const struct verb *verb, FILE *out);

/* Find the verb that the options' words name, check what it was given, and run it. Returns as verb_run. */
int verb_call(const struct app *app, FILE *out, FILE *notes, struct err *err)
    __attribute__((warn_unused_result));

/* The pipeline of that name, for verbs that need one; NULL with ERR_CONFIG that names the nearest or the
 * known ones, after the errors which may have kept it out. */
const struct pipeline *verb_pipeline(const struct call *call, const char *name, struct err *err);

/* ERR_CONFIG, the errors printed, when the configuration has any. */
int verb_needs_configuration(const struct call *call, struct err *err) __attribute__((warn_unused_result));

#endif
