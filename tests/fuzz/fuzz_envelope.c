/* envelope_read(): what it accepts is whole, and agrees with the strict parser where that accepts it too. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/err.h"
#include "common/json/json.h"
#include "common/wire/envelope.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(const struct envelope *e, const char *body, size_t len)
{
    size_t documents = 0;
    struct scan_iter it = scan_open(e->list);

    REQUIRE(e->list.at > body && e->list.at + e->list.len < body + len);
    while (scan_next(&it))
        documents++;
    REQUIRE(!it.broken && documents == e->documents);
}

/* Is there a container of that exact text below v? */
static bool holds(const struct json_doc *doc, const struct json_value *v, const struct envelope *e)
{
    const char *at;
    size_t len;

    if (json_raw(doc, v, &at, &len) && at == e->list.at)
        return len == e->list.len && json_type(v) == JSON_ARRAY && json_count(v) == e->documents;
    for (const struct json_value *c = json_first(v); c != NULL; c = json_next(c))
        if (holds(doc, c, e))
            return true;
    return false;
}

/* No proper beginning of the object is taken for an answer. */
static void check_prefix(const char *body, size_t len, const char *list_name)
{
    struct envelope e;
    struct err err = ERR_INIT;

    while (body[len - 1] != '}')
        len--;
    size_t cut = (size_t)body[len / 2] * 31 + (size_t)body[len / 3];
    REQUIRE(envelope_read(body, cut % len, list_name, &e, &err) != 0);
    REQUIRE(err.kind == ERR_RETRY);
}

static void check_members(const char *body, size_t len)
{
    struct span whole;
    size_t used = scan_value(body, len, &whole);

    REQUIRE(used > 0 && scan_kind(whole) == SCAN_OBJECT);
    for (size_t i = used; i < len; i++)
        REQUIRE(body[i] != '\0' && strchr(" \t\r\n", body[i]) != NULL);
    struct scan_iter it = scan_open(whole);
    while (scan_next(&it)) {
    }
    REQUIRE(!it.broken);
}

static void check_with(struct json_doc *doc, const char *body, size_t len, const char *list_name)
{
    struct envelope e;
    struct err err = ERR_INIT;
    const struct json_value *root;

    if (envelope_read(body, len, list_name, &e, &err) != 0) {
        REQUIRE(err.kind == ERR_RETRY || err.kind == ERR_PAUSE);
        return;
    }
    REQUIRE(memchr(e.msg, '\0', sizeof e.msg) != NULL);
    REQUIRE(e.data_count >= -1 && e.page_count >= -1);
    REQUIRE(e.has_next >= -1 && e.has_next <= 1);
    REQUIRE(e.has_list || e.list.at == NULL);
    REQUIRE(e.code == 0 || !e.has_list);
    check_members(body, len);
    check_prefix(body, len, list_name);
    if (e.list.at == NULL) {
        REQUIRE(e.documents == 0);
        return;
    }
    check_list(&e, body, len);
    if (json_parse(doc, body, len, &root, NULL) == 0)
        REQUIRE(holds(doc, root, &e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_doc *doc;

    if (doc == NULL)
        doc = json_doc_new();
    check_with(doc, (const char *)data, size, NULL);
    check_with(doc, (const char *)data, size, "datas");
    return 0;
}
