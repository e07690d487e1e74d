/* The topic settings of Apache Kafka, so that a slip is found before the broker is asked. Pure. */
#ifndef JST_COMMON_WIRE_TOPIC_SETTINGS_H
#define JST_COMMON_WIRE_TOPIC_SETTINGS_H

/* What is wrong with a value of a known setting; NULL: nothing, or the setting is not known. */
const char *topic_setting_check(const char *name, const char *value);

/* The known setting of that name, else the nearest one; NULL when none is near. */
const char *topic_setting_nearest(const char *name);

#endif
