#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "extractor/api/token.h"
#include "extractor/api/token_file.h"

enum { DAY = 86400, NOW = 1785312000 };

static struct token_pair pair(const char *access, const char *refresh, int64_t life_s)
{
    return (struct token_pair){
        .access = mem_strdup(access),
        .refresh = refresh != NULL ? mem_strdup(refresh) : NULL,
        .obtained_s = NOW,
        .expires_s = life_s > 0 ? NOW + life_s : 0,
    };
}

static struct token with(const char *given, struct token_pair stored)
{
    struct token t;

    token_init(&t, given, &stored);
    assert_null(stored.access);
    return t;
}

static void none_is_fetched_once(void **state)
{
    struct token t = with(NULL, (struct token_pair){0});
    struct token_pair got = pair("A", "R", 30 * DAY);
    (void)state;

    assert_int_equal(token_next(&t, NOW), TOKEN_INIT);
    token_obtained(&t, TOKEN_INIT, &got);
    assert_int_equal(token_next(&t, NOW), TOKEN_USE);
    assert_string_equal(t.pair.access, "A");
    token_free(&t);
}

static void is_refreshed_before_its_end(void **state)
{
    static const struct {
        int64_t life, left;
        enum token_step step;
    } cases[] = {
        {30 * DAY, 4 * DAY, TOKEN_USE},
        {30 * DAY, 3 * DAY + 1, TOKEN_USE},
        {30 * DAY, 3 * DAY - 1, TOKEN_REFRESH},
        {5 * DAY, DAY + 1, TOKEN_USE},
        {5 * DAY, DAY - 1, TOKEN_REFRESH},
        {30 * DAY, -1, TOKEN_REFRESH},
        {3600, 3500, TOKEN_USE},
        {3600, 361, TOKEN_USE},
        {3600, 359, TOKEN_REFRESH},
        {0, 0, TOKEN_USE},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct token t = with(NULL, pair("A", "R", cases[i].life));
        if (token_next(&t, NOW + cases[i].life - cases[i].left) != cases[i].step)
            fail_msg("case %zu", i);
        token_free(&t);
        t = with(NULL, pair("A", NULL, cases[i].life)); /* nothing to refresh with */
        assert_int_equal(token_next(&t, NOW + cases[i].life - cases[i].left), TOKEN_USE);
        token_free(&t);
    }
}

/* Code 100: refresh once, repeat once, then getInitToken, then a person. */
static void a_refused_token_is_replaced(void **state)
{
    struct token t = with(NULL, pair("A", "R", 30 * DAY));
    struct token_pair refreshed = pair("A", NULL, 30 * DAY);
    struct token_pair fresh = pair("B", "R2", 30 * DAY);
    (void)state;

    token_refused(&t);
    assert_int_equal(token_next(&t, NOW), TOKEN_REFRESH);
    token_obtained(&t, TOKEN_REFRESH, &refreshed);
    assert_string_equal(t.pair.refresh, "R"); /* none came: the old one stays */
    assert_int_equal(token_next(&t, NOW), TOKEN_USE);
    token_refused(&t);
    assert_int_equal(token_next(&t, NOW), TOKEN_INIT);
    token_obtained(&t, TOKEN_INIT, &fresh);
    assert_int_equal(token_next(&t, NOW), TOKEN_USE);
    assert_string_equal(t.pair.access, "B");
    token_refused(&t);
    assert_int_equal(token_next(&t, NOW), TOKEN_HELPLESS);
    token_forget_refusals(&t);
    assert_int_equal(token_next(&t, NOW), TOKEN_USE);
    token_refused(&t);
    assert_int_equal(token_next(&t, NOW), TOKEN_REFRESH);
    token_free(&t);
}

static void success_starts_anew(void **state)
{
    struct token t = with(NULL, pair("A", "R", 30 * DAY));
    struct token_pair refreshed = pair("A2", "R2", 30 * DAY);
    (void)state;

    token_refused(&t);
    token_obtained(&t, TOKEN_REFRESH, &refreshed);
    token_accepted(&t);
    token_refused(&t);
    assert_int_equal(token_next(&t, NOW), TOKEN_REFRESH);
    token_free(&t);
}

static void a_failed_refresh(void **state)
{
    struct token t = with(NULL, pair("A", "R", 5 * DAY));
    (void)state;

    /* early: the token is still good; the next attempt is an hour later */
    int64_t late = NOW + 5 * DAY - 1000;
    assert_int_equal(token_next(&t, late), TOKEN_REFRESH);
    assert_true(token_refresh_failed(&t, late));
    assert_int_equal(token_next(&t, late), TOKEN_USE);
    assert_int_equal(token_next(&t, late + 3600), TOKEN_REFRESH);
    /* refused: on to getInitToken */
    token_refused(&t);
    assert_false(token_refresh_failed(&t, late));
    assert_int_equal(token_next(&t, late), TOKEN_INIT);
    token_init_failed(&t);
    assert_int_equal(token_next(&t, late), TOKEN_HELPLESS);
    token_free(&t);
}

