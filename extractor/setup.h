/* From the options to what the extractor's loop is made of. */
#ifndef JST_EXTRACTOR_SETUP_H
#define JST_EXTRACTOR_SETUP_H

#include "common/skeleton/app.h"

struct api;
struct client;
struct source;

/* What app_init() checks for this program, offline. */
void setup_check(const struct app *app, struct faults *faults);

int setup_api(const struct options *o, struct api **ret, struct err *err) __attribute__((warn_unused_result));
int setup_client(const struct options *o, struct api *api, struct client *ret, struct err *err)
    __attribute__((warn_unused_result));
/* The state topic, whole: who is assigned it is the one that reads the API. */
int setup_state_source(const struct options *o, const char *topic, struct source **ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
