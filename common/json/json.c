#include "common/json/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/json/arena.h"
#include "common/json/bytes.h"
#include "common/json/scan.h"

#if CJSON_VERSION_MAJOR != 1 || CJSON_VERSION_MINOR < 7 ||                                                   \
    (CJSON_VERSION_MINOR == 7 && CJSON_VERSION_PATCH < 15)
#error "cJSON 1.7.15 or a later 1.x is needed"
#endif

/* What a document keeps between two texts at most; more is given back. */
enum { KEEP_MAX = 16 * 1024 * 1024 };

struct json_doc {
    struct arena arena;
    struct buf prepared; /* what cJSON reads */
    struct span_list containers;
    struct hash_table keys; /* of one object, to find one that comes twice */
    cJSON *root;            /* of the text that was parsed last; NULL: it was refused */
    struct span text;
    bool placed; /* each scalar's valueint is its offset */
};

static struct arena *parsing; /* where cJSON's memory comes from during a parse */

static void *arena_take(size_t size)
{
    return parsing != NULL ? arena_alloc(parsing, size) : NULL;
}

static void arena_give(void *p)
{
    (void)p; /* the arena is reset as a whole */
}

static const cJSON *as_node(const struct json_value *v)
{
    return (const cJSON *)(const void *)v;
}

static const struct json_value *as_value(const cJSON *n)
{
    return (const struct json_value *)(const void *)n;
}

struct json_doc *json_doc_new(void)
{
    struct json_doc *doc = mem_zalloc(1, sizeof *doc);
    cJSON_Hooks hooks = {.malloc_fn = arena_take, .free_fn = arena_give};

    cJSON_InitHooks(&hooks);
    buf_init(&doc->prepared, 0);
    return doc;
}

void json_doc_free(struct json_doc *doc)
{
    if (doc == NULL)
        return;
    arena_free(&doc->arena);
    buf_free(&doc->prepared);
    span_list_free(&doc->containers);
    hash_free(&doc->keys);
    free(doc);
}

static void doc_reset(struct json_doc *doc, size_t len)
{
    arena_reset(&doc->arena, KEEP_MAX);
    if (doc->prepared.cap > KEEP_MAX)
        buf_free(&doc->prepared);
    doc->prepared.max = len * 3 + 3; /* `1,` becomes `"?1",` */
    if (doc->containers.cap > KEEP_MAX / sizeof(struct span))
        span_list_free(&doc->containers);
    if (doc->keys.cap > KEEP_MAX / sizeof(struct hash_slot))
        hash_free(&doc->keys);
}

/* Remember a key by reference; false when the object has it already. */
static bool add_key(struct hash_table *keys, const char *key)
{
    struct hash_probe probe = hash_probe(keys, hash_text(key));
    uintptr_t other;

    while (hash_next(keys, &probe, &other))
        if (strcmp((const char *)other, key) == 0)
            return false;
    hash_put(keys, &probe, (uintptr_t)key);
    return true;
}

static bool names_differ(struct json_doc *doc, const cJSON *object)
{
    size_t count = json_count(as_value(object));

    if (count < 2)
        return true;
    hash_begin(&doc->keys, count);
    for (const cJSON *n = object->child; n != NULL; n = n->next)
        if (!add_key(&doc->keys, n->string))
            return false;
    return true;
}

/* Number the containers in the order in which they open, as the pre-pass did, and look for duplicate keys.
 * Returns the object that has them, or NULL. Recursion is bounded by the pre-pass' depth. */
static const cJSON *number_containers(struct json_doc *doc, cJSON *n, size_t *ordinal)
{
    if (!cJSON_IsObject(n) && !cJSON_IsArray(n))
        return NULL;
    n->valueint = (int)(*ordinal)++;
    if (cJSON_IsObject(n) && !names_differ(doc, n))
        return n;
    for (cJSON *child = n->child; child != NULL; child = child->next) {
        const cJSON *bad = number_containers(doc, child, ordinal);
        if (bad != NULL)
            return bad;
    }
    return NULL;
}

static cJSON *build_tree(struct json_doc *doc)
{
    parsing = &doc->arena;
    cJSON *root = cJSON_ParseWithLengthOpts(doc->prepared.data, doc->prepared.len, NULL, 0);
    parsing = NULL;
    return root;
}

