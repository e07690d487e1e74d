/* The SQL of the store over MySQL, and what it makes of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "loader/store.h"
#include "loader/store_mysql.h"
#include "tests/unit/twins/memory_source.h"
#include "tests/unit/twins/rows_message.h"
#include "tests/unit/twins/scripted_db.h"
#include "tests/unit/twins/twin_pipeline.h"

static struct pipeline *p;
static struct row_reader *reader;
static struct memory_source *in;
static struct batch *batch;
static struct scripted_db db;
static struct store *store;
static struct table table;
static struct err err;

static void open_store(const struct twin_spec *spec)
{
    static struct table_column columns[] = {{.kind = COLUMN_TEXT, .length = 100},
                                            {.kind = COLUMN_INTEGER},
                                            {.kind = COLUMN_TEXT, .length = 100},
                                            {.kind = COLUMN_DECIMAL, .scale = 6}};
    static char name[] = "db.t";
    static char index[] = "jst_document";

    p = twin_pipeline(spec);
    reader = row_reader_new(p);
    in = memory_source_new(false);
    batch = batch_new(reader);
    scripted_db_init(&db);
    store = store_mysql_new(&db.base);
    table = (struct table){.pipeline = p, .name = name, .columns = columns, .document_index = index};
    err_clear(&err);
}

static int set_up(void **state)
{
    (void)state;
    open_store(&(struct twin_spec){0});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_free(store);
    batch_free(batch, &in->base);
    source_free(&in->base);
    row_reader_free(reader);
    pipeline_free(p);
    return 0;
}

static void again(void **state, const struct twin_spec *spec)
{
    tear_down(state);
    open_store(spec);
}

static void assert_sql(const char *expected)
{
    assert_string_equal(db.sql.data, expected);
    buf_reset(&db.sql);
}

static size_t count_sql(const char *text)
{
    size_t n = 0;

    for (const char *at = db.sql.data; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

/* ------------------------------------------------------------------ heads */

static const struct head two_heads[] = {
    {"100", {STAMP_INTEGER, 1491926160718000123, 17, 18}, 2, "jst.p.raw/0/7"},
    {"it's", {STAMP_RECEIVED, UINT64_MAX, 0, 0}, 0, ""},
};

#define WINS                                                                                                 \
    "IF(IFNULL(`kind`,VALUES(`kind`))=VALUES(`kind`) AND VALUES(`version`)<>`version`,"                      \
    "VALUES(`version`)>`version`,(VALUES(`received`)>IFNULL(`received`,VALUES(`received`)) OR "              \
    "(VALUES(`received`)=IFNULL(`received`,VALUES(`received`)) AND VALUES(`published`)>=`published`)))"
#define RAISE(column) "`" column "`=IF(" WINS ",VALUES(`" column "`),`" column "`)"
#define RAISE_BEGIN                                                                                          \
    "INSERT INTO `jst_heads` (`pipeline`,`document`,`kind`,`version`,`received`,`published`,`rows`,"         \
    "`source`,`updated_at`) VALUES "
#define RAISE_END                                                                                            \
    " ON DUPLICATE KEY UPDATE " RAISE("rows") "," RAISE("source") "," RAISE("updated_at") "," RAISE(         \
        "published") "," RAISE("received") "," RAISE("version") "," RAISE("kind") "\n"
#define READ_BEGIN                                                                                           \
    "SELECT `document`,`kind`,`version`,`received`,`published` FROM `jst_heads` FORCE INDEX (PRIMARY) "      \
    "WHERE `pipeline`='p' AND `document` IN ("

/* All new: there is none to lose against, and none is read. What is compared is assigned last. */
static void test_raise_new_heads(void **state)
{
    bool lost[2] = {false, false};

    (void)state;
    scripted_db_answer(&db, &(struct scripted_answer){.prefix = "INSERT", .affected = 2, .duplicates = 0});
    assert_int_equal(store->ops->raise_heads(store, "p", two_heads, 2, lost, &err), 0);
    assert_sql(RAISE_BEGIN "('p','100',2,1491926160718000123,17,18,2,'jst.p.raw/0/7',NOW(3)),"
                           "('p','it\\'s',0,18446744073709551615,0,0,0,'',NOW(3))" RAISE_END);
    assert_false(lost[0] || lost[1]);
}

