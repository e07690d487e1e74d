#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/options/options.h"

#define E PROGRAM_EXTRACTOR
#define T PROGRAM_TRANSFORMER
#define L PROGRAM_LOADER
#define C PROGRAM_JSTCTL

/* Words and variables are separated by '|' in the cases. */
enum { WORDS_MAX = 16 };

struct words {
    char text[1024];
    char *list[WORDS_MAX];
    int count;
};

static char **split(struct words *w, const char *text)
{
    char *rest = w->text;

    snprintf(w->text, sizeof w->text, "%s", text);
    w->count = 0;
    while (*text != '\0' && rest != NULL)
        w->list[w->count++] = strsep(&rest, "|");
    w->list[w->count] = NULL;
    return w->list;
}

static struct options *read_options(enum program program, const char *argv, const char *env,
                                    struct faults *faults)
{
    struct words flags;
    struct words variables;
    char line[1024];

    snprintf(line, sizeof line, "%s%s%s", program_name(program), *argv != '\0' ? "|" : "", argv);
    split(&flags, line);
    return options_read(program, flags.count, flags.list, split(&variables, env), faults);
}

static char *faults_text(const struct faults *faults)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    faults_print(faults, out);
    fclose(out);
    return text;
}

/* Options that must be right. */
static struct options *fine(enum program program, const char *argv, const char *env)
{
    struct faults faults = FAULTS_INIT;
    struct options *o = read_options(program, argv, env, &faults);

    if (faults.count > 0) {
        char *text = faults_text(&faults);
        print_error("%s", text);
        free(text);
        options_free(o);
        faults_free(&faults);
        fail();
    }
    return o;
}

static void defaults(void **state)
{
    const char *const *list;
    (void)state;

    struct options *o = fine(L, "", "");
    assert_int_equal(options_list(o, "pipelines", &list), 1);
    assert_string_equal(list[0], "pipelines");
    assert_int_equal(options_list(o, "kafka", &list), 0);
    assert_string_equal(options_text(o, "topics"), "topics.conf");
    assert_string_equal(options_text(o, "brokers"), "localhost:9092");
    assert_null(options_text(o, "kafka-config"));
    assert_string_equal(options_text(o, "group"), "jst.loader");
    assert_string_equal(options_text(o, "listen"), "127.0.0.1:9103");
    assert_string_equal(options_text(o, "mysql-tls"), "preferred");
    assert_null(options_text(o, "mysql-password"));
    assert_true(options_number(o, "mysql-port") == 3306);
    assert_true(options_number(o, "batch-rows") == 0); /* auto */
    assert_true(options_number(o, "batch-bytes") == 2097152);
    assert_true(options_number(o, "batch-wait") == 200);
    assert_true(options_number(o, "flood-limit") == 500);
    assert_true(options_flag(o, "create-topics"));
    assert_false(options_flag(o, "create-tables"));
    assert_false(options_flag(o, "check"));
    assert_false(options_given(o, "listen"));
    options_free(o);

    o = fine(E, "", "");
    assert_string_equal(options_text(o, "group"), "jst.extractor");
    assert_string_equal(options_text(o, "listen"), "127.0.0.1:9101");
    assert_string_equal(options_text(o, "api-url"), "https://openapi.jushuitan.com");
    assert_string_equal(options_text(o, "token-file"), "state/token.json");
    assert_string_equal(options_text(o, "rate"), "5/s,100/m");
    assert_true(options_since(o, "since", 1000000) == 1000000 - 604800);
    assert_false(options_given(o, "until"));
    options_free(o);

    o = fine(T, "", "");
    assert_string_equal(options_text(o, "group"), "jst.transformer");
    assert_string_equal(options_text(o, "listen"), "127.0.0.1:9102");
    options_free(o);
}

