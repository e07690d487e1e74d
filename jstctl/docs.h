/* Reference pages in Markdown, printed from the programs' own tables. */
#ifndef JST_JSTCTL_DOCS_H
#define JST_JSTCTL_DOCS_H

#include <stdbool.h>
#include <stdio.h>

/* docs/metrics.md: every metric that a program shows, in English or Chinese. */
void metrics_page(bool chinese, FILE *out);

struct metric_family;
/* What the metric means, in Chinese; NULL where there is no text yet. */
const char *metric_help_chinese(const struct metric_family *family);

#endif
