/* Every option of every program. What is changed here is changed in --help; docs/options.md is printed from
 * here as well (`jstctl docs options`), and chinese.c has the texts of docs/options.zh-CN.md. */
#include "common/options/options.h"

enum {
    E = PROGRAM_EXTRACTOR,
    T = PROGRAM_TRANSFORMER,
    L = PROGRAM_LOADER,
    C = PROGRAM_JSTCTL,
    DAEMONS = E | T | L,
    ALL = DAEMONS | C,
};

#define ON_OFF     "on|off"
#define LOG_LEVELS "error|warn|info|debug" /* in the order of enum log_level */

const struct option_spec option_table[] = {
    {"pipelines", ALL, OPT_LIST, OPT_ANYWHERE, "pipelines", 0, 0, NULL, "PATH[,PATH...]",
     "files or folders with pipelines"},
    {"topics", ALL, OPT_TEXT, OPT_ANYWHERE, "topics.conf", 0, 0, NULL, "FILE",
     "topics, their partitions and settings"},

    {"brokers", ALL, OPT_TEXT, OPT_ANYWHERE, "localhost:9092", 0, 0, NULL, "LIST",
     "Kafka's brokers, HOST:PORT, comma-separated"},
    {"kafka-config", ALL, OPT_TEXT, OPT_ANYWHERE, NULL, 0, 0, NULL, "FILE",
     "librdkafka properties, one name=value a line (TLS, SASL)"},
    {"kafka", ALL, OPT_PAIRS, OPT_ANYWHERE, NULL, 0, 0, NULL, "NAME=VALUE",
     "one librdkafka property; repeatable; in the environment separated by white space"},
    {"group", E, OPT_TEXT, OPT_NOT_SHARED, "jst.extractor", 0, 0, NULL, "NAME", "consumer group"},
    {"group", T, OPT_TEXT, OPT_NOT_SHARED, "jst.transformer", 0, 0, NULL, "NAME", "consumer group"},
    {"group", L, OPT_TEXT, OPT_NOT_SHARED, "jst.loader", 0, 0, NULL, "NAME", "consumer group"},
    {"create-topics", DAEMONS, OPT_CHOICE, OPT_ANYWHERE, "on", 0, 0, ON_OFF, ON_OFF,
     "create the topics that are missing, at start"},

    {"api-url", E, OPT_TEXT, OPT_ANYWHERE, "https://openapi.jushuitan.com", 0, 0, NULL, "URL",
     "where the API is"},
    {"app-key", E, OPT_TEXT, OPT_ENV_ONLY, NULL, 0, 0, NULL, NULL, "the application's key; needed"},
    {"app-secret", E, OPT_TEXT, OPT_SECRET, NULL, 0, 0, NULL, NULL, "the application's secret; needed"},
    {"access-token", E, OPT_TEXT, OPT_SECRET, NULL, 0, 0, NULL, NULL,
     "a token that was got elsewhere (optional)"},
    {"token-file", E, OPT_TEXT, OPT_ANYWHERE, "state/token.json", 0, 0, NULL, "FILE",
     "where the token is kept"},
    {"since", E, OPT_SINCE, OPT_ANYWHERE, "7d", 0, 0, NULL, "TIME|DURATION",
     "where a pipeline without a checkpoint begins"},
    {"until", E, OPT_TIME, OPT_ANYWHERE, NULL, 0, 0, NULL, "TIME", "where reading ends; else now"},
    {"rate", E, OPT_TEXT, OPT_ANYWHERE, "5/s,100/m", 0, 0, NULL, "LIMITS",
     "requests that the API allows one application; 0/s or 0/m: not limited"},
    {"proxy", E, OPT_TEXT, OPT_ANYWHERE, NULL, 0, 0, NULL, "URL",
     "proxy to the API; else what https_proxy says"},
    {"ca-file", E, OPT_TEXT, OPT_ANYWHERE, NULL, 0, 0, NULL, "FILE",
     "certificates that sign the API's or the proxy's; else the system's"},

    {"mysql-host", L, OPT_TEXT, OPT_ANYWHERE, "127.0.0.1", 0, 0, NULL, "HOST", "MySQL's host"},
    {"mysql-port", L, OPT_INT, OPT_ANYWHERE, "3306", 1, 65535, NULL, "PORT", "MySQL's port"},
    {"mysql-socket", L, OPT_TEXT, OPT_ANYWHERE, NULL, 0, 0, NULL, "PATH",
     "MySQL's Unix socket, instead of host and port"},
    {"mysql-user", L, OPT_TEXT, OPT_ANYWHERE, NULL, 0, 0, NULL, "NAME", "MySQL's user; needed"},
    {"mysql-password", L, OPT_TEXT, OPT_SECRET, NULL, 0, 0, NULL, NULL, "that user's password"},
    {"mysql-database", L, OPT_TEXT, OPT_ANYWHERE, NULL, 0, 0, NULL, "NAME",
     "database of the tables, and of jst_heads and jst_offsets; needed"},
    {"mysql-tls", L, OPT_CHOICE, OPT_ANYWHERE, "preferred", 0, 0, "off|preferred|required|verify", "MODE",
     "off, preferred, required, or verify: that alone stops an attacker"},
    {"mysql-ca", L, OPT_TEXT, OPT_ANYWHERE, NULL, 0, 0, NULL, "FILE",
     "certificates that sign MySQL's; else the system's"},
    {"create-tables", L, OPT_CHOICE, OPT_ANYWHERE, "off", 0, 0, ON_OFF, ON_OFF,
     "create the tables that are missing"},
    {"batch-rows", L, OPT_INT, OPT_ANYWHERE, "auto", 1, 100000, "auto", "auto|N",
     "rows a transaction aims at; auto: 200 without backlog, up to 10,000 with"},
    {"writers", L, OPT_INT, OPT_ANYWHERE, "2", 1, 16, NULL, "N", "connections that write at the same time"},
    {"buffer-bytes", L, OPT_SIZE, OPT_ANYWHERE, "16MiB", 1048576, 1 << 30, NULL, "SIZE",
     "memory of all batches together; one larger document excepted"},
    {"batch-bytes", L, OPT_SIZE, OPT_ANYWHERE, "2MiB", 65536, 1 << 30, NULL, "SIZE",
     "bytes a transaction takes at most; one larger document excepted"},
    {"batch-wait", L, OPT_DURATION, OPT_ANYWHERE, "200ms", 0, 60000, NULL, "DURATION",
     "how long a batch waits for more while messages keep coming"},
    {"flood-limit", T | L, OPT_PERCENT, OPT_ANYWHERE, "5%", 0, 10000, NULL, "PERCENT",
     "share of dead letters of the last 1,000 documents that pauses; 100%: never"},

    {"apply", C, OPT_FLAG, OPT_FLAG_ONLY, NULL, 0, 0, NULL, NULL,
     "topics: create what is missing, alter what differs"},
    {"server", C, OPT_CHOICE, OPT_FLAG_ONLY, "mysql", 0, 0, "mysql|mariadb", "mysql|mariadb",
     "ddl: for which server; default mysql"},
    {"lang", C, OPT_CHOICE, OPT_FLAG_ONLY, NULL, 0, 0, "en|zh", "en|zh",
     "docs: language of the page; else what LANG says"},
    {"json", C, OPT_FLAG, OPT_FLAG_ONLY, NULL, 0, 0, NULL, NULL, "print JSON for programs"},

    {"listen", E, OPT_TEXT, OPT_NOT_SHARED, "127.0.0.1:9101", 0, 0, NULL, "HOST:PORT",
     "metrics and health; port 0: a free one; none: off"},
    {"listen", T, OPT_TEXT, OPT_NOT_SHARED, "127.0.0.1:9102", 0, 0, NULL, "HOST:PORT",
     "metrics and health; port 0: a free one; none: off"},
    {"listen", L, OPT_TEXT, OPT_NOT_SHARED, "127.0.0.1:9103", 0, 0, NULL, "HOST:PORT",
     "metrics and health; port 0: a free one; none: off"},
    {"log-level", DAEMONS, OPT_CHOICE, OPT_ANYWHERE, "info", 0, 0, LOG_LEVELS, "LEVEL",
     "error, warn, info or debug"},
    {"log-level", C, OPT_CHOICE, OPT_ANYWHERE, "warn", 0, 0, LOG_LEVELS, "LEVEL",
     "error, warn, info or debug"},
    {"log-format", ALL, OPT_CHOICE, OPT_ANYWHERE, "text", 0, 0, "text|json", "FORMAT", "text or json"},
    {"check", DAEMONS, OPT_FLAG, OPT_NOT_SHARED, NULL, 0, 0, NULL, NULL,
     "check the configuration offline, print every fault, and exit"},
    {"once", E, OPT_FLAG, OPT_NOT_SHARED, NULL, 0, 0, NULL, NULL,
     "read each pipeline up to now (or --until), and exit"},
    {"once", T | L, OPT_FLAG, OPT_NOT_SHARED, NULL, 0, 0, NULL, NULL,
     "read to the ends of the topics as they stand at start, and exit"},
    {"replay-from", L, OPT_SINCE, OPT_NOT_SHARED, NULL, 0, 0, NULL, "TIME|DURATION",
     "load once more what was published since then, in no group, and exit"},
    {"replay-to", L, OPT_TIME, OPT_NOT_SHARED, NULL, 0, 0, NULL, "TIME",
     "load once more only what was published before then; else up to now"},
    {"help", ALL, OPT_FLAG, OPT_FLAG_ONLY, NULL, 0, 0, NULL, NULL, "print this, and exit"},
    {"version", ALL, OPT_FLAG, OPT_FLAG_ONLY, NULL, 0, 0, NULL, NULL, "print the version, and exit"},
};
const size_t option_table_count = sizeof option_table / sizeof option_table[0];

