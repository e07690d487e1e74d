/* Options from the environment, and secrets from files. */
#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/options/options_private.h"

#define PREFIX      "JST_"
#define FILE_SUFFIX "_FILE"

enum { PREFIX_LEN = sizeof PREFIX - 1, SECRET_MAX = 65536 };

static const enum program programs[] = {PROGRAM_EXTRACTOR, PROGRAM_TRANSFORMER, PROGRAM_LOADER,
                                        PROGRAM_JSTCTL};
enum { PROGRAMS = sizeof programs / sizeof programs[0] };

bool option_env_shared(const struct option_spec *spec)
{
    return spec->place == OPT_ANYWHERE || spec->place == OPT_SECRET || spec->place == OPT_ENV_ONLY;
}

bool option_env_own(const struct option_spec *spec)
{
    return spec->place != OPT_FLAG_ONLY;
}

const char *option_env_name(const struct option_spec *spec, int program, char out[ENV_NAME_TEXT])
{
    const char *own = program != 0 ? program_name((enum program)program) : "";

    snprintf(out, ENV_NAME_TEXT, PREFIX "%s%s%s", own, program != 0 ? "_" : "", spec->name);
    for (char *c = out; *c != '\0'; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    return out;
}

/* "tcp://10.0.0.1:3306": what Kubernetes puts into JST_MYSQL_PORT for a Service named jst-mysql. */
static bool is_address_of_service(const char *name, const char *value)
{
    static const char *const protocols[] = {"tcp://", "udp://", "sctp://"};

    if (fnmatch("*_PORT", name, 0) != 0)
        return false;
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        if (strncmp(value, protocols[i], strlen(protocols[i])) == 0)
            return true;
    return false;
}

/* The value of a variable; NULL when it is not set, empty, or not meant for us. */
static const char *env_value(char **env, const char *name)
{
    size_t len = strlen(name);

    for (; *env != NULL; env++) {
        if (strncmp(*env, name, len) != 0 || (*env)[len] != '=')
            continue;
        const char *value = *env + len + 1;
        return *value != '\0' && !is_address_of_service(name, value) ? value : NULL;
    }
    return NULL;
}

/* Line ends at the end of a secret's file are the editor's, not the secret's. */
static int check_secret(const char *path, char *text, size_t len, struct err *err)
{
    if (memchr(text, '\0', len) != NULL)
        return err_set(err, ERR_CONFIG, 0, "%s holds no secret: there is a NUL in it", path);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    return len == 0 ? err_set(err, ERR_CONFIG, 0, "%s is empty", path) : 0;
}

int secret_read(const char *path, char **ret, struct err *err)
{
    struct err why = ERR_INIT;
    char *text;
    size_t len;

    if (file_read(path, SECRET_MAX, &text, &len, &why) != 0) {
        err_set(err, ERR_CONFIG, 0, "%s %s", path, why.text);
        return -1;
    }
    if (check_secret(path, text, len, err) == 0) {
        *ret = text;
        return 0;
    }
    explicit_bzero(text, len);
    free(text);
    return -1;
}

static void set_from_file(struct option_value *v, enum option_origin origin, const char *place,
                          const char *path, struct faults *faults)
{
    struct err err = ERR_INIT;
    char *text = NULL;

    if (secret_read(path, &text, &err) != 0) {
        fault_add(faults, FAULT_ERROR, place, "%s", err.text);
        return;
    }
    option_set(v, origin, place, text, faults);
    v->file = mem_strdup(path);
    explicit_bzero(text, strlen(text));
    free(text);
}

/* Take the variable `name`, or for a secret the file that <name>_FILE names. */
static void read_variable(struct option_value *v, enum option_origin origin, const char *name, char **env,
                          struct faults *faults)
{
    char file_name[ENV_NAME_TEXT + sizeof FILE_SUFFIX];
    const char *value = env_value(env, name);
    const char *path = NULL;

    snprintf(file_name, sizeof file_name, "%s" FILE_SUFFIX, name);
    if (v->spec->place == OPT_SECRET)
        path = env_value(env, file_name);
    if (value != NULL || path != NULL) {
        free(v->file); /* of a variable that this one overrides */
        v->file = NULL;
    }
    if (value != NULL && path != NULL)
        fault_add(faults, FAULT_ERROR, name, "%s is set, too: which one holds?", file_name);
    else if (value != NULL)
        option_set(v, origin, name, value, faults);
    else if (path != NULL)
        set_from_file(v, origin, file_name, path, faults);
}

struct variable_names {
    char **list;
    size_t count, cap;
};

static void add_name(struct variable_names *names, const char *name, const char *suffix)
{
    names->list = mem_grow(names->list, &names->cap, names->count, sizeof *names->list);
    names->list[names->count++] = mem_printf("%s%s", name, suffix);
}

static void add_names(struct variable_names *names, const struct option_spec *spec, int program)
{
    char name[ENV_NAME_TEXT];

    option_env_name(spec, program, name);
    add_name(names, name, "");
    if (spec->place == OPT_SECRET)
        add_name(names, name, FILE_SUFFIX);
}

/* Every variable of every program: they may all share one environment. */
static struct variable_names all_names(void)
{
    struct variable_names names = {0};

    for (size_t i = 0; i < option_table_count; i++) {
        const struct option_spec *spec = &option_table[i];
        if (option_env_shared(spec))
            add_names(&names, spec, 0);
        for (int p = 0; p < PROGRAMS; p++) {
            if (option_env_own(spec) && (spec->programs & (int)programs[p]) != 0)
                add_names(&names, spec, (int)programs[p]);
        }
    }
    return names;
}

static void free_names(struct variable_names *names)
{
    while (names->count > 0)
        free(names->list[--names->count]);
    free(names->list);
}

static bool is_known(const struct variable_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i], name) == 0)
            return true;
    }
    return false;
}

