/* Why a pipeline stands still: one list for the paused metrics of all programs. */
#ifndef JST_COMMON_MONITOR_PAUSE_H
#define JST_COMMON_MONITOR_PAUSE_H

enum pause_reason {
    PAUSE_NONE,
    PAUSE_DATABASE,    /* MySQL is away, or refuses for now */
    PAUSE_SCHEMA,      /* the table, the mapping or a right: a person must act */
    PAUSE_FLOOD,       /* too many documents would end in dead letters */
    PAUSE_LOST,        /* messages were deleted before they were read */
    PAUSE_CREDENTIALS, /* the account: key, secret, token, IP whitelist */
    PAUSE_PERMISSION,  /* this interface is not granted */
    PAUSE_CLOCK,       /* the API refuses this machine's time */
    PAUSE_STATE,       /* the checkpoint cannot be read */
    PAUSE_BROKER,      /* Kafka is away */
    PAUSE_REASONS,
};

/* "lost", as metrics call it; "none" for PAUSE_NONE. */
const char *pause_name(enum pause_reason reason);

#endif
