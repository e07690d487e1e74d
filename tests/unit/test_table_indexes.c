#include "tests/unit/twins/table_world.h"

/* ------------------------------------------------------------------ indexes */

#define INDEX(index, not_unique, of)                                                                         \
    {                                                                                                        \
        .name = (index), .non_unique = (not_unique), .column = (of)                                          \
    }
#define PREFIX(index, not_unique, of, characters)                                                            \
    {                                                                                                        \
        .name = (index), .non_unique = (not_unique), .column = (of), .prefix = (characters)                  \
    }
#define HASHED(index, of)                                                                                    \
    {                                                                                                        \
        .name = (index), .non_unique = "0", .column = (of), .type = "HASH"                                   \
    }

static void the_key_has_an_index_of_its_own(void **state)
{
    static const struct {
        struct schema_index indexes[3];
        size_t count;
        const char *clause; /* NULL: fine */
    } cases[] = {
        {{INDEX("by_io", "1", "io_id")}, 1, "ALTER TABLE `t` ADD PRIMARY KEY (`id`)"},
        {{INDEX("by_io", "1", "io_id"), INDEX("k", "1", "id")}, 2, "ALTER TABLE `t` ADD PRIMARY KEY (`id`)"},
        {{INDEX("by_io", "1", "io_id"), PREFIX("k", "0", "id", "20")},
         2,
         "ALTER TABLE `t` DROP INDEX `k`, ADD INDEX `k` (`id`(20)), ADD PRIMARY KEY (`id`)"},
        {{INDEX("by_io", "1", "io_id"), INDEX("k", "0", "id"), INDEX("k", "0", "io_id")},
         3,
         "ALTER TABLE `t` ADD PRIMARY KEY (`id`)"},
        {{INDEX("by_io", "1", "io_id"), INDEX("PRIMARY", "0", "id"), INDEX("PRIMARY", "0", "io_id")},
         3,
         "ALTER TABLE `t` ADD UNIQUE KEY `jst_key` (`id`)"},
        {{INDEX("by_io", "1", "io_id"), INDEX("PRIMARY", "0", "note")},
         2,
         "ALTER TABLE `t` DROP PRIMARY KEY, ADD PRIMARY KEY (`id`)"},
        {{INDEX("PRIMARY", "0", "io_id"), INDEX("PRIMARY", "0", "note")},
         2,
         "DROP PRIMARY KEY, ADD PRIMARY KEY (`id`), ADD INDEX `jst_document` (`io_id`)"},
        {{INDEX("by_io", "1", "io_id"), HASHED("k", "id")}, 2, "ADD PRIMARY KEY (`id`)"},
        {{INDEX("by_io", "1", "io_id"), INDEX("k", "0", NULL), INDEX("z", "0", "id")},
         3,
         "ALTER TABLE `t` DROP INDEX `k`"},
        {{INDEX("by_io", "1", "io_id"), HASHED("k", "note"), INDEX("z", "0", "id")},
         3,
         "ALTER TABLE `t` DROP INDEX `k`"},
        {{INDEX("by_io", "1", NULL), INDEX("k", "0", "id"), INDEX("z", "1", "io_id")}, 3, NULL},
        {{INDEX("by_io", "1", "io_id"), INDEX("k", "0", "Id")}, 2, NULL},
        {{INDEX("PRIMARY", "0", "more"), INDEX("by_io", "1", "io_id"), INDEX("k", "0", "id")}, 3, NULL},
        {{INDEX("by_io", "1", "io_id"), INDEX("k", "0", "id"), INDEX("u", "0", "maybe")}, 3, NULL},
        {{INDEX("by_io", "1", "io_id"), INDEX("k", "0", "id"), INDEX("u", "0", "own")}, 3, NULL},
        {{INDEX("by_io", "1", "io_id"), INDEX("k", "0", "id"), INDEX("u", "0", "same")},
         3,
         "ALTER TABLE `t` DROP INDEX `u`, ADD INDEX `u` (`same`)"},
    };

    (void)state;
    add_column("more", "int")->extra = "auto_increment";
    add_column("maybe", "int");
    add_column("own", "char")->fallback = "uuid()";
    add_column("same", "int")->fallback = "0";
    for (size_t i = 0; i < COUNT(cases); i++) {
        use_indexes(cases[i].indexes, cases[i].count);
        if (cases[i].clause == NULL)
            assert_fine();
        else
            assert_paused(0, cases[i].clause);
    }
}

/* A primary key with a column that nobody fills cannot keep it. */
static void a_column_of_the_primary_key_is_filled(void **state)
{
    static const struct schema_index indexes[] = {
        INDEX("PRIMARY", "0", "tenant"), INDEX("PRIMARY", "0", "id"), INDEX("jst_document", "1", "io_id")};

    (void)state;
    add_column("tenant", "int")->nullable = "NO";
    use_indexes(indexes, 3);
    assert_paused(0, "MODIFY `tenant` int NULL, DROP PRIMARY KEY, ADD PRIMARY KEY (`id`)");
}

