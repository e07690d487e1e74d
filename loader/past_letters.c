#include "loader/past_letters.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/wire/message.h"

struct past_letter {
    int32_t partition;
    int64_t offset;
    uint64_t document; /* as of flood_document() */
};

void past_letters_free(struct past_letters *past)
{
    free(past->list);
    *past = (struct past_letters){0};
}

/* "topic/partition/offset", of this topic. */
static int read_place(const char *text, const char *topic, struct past_letter *ret)
{
    size_t len = strlen(topic);
    char number[24];
    int64_t partition;

    if (text == NULL || strncmp(text, topic, len) != 0 || text[len] != '/')
        return -1;
    text += len + 1;
    size_t digits = strcspn(text, "/");
    if (text[digits] != '/' || digits >= sizeof number)
        return -1;
    memcpy(number, text, digits);
    number[digits] = '\0';
    if (parse_int64(number, &partition) != 0 || partition < 0 || partition > INT32_MAX)
        return -1;
    ret->partition = (int32_t)partition;
    return parse_int64(text + digits + 1, &ret->offset);
}

static uint64_t document_of(const struct record *letter)
{
    const char *id = record_header(letter, H_DOCUMENT);
    const char *version = record_header(letter, H_VERSION);

    if (id != NULL)
        return flood_document(id, strlen(id), version != NULL ? version : "");
    return flood_document(letter->value, letter->value_len, "");
}

void past_letters_add(struct past_letters *past, const char *rows_topic, const struct record *letter)
{
    const char *stage = record_header(letter, H_ERROR_STAGE);
    struct past_letter new = {0};

    if (stage == NULL || strcmp(stage, LOADER_STAGE) != 0 ||
        read_place(record_header(letter, H_ERROR_SOURCE), rows_topic, &new) != 0)
        return;
    new.document = document_of(letter);
    past->list = mem_grow(past->list, &past->cap, past->count, sizeof *past->list);
    past->list[past->count++] = new;
}

/* NULL: the document there has none. */
static const struct past_letter *find_letter(const struct past_letters *past, int32_t partition,
                                             int64_t offset)
{
    for (size_t i = 0; i < past->count; i++)
        if (past->list[i].partition == partition && past->list[i].offset == offset)
            return &past->list[i];
    return NULL;
}

void past_letters_feed(const struct past_letters *past, int32_t partition, int64_t offset,
                       struct flood *flood)
{
    const struct past_letter *letter;

    while (flood_run(flood) < FLOOD_RUN && (letter = find_letter(past, partition, --offset)) != NULL)
        flood_add_bad(flood, letter->document);
}