/* What the server counts tells whether some head stands above. */
static void test_raise_counts(void **state)
{
    static const struct {
        size_t count;
        uint64_t affected;
        int64_t duplicates;
        bool reads;
    } cases[] = {
        {2, 2, 0, false},                    /* both new */
        {2, 3, 1, false},                    /* one new, one raised */
        {2, 4, 2, false},                    /* both raised */
        {2, 1, 0, true},                     /* one new, one as it was */
        {2, 2, 1, true},                     /* one raised, one as it was */
        {2, 0, 0, true},   {2, 2, -1, true}, /* not told */
        {1, 1, -1, false}, {1, 2, -1, false}, {1, 0, -1, true},
    };
    static const char *const cells[] = {"100", "2", "5", "6", "7", "it's", "0", "5", "6", "7"};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool lost[2] = {false, false};
        again(state, &(struct twin_spec){0});
        scripted_db_answer(&db, &(struct scripted_answer){.prefix = "INSERT",
                                                          .affected = cases[i].affected,
                                                          .duplicates = cases[i].duplicates});
        scripted_db_answer(&db,
                           &(struct scripted_answer){
                               .prefix = "SELECT", .cells = cells, .count = cases[i].count, .columns = 5});
        assert_int_equal(store->ops->raise_heads(store, "p", two_heads, cases[i].count, lost, &err), 0);
        if ((count_sql("SELECT") == 1) != cases[i].reads)
            fail_msg("case %zu", i);
    }
}

