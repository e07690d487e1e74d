/* Each tests/unit/data/pipelines/X.json gives exactly the faults of X.faults, and a pipeline if none of them
 * is an error. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/faults.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/pipeline/pipeline.h"

#define FOLDER "tests/unit/data/pipelines"

enum { FILE_MAX_BYTES = 65536, CASES_MIN = 20 };

static char *content(const char *name, const char *ending, size_t *ret_len)
{
    char *path = mem_printf(FOLDER "/%s%s", name, ending);
    char *text = NULL;

    if (file_read(path, FILE_MAX_BYTES, &text, ret_len, NULL) != 0)
        fail_msg("%s cannot be read", path);
    free(path);
    return text;
}

static char *faults_text(const struct faults *faults)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    faults_print(faults, out);
    fclose(out);
    return text;
}

static void check_case(const char *name)
{
    struct faults faults = FAULTS_INIT;
    size_t len;
    char *json = content(name, ".json", &len);
    char *expected = content(name, ".faults", NULL);
    char *file = mem_printf("%s.json", name);
    struct pipeline *p = pipeline_parse(file, json, len, &faults);
    char *found = faults_text(&faults);

    if (strcmp(found, expected) != 0)
        fail_msg("%s: these faults:\n%s\ninstead of:\n%s", file, found, expected);
    assert_int_equal(p == NULL, faults.errors > 0);
    if (p != NULL)
        assert_string_equal(p->name, name);
    pipeline_free(p);
    faults_free(&faults);
    free(json);
    free(expected);
    free(file);
    free(found);
}

static int is_json(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".json") == 0;
}

static void test_faults_of_each_file(void **state)
{
    struct dirent **entries;
    int count = scandir(FOLDER, &entries, is_json, alphasort);

    (void)state;
    assert_in_range(count, CASES_MIN, 1000);
    for (int i = 0; i < count; i++) {
        *strrchr(entries[i]->d_name, '.') = '\0';
        check_case(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* No text, however cut, does harm. */
static void test_cut_anywhere(void **state)
{
    size_t len;
    char *json = content("export", ".json", &len);

    (void)state;
    for (size_t cut = 0; cut < len - 2; cut++) {
        struct faults faults = FAULTS_INIT;
        assert_null(pipeline_parse("x", json, cut, &faults));
        assert_int_equal(faults.errors, 1);
        faults_free(&faults);
    }
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_of_each_file),
        cmocka_unit_test(test_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