/* What Kubernetes puts there for a Service named "jst", or whose name begins with "jst-". */
static bool is_injected(const char *name, const char *value)
{
    static const char *const patterns[] = {PREFIX "SERVICE_*", PREFIX "PORT*", PREFIX "*_SERVICE_*",
                                           PREFIX "*_PORT_*"};

    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return is_address_of_service(name, value);
}

/* The row whose variable `name` would be if it were shared, but it is not. */
static const struct option_spec *find_unshared(const struct options *o, const char *name)
{
    char shared[ENV_NAME_TEXT];

    for (size_t i = 0; i < o->count; i++) {
        const struct option_spec *spec = o->values[i].spec;
        if (spec->place == OPT_NOT_SHARED && strcmp(option_env_name(spec, 0, shared), name) == 0)
            return spec;
    }
    return NULL;
}

static const char *nearest_variable(const struct variable_names *names, const char *name)
{
    const char **rest = mem_alloc(names->count * sizeof *rest);

    for (size_t i = 0; i < names->count; i++)
        rest[i] = names->list[i] + PREFIX_LEN; /* what they share would make all of them near */
    const char *nearest = nearest_name(name + PREFIX_LEN, rest, names->count);
    free(rest);
    return nearest;
}

static void refuse_unknown(const struct options *o, const struct variable_names *names, const char *name,
                           struct faults *faults)
{
    const struct option_spec *spec = find_unshared(o, name);
    const char *nearest = nearest_variable(names, name);
    char own[ENV_NAME_TEXT];

    if (spec != NULL)
        fault_add(faults, FAULT_ERROR, name, "is not shared by the programs: set %s, or --%s",
                  option_env_name(spec, (int)o->program, own), spec->name);
    else if (nearest != NULL)
        fault_add(faults, FAULT_ERROR, name, "unknown variable; did you mean " PREFIX "%s?", nearest);
    else
        fault_add(faults, FAULT_ERROR, name, "unknown variable; %s --help lists them",
                  program_name(o->program));
}

static void find_unknown(const struct options *o, char **env, struct faults *faults)
{
    struct variable_names names = all_names();

    for (; *env != NULL; env++) {
        if (strncmp(*env, PREFIX, PREFIX_LEN) != 0)
            continue;
        size_t len = strcspn(*env, "=");
        char *name = mem_strndup(*env, len);
        if (!is_known(&names, name) && !is_injected(name, *env + len + ((*env)[len] == '=')))
            refuse_unknown(o, &names, name, faults);
        free(name);
    }
    free_names(&names);
}

void options_read_env(struct options *o, char **env, struct faults *faults)
{
    char name[ENV_NAME_TEXT];

    for (size_t i = 0; i < o->count; i++) {
        struct option_value *v = &o->values[i];
        if (option_env_shared(v->spec))
            read_variable(v, FROM_SHARED_ENV, option_env_name(v->spec, 0, name), env, faults);
        if (option_env_own(v->spec))
            read_variable(v, FROM_PROGRAM_ENV, option_env_name(v->spec, (int)o->program, name), env, faults);
    }
    find_unknown(o, env, faults);
}