#define DAEMON_CODES                                                                                         \
    "  0    done, or asked to stop\n"                                                                        \
    "  100  wrong usage or configuration: a restart will not help\n"                                         \
    "  111  anything else: a restart may help\n"

const struct program_help program_help_table[] = {
    {PROGRAM_EXTRACTOR, "[OPTION...]",
     "Reads the documents of a Jushuitan account and publishes the pages to Kafka.\n", DAEMON_CODES},
    {PROGRAM_TRANSFORMER, "[OPTION...]", "Turns raw pages in Kafka into flat rows in Kafka.\n", DAEMON_CODES},
    {PROGRAM_LOADER, "[OPTION...]", "Writes rows from Kafka into MySQL, whole documents at a time.\n",
     DAEMON_CODES},
    {PROGRAM_JSTCTL, "VERB [ARGUMENT...] [OPTION...]",
     "  check                        check pipelines and topics, offline\n"
     "  ddl PIPELINE                 print CREATE TABLE for a pipeline's target\n"
     "  preview PIPELINE PAGE.json   print the rows that a page would give\n"
     "  topics                       show the topics as they are and should be\n"
     "  docs TOPIC                   print a reference page: options or metrics\n"
     "\n"
     "Options follow the verb; `jstctl VERB --help` says which it takes.\n",
     "  0    fine\n"
     "  1    something was found: differences, faults\n"
     "  100  wrong usage or configuration\n"
     "  111  it could not be done\n"},
};
const size_t program_help_count = sizeof program_help_table / sizeof program_help_table[0];
