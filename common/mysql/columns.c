#include "common/mysql/columns.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum column_kind kind;
} types[] = {
    {"char", COLUMN_TEXT},         {"varchar", COLUMN_TEXT},       {"text", COLUMN_TEXT},
    {"tinytext", COLUMN_TEXT},     {"mediumtext", COLUMN_TEXT},    {"longtext", COLUMN_TEXT},
    {"binary", COLUMN_TEXT},       {"varbinary", COLUMN_TEXT},     {"blob", COLUMN_TEXT},
    {"tinyblob", COLUMN_TEXT},     {"mediumblob", COLUMN_TEXT},    {"longblob", COLUMN_TEXT},
    {"tinyint", COLUMN_INTEGER},   {"smallint", COLUMN_INTEGER},   {"mediumint", COLUMN_INTEGER},
    {"int", COLUMN_INTEGER},       {"bigint", COLUMN_INTEGER},     {"decimal", COLUMN_DECIMAL},
    {"float", COLUMN_FLOAT},       {"double", COLUMN_DOUBLE},      {"date", COLUMN_DATE},
    {"datetime", COLUMN_DATETIME}, {"timestamp", COLUMN_DATETIME}, {"time", COLUMN_TIME},
};

enum column_kind table_column_kind(const char *data_type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp(data_type, types[i].name) == 0)
            return types[i].kind;
    return COLUMN_OTHER;
}

bool table_collation_is_exact(const char *collation)
{
    size_t len = strlen(collation);
    bool binary = len > 4 && strcmp(collation + len - 4, "_bin") == 0;

    return strcmp(collation, "binary") == 0 ||
           (binary && (strstr(collation, "_0900_") != NULL || strstr(collation, "nopad") != NULL));
}
