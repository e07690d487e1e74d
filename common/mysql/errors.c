#include "common/mysql/errors.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Numbers and symbols: MySQL's and MariaDB's error references (server errors from 1000, client errors from
 * 2000, MySQL's newer server errors from 3000, MariaDB's own from 1900 and 4000). */
const struct db_error db_errors[] = {
    {1042, DB_CONNECTION, "ER_BAD_HOST_ERROR"},
    {1043, DB_CONNECTION, "ER_HANDSHAKE_ERROR"},
    {1047, DB_CONNECTION, "ER_UNKNOWN_COM_ERROR"}, /* from a Galera node that is not synchronised */
    {1053, DB_CONNECTION, "ER_SERVER_SHUTDOWN"},
    {1077, DB_CONNECTION, "ER_NORMAL_SHUTDOWN"},
    {1079, DB_CONNECTION, "ER_SHUTDOWN_COMPLETE"},
    {1080, DB_CONNECTION, "ER_FORCING_CLOSE"},
    {1129, DB_CONNECTION, "ER_HOST_IS_BLOCKED"},
    {1152, DB_CONNECTION, "ER_ABORTING_CONNECTION"},
    {1156, DB_CONNECTION, "ER_NET_PACKETS_OUT_OF_ORDER"},
    {1158, DB_CONNECTION, "ER_NET_READ_ERROR"},
    {1159, DB_CONNECTION, "ER_NET_READ_INTERRUPTED"},
    {1160, DB_CONNECTION, "ER_NET_ERROR_ON_WRITE"},
    {1161, DB_CONNECTION, "ER_NET_WRITE_INTERRUPTED"},
    {1184, DB_CONNECTION, "ER_NEW_ABORTING_CONNECTION"},
    {1317, DB_CONNECTION, "ER_QUERY_INTERRUPTED"},
    {1835, DB_CONNECTION, "ER_MALFORMED_PACKET"},
    {1927, DB_CONNECTION, "ER_CONNECTION_KILLED"},
    {1969, DB_CONNECTION, "ER_STATEMENT_TIMEOUT"},
    {2001, DB_CONNECTION, "CR_SOCKET_CREATE_ERROR"},
    {2002, DB_CONNECTION, "CR_CONNECTION_ERROR"},
    {2003, DB_CONNECTION, "CR_CONN_HOST_ERROR"},
    {2004, DB_CONNECTION, "CR_IPSOCK_ERROR"},
    {2005, DB_CONNECTION, "CR_UNKNOWN_HOST"},
    {2006, DB_CONNECTION, "CR_SERVER_GONE_ERROR"},
    {2007, DB_CONNECTION, "CR_VERSION_ERROR"},
    {2011, DB_CONNECTION, "CR_TCP_CONNECTION"},
    {2012, DB_CONNECTION, "CR_SERVER_HANDSHAKE_ERR"},
    {2013, DB_CONNECTION, "CR_SERVER_LOST"},
    {2014, DB_CONNECTION, "CR_COMMANDS_OUT_OF_SYNC"},
    {2026, DB_CONNECTION, "CR_SSL_CONNECTION_ERROR"},
    {2027, DB_CONNECTION, "CR_MALFORMED_PACKET"},
    {2055, DB_CONNECTION, "CR_SERVER_LOST_EXTENDED"},
    {3024, DB_CONNECTION, "ER_QUERY_TIMEOUT"},
    {3032, DB_CONNECTION, "ER_SERVER_OFFLINE_MODE"},
    {3169, DB_CONNECTION, "ER_SESSION_WAS_KILLED"},
    {4031, DB_CONNECTION, "ER_CLIENT_INTERACTION_TIMEOUT"},

    {1020, DB_LOCK, "ER_CHECKREAD"}, /* MariaDB: changed since this transaction's snapshot */
    {1180, DB_LOCK, "ER_ERROR_DURING_COMMIT"},
    {1205, DB_LOCK, "ER_LOCK_WAIT_TIMEOUT"},
    {1213, DB_LOCK, "ER_LOCK_DEADLOCK"},
    {1412, DB_LOCK, "ER_TABLE_DEF_CHANGED"},
    {1614, DB_LOCK, "ER_XA_RBDEADLOCK"},
    {3058, DB_LOCK, "ER_USER_LOCK_DEADLOCK"},
    {3101, DB_LOCK, "ER_TRANSACTION_ROLLBACK_DURING_COMMIT"},
    {3572, DB_LOCK, "ER_LOCK_NOWAIT"},

    {1021, DB_CAPACITY, "ER_DISK_FULL"},
    {1023, DB_CAPACITY, "ER_ERROR_ON_CLOSE"},
    {1024, DB_CAPACITY, "ER_ERROR_ON_READ"},
    {1026, DB_CAPACITY, "ER_ERROR_ON_WRITE"},
    {1028, DB_CAPACITY, "ER_FILSORT_ABORT"},
    {1037, DB_CAPACITY, "ER_OUTOFMEMORY"},
    {1038, DB_CAPACITY, "ER_OUT_OF_SORTMEMORY"},
    {1040, DB_CAPACITY, "ER_CON_COUNT_ERROR"},
    {1041, DB_CAPACITY, "ER_OUT_OF_RESOURCES"},
    {1114, DB_CAPACITY, "ER_RECORD_FILE_FULL"},
    {1135, DB_CAPACITY, "ER_CANT_CREATE_THREAD"},
    {1148, DB_CAPACITY, "ER_NOT_ALLOWED_COMMAND"}, /* LOAD DATA LOCAL: the batch goes by another form then */
    {1153, DB_CAPACITY, "ER_NET_PACKET_TOO_LARGE"},
    {1197, DB_CAPACITY, "ER_TRANS_CACHE_FULL"},
    {1203, DB_CAPACITY, "ER_TOO_MANY_USER_CONNECTIONS"},
    {1206, DB_CAPACITY, "ER_LOCK_TABLE_FULL"},
    {1226, DB_CAPACITY, "ER_USER_LIMIT_REACHED"},
    {1637, DB_CAPACITY, "ER_TOO_MANY_CONCURRENT_TRXS"},
    {1878, DB_CAPACITY, "ER_TEMP_FILE_WRITE_FAILURE"},
    {2008, DB_CAPACITY, "CR_OUT_OF_MEMORY"},
    {2020, DB_CAPACITY, "CR_NET_PACKET_TOO_LARGE"},
    {2068, DB_CAPACITY, "CR_LOAD_DATA_LOCAL_INFILE_REJECTED"},
    {3019, DB_CAPACITY, "ER_INNODB_UNDO_LOG_FULL"},
    {3168, DB_CAPACITY, "ER_SERVER_ISNT_AVAILABLE"},
    {3948, DB_CAPACITY, "ER_CLIENT_LOCAL_FILES_DISABLED"},
    {4166, DB_CAPACITY, "ER_LOAD_INFILE_CAPABILITY_DISABLED"},

    {1036, DB_READONLY, "ER_OPEN_AS_READONLY"}, /* MariaDB under innodb_read_only or innodb_force_recovery */
    {1223, DB_READONLY, "ER_CANT_UPDATE_WITH_READLOCK"},
    {1290, DB_READONLY, "ER_OPTION_PREVENTS_STATEMENT"},
    {1792, DB_READONLY, "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION"},
    {1836, DB_READONLY, "ER_READ_ONLY_MODE"},
    {3100, DB_READONLY, "ER_RUN_HOOK_ERROR"}, /* group replication takes no transaction now */

    {1022, DB_ROW, "ER_DUP_KEY"},
    {1048, DB_ROW, "ER_BAD_NULL_ERROR"},
    {1062, DB_ROW, "ER_DUP_ENTRY"},
    {1118, DB_ROW, "ER_TOO_BIG_ROWSIZE"},
    {1138, DB_ROW, "ER_INVALID_USE_OF_NULL"},
    {1169, DB_ROW, "ER_DUP_UNIQUE"},
    {1216, DB_ROW, "ER_NO_REFERENCED_ROW"},
    {1261, DB_ROW,
     "ER_WARN_TOO_FEW_RECORDS"}, /* LOAD DATA; the rows are tried as text before one is rejected */
    {1262, DB_ROW, "ER_WARN_TOO_MANY_RECORDS"},
    {1263, DB_ROW, "ER_WARN_NULL_TO_NOTNULL"}, /* LOAD DATA's word for 1048 */
    {1264, DB_ROW, "ER_WARN_DATA_OUT_OF_RANGE"},
    {1265, DB_ROW, "WARN_DATA_TRUNCATED"},
    {1292, DB_ROW, "ER_TRUNCATED_WRONG_VALUE"},
    {1300, DB_ROW, "ER_INVALID_CHARACTER_STRING"},
    {1365, DB_ROW, "ER_DIVISION_BY_ZERO"},
    {1366, DB_ROW, "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD"},
    {1367, DB_ROW, "ER_ILLEGAL_VALUE_FOR_TYPE"},
    {1369, DB_ROW, "ER_VIEW_CHECK_FAILED"},
    {1406, DB_ROW, "ER_DATA_TOO_LONG"},
    {1411, DB_ROW, "ER_WRONG_VALUE_FOR_TYPE"},
    {1416, DB_ROW, "ER_CANT_CREATE_GEOMETRY_OBJECT"},
    {1441, DB_ROW, "ER_DATETIME_FUNCTION_OVERFLOW"},
    {1452, DB_ROW, "ER_NO_REFERENCED_ROW_2"}, /* the row names what its parent table does not have */
    {1525, DB_ROW, "ER_WRONG_VALUE"},
    {1586, DB_ROW, "ER_DUP_ENTRY_WITH_KEY_NAME"},
    {1644, DB_ROW, "ER_SIGNAL_EXCEPTION"}, /* a trigger's own words about this row, if others pass */
    {1690, DB_ROW, "ER_DATA_OUT_OF_RANGE"},
    {1713, DB_ROW, "ER_UNDO_RECORD_TOO_BIG"},
    {1977, DB_ROW, "ER_CANNOT_CONVERT_CHARACTER"},
    {3037, DB_ROW, "ER_GIS_INVALID_DATA"},
    {3140, DB_ROW, "ER_INVALID_JSON_TEXT"},
    {3141, DB_ROW, "ER_INVALID_JSON_TEXT_IN_PARAM"},
    {3150, DB_ROW, "ER_JSON_VALUE_TOO_BIG"},
    {3157, DB_ROW, "ER_JSON_DOCUMENT_TOO_DEEP"},
    {3643, DB_ROW, "ER_WRONG_SRID_FOR_COLUMN"},
    {3751, DB_ROW, "ER_WARN_DATA_TRUNCATED_FUNCTIONAL_INDEX"},
    {3752, DB_ROW, "ER_WARN_DATA_OUT_OF_RANGE_FUNCTIONAL_INDEX"},
    {3819, DB_ROW, "ER_CHECK_CONSTRAINT_VIOLATED"},
    {3988, DB_ROW, "ER_IMPOSSIBLE_STRING_CONVERSION"},
    {4025, DB_ROW, "ER_CONSTRAINT_FAILED"}, /* MariaDB; on MySQL a DDL option */

    {1005, DB_SCHEMA, "ER_CANT_CREATE_TABLE"},
    {1016, DB_SCHEMA, "ER_CANT_OPEN_FILE"},
    {1017, DB_SCHEMA, "ER_FILE_NOT_FOUND"},
    {1033, DB_SCHEMA, "ER_NOT_FORM_FILE"},
    {1034, DB_SCHEMA, "ER_NOT_KEYFILE"},
    {1035, DB_SCHEMA, "ER_OLD_KEYFILE"},
    {1044, DB_SCHEMA, "ER_DBACCESS_DENIED_ERROR"},
    {1045, DB_SCHEMA, "ER_ACCESS_DENIED_ERROR"},
    {1046, DB_SCHEMA, "ER_NO_DB_ERROR"},
    {1049, DB_SCHEMA, "ER_BAD_DB_ERROR"},
    {1050, DB_SCHEMA, "ER_TABLE_EXISTS_ERROR"},
    {1051, DB_SCHEMA, "ER_BAD_TABLE_ERROR"},
    {1054, DB_SCHEMA, "ER_BAD_FIELD_ERROR"},
    {1060, DB_SCHEMA, "ER_DUP_FIELDNAME"},
    {1064, DB_SCHEMA, "ER_PARSE_ERROR"}, /* no row is at fault for a statement that the server cannot read */
    {1070, DB_SCHEMA, "ER_TOO_MANY_KEY_PARTS"},
    {1071, DB_SCHEMA, "ER_TOO_LONG_KEY"},
    {1072, DB_SCHEMA, "ER_KEY_COLUMN_DOES_NOT_EXITS"},
    {1099, DB_SCHEMA, "ER_TABLE_NOT_LOCKED_FOR_WRITE"},
    {1103, DB_SCHEMA, "ER_WRONG_TABLE_NAME"},
    {1104, DB_SCHEMA, "ER_TOO_BIG_SELECT"},
    {1110, DB_SCHEMA, "ER_FIELD_SPECIFIED_TWICE"},
    {1115, DB_SCHEMA, "ER_UNKNOWN_CHARACTER_SET"},
    {1117, DB_SCHEMA, "ER_TOO_MANY_FIELDS"},
    {1130, DB_SCHEMA, "ER_HOST_NOT_PRIVILEGED"},
    {1136, DB_SCHEMA, "ER_WRONG_VALUE_COUNT_ON_ROW"},
    {1142, DB_SCHEMA, "ER_TABLEACCESS_DENIED_ERROR"},
    {1143, DB_SCHEMA, "ER_COLUMNACCESS_DENIED_ERROR"},
    {1146, DB_SCHEMA, "ER_NO_SUCH_TABLE"},
    {1170, DB_SCHEMA, "ER_BLOB_KEY_WITHOUT_LENGTH"},
    {1175, DB_SCHEMA, "ER_UPDATE_WITHOUT_KEY_IN_SAFE_MODE"},
    {1176, DB_SCHEMA, "ER_KEY_DOES_NOT_EXITS"},
    {1193, DB_SCHEMA, "ER_UNKNOWN_SYSTEM_VARIABLE"},
    {1194, DB_SCHEMA, "ER_CRASHED_ON_USAGE"},
    {1195, DB_SCHEMA, "ER_CRASHED_ON_REPAIR"},
    {1217, DB_SCHEMA, "ER_ROW_IS_REFERENCED"}, /* another table forbids to replace rows */
    {1227, DB_SCHEMA, "ER_SPECIFIC_ACCESS_DENIED_ERROR"},
    {1231, DB_SCHEMA, "ER_WRONG_VALUE_FOR_VAR"},
    {1235, DB_SCHEMA, "ER_NOT_SUPPORTED_YET"},
    {1238, DB_SCHEMA, "ER_INCORRECT_GLOBAL_LOCAL_VAR"},
    {1251, DB_SCHEMA, "ER_NOT_SUPPORTED_AUTH_MODE"},
    {1253, DB_SCHEMA, "ER_COLLATION_CHARSET_MISMATCH"},
    {1267, DB_SCHEMA, "ER_CANT_AGGREGATE_2COLLATIONS"},
    {1273, DB_SCHEMA, "ER_UNKNOWN_COLLATION"},
    {1275, DB_SCHEMA, "ER_SERVER_IS_IN_SECURE_AUTH_MODE"},
    {1286, DB_SCHEMA, "ER_UNKNOWN_STORAGE_ENGINE"},
    {1288, DB_SCHEMA, "ER_NON_UPDATABLE_TABLE"},
    {1305, DB_SCHEMA, "ER_SP_DOES_NOT_EXIST"},
    {1347, DB_SCHEMA, "ER_WRONG_OBJECT"},
    {1348, DB_SCHEMA, "ER_NONUPDATEABLE_COLUMN"},
    {1356, DB_SCHEMA, "ER_VIEW_INVALID"},
    {1364, DB_SCHEMA, "ER_NO_DEFAULT_FOR_FIELD"}, /* a NOT NULL column that the mapping does not name: no row
                                                     could be written */
    {1370, DB_SCHEMA, "ER_PROCACCESS_DENIED_ERROR"},
    {1410, DB_SCHEMA, "ER_CANT_CREATE_USER_WITH_GRANT"},
    {1422, DB_SCHEMA, "ER_COMMIT_NOT_ALLOWED_IN_SF_OR_TRG"},
    {1423, DB_SCHEMA, "ER_NO_DEFAULT_FOR_VIEW_FIELD"},
    {1442, DB_SCHEMA, "ER_CANT_UPDATE_USED_TABLE_IN_SF_OR_TRG"},
    {1449, DB_SCHEMA, "ER_NO_SUCH_USER"},
    {1451, DB_SCHEMA, "ER_ROW_IS_REFERENCED_2"},
    {1467, DB_SCHEMA, "ER_AUTOINC_READ_FAILED"},
    {1471, DB_SCHEMA, "ER_NON_INSERTABLE_TABLE"},
    {1526, DB_SCHEMA, "ER_NO_PARTITION_FOR_GIVEN_VALUE"}, /* a partition is missing: a person makes it */
    {1661, DB_SCHEMA, "ER_BINLOG_ROW_ENGINE_AND_STMT_ENGINE"},
    {1662, DB_SCHEMA, "ER_BINLOG_ROW_MODE_AND_STMT_ENGINE"},
    {1663, DB_SCHEMA, "ER_BINLOG_UNSAFE_AND_STMT_ENGINE"},
    {1665, DB_SCHEMA, "ER_BINLOG_STMT_MODE_AND_ROW_ENGINE"},
    {1698, DB_SCHEMA, "ER_ACCESS_DENIED_NO_PASSWORD_ERROR"},
    {1709, DB_SCHEMA, "ER_INDEX_COLUMN_TOO_LONG"},
    {1712, DB_SCHEMA, "ER_INDEX_CORRUPT"},
    {1785, DB_SCHEMA, "ER_GTID_UNSAFE_NON_TRANSACTIONAL_TABLE"},
    {1812, DB_SCHEMA, "ER_TABLESPACE_MISSING"},
    {1814, DB_SCHEMA, "ER_TABLESPACE_DISCARDED"},
    {1820, DB_SCHEMA, "ER_MUST_CHANGE_PASSWORD"},
    {1862, DB_SCHEMA, "ER_MUST_CHANGE_PASSWORD_LOGIN"},
    {1877, DB_SCHEMA, "ER_TABLE_CORRUPT"},
    {1906, DB_SCHEMA, "ER_WARNING_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN"},
    {1932, DB_SCHEMA, "ER_NO_SUCH_TABLE_IN_ENGINE"},
    {2019, DB_SCHEMA, "CR_CANT_READ_CHARSET"},
    {2049, DB_SCHEMA, "CR_SECURE_AUTH"},
    {2059, DB_SCHEMA, "CR_AUTH_PLUGIN_CANNOT_LOAD"},
    {2061, DB_SCHEMA, "CR_AUTH_PLUGIN_ERR"},
    {3098, DB_SCHEMA, "ER_BEFORE_DML_VALIDATION_ERROR"},
    {3105, DB_SCHEMA, "ER_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN"},
    {3118, DB_SCHEMA, "ER_ACCOUNT_HAS_BEEN_LOCKED"},
    {3159, DB_SCHEMA, "ER_SECURE_TRANSPORT_REQUIRED"},
    {3750, DB_SCHEMA, "ER_TABLE_WITHOUT_PK"},
    {3955, DB_SCHEMA, "ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK"},
    {4151, DB_SCHEMA, "ER_ACCOUNT_HAS_BEEN_LOCKED"},
    {5010, DB_SCHEMA, "CR_PLUGIN_NOT_ALLOWED"},

    {1030, DB_UNKNOWN, "ER_GET_ERRNO"},     /* a full disk, a row too large for its page, a broken file: the
                                               number is in the text only */
    {1105, DB_UNKNOWN, "ER_UNKNOWN_ERROR"}, /* proxies and plugins use it for everything */
    {1296, DB_UNKNOWN, "ER_GET_ERRMSG"},
    {1815, DB_UNKNOWN, "ER_INTERNAL_ERROR"}, /* the server's own mistake */
    {2000, DB_UNKNOWN, "CR_UNKNOWN_ERROR"},
};
const size_t db_error_count = sizeof db_errors / sizeof db_errors[0];