static void a_second_unique_index_is_refused(void **state)
{
    (void)state;
    add_index("so", "0", "note");
    assert_paused(0, "the unique index so lets documents replace one another; mend it with: ALTER TABLE `t` "
                     "DROP INDEX `so`, ADD INDEX `so` (`note`)");
    add_index("so", "0", "id");
    assert_fine();
}

static void a_key_of_two_columns(void **state)
{
    static const struct schema_index indexes[] = {INDEX("PRIMARY", "0", "note"), INDEX("PRIMARY", "0", "id"),
                                                  INDEX("by_io", "1", "io_id")};

    (void)state;
    begin_again(&(struct twin_spec){.options = ",\"key\":[\"id\",\"note\"]"});
    use_indexes(indexes, 3);
    assert_fine(); /* the order does not matter */
    use_indexes(indexes + 1, 2);
    assert_paused(0, "`t` DROP PRIMARY KEY");
    use_indexes(indexes + 2, 1);
    column(ID)->length = column(NOTE)->length = "500";
    assert_paused(0, "too wide for an index");
    assert_says("MODIFY `id` VARCHAR(255) ");
    assert_says("MODIFY `note` VARCHAR(255) ");
    assert_says("ADD PRIMARY KEY (`id`,`note`)");
}

static void the_document_has_an_index(void **state)
{
    static const struct {
        struct schema_index indexes[3];
        size_t count;
        const char *found, *clause;
    } cases[] = {
        {{INDEX("PRIMARY", "0", "id")}, 1, NULL, "ALTER TABLE `t` ADD INDEX `jst_document` (`io_id`)"},
        {{INDEX("PRIMARY", "0", "id"), PREFIX("x", "1", "io_id", "4")},
         2,
         NULL,
         "ADD INDEX `jst_document` (`io_id`)"},
        {{INDEX("PRIMARY", "0", "id"), PREFIX("jst_document", "1", "io_id", "4")},
         2,
         NULL,
         "ADD INDEX `jst_document_whole` (`io_id`)"},
        {{INDEX("PRIMARY", "0", "id"), INDEX("x", "1", "note"), INDEX("x", "1", "io_id")},
         3,
         NULL,
         "ADD INDEX"},
        {{INDEX("PRIMARY", "0", "id"), INDEX("x", "1", "IO_ID"), INDEX("y", "1", "io_id")}, 3, "x", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        use_indexes(cases[i].indexes, cases[i].count);
        if (cases[i].found == NULL) {
            assert_paused(0, cases[i].clause);
            continue;
        }
        assert_fine();
        assert_string_equal(table->document_index, cases[i].found);
    }
}

static void rows_that_hang_on_ours_are_kept(void **state)
{
    (void)state;
    twin.child[0] = "lines";
    twin.child[1] = "fk_1";
    twin.child[2] = "CASCADE";
    assert_paused(0, "ON DELETE CASCADE); mend it with: ALTER TABLE `here`.`lines` DROP FOREIGN KEY `fk_1`");
    begin_again(&(struct twin_spec){.sql = "INSERT INTO t(id,io_id,note,qty) VALUES"});
    twin.child[0] = "lines";
    assert_fine(); /* an update of a row deletes nothing */
}

/* Several fields: one index that begins with all of their columns, in any order. */
static void a_document_of_two_columns_has_an_index(void **state)
{
    static const struct {
        struct schema_index indexes[3];
        bool fine;
    } cases[] = {
        {{INDEX("PRIMARY", "0", "id"), INDEX("d", "1", "io_id"), INDEX("d", "1", "note")}, true},
        {{INDEX("PRIMARY", "0", "id"), INDEX("d", "1", "note"), INDEX("d", "1", "io_id")}, true},
        {{INDEX("PRIMARY", "0", "id"), INDEX("d", "1", "io_id"), INDEX("e", "1", "note")}, false},
        {{INDEX("PRIMARY", "0", "id"), INDEX("d", "1", "io_id"), PREFIX("d", "1", "note", "9")}, false},
        {{INDEX("PRIMARY", "0", "id"), INDEX("d", "1", "io_id"), INDEX("d", "1", "qty")}, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin_again(&(struct twin_spec){.document = "[\"io_id\",\"note\"]"});
        use_indexes(cases[i].indexes, 3);
        if (cases[i].fine)
            assert_fine();
        else
            assert_paused(0, "columns io_id,note hold the document's id and have no index together; mend it "
                             "with: ALTER TABLE `t` ADD INDEX `jst_document` (`io_id`,`note`)");
    }
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_key_has_an_index_of_its_own),
        CASE(a_column_of_the_primary_key_is_filled),
        CASE(a_second_unique_index_is_refused),
        CASE(a_key_of_two_columns),
        CASE(the_document_has_an_index),
        CASE(rows_that_hang_on_ours_are_kept),
        CASE(a_document_of_two_columns_has_an_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
