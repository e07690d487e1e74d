/* The topic settings that Apache Kafka knows, so that mistakes are found without a broker. Pure. */
#ifndef JST_COMMON_WIRE_TOPIC_SETTINGS_H
#define JST_COMMON_WIRE_TOPIC_SETTINGS_H

enum { TOPIC_MESSAGE_BYTES_MIN = 1024, TOPIC_MESSAGE_BYTES_MAX = 256 << 20 };

/* The value as the broker writes it: "90d" of retention.ms is "7776000000"; a value that is not a number
 * is kept unchanged. The caller frees it. NULL: the value is wrong, and *ret_why, which the caller frees,
 * says why. */
char *topic_setting_value(const char *name, const char *value, char **ret_why);

/* The known setting of that name, else the nearest one; NULL when none is near. */
const char *topic_setting_nearest(const char *name);

#endif