int json_parse(struct json_doc *doc, const char *text, size_t len, const struct json_value **ret,
               struct err *err)
{
    doc_reset(doc, len);
    doc->root = NULL;
    doc->placed = false;
    if (json_prepare(text, len, &doc->prepared, &doc->containers, err) != 0)
        return -1;
    cJSON *root = build_tree(doc);
    if (root == NULL)
        return err_set(err, ERR_REJECT, 0, "cJSON does not take it");
    size_t ordinal = 0;
    const cJSON *bad = number_containers(doc, root, &ordinal);
    if (bad != NULL)
        return err_set(err, ERR_REJECT, 0, "byte %zu: an object with two members of one name",
                       (size_t)(doc->containers.list[bad->valueint].at - text));
    if (ordinal != doc->containers.count)
        return err_set(err, ERR_REJECT, 0, "cJSON takes it for something else");
    doc->root = root;
    doc->text = (struct span){text, len};
    *ret = as_value(root);
    return 0;
}

/* cJSON_IsString() and its like are calls into the library: too many for every value of every row. */
static int kind_of(const cJSON *n)
{
    return n != NULL ? n->type & 0xFF : cJSON_Invalid;
}

static bool is_number(const cJSON *n)
{
    return kind_of(n) == cJSON_String && n->valuestring[0] == JSON_MARK;
}

enum json_type json_type(const struct json_value *v)
{
    const cJSON *n = as_node(v);

    switch (kind_of(n)) {
    case cJSON_String:
        return is_number(n) ? JSON_NUMBER : JSON_STRING;
    case cJSON_Object:
        return JSON_OBJECT;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_True:
        return JSON_TRUE;
    case cJSON_False:
        return JSON_FALSE;
    default:
        return JSON_NULL;
    }
}

const char *json_text(const struct json_value *v)
{
    const cJSON *n = as_node(v);

    if (kind_of(n) != cJSON_String)
        return NULL;
    return n->valuestring + (is_number(n) ? 1 : 0);
}

bool json_raw(const struct json_doc *doc, const struct json_value *v, const char **ret_at, size_t *ret_len)
{
    const cJSON *n = as_node(v);

    if ((!cJSON_IsObject(n) && !cJSON_IsArray(n)) || (size_t)n->valueint >= doc->containers.count)
        return false;
    struct span span = doc->containers.list[n->valueint];
    *ret_at = span.at;
    *ret_len = span.len;
    return true;
}

/* Give each scalar below n its offset. cJSON makes no use of valueint where numbers are strings. The text has
 * passed the pre-pass, so tree and text have the same shape; recursion is bounded by its depth. */
static void place_scalars(cJSON *n, struct span span, const char *text)
{
    if (!cJSON_IsObject(n) && !cJSON_IsArray(n)) {
        n->valueint = (int)(span.at - text);
        return;
    }
    struct scan_iter it = scan_open(span);
    for (cJSON *child = n->child; child != NULL && scan_next(&it); child = child->next)
        place_scalars(child, it.value, text);
}

size_t json_offset(struct json_doc *doc, const struct json_value *v)
{
    struct span root;

    if (!doc->placed && doc->root != NULL && scan_value(doc->text.at, doc->text.len, &root) > 0)
        place_scalars(doc->root, root, doc->text.at);
    doc->placed = true;
    const char *raw;
    size_t len;
    if (json_raw(doc, v, &raw, &len))
        return (size_t)(raw - doc->text.at);
    return v != NULL ? (size_t)as_node(v)->valueint : 0;
}

const struct json_value *json_member(const struct json_value *object, const char *name)
{
    if (!cJSON_IsObject(as_node(object)))
        return NULL;
    for (const cJSON *n = as_node(object)->child; n != NULL; n = n->next)
        if (strcmp(n->string, name) == 0)
            return as_value(n);
    return NULL;
}

const struct json_value *json_member_near(const struct json_value *object, const char *name,
                                          const struct json_value **at)
{
    if (*at == NULL)
        return *at = json_member(object, name);
    for (const cJSON *n = as_node(*at)->next; n != NULL; n = n->next)
        if (strcmp(n->string, name) == 0)
            return *at = as_value(n);
    const struct json_value *found = json_member(object, name);
    if (found != NULL)
        *at = found;
    return found;
}

const struct json_value *json_first(const struct json_value *container)
{
    return container != NULL ? as_value(as_node(container)->child) : NULL;
}

const struct json_value *json_next(const struct json_value *v)
{
    return v != NULL ? as_value(as_node(v)->next) : NULL;
}

const char *json_name(const struct json_value *member)
{
    return member != NULL ? as_node(member)->string : NULL;
}

size_t json_count(const struct json_value *container)
{
    size_t count = 0;

    for (const struct json_value *v = json_first(container); v != NULL; v = json_next(v))
        count++;
    return count;
}