static const struct db_error *find_error(int code)
{
    for (size_t i = 0; i < db_error_count; i++)
        if (db_errors[i].code == code)
            return &db_errors[i];
    return NULL;
}

enum db_class db_error_class(int code)
{
    const struct db_error *error = find_error(code);

    return error != NULL ? error->class : DB_UNKNOWN;
}

const char *db_error_brief(int code, char *out, size_t size)
{
    const struct db_error *error = find_error(code);

    if (error != NULL)
        snprintf(out, size, "%s (%d)", error->name, code);
    else
        snprintf(out, size, "MySQL error %d", code);
    return out;
}

const char *db_class_name(enum db_class class)
{
    static const char *const names[] = {
        [DB_CONNECTION] = "connection", [DB_LOCK] = "lock", [DB_CAPACITY] = "capacity",
        [DB_READONLY] = "readonly",     [DB_ROW] = "row",   [DB_SCHEMA] = "schema",
        [DB_UNKNOWN] = "unknown",
    };
    return names[class];
}

enum err_kind db_class_kind(enum db_class class)
{
    switch (class) {
    case DB_ROW:
        return ERR_REJECT;
    case DB_SCHEMA:
        return ERR_PAUSE;
    case DB_CONNECTION:
    case DB_LOCK:
    case DB_CAPACITY:
    case DB_READONLY:
    case DB_UNKNOWN:
        break;
    }
    return ERR_RETRY;
}

/* Does the server's text end here, or only " (MySQL error N)" follow, which connection.c adds? */
static bool ends_here(const char *at)
{
    static const char suffix[] = " (MySQL error ";

    if (strncmp(at, suffix, sizeof suffix - 1) == 0) {
        at += sizeof suffix - 1;
        at += strspn(at, "0123456789");
        return strcmp(at, ")") == 0;
    }
    return *at == '\0';
}

size_t db_error_row(const char *text)
{
    /* Only the end of the text counts: a value that it quotes may hold the same words. */
    for (const char *at = strstr(text, " at row "); at != NULL; at = strstr(at, " at row ")) {
        size_t row = 0;
        for (at += strlen(" at row "); *at >= '0' && *at <= '9' && row < SIZE_MAX / 16; at++)
            row = row * 10 + (size_t)(*at - '0');
        if (ends_here(at))
            return row;
    }
    return 0;
}
