/* What the metrics mean, in Chinese. A test looks that none is missing. */
#include <stddef.h>
#include <string.h>

#include "common/monitor/metrics.h"
#include "jstctl/docs.h"

static const struct {
    const char *name, *help;
} texts[] = {
    {"jst_build_info", "恒为 1；标签说明程序与版本。"},
    {"jst_up_dependency", "kafka、mysql、api：1 有响应，0 没有。"},
    {"jst_consumer_lag", "分配给本进程的分区中尚未提交的消息数。"},
    {"jst_dead_letters_total", "已送达的死信；类别 parse、convert、quality、script、data、too-large。"},
    {"jst_extractor_requests_total", "对接口的请求：ok、rate_limited、token、transient、fatal。"},
    {"jst_extractor_request_seconds", "从发出请求到收完响应。"},
    {"jst_extractor_pages_total", "Kafka 已确认的页数。"},
    {"jst_extractor_documents_total", "这些页上的单据数。"},
    {"jst_extractor_synced_to_timestamp_seconds", "此刻之前的修改都已在 Kafka；0：还没有，或为待命进程。"},
    {"jst_extractor_failed_runs_total", "全部重试之后放弃的运行；其窗口仍待读取。"},
    {"jst_extractor_rate_wait_seconds_total", "因接口的频率限制而等待的时间。"},
    {"jst_extractor_sweep_unseen_total", "只有补漏才发现的单据；补漏尚不运行，故为 0。"},
    {"jst_extractor_paused", "等待期间为 1：credentials、permission、clock、state（需要人处理），broker。"},
    {"jst_extractor_leader", "正在读取接口的进程为 1，待命进程为 0。"},
    {"jst_transformer_pages_total", "其单据已全部发布或进入死信的页数。"},
    {"jst_transformer_documents_total", "已发布的单据数。"},
    {"jst_transformer_rows_total", "已发布的数据行数。"},
    {"jst_loader_documents_total", "已提交的单据：written，或 stale（已有更新的版本）。"},
    {"jst_loader_rows_total", "已写入并提交的行数。"},
    {"jst_loader_pruned_rows_total", "因单据中已不存在而删除的行数。"},
    {"jst_loader_batches_total", "事务：committed，或整批重做的 retried。"},
    {"jst_loader_batch_seconds", "已提交事务的耗时。"},
    {"jst_loader_rounded_values_total", "入库后与原值不同的值：丢失的位数，或被截掉的尾部空格。"},
    {"jst_loader_retries_total", "重做的批次：connection、lock、capacity、readonly、unknown。"},
    {"jst_loader_paused", "等待期间为 1：database；schema、flood（需要人处理）；lost（消息未读即被删除）。"},
    {"jst_transformer_paused", "等待期间为 1：flood（需要人处理）；lost（消息未读即被删除）。"},
    {"jst_end_to_end_seconds", "每张写入的单据，从接口响应到 COMMIT。"},
};

const char *metric_help_chinese(const struct metric_family *family)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(texts[i].name, family->name) == 0)
            return texts[i].help;
    return NULL;
}
