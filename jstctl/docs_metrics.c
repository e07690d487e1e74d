/* docs/metrics.md and docs/metrics.zh-CN.md. */
#include <stddef.h>
#include <string.h>

#include "common/kafka/kafka.h"
#include "common/monitor/health.h"
#include "common/monitor/metrics.h"
#include "common/skeleton/app.h"
#include "common/wire/dead.h"
#include "extractor/metrics.h"
#include "jstctl/docs.h"
#include "loader/metrics.h"
#include "transformer/metrics.h"

enum {
    E = PROGRAM_EXTRACTOR,
    T = PROGRAM_TRANSFORMER,
    L = PROGRAM_LOADER,
};

static const struct metric_family *const common_families[] = {
    &app_build_info, &health_up_dependency, &kafka_consumer_lag, &dead_letters_family, NULL,
};

static const struct {
    int programs;
    const struct metric_family *const *families;
} groups[] = {
    {E | T | L, common_families},
    {E, extractor_families},
    {T, transformer_families},
    {L, loader_families},
};

/* Every text of the page, [0] in English, [1] in Chinese. */
static const char *const title[] = {"# Metrics\n\n[中文](metrics.zh-CN.md)\n\n",
                                    "# 指标\n\n[English](metrics.md)\n\n"};
static const char *const intro[] = {
    "Printed by `jstctl docs metrics` from the programs' tables; edit those, not this page.\n\n"
    "`/metrics` at a program's `--listen` address is in Prometheus' text form. The series of known "
    "pipelines\n"
    "exist from the start, with 0; those of a column from its first value on. No label ever carries a\n"
    "document's id. What to watch:\n"
    "[operations](operations.md#is-it-working).\n",
    "由 `jstctl docs metrics` 根据各程序的表打印；请修改那些表，不要修改本页。\n\n"
    "程序的 `--listen` 地址上的 `/metrics` 为 Prometheus 文本格式。已知同步任务的序列从一开始就存在，初值为 "
    "0；按列的序列从该列第一次计数时起才有。\n"
    "标签中从不出现单据编号。值得关注的指标见[运维](operations.zh-CN.md#运行正常吗)。\n"};
static const char *const every_program[] = {"Every program", "所有程序"};
static const char *const table_head[] = {"| metric | type | meaning |\n|---|---|---|\n",
                                         "| 指标 | 类型 | 含义 |\n|---|---|---|\n"};

static const char *type_name(enum metric_type type)
{
    switch (type) {
    case METRIC_COUNTER:
        return "counter";
    case METRIC_GAUGE:
        return "gauge";
    case METRIC_HISTOGRAM:
        return "histogram";
    }
    return "";
}

static void put_labels(const struct metric_family *family, FILE *out)
{
    for (size_t i = 0; family->labels[i] != NULL; i++)
        fprintf(out, "%s%s", i == 0 ? "{" : ",", family->labels[i]);
    if (family->labels[0] != NULL)
        fputc('}', out);
}

static void put_family(const struct metric_family *family, bool chinese, FILE *out)
{
    const char *help = chinese ? metric_help_chinese(family) : NULL;

    fprintf(out, "| `%s", family->name);
    put_labels(family, out);
    fprintf(out, "` | %s | ", type_name(family->type));
    fprintf(out, "%s |\n", help != NULL ? help : family->help);
}

void metrics_page(bool chinese, FILE *out)
{
    fprintf(out, "%s%s", title[chinese], intro[chinese]);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        const char *name = groups[i].families == common_families
                               ? every_program[chinese]
                               : program_name((enum program)groups[i].programs);
        fprintf(out, "\n## %s\n\n%s", name, table_head[chinese]);
        for (size_t j = 0; groups[i].families[j] != NULL; j++)
            put_family(groups[i].families[j], chinese, out);
    }
}