/* The stored head of '100', beside the own one: (integer, 1491926160718000123, 17, 18). */
static void test_losers(void **state)
{
    static const struct {
        const char *cells[5];
        bool lost;
    } cases[] = {
        {{"100", "2", "1491926160718000123", "17", "18"}, false},
        {{"100", "2", "1491926160718000124", "1", "1"}, true},
        {{"100", "2", "1491926160718000123", "17", "19"}, true},
        {{"100", "2", "1491926160718000123", "18", "1"}, true},
        {{"100", "2", "1491926160718000122", "99", "99"}, false},
        {{"100", "1", "20260101000000", "16", "99"}, false}, /* of another kind: reception decides */
        {{"100", "1", "20260101000000", "18", "1"}, true},
        {{"100", NULL, "1491926160718000123", NULL, "18"}, false}, /* of an older jstpipe */
        {{"100", NULL, "1491926160718000123", NULL, "19"}, true},
        {{"100", NULL, "1491926160718000124", NULL, "1"}, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool lost = false;
        again(state, &(struct twin_spec){0});
        scripted_db_answer(&db, &(struct scripted_answer){.prefix = "INSERT", .duplicates = -1});
        scripted_db_answer(&db, &(struct scripted_answer){
                                    .prefix = "SELECT", .cells = cases[i].cells, .count = 1, .columns = 5});
        assert_int_equal(store->ops->raise_heads(store, "p", two_heads, 1, &lost, &err), 0);
        if (lost != cases[i].lost)
            fail_msg("case %zu", i);
        assert_non_null(strstr(db.sql.data, READ_BEGIN "'100')\n"));
    }
}

/* What the loader did not write, and documents that share a head, are a person's business. */
static void test_odd_heads(void **state)
{
    static const struct {
        const char *cells[5];
        size_t count;
        const char *text;
    } cases[] = {
        {{"100", "2", "1", "1", "1"}, 0, "byte by byte"},
        {{"100 ", "2", "1", "1", "1"}, 1, "did not write"},
        {{NULL, "2", "1", "1", "1"}, 1, "did not write"},
        {{"100", "3", "1", "1", "1"}, 1, "did not write"},
        {{"100", "2", NULL, "1", "1"}, 1, "did not write"},
        {{"100", "2", "1", "x", "1"}, 1, "did not write"},
        {{"100", "2", "1", "1", "-1"}, 1, "did not write"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool lost;
        again(state, &(struct twin_spec){0});
        scripted_db_answer(
            &db, &(struct scripted_answer){
                     .prefix = "SELECT", .cells = cases[i].cells, .count = cases[i].count, .columns = 5});
        assert_int_equal(store->ops->raise_heads(store, "p", two_heads, 1, &lost, &err), -1);
        assert_int_equal(err.kind, ERR_PAUSE);
        if (strstr(err.text, cases[i].text) == NULL)
            fail_msg("case %zu: %s", i, err.text);
    }
}

static void test_has_heads(void **state)
{
    static const char *const one[] = {"1"};
    bool has;

    (void)state;
    assert_int_equal(store->ops->has_heads(store, "o'p", &has, &err), 0);
    assert_false(has);
    assert_sql("SELECT 1 FROM `jst_heads` WHERE `pipeline`='o\\'p' AND `rows`>0 LIMIT 1\n");
    scripted_db_answer(&db,
                       &(struct scripted_answer){.prefix = "SELECT", .cells = one, .count = 1, .columns = 1});
    assert_int_equal(store->ops->has_heads(store, "p", &has, &err), 0);
    assert_true(has);
}

/* ------------------------------------------------------------------ marks */

#define READ_MARKS                                                                                           \
    "SELECT `pipeline`,`topic`,`partition`,`next_offset`,`target` FROM `jst_offsets` WHERE `pipeline`='p'"

static void test_read_marks(void **state)
{
    static const char *const cells[] = {
        "p", "jst.p.rows", "0", "9223372036854775807", "db.t", "p", "jst.p.rows", "1", "0", "db.u"};
    struct stored_marks marks;

    (void)state;
    scripted_db_answer(
        &db, &(struct scripted_answer){.prefix = "SELECT", .cells = cells, .count = 2, .columns = 5});
    assert_int_equal(store->ops->read_marks(store, "p", true, &marks, &err), 0);
    assert_sql(READ_MARKS " FOR UPDATE\n");
    assert_int_equal(stored_marks_find(&marks, "jst.p.rows", 0)->next_offset, INT64_MAX);
    assert_string_equal(stored_marks_find(&marks, "jst.p.rows", 1)->target, "db.u");
    assert_null(stored_marks_find(&marks, "jst.p.rows", 2));
    assert_null(stored_marks_find(&marks, "jst.q.rows", 0));
    stored_marks_free(&marks);
    assert_int_equal(store->ops->read_marks(store, "p", false, &marks, &err), 0);
    assert_sql(READ_MARKS "\n");
    assert_int_equal(marks.count, 0);
    stored_marks_free(&marks);
}

static void test_odd_marks(void **state)
{
    static const char *const cases[][5] = {
        {"p", "t", "-1", "5", "db.t"}, {"p", "t", "2147483648", "5", "db.t"}, {"p", "t", "0", "x", "db.t"},
        {"p", "t", "0", NULL, "db.t"}, {"p", NULL, "0", "5", "db.t"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stored_marks marks;
        again(state, &(struct twin_spec){0});
        scripted_db_answer(
            &db, &(struct scripted_answer){.prefix = "SELECT", .cells = cases[i], .count = 1, .columns = 5});
        assert_int_equal(store->ops->read_marks(store, "p", false, &marks, &err), -1);
        assert_int_equal(err.kind, ERR_PAUSE);
    }
}

#define PUT_MARKS_END                                                                                        \
    " ON DUPLICATE KEY UPDATE `next_offset`=IF(`target`=VALUES(`target`),"                                   \
    "GREATEST(`next_offset`,VALUES(`next_offset`)),VALUES(`next_offset`)),"                                  \
    "`updated_at`=VALUES(`updated_at`),`target`=VALUES(`target`)\n"

/* Never lowered, but where the topic was made again or the table is another one. */
static void test_put_marks(void **state)
{
    static const struct mark marks[] = {{"r", 0, 5, -1, false}, {"r", 1, 7, 3, true}};

    (void)state;
    assert_int_equal(store->ops->put_marks(store, &table, marks, 1, &err), 0);
    assert_sql("INSERT INTO `jst_offsets` "
               "(`pipeline`,`topic`,`partition`,`next_offset`,`target`,`updated_at`) VALUES "
               "('p','r',0,5,'db.t',NOW(3))" PUT_MARKS_END);
    assert_int_equal(store->ops->put_marks(store, &table, marks, 2, &err), 0);
    assert_sql("DELETE FROM `jst_offsets` WHERE (`pipeline`,`topic`,`partition`) IN (('p','r',1))\n"
               "INSERT INTO `jst_offsets` "
               "(`pipeline`,`topic`,`partition`,`next_offset`,`target`,`updated_at`) VALUES "
               "('p','r',0,5,'db.t',NOW(3)),('p','r',1,7,'db.t',NOW(3))" PUT_MARKS_END);
}

/* ------------------------------------------------------------------ stored rows */

/* An integer column is compared with integers only: MySQL takes '12x' for 12. */
static void test_stored_keys(void **state)
{
    static const char *const documents[] = {"1", "12x", "-7", "it's"};
    static const char *const cells[] = {"1-1", NULL};
    struct stored_keys keys;

    (void)state;
    scripted_db_answer(
        &db, &(struct scripted_answer){.prefix = "SELECT", .cells = cells, .count = 2, .columns = 1});
    assert_int_equal(store->ops->stored_keys(store, &table, documents, 4, &keys, &err), 0);
    assert_sql("SELECT `id` FROM `t` FORCE INDEX (`jst_document`) WHERE `io_id` IN (1,-7)\n");
    assert_int_equal(keys.count, 2);
    assert_string_equal(keys.rows[0][0], "1-1");
    assert_null(keys.rows[1][0]);
    store->ops->free_keys(store, &keys);
    assert_int_equal(store->ops->stored_keys(store, &table, documents + 1, 1, &keys, &err), 0);
    assert_sql(""); /* the column can hold none of them */
    store->ops->free_keys(store, &keys);
}

static void test_delete_keys(void **state)
{
    char one[] = "q'\\";
    char two[] = "1";
    char *const row[] = {one, two};
    char *const *const rows[] = {row, row};
    uint64_t deleted;

    again(state, &(struct twin_spec){.options = ",\"version\":\"ts\",\"key\":[\"note\",\"io_id\"]"});
    scripted_db_answer(&db, &(struct scripted_answer){.prefix = "DELETE", .affected = 2});
    assert_int_equal(
        store->ops->delete_keys(store, &table, (char **const *)(uintptr_t)rows, 2, &deleted, &err), 0);
    assert_sql("DELETE FROM `t` WHERE (`note`,`io_id`) IN (('q\\'\\\\',1),('q\\'\\\\',1))\n");
    assert_int_equal(deleted, 2);
}

/* ------------------------------------------------------------------ rows */

static void fill(void)
{
    struct source_event event;

    while (source_poll(&in->base, 0, &event, NULL) == 0 && event.kind == SOURCE_RECORD)
        batch_add(batch, &event.record, 0);
}

static int write_all(enum write_form form, size_t *ret_replaced)
{
    struct row **rows = mem_alloc((batch->row_count + 1) * sizeof *rows);

    for (size_t i = 0; i < batch->row_count; i++)
        rows[i] = &batch->rows[i];
    int rc = store->ops->write_rows(store, &table, batch, rows, batch->row_count, form, ret_replaced, &err);
    free(rows);
    return rc;
}

static const struct rows_spec odd_values = {
    .document = "1",
    .version = "5",
    .value = "{\"id\":\"\",\"io_id\":1,\"note\":\"\",\"qty\":\"\"}\n"
             "{\"id\":\"1-2\",\"io_id\":1,\"note\":null,\"qty\":1.50}\n"
             "{\"qty\":-1e3,\"note\":\"\\u0027\\\\\\t\\n\\r \xF0\x9F\x98\x80\",\"id\":\"N\",\"io_id\":1}\n"};

/* "" is text, and NULL elsewhere. */
static void test_text(void **state)
{
    size_t replaced;

    (void)state;
    add_rows(in, &odd_values);
    fill();
    scripted_db_answer(&db, &(struct scripted_answer){.prefix = "REPLACE", .affected = 5});
    assert_int_equal(write_all(FORM_TEXT, &replaced), 0);
    assert_int_equal(replaced, 2);
    assert_sql("REPLACE INTO `t`(`id`,`io_id`,`note`,`qty`) VALUES ('','1','',NULL),('1-2','1',NULL,'1.50'),"
               "('N','1','\\'\\\\\t\\n\\r \xF0\x9F\x98\x80','-1e3')\n");
}

static void test_insert(void **state)
{
    size_t replaced;

    again(state, &(struct twin_spec){.sql = "INSERT INTO db.t(id,io_id,note,qty) VALUES"});
    add_document(in, 0, 1, 5, 1, "a");
    fill();
    scripted_db_answer(&db, &(struct scripted_answer){.prefix = "INSERT", .affected = 1});
    assert_int_equal(write_all(FORM_TEXT, &replaced), 0);
    assert_int_equal(replaced, 0);
    assert_sql(
        "INSERT INTO `db`.`t`(`id`,`io_id`,`note`,`qty`) VALUES ('1-1','1','a','1') ON DUPLICATE KEY "
        "UPDATE `id`=VALUES(`id`),`io_id`=VALUES(`io_id`),`note`=VALUES(`note`),`qty`=VALUES(`qty`)\n");
}

/* The stored rows that an INSERT met: a changed one counts 2 and as a duplicate, one that is as it was
 * nothing. Where the duplicates are not told, of several rows, none is counted. */
static void an_insert_counts_the_rows_that_were_there(void **state)
{
    static const int cases[][4] = {/* rows, affected, duplicates, and what is counted */
                                   {3, 3, 0, 0},  {3, 4, 1, 1},  {3, 6, 3, 3},  {3, 0, 0, 3}, {3, 3, 1, 2},
                                   {1, 1, -1, 0}, {1, 2, -1, 1}, {1, 0, -1, 1}, {3, 9, -1, 0}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t replaced;
        again(state, &(struct twin_spec){.sql = "INSERT INTO t(id,io_id,note,qty) VALUES"});
        add_document(in, 0, 1, 5, cases[i][0], "a");
        fill();
        scripted_db_answer(&db, &(struct scripted_answer){"INSERT", .affected = (unsigned)cases[i][1],
                                                          .duplicates = cases[i][2]});
        assert_int_equal(write_all(FORM_TEXT, &replaced), 0);
        assert_int_equal(replaced, cases[i][3]);
    }
}

/* At most the target's limit in a statement; an error's row is counted over all of them. */
static void test_statements_of_text(void **state)
{
    size_t replaced;

    again(state, &(struct twin_spec){.limit = 3});
    add_document(in, 0, 1, 5, 10, "a");
    fill();
    assert_int_equal(write_all(FORM_TEXT, &replaced), 0);
    assert_int_equal(count_sql("REPLACE"), 4);
    scripted_db_answer(&db, &(struct scripted_answer){.prefix = "REPLACE INTO `t`(`id`,`io_id`,`note`,`qty`) "
                                                                "VALUES ('1-4'",
                                                      .code = 1366,
                                                      .row = 2});
    assert_int_equal(write_all(FORM_TEXT, &replaced), -1);
    assert_int_equal(err.row, 5);
    assert_int_equal(err.kind, ERR_REJECT);
}

/* No statement is larger than the server takes, whatever it is about; a row that is, alone is at fault. */
static void test_statement_bytes(void **state)
{
    enum { MANY = 300 };
    size_t replaced;
    struct stored_keys keys;
    struct head heads[MANY];
    const char *ids[MANY];
    char texts[MANY][8];
    bool lost[MANY] = {false};

    (void)state;
    db.max_statement = 4096;
    for (int d = 0; d < MANY; d++) {
        snprintf(texts[d], sizeof texts[d], "%d", 1000 + d);
        ids[d] = texts[d];
        heads[d] = (struct head){.document = texts[d], .source = ""};
        add_document(in, 0, 1000 + d, 5, 2, "0123456789'0123456789'0123456789'0123456789'0123456789");
    }
    fill();
    assert_int_equal(write_all(FORM_TEXT, &replaced), 0);
    assert_int_equal(store->ops->stored_keys(store, &table, ids, MANY, &keys, &err), 0);
    store->ops->free_keys(store, &keys);
    (void)store->ops->raise_heads(store, "p", heads, MANY, lost, &err);
    assert_in_range(db.longest, 1000, 4096);
}

static void test_row_too_large(void **state)
{
    static const size_t lengths[] = {3000, 3900, 5000};
    size_t replaced;

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        again(state, &(struct twin_spec){0});
        db.max_statement = 4096;
        char *note = mem_zalloc(lengths[i] + 1, 1);
        memset(note, 'x', lengths[i]);
        add_document(in, 0, 2, 5, 1, note);
        free(note);
        fill();
        assert_int_equal(write_all(FORM_TEXT, &replaced), lengths[i] < 4000 ? 0 : -1);
        if (lengths[i] < 4000)
            continue;
        assert_int_equal(err.kind, ERR_REJECT);
        assert_int_equal(err.code, 1153);
    }
}

/* ------------------------------------------------------------------ LOAD DATA */

#define LOAD                                                                                                 \
    "LOAD DATA LOCAL INFILE 'rows' REPLACE INTO TABLE `t` CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' " \
    "ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' (`id`,`io_id`,`note`,`qty`)\n"

/* Whatever the server asks for at once, the same bytes come. */
static void test_load(void **state)
{
    static const size_t sizes[] = {4096, 120, 7, 1};
    size_t replaced;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        again(state, &(struct twin_spec){0});
        db.feed_size = sizes[i];
        add_rows(in, &odd_values);
        fill();
        scripted_db_answer(&db, &(struct scripted_answer){.prefix = "LOAD", .affected = 4});
        assert_int_equal(write_all(FORM_LOAD, &replaced), 0);
        assert_int_equal(replaced, 1);
        assert_sql(LOAD);
        assert_string_equal(db.fed.data, "\t1\t\t\\N\n"
                                         "1-2\t1\t\\N\t1.50\n"
                                         "N\t1\t'\\\\\\t\\n\\r \xF0\x9F\x98\x80\t-1e3\n");
    }
}

/* Notes are let pass; any other warning, and rows that the server did not take, are a row's fault. */
static void test_load_warnings(void **state)
{
    static const struct {
        uint64_t affected;
        const char *level; /* NULL: no warning */
        bool fails;
    } cases[] = {
        {3, NULL, false}, {3, "Note", false}, {3, "Warning", true}, {3, "Error", true}, {2, NULL, true}};
    size_t replaced;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const cells[] = {cases[i].level, "1265", "Data truncated for column 'qty' at row 1"};
        again(state, &(struct twin_spec){0});
        add_rows(in, &odd_values);
        fill();
        scripted_db_answer(&db, &(struct scripted_answer){.prefix = "LOAD",
                                                          .affected = cases[i].affected,
                                                          .warnings = cases[i].level != NULL});
        scripted_db_answer(&db, &(struct scripted_answer){
                                    .prefix = "SHOW WARNINGS", .cells = cells, .count = 1, .columns = 3});
        assert_int_equal(write_all(FORM_LOAD, &replaced), cases[i].fails ? -1 : 0);
        if (cases[i].fails)
            assert_int_equal(err.kind, ERR_REJECT);
    }
}