/* One value through flags and environment. */
static void which_one_holds(void **state)
{
    static const struct {
        const char *argv, *env, *brokers;
    } cases[] = {
        {"--brokers|a:1", "", "a:1"},
        {"--brokers=a:1", "", "a:1"},
        {"--brokers=a=b", "", "a=b"},
        {"--brokers|a:1|--brokers|b:2", "", "b:2"},
        {"--brokers|-", "", "-"},
        {"--brokers|-x", "", "-x"},
        {"", "JST_BROKERS=a:1", "a:1"},
        {"", "JST_LOADER_BROKERS=a:1", "a:1"},
        {"", "JST_LOADER_BROKERS=a:1|JST_BROKERS=b:2", "a:1"},
        {"", "JST_BROKERS=b:2|JST_LOADER_BROKERS=a:1", "a:1"},
        {"", "JST_BROKERS=b:2|JST_EXTRACTOR_BROKERS=a:1", "b:2"},
        {"--brokers|f:3", "JST_BROKERS=b:2|JST_LOADER_BROKERS=a:1", "f:3"},
        {"", "JST_BROKERS=", "localhost:9092"},
        {"", "JST_BROKERS=b:2|JST_LOADER_BROKERS=", "b:2"},
        {"", "PATH=/bin|JSTX=1|jst_brokers=a", "localhost:9092"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options *o = fine(L, cases[i].argv, cases[i].env);
        if (strcmp(options_text(o, "brokers"), cases[i].brokers) != 0)
            fail_msg("case %zu: %s", i, options_text(o, "brokers"));
        assert_int_equal(options_given(o, "brokers"), strcmp(cases[i].brokers, "localhost:9092") != 0);
        options_free(o);
    }
}

static void lists(void **state)
{
    static const struct {
        const char *argv, *env, *name;
        const char *items[4];
    } cases[] = {
        {"--pipelines|a.json,b", "", "pipelines", {"a.json", "b"}},
        {"--pipelines|a,b|--pipelines=c", "JST_PIPELINES=z", "pipelines", {"a", "b", "c"}},
        {"", "JST_PIPELINES=y,z", "pipelines", {"y", "z"}},
        {"", "JST_PIPELINES=y,z|JST_LOADER_PIPELINES=x", "pipelines", {"x"}},
        {"--kafka|a=1,2|--kafka|b=3", "JST_KAFKA=c=4", "kafka", {"a=1,2", "b=3"}},
        {"--kafka=sasl.password=x y", "", "kafka", {"sasl.password=x y"}},
        {"--kafka|a=", "", "kafka", {"a="}},
        {"", "JST_KAFKA=a=1,2 b=3\n\tc=4\n", "kafka", {"a=1,2", "b=3", "c=4"}},
        {"", "JST_KAFKA= ", "kafka", {NULL}},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options *o = fine(L, cases[i].argv, cases[i].env);
        const char *const *items;
        size_t n = options_list(o, cases[i].name, &items);
        size_t k = 0;
        for (; k < 4 && cases[i].items[k] != NULL; k++) {
            if (k >= n || strcmp(items[k], cases[i].items[k]) != 0)
                fail_msg("case %zu, item %zu", i, k);
        }
        assert_int_equal(n, k);
        options_free(o);
    }
}

static void other_types(void **state)
{
    (void)state;

    struct options *o = fine(L,
                             "--once|--batch-rows|5|--batch-bytes=1MiB|--batch-wait|1s|--flood-limit=0.5%|"
                             "--create-tables|on|--create-topics=off|--mysql-tls|verify",
                             "JST_LOADER_CHECK=true");
    assert_true(options_flag(o, "once"));
    assert_true(options_flag(o, "check"));
    assert_true(options_number(o, "batch-rows") == 5);
    assert_true(options_number(o, "batch-bytes") == 1048576);
    assert_true(options_number(o, "batch-wait") == 1000);
    assert_true(options_number(o, "flood-limit") == 50);
    assert_true(options_flag(o, "create-tables"));
    assert_false(options_flag(o, "create-topics"));
    assert_string_equal(options_text(o, "mysql-tls"), "verify");
    options_free(o);

    o = fine(E, "--since|2026-08-01|--until=2026-08-13 11:05:00", "");
    assert_true(options_number(o, "until") == 1786590300);
    assert_true(options_since(o, "since", 5) == 1785513600);
    options_free(o);

    o = fine(E, "--since|90m", "JST_EXTRACTOR_ONCE=off");
    assert_true(options_since(o, "since", 10000) == 4600);
    assert_false(options_flag(o, "once"));
    options_free(o);
}

/* All programs may share one environment, which an orchestrator fills, too. */
static void variables_of_others(void **state)
{
    (void)state;

    struct options *o = fine(T, "",
                             "JST_MYSQL_HOST=db|JST_LOADER_BATCH_ROWS=nonsense|JST_APP_KEY=k|"
                             "JST_MYSQL_PASSWORD_FILE=/nowhere|JST_EXTRACTOR_LISTEN=none|JST_FLOOD_LIMIT=1%|"
                             "JST_LOADER_PORT=tcp://10.0.0.1:9103|JST_LOADER_SERVICE_HOST=10.0.0.1|"
                             "JST_LOADER_PORT_9103_TCP_ADDR=10.0.0.1|JST_JSTCTL_LOG_LEVEL=debug");
    assert_true(options_number(o, "flood-limit") == 100);
    options_free(o);

    /* Services named jst, jst-mysql, jst-loader and jst-loader-mysql */
    o = fine(L, "",
             "JST_PORT=tcp://10.0.0.1:80|JST_SERVICE_HOST=10.0.0.1|JST_PORT_80_TCP=tcp://10.0.0.1:80|"
             "JST_MYSQL_PORT=tcp://10.0.0.1:3306|JST_MYSQL_SERVICE_PORT=3306|"
             "JST_MYSQL_PORT_3306_TCP_PROTO=tcp|JST_LOADER_MYSQL_PORT=udp://10.0.0.1:3306|"
             "JST_LOADER_PORT=sctp://10.0.0.1:9103|JST_SERVICE_PORT=80");
    assert_true(options_number(o, "mysql-port") == 3306);
    assert_false(options_given(o, "mysql-port"));
    options_free(o);
}

static void wrong(void **state)
{
    static const struct {
        enum program program;
        const char *argv, *env, *says;
    } cases[] = {
        {L, "--batch-rows|0", "",
         "error: --batch-rows: \"0\" is not allowed: auto or a whole number from 1 to 100000 is needed\n"},
        {L, "--batch-rows|100001", "", "error: --batch-rows: \"100001\""},
        {L, "--batch-rows|5x", "", "error: --batch-rows: \"5x\""},
        {L, "", "JST_BATCH_ROWS=-1", "error: JST_BATCH_ROWS: \"-1\""},
        {L, "--batch-rows|5", "JST_LOADER_BATCH_ROWS=x", "error: JST_LOADER_BATCH_ROWS: \"x\""},
        {L, "--batch-bytes|8", "", "a size such as 64KiB or 8MiB from 64KiB to 1GiB"},
        {L, "--batch-bytes|8M", "", "--batch-bytes: \"8M\""},
        {L, "--batch-wait|200", "", "a duration such as 200ms, 5m or 7d from 0 to 1m is needed"},
        {L, "--batch-wait|61s", "", "--batch-wait: \"61s\""},
        {L, "--flood-limit|5", "", "a percentage such as 5% or 0.5% from 0% to 100%"},
        {L, "--flood-limit|101%", "", "--flood-limit: \"101%\""},
        {L, "--mysql-port|65536", "", "a whole number from 1 to 65535"},
        {L, "--mysql-tls|of", "", "\"of\" is not allowed: one of off|preferred|required|verify"},
        {L, "--mysql-tls|off|--mysql-tls|off|preferred", "", "error: argument 5: is not an option"},
        {L, "--create-tables|yes", "", "one of on|off"},
        {E, "--until|2026-02-30", "",
         "--until: \"2026-02-30\" is not allowed: a time YYYY-MM-DD[ HH:MM:SS] in Beijing"},
        {E, "--since|7", "", "or a duration such as 7d"},
        {L, "--pipelines|a,,b", "", "--pipelines: \"a,,b\""},
        {L, "--pipelines|,", "", "--pipelines: \",\""},
        {L, "", "JST_LOADER_CHECK=yes",
         "JST_LOADER_CHECK: \"yes\" is not allowed: 1, true, on, 0, false or off"},
        {L, "--brokers", "", "error: --brokers: needs a value: LIST"},
        {L, "--brokers|--once", "", "error: --brokers: needs a value: LIST"},
        {L, "--brokers=", "", "error: --brokers: needs a value: LIST"},
        {L, "--once=on", "", "error: --once: takes no value"},
        {L, "--broker|x", "", "error: argument 1: unknown option; did you mean --brokers?\n"},
        {L, "--zzzzzzz", "", "error: argument 1: unknown option; loader --help lists them\n"},
        {L, "-h", "", "error: argument 1: unknown option; loader --help lists them\n"},
        {L, "--api-url|x", "", "error: --api-url: is not an option of loader, but of extractor\n"},
        {E, "--mysql-pasword", "", "error: argument 1: unknown option"},
        {L, "--mysql-pasword", "", "did you mean the variable JST_MYSQL_PASSWORD?"},
        {L, "run", "", "error: argument 1: is not an option; loader takes options only\n"},
        {L, "--|--once", "", "error: argument 2: is not an option; loader takes options only\n"},
        {L, "", "JST_BROKER=x", "error: JST_BROKER: unknown variable; did you mean JST_BROKERS?\n"},
        {L, "", "JST_BROKER=", "error: JST_BROKER: unknown variable; did you mean JST_BROKERS?\n"},
        {L, "", "JST_LOADER_BROKER=x", "did you mean JST_LOADER_BROKERS?"},
        {L, "", "JST_ZZZZ=x", "error: JST_ZZZZ: unknown variable; loader --help lists them"},
        {L, "", "JST_GROUP=x",
         "error: JST_GROUP: is not shared by the programs: set JST_LOADER_GROUP, or --group\n"},
        {E, "", "JST_ONCE=1", "set JST_EXTRACTOR_ONCE, or --once"},
        {L, "", "JST_HELP=1", "error: JST_HELP: unknown variable"},
        {L, "", "JST_LOADER_VERSION=1", "error: JST_LOADER_VERSION: unknown variable"},
        {L, "", "JST_BROKERS_PORT=9092", "error: JST_BROKERS_PORT: unknown variable"},
        {L, "", "JST_MYSQL_PORTS=3306", "error: JST_MYSQL_PORTS: unknown variable"},
        {L, "", "JST_MYSQL_HOST_PORT=http://x", "error: JST_MYSQL_HOST_PORT: unknown variable"},
        {L, "", "JST_SERVICES=x", "error: JST_SERVICES: unknown variable"},
        {L, "", "JST_LOADER_API_URL=x", "error: JST_LOADER_API_URL: unknown variable"},
        {L, "", "JST_BROKERS_FILE=x", "error: JST_BROKERS_FILE: unknown variable"},
        {E, "", "JST_APP_KEY_FILE=x", "error: JST_APP_KEY_FILE: unknown variable"},
        {E, "--app-key|k", "", "error: --app-key: is not a flag: set JST_APP_KEY\n"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct faults faults = FAULTS_INIT;
        struct options *o = read_options(cases[i].program, cases[i].argv, cases[i].env, &faults);
        char *text = faults_text(&faults);
        if (faults.errors != 1 || strstr(text, cases[i].says) == NULL)
            fail_msg("%s %s: %zu faults: %s", cases[i].argv, cases[i].env, faults.errors, text);
        free(text);
        options_free(o);
        faults_free(&faults);
    }
}

static void every_fault_is_found_and_the_rest_holds(void **state)
{
    struct faults faults = FAULTS_INIT;
    (void)state;

    struct options *o = read_options(L, "--batch-rows|x|--nope|--batch-wait|1s|--mysql-tls|no",
                                     "JST_MYSQL_PORT=0|JST_NOPE=1|JST_BROKERS=b:1", &faults);
    assert_int_equal(faults.errors, 5);
    assert_true(options_number(o, "batch-rows") == 0);
    assert_true(options_number(o, "batch-wait") == 1000);
    assert_true(options_number(o, "mysql-port") == 3306);
    assert_string_equal(options_text(o, "mysql-tls"), "preferred");
    assert_string_equal(options_text(o, "brokers"), "b:1");
    options_free(o);
    faults_free(&faults);
}

static void foreign_text_in_a_fault_is_one_short_line(void **state)
{
    struct faults faults = FAULTS_INIT;
    char env[512];
    (void)state;

    size_t len = (size_t)snprintf(env, sizeof env, "JST_BATCH_ROWS=a\nbc\033[31m");
    for (; len < 320; len += strlen("采"))
        snprintf(env + len, sizeof env - len, "采");
    struct options *o = read_options(L, "", env, &faults);
    assert_int_equal(faults.errors, 1);
    assert_null(strchr(faults.list[0].text, '\n'));
    assert_null(strchr(faults.list[0].text, '\033'));
    assert_non_null(strstr(faults.list[0].text, "采...\""));
    options_free(o);
    faults_free(&faults);
}

static void jstctl_has_words(void **state)
{
    const char *const *words;
    (void)state;

    struct options *o = fine(C, "preview|purchasein|--json|page.json|--|--odd", "");
    assert_int_equal(options_words(o, &words), 4);
    assert_string_equal(words[0], "preview");
    assert_string_equal(words[1], "purchasein");
    assert_string_equal(words[2], "page.json");
    assert_string_equal(words[3], "--odd");
    assert_true(options_flag(o, "json"));
    options_free(o);
}

/* A file with this content; the name is in path. */
static void write_secret(char path[32], const char *content, size_t len)
{
    snprintf(path, 32, "/tmp/jst-secret-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(write(fd, content, len) == (ssize_t)len);
    close(fd);
}

static void secrets(void **state)
{
    char path[32];
    char env[256];
    (void)state;

    write_secret(path,
                 "\xEF\xBB\xBF"
                 "from file\r\n\n",
                 15); /* as editors of Windows write it */

    struct options *o = fine(L, "", "JST_MYSQL_PASSWORD=direct");
    assert_string_equal(options_text(o, "mysql-password"), "direct");
    options_free(o);

    snprintf(env, sizeof env, "JST_MYSQL_PASSWORD_FILE=%s|JST_MYSQL_PASSWORD=", path);
    o = fine(L, "", env);
    assert_string_equal(options_text(o, "mysql-password"), "from file");
    options_free(o);

    snprintf(env, sizeof env, "JST_LOADER_MYSQL_PASSWORD_FILE=%s|JST_MYSQL_PASSWORD=other", path);
    o = fine(L, "", env);
    assert_string_equal(options_text(o, "mysql-password"), "from file");
    options_free(o);

    o = fine(L, "", "JST_LOADER_MYSQL_PASSWORD=own|JST_MYSQL_PASSWORD=other");
    assert_string_equal(options_text(o, "mysql-password"), "own");
    options_free(o);
    unlink(path);
}

/* A secret that came from a file can be read from it again; one that did not has no file. */
static void a_secrets_file_is_known(void **state)
{
    char path[32];
    char env[256];
    char *again = NULL;
    struct err err = ERR_INIT;
    (void)state;

    write_secret(path, "first\n", 6);
    snprintf(env, sizeof env, "JST_MYSQL_PASSWORD_FILE=%s", path);
    struct options *o = fine(L, "", env);
    assert_string_equal(options_secret_file(o, "mysql-password"), path);
    FILE *file = fopen(path, "w");
    fputs("second\r\n", file);
    fclose(file);
    assert_int_equal(secret_read(options_secret_file(o, "mysql-password"), &again, &err), 0);
    assert_string_equal(again, "second");
    free(again);
    options_free(o);

    snprintf(env, sizeof env, "JST_MYSQL_PASSWORD_FILE=%s|JST_LOADER_MYSQL_PASSWORD=own", path);
    o = fine(L, "", env);
    assert_string_equal(options_text(o, "mysql-password"), "own");
    assert_null(options_secret_file(o, "mysql-password"));
    options_free(o);
    unlink(path);
    assert_int_equal(secret_read(path, &again, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_non_null(strstr(err.text, path));
}

static void wrong_secrets_are_named_and_not_shown(void **state)
{
    char empty[32];
    char binary[32];
    char long_one[32];
    char env[4][96];
    char *content = malloc(65537);
    (void)state;

    memset(content, 'x', 65537);
    write_secret(empty, "\n", 1);
    write_secret(binary, "hunter2\0x", 9);
    write_secret(long_one, content, 65537);
    free(content);
    snprintf(env[0], sizeof env[0], "JST_APP_SECRET_FILE=%s", empty);
    snprintf(env[1], sizeof env[1], "JST_APP_SECRET_FILE=%s", binary);
    snprintf(env[2], sizeof env[2], "JST_APP_SECRET_FILE=%s", long_one);
    snprintf(env[3], sizeof env[3], "JST_APP_SECRET_FILE=%s|JST_APP_SECRET=hunter2", binary);
    const struct {
        const char *argv, *env, *says;
    } cases[] = {
        {"--app-secret|hunter2", "",
         "error: --app-secret: a secret is never a flag, which everybody on the "
         "machine could read: set JST_APP_SECRET, or JST_APP_SECRET_FILE to"},
        {"--app-secret=hunter2", "", "error: --app-secret: a secret is never a flag"},
        {"-phunter2", "", "error: argument 1: unknown option; extractor --help lists them"},
        {"--once|-p|hunter2", "", "error: argument 2: unknown option"},
        {"--once|hunter2", "", "error: argument 2: is not an option; extractor takes options only"},
        {"--app-secret-hunter2", "", "error: argument 1: unknown option"},
        {"--hunter2=x", "", "error: argument 1: unknown option"},
        {"--app-secert|hunter2", "", "did you mean the variable JST_APP_SECRET?"},
        {"--app-secert=hunter2", "", "did you mean the variable JST_APP_SECRET?"},
        {"", "JST_APP_SECERT=hunter2", "did you mean JST_APP_SECRET?"},
        {"", "JST_APP_SECRET_FILE=/nowhere/x",
         "JST_APP_SECRET_FILE: /nowhere/x cannot be read: No such file"},
        {"", "JST_APP_SECRET_FILE=/tmp", "JST_APP_SECRET_FILE: /tmp cannot be read: Is a directory"},
        {"", "JST_APP_SECRET_FILE=/dev/zero", "JST_APP_SECRET_FILE: /dev/zero is not a file"},
        {"", env[0], "is empty"},
        {"", env[1], "holds no secret"},
        {"", env[2], "is larger than 65536 bytes"},
        {"", env[3], "error: JST_APP_SECRET: JST_APP_SECRET_FILE is set, too"},
        {"--kafka|hunter2", "", "error: --kafka: NAME=VALUE is needed"},
        {"--kafka|=hunter2", "", "error: --kafka: NAME=VALUE is needed"},
        {"", "JST_KAFKA=sasl.password=my hunter2", "error: JST_KAFKA: item 2 is not NAME=VALUE"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct faults faults = FAULTS_INIT;
        struct options *o = read_options(E, cases[i].argv, cases[i].env, &faults);
        char *text = faults_text(&faults);
        if (faults.errors != 1 || strstr(text, cases[i].says) == NULL || strstr(text, "hunter2") != NULL)
            fail_msg("case %zu: %s", i, text);
        assert_null(options_text(o, "app-secret"));
        free(text);
        options_free(o);
        faults_free(&faults);
    }
    unlink(empty);
    unlink(binary);
    unlink(long_one);
}

/* The table itself: what a person may get wrong when adding a row. */
static void the_table_is_sound(void **state)
{
    (void)state;

    for (size_t i = 0; i < option_table_count; i++) {
        const struct option_spec *a = &option_table[i];
        bool needs_arg = a->type != OPT_FLAG && a->place != OPT_SECRET && a->place != OPT_ENV_ONLY;
        if (a->help == NULL || (a->arg != NULL) != needs_arg ||
            (a->choices == NULL && a->type == OPT_CHOICE) ||
            (a->choices != NULL && a->type != OPT_CHOICE && a->type != OPT_INT))
            fail_msg("--%s: help, arg or choices", a->name);
        assert_true(a->min <= a->max);
        assert_true(strspn(a->name, "abcdefghijklmnopqrstuvwxyz-") == strlen(a->name));
        if (a->help != NULL && strlen(a->help) > 80)
            fail_msg("--%s: long help", a->name);
        for (size_t k = i + 1; k < option_table_count; k++) {
            if (strcmp(a->name, option_table[k].name) == 0 && (a->programs & option_table[k].programs) != 0)
                fail_msg("--%s stands twice", a->name);
        }
    }
}

static bool find_row(const char *name, enum program program)
{
    for (size_t i = 0; i < option_table_count; i++) {
        if (strcmp(option_table[i].name, name) == 0 && (option_table[i].programs & (int)program) != 0)
            return true;
    }
    return false;
}

static void help_names_everything(void **state)
{
    static const enum program programs[] = {E, T, L, C};
    (void)state;

    for (size_t p = 0; p < 4; p++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        options_help(programs[p], out);
        fclose(out);
        if (text == NULL)
            abort();
        for (size_t i = 0; i < option_table_count; i++) {
            const struct option_spec *spec = &option_table[i];
            char line[96];
            snprintf(line, sizeof line, "\n  --%s ", spec->name);
            bool flag = spec->place != OPT_SECRET && spec->place != OPT_ENV_ONLY;
            if ((strstr(text, line) != NULL) != (flag && find_row(spec->name, programs[p])))
                fail_msg("%s --help: --%s", program_name(programs[p]), spec->name);
        }
        assert_non_null(strstr(text, "\nExit codes:\n  0    "));
        assert_non_null(strstr(text, "\n  100  "));
        assert_non_null(strstr(text, "\n  111  "));
        assert_int_equal(strstr(text, "\n  1    ") != NULL, programs[p] == C);
        assert_int_equal(strstr(text, "\n  JST_APP_SECRET ") != NULL, programs[p] == E);
        for (const char *line = text; *line != '\0';) {
            size_t columns = strcspn(line, "\n");
            if (columns > 112)
                fail_msg("%zu columns: %.*s", columns, (int)columns, line);
            line += columns + (line[columns] != '\0');
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(which_one_holds),
        cmocka_unit_test(lists),
        cmocka_unit_test(other_types),
        cmocka_unit_test(variables_of_others),
        cmocka_unit_test(wrong),
        cmocka_unit_test(every_fault_is_found_and_the_rest_holds),
        cmocka_unit_test(foreign_text_in_a_fault_is_one_short_line),
        cmocka_unit_test(jstctl_has_words),
        cmocka_unit_test(secrets),
        cmocka_unit_test(a_secrets_file_is_known),
        cmocka_unit_test(wrong_secrets_are_named_and_not_shown),
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(help_names_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
