#include "common/options/options.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/options/options_private.h"

const char *program_name(enum program program)
{
    switch (program) {
    case PROGRAM_EXTRACTOR:
        return "extractor";
    case PROGRAM_TRANSFORMER:
        return "transformer";
    case PROGRAM_LOADER:
        return "loader";
    case PROGRAM_JSTCTL:
        return "jstctl";
    }
    return "jstpipe";
}

struct option_value *option_find(const struct options *o, const char *name, size_t len)
{
    for (size_t i = 0; i < o->count; i++) {
        if (strncmp(o->values[i].spec->name, name, len) == 0 && o->values[i].spec->name[len] == '\0')
            return &o->values[i];
    }
    return NULL;
}

/* The defaults pass the same checks as everything else; a wrong one is a fault that the tests find. */
static struct options *new_options(enum program program, struct faults *faults)
{
    struct options *o = mem_zalloc(1, sizeof *o);

    o->program = program;
    o->values = mem_zalloc(option_table_count, sizeof *o->values);
    for (size_t i = 0; i < option_table_count; i++) {
        if ((option_table[i].programs & (int)program) == 0)
            continue;
        struct option_value *v = &o->values[o->count++];
        v->spec = &option_table[i];
        if (v->spec->fallback != NULL)
            option_set(v, FROM_DEFAULT, v->spec->name, v->spec->fallback, faults);
    }
    return o;
}

/* What is not known is named by its number: it may be a value, and a secret. */
static void refuse_argument(int number, struct faults *faults, const char *text)
{
    char place[32];

    snprintf(place, sizeof place, "argument %d", number);
    fault_add(faults, FAULT_ERROR, place, "%s", text);
}

static void add_word(struct options *o, const char *word)
{
    o->words = mem_grow(o->words, &o->word_cap, o->word_count, sizeof *o->words);
    o->words[o->word_count++] = mem_strdup(word);
}

/* The option of that name that some other program has, or NULL. */
static const struct option_spec *find_elsewhere(const char *name)
{
    for (size_t i = 0; i < option_table_count; i++) {
        if (strcmp(option_table[i].name, name) == 0)
            return &option_table[i];
    }
    return NULL;
}

/* The program's option whose name is nearest, or NULL. */
static const struct option_spec *nearest_option(const struct options *o, const char *name)
{
    const char **names = mem_alloc(o->count * sizeof *names);

    for (size_t i = 0; i < o->count; i++)
        names[i] = o->values[i].spec->name;
    const char *nearest = nearest_name(name, names, o->count);
    free(names);
    const struct option_value *v = nearest != NULL ? option_find(o, nearest, strlen(nearest)) : NULL;
    return v != NULL ? v->spec : NULL;
}

static const char *first_program(int programs)
{
    return program_name((enum program)(programs & -programs));
}

static bool is_flag(const struct option_spec *spec)
{
    return spec->place != OPT_SECRET && spec->place != OPT_ENV_ONLY;
}

static void refuse_unknown(const struct options *o, const char *word, int number, struct faults *faults)
{
    const char *name = word + strspn(word, "-");
    const struct option_spec *other = find_elsewhere(name);
    const struct option_spec *nearest = nearest_option(o, name);
    char variable[ENV_NAME_TEXT];
    char text[ENV_NAME_TEXT + 64];

    if (other != NULL) {
        fault_add(faults, FAULT_ERROR, word, "is not an option of %s, but of %s", program_name(o->program),
                  first_program(other->programs));
        return;
    }
    if (nearest == NULL)
        snprintf(text, sizeof text, "unknown option; %s --help lists them", program_name(o->program));
    else if (is_flag(nearest))
        snprintf(text, sizeof text, "unknown option; did you mean --%s?", nearest->name);
    else
        snprintf(text, sizeof text, "unknown option; did you mean the variable %s?",
                 option_env_name(nearest, 0, variable));
    refuse_argument(number, faults, text);
}

static void refuse_secret(const struct option_spec *spec, const char *place, struct faults *faults)
{
    char name[ENV_NAME_TEXT];

    option_env_name(spec, 0, name);
    if (spec->place == OPT_SECRET)
        fault_add(faults, FAULT_ERROR, place,
                  "a secret is never a flag, which everybody on the machine could read: set %s, or %s_FILE "
                  "to the name of a file that holds it",
                  name, name);
    else
        fault_add(faults, FAULT_ERROR, place, "is not a flag: set %s", name);
}

/* The words of the command line as they are read. */
struct word_reader {
    struct options *options;
    char **next; /* NULL-ended */
    char **argv; /* the program's name, which argument 1 is behind */
    struct faults *faults;
};

/* A word behind an option that is refused may be its value, and a secret: it is not looked at. */
static void skip_value(struct word_reader *r, const char *value)
{
    if (value == NULL && *r->next != NULL && (*r->next)[0] != '-')
        r->next++;
}

static void read_value(struct word_reader *r, struct option_value *v, const char *place, const char *value)
{
    if (v->spec->type == OPT_FLAG) {
        if (value != NULL)
            fault_add(r->faults, FAULT_ERROR, place, "takes no value");
        else
            option_set(v, FROM_FLAG, place, "on", r->faults);
        return;
    }
    if (value == NULL && *r->next != NULL && strncmp(*r->next, "--", 2) != 0)
        value = *r->next++;
    if (value == NULL || *value == '\0')
        fault_add(r->faults, FAULT_ERROR, place, "needs a value: %s", v->spec->arg);
    else
        option_set(v, FROM_FLAG, place, value, r->faults);
}

