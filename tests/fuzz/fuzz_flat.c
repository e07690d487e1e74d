/* flat_read(): a line that it takes, json_parse() takes, too, and reads the same texts from it. The first
 * byte says how many of the names a row has. */
#include <stdint.h>
#include <string.h>

#include "common/base/err.h"
#include "common/json/flat.h"
#include "common/json/json.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"id", "b", "supplier_name", "数量", "a\"b"};

enum { NAMES = sizeof names / sizeof *names };

static void check_values(const char *line, const struct json_value *object, size_t count,
                         const struct flat_value *values)
{
    const struct json_value *at = NULL;

    REQUIRE(json_type(object) == JSON_OBJECT && json_count(object) == count);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_text(json_member_near(object, names[i], &at));
        REQUIRE((text == NULL) == (values[i].len == FLAT_NULL));
        if (text != NULL)
            REQUIRE(strlen(text) == values[i].len && memcmp(text, line + values[i].at, values[i].len) == 0);
        else
            REQUIRE(json_type(at) == JSON_NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_doc *doc;
    static struct flat_names *prepared[NAMES + 1];
    struct flat_value values[NAMES];
    const struct json_value *object;

    if (doc == NULL) {
        doc = json_doc_new();
        for (size_t n = 0; n <= NAMES; n++)
            prepared[n] = flat_names_new(names, n);
    }
    if (size == 0)
        return 0;
    size_t count = data[0] % (NAMES + 1);
    const char *line = (const char *)data + 1;
    size_t len = size - 1;
    if (len > 0 && line[len - 1] == '\n')
        len--;
    if (flat_read(line, len, prepared[count], values) != 0)
        return 0;
    REQUIRE(json_parse(doc, line, len, &object, NULL) == 0);
    check_values(line, object, count, values);
    return 0;
}
