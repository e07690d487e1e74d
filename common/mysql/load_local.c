/* LOAD DATA LOCAL without files. A server may ask for a file in answer to any statement, so the handlers that
 * would open one are never installed. */
#include <stdio.h>

#include "common/mysql/connection_private.h"

enum { REFUSED = 2068 /* CR_LOAD_DATA_LOCAL_INFILE_REJECTED */ };

static int refuse_file(void **ret_handle, const char *name, void *arg)
{
    (void)name;
    (void)arg;
    *ret_handle = NULL;
    return 1;
}

static int read_nothing(void *handle, char *out, unsigned size)
{
    (void)handle;
    (void)out;
    (void)size;
    return 0;
}

static void end_load(void *handle)
{
    (void)handle;
}

static int tell_refusal(void *handle, char *out, unsigned size)
{
    (void)handle;
    snprintf(out, size, "the server asked for a file, and gets none");
    return REFUSED;
}

static int begin_feed(void **ret_handle, const char *name, void *arg)
{
    struct load_local *load = arg;

    (void)name; /* what the server calls it */
    load->asked = true;
    *ret_handle = load;
    return 0;
}

static int read_feed(void *handle, char *out, unsigned size)
{
    const struct load_local *load = handle;

    return (int)load->feed->read(load->feed->arg, out, size);
}

void load_local_refuse(MYSQL *mysql)
{
    mysql_set_local_infile_handler(mysql, refuse_file, read_nothing, end_load, tell_refusal, NULL);
}

void load_local_serve(MYSQL *mysql, struct load_local *load)
{
    mysql_set_local_infile_handler(mysql, begin_feed, read_feed, end_load, tell_refusal, load);
}

bool load_local_is_refusal(int code)
{
    switch (code) {
    case 1148: /* ER_NOT_ALLOWED_COMMAND */
    case 3948: /* ER_CLIENT_LOCAL_FILES_DISABLED */
    case 4166: /* ER_LOAD_INFILE_CAPABILITY_DISABLED */
    case REFUSED:
        return true;
    default:
        return false;
    }
}
