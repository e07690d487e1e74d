/* The help of the options in Chinese. A test looks that none is missing. */
#include <string.h>

#include "common/options/options_private.h"

static const struct {
    const char *name;
    int programs; /* 0: whichever has the option */
    const char *help;
} texts[] = {
    {"pipelines", 0, "同步任务的文件或目录"},
    {"topics", 0, "各 topic、分区数与设置"},
    {"brokers", 0, "Kafka 地址，HOST:PORT，逗号分隔"},
    {"kafka-config", 0, "librdkafka 属性，每行一个 name=value（TLS、SASL）"},
    {"kafka", 0, "一个 librdkafka 属性；可重复；环境变量中以空白分隔"},
    {"group", 0, "消费组"},
    {"create-topics", 0, "启动时创建缺少的 topic"},
    {"api-url", 0, "接口地址"},
    {"app-key", 0, "应用的 App Key；必填"},
    {"app-secret", 0, "应用的 App Secret；必填"},
    {"access-token", 0, "由别处取得的 token（可选）"},
    {"token-file", 0, "token 保存在哪里"},
    {"since", 0, "没有检查点的同步任务从何时开始"},
    {"until", 0, "读到何时为止；否则读到当前"},
    {"rate", 0, "接口允许一个应用的请求频率；0/s 或 0/m 表示不限"},
    {"proxy", 0, "访问接口的代理；否则按 https_proxy"},
    {"ca-file", 0, "为接口或代理签发证书的 CA；否则用系统的"},
    {"mysql-host", 0, "MySQL 主机"},
    {"mysql-port", 0, "MySQL 端口"},
    {"mysql-socket", 0, "MySQL 的 Unix 套接字，代替主机和端口"},
    {"mysql-user", 0, "MySQL 用户；必填"},
    {"mysql-password", 0, "该用户的密码"},
    {"mysql-database", 0, "数据表以及 jst_heads、jst_offsets 所在的数据库；必填"},
    {"mysql-tls", 0, "off、preferred、required 或 verify（校验证书与主机名）；只有 verify 能挡住攻击者"},
    {"mysql-ca", 0, "为 MySQL 签发证书的 CA；否则用系统的"},
    {"create-tables", 0, "创建缺少的表"},
    {"batch-rows", 0, "一个事务的目标行数；auto：没有积压时 200，有积压时最多 10,000"},
    {"writers", 0, "同时写入的连接数"},
    {"buffer-bytes", 0, "所有批次合计占用的内存；单个更大的单据除外"},
    {"batch-bytes", 0, "一个事务最多的字节数；单个更大的单据除外"},
    {"batch-wait", 0, "消息还在到来时，一批最多再等多久"},
    {"flood-limit", 0, "最近 1,000 张单据中死信占比达到多少时暂停该任务；100%：从不"},
    {"apply", 0, "topics：创建缺少的，修改不同的"},
    {"server", 0, "ddl：面向哪种服务器；默认 mysql"},
    {"lang", 0, "docs：页面的语言；否则按 LANG"},
    {"json", 0, "打印供程序读取的 JSON"},
    {"listen", 0, "指标与健康检查的地址；端口 0 任取空闲端口；none 关闭"},
    {"log-level", 0, "error、warn、info 或 debug"},
    {"log-format", 0, "text 或 json"},
    {"check", 0, "离线检查配置，打印每个错误，然后退出"},
    {"once", PROGRAM_EXTRACTOR, "把每个任务读到当前时间（或 --until），然后退出"},
    {"once", 0, "读到启动时 topic 的末尾，然后退出"},
    {"replay-from", 0, "重新加载该时间以来发布的数据（不加入消费组），然后退出"},
    {"replay-to", 0, "只重新加载该时间之前发布的数据；否则到当前"},
    {"help", 0, "打印帮助并退出"},
    {"version", 0, "打印版本并退出"},
};

const char *option_help_chinese(const struct option_spec *spec)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(texts[i].name, spec->name) == 0 &&
            (texts[i].programs == 0 || texts[i].programs == spec->programs))
            return texts[i].help;
    return NULL;
}
