#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "common/base/err.h"
#include "common/mysql/db.h"
#include "common/options/options.h"

/* Nothing listens on port 1, so that each connect fails at once. */
static struct db *new_db(void)
{
    char words[][32] = {"loader", "--mysql-host=127.0.0.1", "--mysql-port=1", "--mysql-user=u",
                        "--mysql-database=d"};
    char *argv[] = {words[0], words[1], words[2], words[3], words[4], NULL};
    char *env[] = {NULL};
    struct faults faults = FAULTS_INIT;
    struct err err = ERR_INIT;
    struct db *db = NULL;
    struct options *options = options_read(PROGRAM_LOADER, 5, argv, env, &faults);

    assert_int_equal(faults.count, 0);
    assert_int_equal(db_mysql_new(options, 20, &db, &err), 0);
    options_free(options); /* nothing of it is needed any more */
    return db;
}

static void without_a_server(void **state)
{
    struct db *db = new_db();
    struct db_feed feed = {0};
    struct err err = ERR_INIT;

    (void)state;
    db_abort(db);
    db_disconnect(db);
    assert_int_equal(db_connect(db, &err), -1);
    assert_int_equal(err.kind, ERR_RETRY);
    assert_int_equal(err.row, 0);
    assert_int_equal(db_query(db, "SELECT 1", 8, NULL, &err), -1);
    assert_int_equal(err.code, 2006);
    assert_int_equal(db_load(db, "LOAD", 4, &feed, NULL, &err), -1);
    assert_int_equal(err.code, 2006);
    assert_int_equal(db_query(db, "SELECT 1", 8, NULL, NULL), -1);
    assert_int_equal(db_load(db, "LOAD", 4, &feed, NULL, NULL), -1);
    assert_int_equal(db_connect(db, NULL), -1);
    assert_int_equal(db_generation(db), 0);
    assert_false(db_can_load(db));
    db_abort(db);
    db_free(db);
    db_free(NULL);
}

static void *use_and_free(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++) {
        struct db *db = new_db();
        struct err err = ERR_INIT;
        assert_int_equal(db_connect(db, &err), -1);
        db_free(db);
    }
    db_thread_end();
    return NULL;
}

/* The client library begins with the first and ends with the last, however they overlap. */
static void several_threads(void **state)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_and_free, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    use_and_free(NULL);
}

static void the_row_stays_with_the_error(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    err_set(&err, ERR_REJECT, 1406, "too long");
    err.row = 7;
    err_prefix(&err, "pipeline %s", "p");
    assert_string_equal(err.text, "pipeline p: too long");
    assert_int_equal(err.row, 7);
    err_set(&err, ERR_RETRY, 1205, "another");
    assert_int_equal(err.row, 0);
    err.row = 7;
    err_clear(&err);
    assert_int_equal(err.row, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_server),
        cmocka_unit_test(several_threads),
        cmocka_unit_test(the_row_stays_with_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
