/* json_prepare() and json_parse(): what they accept is looked at from several sides. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/json/json.h"
#include "common/json/scan.h"
#include "tests/fuzz/reference.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const char *text;
    size_t len;
    const struct json_doc *doc;
    struct json_doc *second;
};

static bool within(const struct input *in, const char *at, size_t len)
{
    return at >= in->text && len <= in->len && at + len <= in->text + in->len;
}

/* A string that is written again reads as the same. */
static void check_string(const struct input *in, const char *text)
{
    const struct json_value *again;
    struct buf out;
    size_t len = strlen(text);

    buf_init(&out, len * 6 + 2);
    json_put_string(&out, text, len);
    REQUIRE(!out.overflowed);
    REQUIRE(json_parse(in->second, out.data, out.len, &again, NULL) == 0);
    REQUIRE(json_type(again) == JSON_STRING && strcmp(json_text(again), text) == 0);
    buf_free(&out);
}

/* The exact text of a container is a value of its own, of as many elements. */
static void check_raw(const struct input *in, const struct json_value *v)
{
    struct span whole;
    const char *at;
    size_t len, count = 0;

    REQUIRE(json_raw(in->doc, v, &at, &len));
    REQUIRE(within(in, at, len) && len >= 2);
    REQUIRE(*at == (json_type(v) == JSON_OBJECT ? '{' : '['));
    REQUIRE(scan_value(at, (size_t)(in->text + in->len - at), &whole) == len);
    struct scan_iter it = scan_open(whole);
    while (scan_next(&it)) {
        REQUIRE(within(in, it.value.at, it.value.len));
        if (it.object)
            REQUIRE(within(in, it.key.at - 1, it.key.len + 2) && it.key.at[it.key.len] == '"');
        count++;
    }
    REQUIRE(!it.broken && count == json_count(v));
}

static void check_value(const struct input *in, const struct json_value *v)
{
    enum json_type type = json_type(v);
    const char *text = json_text(v);

    REQUIRE((text != NULL) == (type == JSON_NUMBER || type == JSON_STRING));
    if (type == JSON_NUMBER)
        REQUIRE(strlen(text) > 0 && memmem(in->text, in->len, text, strlen(text)) != NULL);
    if (type == JSON_STRING)
        check_string(in, text);
    if (type == JSON_OBJECT || type == JSON_ARRAY)
        check_raw(in, v);
    for (const struct json_value *c = json_first(v); c != NULL; c = json_next(c)) {
        if (type == JSON_OBJECT)
            REQUIRE(json_member(v, json_name(c)) == c);
        check_value(in, c);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_doc *doc, *second;
    const struct json_value *root;
    struct buf out;
    struct err err = ERR_INIT;

    if (doc == NULL) {
        doc = json_doc_new();
        second = json_doc_new();
    }
    struct input in = {.text = (const char *)data, .len = size, .doc = doc, .second = second};
    buf_init(&out, size * 3 + 3);
    bool prepared = json_prepare(in.text, in.len, &out, NULL, &err) == 0;
    bool parsed = json_parse(doc, in.text, in.len, &root, &err) == 0;
    REQUIRE(prepared == reference_accepts(in.text, in.len));
    if (!parsed) {
        REQUIRE(err.kind == ERR_REJECT && strncmp(err.text, "byte ", 5) == 0);
        REQUIRE(!prepared || strstr(err.text, "two members") != NULL);
    } else {
        REQUIRE(prepared && strlen(out.data) == out.len);
        check_value(&in, root);
    }
    buf_free(&out);
    return 0;
}
