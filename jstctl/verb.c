#include "jstctl/verb.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/options/options.h"
#include "common/pipeline/pipeline.h"
#include "common/skeleton/app.h"
#include "jstctl/listing.h"

enum { NAMES_MAX = 300 /* bytes of a list of names within an error */ };

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < verb_count; i++)
        if (strcmp(verb_table[i].name, name) == 0)
            return &verb_table[i];
    return NULL;
}

/* ---- help ---- */

const struct verb *verb_help_asked(int argc, char **argv)
{
    const struct verb *verb = argc > 2 ? verb_find(argv[1]) : NULL;

    for (int i = 2; verb != NULL && i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return verb;
    return NULL;
}

static size_t name_count(const char *const *names)
{
    size_t n = 0;

    while (names[n] != NULL)
        n++;
    return n;
}

/* "preview PIPELINE PAGE.json" */
static char *usage_line(const struct verb *verb)
{
    struct buf text;

    buf_init(&text, 200);
    buf_add_text(&text, verb->name);
    for (size_t i = 0; verb->args[i] != NULL; i++)
        buf_printf(&text, " %s", verb->args[i]);
    return buf_take(&text, NULL);
}

void verb_help(const struct verb *verb, FILE *out)
{
    char *text = usage_line(verb);

    fprintf(out, "Usage: jstctl %s [OPTION...]\n\n%s", text, verb->details);
    options_help_some(PROGRAM_JSTCTL, verb->options, name_count(verb->options), out);
    fprintf(out, "\n`jstctl --help` lists the options of all verbs, and the exit codes.\n");
    free(text);
}

/* ---- unknown names ---- */

/* "a, b, c", cut to fit into an error. */
static char *join_names(const char *const *names, size_t count)
{
    struct buf text;

    buf_init(&text, NAMES_MAX + 16);
    for (size_t i = 0; i < count; i++) {
        if (text.len + strlen(names[i]) + 2 > NAMES_MAX) {
            buf_add_text(&text, ", ...");
            break;
        }
        buf_printf(&text, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    return buf_take(&text, NULL);
}

static int refuse_name(const char *what, const char *name, const char *const *names, size_t count,
                       struct err *err)
{
    const char *nearest = nearest_name(name, names, count);

    if (nearest != NULL)
        return err_set(err, ERR_CONFIG, 0, "unknown %s \"%s\"; did you mean \"%s\"?", what, name, nearest);
    char *known = join_names(names, count);
    err_set(err, ERR_CONFIG, 0, "unknown %s \"%s\"; known: %s", what, name, count > 0 ? known : "none");
    free(known);
    return -1;
}

static const struct verb *named_verb(const struct options *options, struct err *err)
{
    const char *const *words;
    const char **names = mem_zalloc(verb_count, sizeof *names);
    size_t count = options_words(options, &words);
    const struct verb *verb = count > 0 ? verb_find(words[0]) : NULL;

    for (size_t i = 0; i < verb_count; i++)
        names[i] = verb_table[i].name;
    if (count == 0) {
        char *known = join_names(names, verb_count);
        err_set(err, ERR_CONFIG, 0, "which verb? %s; `jstctl --help` says what they do", known);
        free(known);
    } else if (verb == NULL) {
        refuse_name("verb", words[0], names, verb_count, err);
    }
    free(names);
    return verb;
}

/* ---- pipelines ---- */

static char *known_pipelines(const struct pipelines *pipelines, const char ***ret_names)
{
    const char **names = mem_zalloc(pipelines->count + 1, sizeof *names);

    for (size_t i = 0; i < pipelines->count; i++)
        names[i] = pipelines->list[i]->name;
    *ret_names = names;
    return join_names(names, pipelines->count);
}

static void print_errors(const struct call *call)
{
    const struct faults *faults = &call->app->faults;

    for (size_t i = 0; i < faults->count; i++)
        if (faults->list[i].level == FAULT_ERROR)
            fault_print(&faults->list[i], call->notes);
}

static int refuse_pipeline(const struct call *call, const char *name, struct err *err)
{
    const char *const left_out = "; those with errors, which stand above, are left out";
    const char **names;
    char *known = known_pipelines(call->app->pipelines, &names);
    size_t len;

    print_errors(call);
    refuse_name("pipeline", name, names, call->app->pipelines->count, err);
    len = strlen(err->text);
    if (call->app->faults.errors > 0)
        snprintf(err->text + len, sizeof err->text - len, "%s", left_out);
    free(known);
    free(names);
    return -1;
}

const struct pipeline *verb_pipeline(const struct call *call, const char *name, struct err *err)
{
    const struct pipeline *found = pipelines_find(call->app->pipelines, name);
    size_t errors = call->app->faults.errors;

    if (found == NULL)
        refuse_pipeline(call, name, err);
    else if (errors > 0)
        fprintf(call->notes, "jstctl: %zu error%s elsewhere in the configuration: `jstctl check`\n", errors,
                plural(errors));
    return found;
}

int verb_needs_configuration(const struct call *call, struct err *err)
{
    size_t errors = call->app->faults.errors;

    if (errors == 0)
        return 0;
    print_errors(call);
    return err_set(err, ERR_CONFIG, 0, "%zu error%s in the configuration", errors, plural(errors));
}

/* ---- call ---- */

static int refuse_args(const struct app *app, const struct verb *verb, size_t given, const char *const *args,
                       struct err *err)
{
    size_t wanted = name_count(verb->args);
    char *text = usage_line(verb);

    if (given > wanted) {
        err_set(err, ERR_CONFIG, 0, "\"%s\" is too much: jstctl %s", args[wanted], text);
    } else if (strcmp(verb->args[given], "PIPELINE") == 0) {
        const char **names;
        char *known = known_pipelines(app->pipelines, &names);
        err_set(err, ERR_CONFIG, 0, "%s is missing: jstctl %s; pipelines: %s", verb->args[given], text,
                app->pipelines->count > 0 ? known : "none");
        free(known);
        free(names);
    } else {
        err_set(err, ERR_CONFIG, 0, "%s is missing: jstctl %s", verb->args[given], text);
    }
    free(text);
    return -1;
}

static bool shows_option(const struct verb *verb, const char *name)
{
    for (size_t i = 0; verb->options[i] != NULL; i++)
        if (strcmp(verb->options[i], name) == 0)
            return true;
    return false;
}

/* An option that is a flag only belongs to those verbs that show it. */
static int refuse_foreign_options(const struct options *options, const struct verb *verb, struct err *err)
{
    for (size_t i = 0; i < option_table_count; i++) {
        const struct option_spec *spec = &option_table[i];
        if ((spec->programs & PROGRAM_JSTCTL) == 0 || spec->place != OPT_FLAG_ONLY ||
            !options_given(options, spec->name) || shows_option(verb, spec->name))
            continue;
        for (size_t j = 0; j < verb_count; j++)
            if (shows_option(&verb_table[j], spec->name))
                return err_set(err, ERR_CONFIG, 0, "--%s is not an option of jstctl %s, but of jstctl %s",
                               spec->name, verb->name, verb_table[j].name);
    }
    return 0;
}

int verb_call(const struct app *app, FILE *out, FILE *notes, struct err *err)
{
    const char *const *words;
    size_t count = options_words(app->options, &words);
    const struct verb *verb = named_verb(app->options, err);

    if (verb == NULL)
        return -1;
    if (count - 1 != name_count(verb->args))
        return refuse_args(app, verb, count - 1, words + 1, err);
    if (refuse_foreign_options(app->options, verb, err) != 0)
        return -1;
    struct call call = {
        .app = app,
        .args = words + 1,
        .json = options_flag(app->options, "json"),
        .out = out,
        .notes = notes,
    };
    return verb->run(&call, err);
}