/* ------------------------------------------------------------------ witness and transaction */

static void test_witness(void **state)
{
    static const char *const cells[] = {"9-1", "9", NULL, "1.00"};
    bool found;

    (void)state;
    assert_int_equal(store->ops->write_witness(store, &table, &found, &err), 0);
    assert_false(found);
    assert_sql("SELECT `id`,`io_id`,`note`,`qty` FROM `t` LIMIT 1\n");
    scripted_db_answer(
        &db, &(struct scripted_answer){.prefix = "SELECT", .cells = cells, .count = 1, .columns = 4});
    assert_int_equal(store->ops->write_witness(store, &table, &found, &err), 0);
    assert_true(found);
    assert_sql("SELECT `id`,`io_id`,`note`,`qty` FROM `t` LIMIT 1\n"
               "REPLACE INTO `t`(`id`,`io_id`,`note`,`qty`) VALUES ('9-1','9',NULL,'1.00')\n");
}

static void test_transaction(void **state)
{
    (void)state;
    assert_int_equal(store->ops->begin(store, &err), 0);
    assert_int_equal(store->ops->set_point(store, &err), 0);
    assert_int_equal(store->ops->back_to_point(store, &err), 0);
    assert_int_equal(store->ops->commit(store, &err), 0);
    assert_int_equal(store->ops->rollback(store), 0);
    assert_sql("START TRANSACTION\nSAVEPOINT jst\nROLLBACK TO SAVEPOINT jst\nCOMMIT\nROLLBACK\n");
    scripted_db_answer(&db, &(struct scripted_answer){.prefix = "ROLLBACK", .code = 1105});
    assert_int_equal(store->ops->rollback(store), -1);
    assert_sql("ROLLBACK\n(disconnected)\n");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_raise_new_heads),
        CASE(test_raise_counts),
        CASE(test_losers),
        CASE(test_odd_heads),
        CASE(test_has_heads),
        CASE(test_read_marks),
        CASE(test_odd_marks),
        CASE(test_put_marks),
        CASE(test_stored_keys),
        CASE(test_delete_keys),
        CASE(test_text),
        CASE(test_insert),
        CASE(an_insert_counts_the_rows_that_were_there),
        CASE(test_statements_of_text),
        CASE(test_statement_bytes),
        CASE(test_row_too_large),
        CASE(test_load),
        CASE(test_load_warnings),
        CASE(test_witness),
        CASE(test_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
