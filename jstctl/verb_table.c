/* Every verb. Its line in `jstctl --help` stands in common/options/table.c; a unit test compares the two. */
#include "jstctl/verbs.h"

#define KAFKA_OPTIONS "brokers", "kafka-config", "kafka"

const struct verb verb_table[] = {
    {
        .name = "check",
        .summary = "check pipelines and topics, offline",
        .details = "Prints every fault of the pipelines, topics.conf and the Kafka properties, then a line\n"
                   "for each pipeline that can be used. Warnings alone are fine: exit code 0.\n",
        .options = {"pipelines", "topics", "kafka-config", "kafka", "json"},
        .run = check_run,
    },
    {
        .name = "ddl",
        .args = {"PIPELINE"},
        .summary = "print CREATE TABLE for a pipeline's target",
        .details = "Prints the statements that create the target table, jst_heads and jst_offsets where they "
                   "are missing.\n"
                   "The types are guesses from the metadata: look at them before you run them.\n",
        .options = {"server", "pipelines", "json"},
        .run = ddl_run,
    },
    {
        .name = "preview",
        .args = {"PIPELINE", "PAGE.json"},
        .summary = "print the rows that a page would give",
        .details =
            "PAGE.json is the body of an answer of the API, as a file; - reads standard input. No broker\n"
            "and no database is needed. With --json each document is a line: its rows as they would be\n"
            "published, or the dead letter that it would become. Dead letters: exit code 1.\n",
        .options = {"pipelines", "topics", "json"},
        .run = preview_run,
    },
    {
        .name = "topics",
        .summary = "show the topics as they are and should be",
        .details = "Compares the topics of all pipelines, and the state topic, with topics.conf; changes\n"
                   "nothing without --apply. Exit code 1 when something differs and was not mended.\n",
        .options = {"apply", "pipelines", "topics", KAFKA_OPTIONS, "json"},
        .run = topics_run,
    },
    {
        .name = "docs",
        .args = {"TOPIC"},
        .summary = "print a reference page: options or metrics",
        .details = "TOPIC is options or metrics. The page is Markdown, and printed from the tables that the\n"
                   "programs themselves use.\n",
        .options = {"lang"},
        .run = docs_run,
    },
};
const size_t verb_count = sizeof verb_table / sizeof verb_table[0];
