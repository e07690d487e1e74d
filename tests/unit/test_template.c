#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/pipeline/template.h"

/* Literals as they are, placeholders as <name> or <name|filter>. */
static void describe(const struct template *t, struct buf *out)
{
    buf_reset(out);
    for (size_t i = 0; i < t->count; i++) {
        const struct template_part *part = &t->parts[i];
        if (!part->placeholder)
            buf_printf(out, "[%s]", part->text);
        else if (part->filter != NULL)
            buf_printf(out, "<%s|%s>", part->text, part->filter);
        else
            buf_printf(out, "<%s>", part->text);
    }
}

static void test_parts(void **state)
{
    static const struct {
        const char *text, *parts;
    } cases[] = {
        {"", ""},
        {"plain", "[plain]"},
        {"{io_id}", "<io_id>"},
        {"{{io_id}}", "<io_id>"},
        {"{io_id}-{items_ioi_id}", "<io_id>[-]<items_ioi_id>"},
        {"{a}{b}", "<a><b>"},
        {"x{a}y{{b}}z", "[x]<a>[y]<b>[z]"},
        {"{{LAST_SYNC_TIME|datetime}}", "<LAST_SYNC_TIME|datetime>"},
        {"{CURRENT_TIME|date}", "<CURRENT_TIME|date>"},
        {"{a|round(2)}", "<a|round(2)>"},
        {"{a|b|c}", "<a|b|c>"},
        {"{{items.v}}", "<items.v>"},
        {"{a-b}", "<a-b>"},
        {"{单号}", "<单号>"},
        {"前{{单号}}后", "[前]<单号>[后]"},
        {"{}", "[{}]"},
        {"{", "[{]"},
        {"}", "[}]"},
        {"{a", "[{a]"},
        {"a}", "[a}]"},
        {"{a b}", "[{a b}]"},
        {"{a|}", "[{a|}]"},
        {"{|a}", "[{|a}]"},
        {"{\"x\":1}", "[{\"x\":1}]"},
        {"{\"x\":{a}}", "[{\"x\":]<a>[}]"},
        {"{{a b}}", "[{{a b}}]"},
        {"{{{a}}}", "[{]<a>[}]"},
        {"{a}}", "<a>[}]"},
    };
    struct buf parts;

    (void)state;
    buf_init(&parts, 1024);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct template t;
        struct err err = ERR_INIT;
        if (template_parse(cases[i].text, &t, &err) != 0)
            fail_msg("%s: %s", cases[i].text, err.text);
        describe(&t, &parts);
        if (strcmp(parts.data, cases[i].parts) != 0)
            fail_msg("%s: %s instead of %s", cases[i].text, parts.data, cases[i].parts);
        template_free(&t);
    }
    buf_free(&parts);
}

static void test_faults(void **state)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"{{}}", "names no field"},   {"a{{}}b", "names no field"}, {"{{", "not closed"},
        {"{{a", "not closed"},        {"{{a}", "not closed"},       {"{{a|datetime}", "not closed"},
        {"{{a}-{{b}}", "not closed"}, {"{{a}}{{b", "not closed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct template t = {.count = 77};
        struct err err = ERR_INIT;
        if (template_parse(cases[i].text, &t, &err) == 0)
            fail_msg("%s is accepted", cases[i].text);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_int_equal(t.count, 77); /* untouched */
        if (strstr(err.text, cases[i].fault) == NULL)
            fail_msg("%s: %s", cases[i].text, err.text);
    }
}

static void test_alone(void **state)
{
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"{io_id}", "io_id"}, {"{{io_id}}", "io_id"}, {"{io_id}-", NULL}, {"", NULL},
        {"io_id", NULL},      {"{a}{b}", NULL},       {"{a|date}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct template t;
        assert_int_equal(template_parse(cases[i].text, &t, NULL), 0);
        const char *name = template_alone(&t);
        if (cases[i].name == NULL)
            assert_null(name);
        else
            assert_string_equal(name, cases[i].name);
        template_free(&t);
    }
    template_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
