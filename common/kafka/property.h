/* librdkafka's properties as the user gives them: where they stand, and which of them are refused. Private to
 * common/kafka.
 *
 * A line of --kafka-config may be a password, or a piece of one: the text of a line, the name of an unknown
 * property and every value stay out of messages. */
#ifndef JST_COMMON_KAFKA_PROPERTY_H
#define JST_COMMON_KAFKA_PROPERTY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/faults.h"

struct options;

struct property {
    const char *place; /* "kafka.conf:3", "--kafka" or "--kafka (item 2)" */
    bool is_flag;      /* given by --kafka or JST_KAFKA, where everybody on the machine can read it */
    const char *name;  /* NULL: the file cannot be read, and value says why */
    const char *value; /* NULL: there is no '=' */
};

/* Takes one property. Returns -1 to stop. */
typedef int property_taker(void *arg, const struct property *property);

/* Hand every property to take(): the lines of --kafka-config, then --kafka. -1: take() stopped it. */
int properties_take(const struct options *options, property_taker *take, void *arg);

/* Why a property is refused whose name librdkafka may well know: the promises rest on it, or it is a secret
 * in a flag. Written to out; false: it is not refused. */
bool property_refused(const struct property *property, char *out, size_t size);

/* What the Java client's property of that name is called here, as a sentence. false: Java's client does not
 * have such a property. */
bool property_of_java(const char *name, char *out, size_t size);

/* Every broker of a list that is not HOST[:PORT] is a fault. Named by its number: a URL may hold a password.
 */
void brokers_check(const char *list, struct faults *faults);

#endif