/* A refresh that does not prolong is not repeated at every turn. */
static void a_useless_refresh_is_not_repeated(void **state)
{
    struct token t = with(NULL, pair("A", "R", 5 * DAY));
    int64_t late = NOW + 5 * DAY - 1000;
    struct token_pair same = pair("A", "R", 0);
    (void)state;

    same.obtained_s = late;
    same.expires_s = late + 1000;
    token_obtained(&t, TOKEN_REFRESH, &same);
    token_accepted(&t);
    assert_int_equal(token_next(&t, late + 1), TOKEN_USE);
    token_free(&t);
}

static void a_given_token_comes_first(void **state)
{
    struct token t = with("G", pair("A", "R", 30 * DAY));
    (void)state;

    assert_string_equal(t.pair.access, "G");
    assert_int_equal(token_next(&t, NOW), TOKEN_USE);
    token_refused(&t); /* the file's token is tried before a new one */
    assert_int_equal(token_next(&t, NOW), TOKEN_USE);
    assert_string_equal(t.pair.access, "A");
    token_refused(&t);
    assert_int_equal(token_next(&t, NOW), TOKEN_REFRESH);
    token_free(&t);

    t = with("G", (struct token_pair){0});
    token_refused(&t);
    assert_int_equal(token_next(&t, NOW), TOKEN_INIT);
    token_free(&t);
}

static void reads_answers(void **state)
{
    static const char good[] =
        "{\"code\":0,\"msg\":\"\",\"data\":{\"access_token\":\"A\",\"expires_in\":2592000,"
        "\"refresh_token\":\"R\",\"scope\":\"all\"}}";
    static const char *const bad[] = {"{\"code\":0,\"data\":null}",
                                      "{\"code\":0,\"data\":{\"access_token\":1}}",
                                      "{\"data\":{\"access_token\":\"\"}}", "", "<html>"};
    struct token_pair got;
    struct err err = ERR_INIT;
    (void)state;

    assert_int_equal(token_read_answer(good, strlen(good), NOW, &got, &err), 0);
    assert_string_equal(got.access, "A");
    assert_string_equal(got.refresh, "R");
    assert_int_equal(got.expires_s, NOW + 2592000);
    token_pair_free(&got);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(token_read_answer(bad[i], strlen(bad[i]), NOW, &got, &err), -1);
}

static void keeps_a_file(void **state)
{
    char directory[] = "/tmp/jst-token-XXXXXX";
    struct token_pair out = pair("A", "R", 30 * DAY);
    struct token_pair in;
    struct err err = ERR_INIT;
    struct stat st;
    (void)state;

    assert_non_null(mkdtemp(directory));
    char *path = mem_printf("%s/deep/er/token.json", directory);
    assert_int_equal(token_file_load(path, "app", &in, &err), 0);
    assert_null(in.access);
    assert_int_equal(token_file_save(path, "app", &out, &err), 0);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(token_file_save(path, "app", &out, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    /* what a crash left beside it lends nothing of its mode */
    char *beside = mem_printf("%s.new", path);
    int fd = open(beside, O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0 && fchmod(fd, 0644) == 0 && close(fd) == 0);
    assert_int_equal(token_file_save(path, "app", &out, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(access(beside, F_OK), -1);
    free(beside);
    assert_int_equal(token_file_load(path, "app", &in, &err), 0);
    assert_string_equal(in.access, "A");
    assert_string_equal(in.refresh, "R");
    assert_int_equal(in.obtained_s, NOW);
    assert_int_equal(in.expires_s, NOW + 30 * DAY);
    token_pair_free(&in);
    assert_int_equal(token_file_load(path, "other", &in, &err), -1); /* another app's */
    assert_null(in.access);

    char *below_a_file = mem_printf("%s/x/token.json", path);
    assert_int_equal(token_file_save(below_a_file, "app", &out, &err), -1);
    assert_int_equal(err.kind, ERR_RETRY);

    char *command = mem_printf("%s/deep/er", directory);
    unlink(path);
    rmdir(command);
    command[strlen(directory) + 5] = '\0';
    rmdir(command);
    assert_int_equal(rmdir(directory), 0);
    free(command);
    free(below_a_file);
    free(path);
    token_pair_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_fetched_once),
        cmocka_unit_test(is_refreshed_before_its_end),
        cmocka_unit_test(a_refused_token_is_replaced),
        cmocka_unit_test(success_starts_anew),
        cmocka_unit_test(a_failed_refresh),
        cmocka_unit_test(a_useless_refresh_is_not_repeated),
        cmocka_unit_test(a_given_token_comes_first),
        cmocka_unit_test(reads_answers),
        cmocka_unit_test(keeps_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
