#include "common/monitor/pause.h"

const char *pause_name(enum pause_reason reason)
{
    switch (reason) {
    case PAUSE_DATABASE:
        return "database";
    case PAUSE_SCHEMA:
        return "schema";
    case PAUSE_FLOOD:
        return "flood";
    case PAUSE_LOST:
        return "lost";
    case PAUSE_CREDENTIALS:
        return "credentials";
    case PAUSE_PERMISSION:
        return "permission";
    case PAUSE_CLOCK:
        return "clock";
    case PAUSE_STATE:
        return "state";
    case PAUSE_BROKER:
        return "broker";
    case PAUSE_NONE:
    case PAUSE_REASONS:
        break;
    }
    return "none";
}
