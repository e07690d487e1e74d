#include "loader/start.h"

#include <string.h>

static struct start from_beginning(enum start_reason why, bool reset, int64_t known)
{
    return (struct start){
        .offset = SOURCE_BEGINNING, .written = -1, .reset = reset, .known = known, .why = why};
}

struct start start_decide(const struct source_start *log, const struct stored_mark *mark, const char *target,
                          bool emptied)
{
    if (mark == NULL)
        return log->recreated ? from_beginning(START_MADE_AGAIN, false, -1)
                              : from_beginning(START_NEW, false, log->committed);
    if (log->recreated || mark->next_offset > log->high)
        return from_beginning(START_MADE_AGAIN, true, -1);
    int64_t known = log->committed > mark->next_offset ? log->committed : mark->next_offset;
    if (emptied || strcmp(mark->target, target) != 0)
        return from_beginning(START_EMPTY, true, known);
    struct start start = {
        .offset = log->committed, .written = mark->next_offset, .known = known, .why = START_GROUP};
    if (log->committed < 0) {
        start.offset = SOURCE_BEGINNING;
        start.why = START_NEW;
    } else if (mark->next_offset < log->committed) {
        start.offset = mark->next_offset;
        start.why = START_DATABASE;
    }
    return start;
}

struct start start_of_group(const struct source_start *log)
{
    if (log->recreated || log->committed > log->high)
        return from_beginning(START_MADE_AGAIN, false, -1);
    if (log->committed < 0)
        return from_beginning(START_NEW, false, -1);
    return (struct start){.offset = log->committed, .written = -1, .known = -1, .why = START_GROUP};
}

const char *start_reason_text(enum start_reason why)
{
    switch (why) {
    case START_GROUP:
        return "where the group is";
    case START_DATABASE:
        return "jst_offsets is behind the group";
    case START_NEW:
        return "from the log's start: the group or jst_offsets does not know this partition";
    case START_EMPTY:
        return "from the log's start: the table is new, empty or another one";
    case START_MADE_AGAIN:
        return "from the log's start: the topic was made again";
    }
    return "";
}
