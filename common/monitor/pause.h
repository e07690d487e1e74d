/* Why a pipeline stands still: one list for the paused metrics of all programs. */
#ifndef JST_COMMON_MONITOR_PAUSE_H
#define JST_COMMON_MONITOR_PAUSE_H

enum pause_reason {
    PAUSE_NONE,
    PAUSE_DATABASE,    /* MySQL does not answer, or refuses for now */
    PAUSE_SCHEMA,      /* the table or the mapping is wrong, or a right is missing: a person must act */
    PAUSE_FLOOD,       /* too many documents would end in dead letters */
    PAUSE_LOST,        /* messages were deleted before they were read */
    PAUSE_CREDENTIALS, /* the API refuses the account: key, secret, token or IP address */
    PAUSE_PERMISSION,  /* the account has no right to this interface of the API */
    PAUSE_CLOCK,       /* the API refuses this machine's time */
    PAUSE_STATE,       /* the checkpoint cannot be read */
    PAUSE_BROKER,      /* Kafka does not answer */
    PAUSE_REASONS,
};

/* The reason's label in the metrics, "lost"; "none" for PAUSE_NONE. */
const char *pause_name(enum pause_reason reason);

#endif