/* One "--name", "--name=value" or "-x"; r->next is behind it. */
static void read_flag(struct word_reader *r, const char *word)
{
    size_t len = strcspn(word, "=");
    const char *value = word[len] == '=' ? word + len + 1 : NULL;
    char *place = mem_strndup(word, len);
    int number = (int)(r->next - r->argv) - 1;
    struct option_value *v = len > 2 && word[1] == '-' ? option_find(r->options, place + 2, len - 2) : NULL;

    if (v != NULL && is_flag(v->spec)) {
        read_value(r, v, place, value);
    } else {
        if (v != NULL)
            refuse_secret(v->spec, place, r->faults);
        else
            refuse_unknown(r->options, place, number, r->faults);
        skip_value(r, value);
    }
    free(place);
}

static void read_word(struct word_reader *r, const char *word)
{
    char text[64];

    if (r->options->program == PROGRAM_JSTCTL) {
        add_word(r->options, word);
        return;
    }
    snprintf(text, sizeof text, "is not an option; %s takes options only", program_name(r->options->program));
    refuse_argument((int)(r->next - r->argv) - 1, r->faults, text);
}

static void read_words(struct word_reader *r)
{
    bool words_only = false;

    while (*r->next != NULL) {
        const char *word = *r->next++;
        if (!words_only && strcmp(word, "--") == 0)
            words_only = true;
        else if (!words_only && word[0] == '-' && word[1] != '\0')
            read_flag(r, word);
        else
            read_word(r, word);
    }
}

struct options *options_read(enum program program, int argc, char **argv, char **env, struct faults *faults)
{
    struct options *o = new_options(program, faults);
    struct word_reader reader = {.options = o, .next = argv + (argc > 0), .argv = argv, .faults = faults};

    if (env != NULL) /* as clearenv() leaves it */
        options_read_env(o, env, faults);
    read_words(&reader);
    return o;
}

static void free_value(struct option_value *v)
{
    if (v->text != NULL && v->spec->place == OPT_SECRET)
        explicit_bzero(v->text, strlen(v->text));
    free(v->text);
    free(v->file);
    for (size_t i = 0; i < v->item_count; i++) {
        explicit_bzero(v->items[i], strlen(v->items[i])); /* sasl.password */
        free(v->items[i]);
    }
    free(v->items);
}

void options_free(struct options *o)
{
    if (o == NULL)
        return;
    for (size_t i = 0; i < o->count; i++)
        free_value(&o->values[i]);
    for (size_t i = 0; i < o->word_count; i++)
        free(o->words[i]);
    free(o->values);
    free(o->words);
    free(o);
}

static _Noreturn void end_by_mistake(const struct options *o, const char *name)
{
    fprintf(stderr, "%s: mistake in the code: no option '%s' of the type that is asked for\n",
            program_name(o->program), name);
    abort();
}

/* types: bit mask of 1 << enum option_type. */
static const struct option_value *find_typed(const struct options *o, const char *name, unsigned types)
{
    const struct option_value *v = option_find(o, name, strlen(name));

    if (v == NULL || (types & 1u << v->spec->type) == 0)
        end_by_mistake(o, name);
    return v;
}

const char *options_text(const struct options *o, const char *name)
{
    return find_typed(o, name, 1u << OPT_TEXT | 1u << OPT_CHOICE | 1u << OPT_SINCE)->text;
}

const char *options_secret_file(const struct options *o, const char *name)
{
    return find_typed(o, name, 1u << OPT_TEXT)->file;
}

int64_t options_number(const struct options *o, const char *name)
{
    return find_typed(o, name,
                      1u << OPT_INT | 1u << OPT_DURATION | 1u << OPT_SIZE | 1u << OPT_PERCENT |
                          1u << OPT_TIME)
        ->number;
}

bool options_flag(const struct options *o, const char *name)
{
    const struct option_value *v = find_typed(o, name, 1u << OPT_FLAG | 1u << OPT_CHOICE);

    if (v->spec->type == OPT_CHOICE && strcmp(v->spec->choices, "on|off") != 0)
        end_by_mistake(o, name);
    return v->flag;
}

size_t options_list(const struct options *o, const char *name, const char *const **ret_items)
{
    const struct option_value *v = find_typed(o, name, 1u << OPT_LIST | 1u << OPT_PAIRS);

    *ret_items = (const char *const *)v->items;
    return v->item_count;
}

bool options_given(const struct options *o, const char *name)
{
    return find_typed(o, name, ~0u)->origin != FROM_DEFAULT;
}

size_t options_words(const struct options *o, const char *const **ret_words)
{
    *ret_words = (const char *const *)o->words;
    return o->word_count;
}

int64_t options_since(const struct options *o, const char *name, int64_t now_s)
{
    const char *text = find_typed(o, name, 1u << OPT_SINCE)->text;
    int64_t value = -1;

    if (text == NULL || beijing_parse(text, &value) == 0)
        return value;
    if (parse_duration(text, &value) != 0)
        end_by_mistake(o, name); /* option_set() has read it before */
    return now_s - value / 1000;
}
