/* Transactions, documents, migration, a second engine, a crash. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/internal.h"

static char folder[] = "/tmp/test-store-database-XXXXXX";
static char *path;

static int set_up(void **state)
{
    tree_remove(AT_FDCWD, folder, NULL);
    return directory_make(folder, 0700, NULL) ? 0 : -1;
}

static struct database *open_database(void)
{
    struct error err = ERROR_INIT;
    struct database *database = database_open(path, &err);
    if (!database)
        fail_msg("%s", error_message(&err));
    return database;
}

static void test_documents(void **state)
{
    struct database *database = open_database();
    assert_true(database_put(database, "container", "b", "{\"x\":1}", DURABLE, NULL));
    assert_true(database_put(database, "container", "a", "{}", NOT_DURABLE, NULL));
    assert_true(database_put(database, "network", "a", "[]", NOT_DURABLE, NULL));
    assert_true(database_put(database, "container", "b", "{\"x\":2}", NOT_DURABLE, NULL));
    assert_true(database_put(database, "container", "c", "it's; DROP TABLE documents", NOT_DURABLE, NULL));
    assert_true(database_delete(database, "container", "nothing", DURABLE, NULL));
    assert_true(database_delete(database, "container", "a", DURABLE, NULL));
    database_close(database);

    database = open_database();
    _cleanup_strmap_ struct strmap all = {0};
    assert_true(database_all(database, "container", &all, NULL));
    assert_int_equal(all.count, 2);
    assert_string_equal(all.items[0].key, "b");
    assert_string_equal(all.items[0].value, "{\"x\":2}");
    assert_string_equal(all.items[1].value, "it's; DROP TABLE documents");
    assert_true(database_all(database, "volume", &all, NULL));
    assert_int_equal(all.count, 0);
    assert_non_null(all.items);
    database_close(database);
}

static void test_transactions(void **state)
{
    struct database *database = open_database();
    static const char insert[] = "INSERT INTO images (id, config) VALUES (?, '{}')";
    static const char count[] = "SELECT count(*) FROM images";
    for (int commit = 0; commit < 2; commit++) {
        assert_true(database_begin(database, DURABLE, NULL));
        struct error err = ERROR_INIT;
        assert_false(database_begin(database, DURABLE, &err)); /* no nesting, and no deadlock */
        error_release(&err);
        sqlite3_stmt *statement = database_statement(database, insert, NULL);
        sqlite3_bind_text(statement, 1, "x", -1, SQLITE_STATIC);
        assert_int_equal(database_step(database, statement, NULL), 0);
        assert_true(database_end(database, commit, NULL));

        assert_true(database_begin(database, NOT_DURABLE, NULL));
        statement = database_statement(database, count, NULL);
        assert_int_equal(database_step(database, statement, NULL), 1);
        assert_int_equal(sqlite3_column_int(statement, 0), commit);
        assert_true(database_end(database, true, NULL)); /* with a row half-read */
    }
    /* A violated constraint is a conflict, and the transaction can be rolled back. */
    struct error err = ERROR_INIT;
    assert_true(database_begin(database, DURABLE, NULL));
    sqlite3_stmt *statement = database_statement(database, insert, NULL);
    sqlite3_bind_text(statement, 1, "x", -1, SQLITE_STATIC);
    assert_int_equal(database_step(database, statement, &err), -1);
    assert_int_equal(err.kind, ERROR_CONFLICT);
    error_release(&err);
    assert_true(database_end(database, false, NULL));
    /* Foreign keys hold. */
    assert_true(database_begin(database, DURABLE, NULL));
    statement = database_statement(database, "INSERT INTO tags VALUES ('t', 'missing')", NULL);
    assert_int_equal(database_step(database, statement, NULL), -1);
    assert_true(database_end(database, false, NULL));
    assert_true(database_put(database, "container", "a", "{}", DURABLE, NULL));
    database_close(database);
}

static void test_crash(void **state)
{
    /* The child ends in the middle of a transaction, after a commit that did not wait for the disk. */
    pid_t child = fork();
    if (child == 0) {
        struct database *database = open_database();
        database_put(database, "container", "kept", "{}", NOT_DURABLE, NULL);
        database_begin(database, DURABLE, NULL);
        sqlite3_stmt *statement = database_statement(
            database, "INSERT INTO documents (kind, id, body) VALUES ('container', 'lost', '{}')", NULL);
        database_step(database, statement, NULL);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    struct database *database = open_database();
    _cleanup_strmap_ struct strmap all = {0};
    assert_true(database_all(database, "container", &all, NULL));
    assert_int_equal(all.count, 1);
    assert_string_equal(all.items[0].key, "kept");
    database_close(database);
}

static void test_second_engine(void **state)
{
    int to_child[2], from_child[2];
    assert_int_equal(pipe(to_child) | pipe(from_child), 0);
    pid_t child = fork();
    char byte = 'x';
    if (child == 0) {
        close(to_child[1]);
        struct database *database = open_database();
        write_full(from_child[1], &byte, 1);
        read_full(to_child[0], &byte, 1);
        database_close(database);
        _exit(0);
    }
    assert_int_equal(read_full(from_child[0], &byte, 1), 1);
    struct error err = ERROR_INIT;
    assert_null(database_open(path, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    assert_non_null(strstr(error_message(&err), "in use by another engine"));
    error_release(&err);
    close(to_child[1]);
    waitpid(child, NULL, 0);
    close(to_child[0]);
    close(from_child[0]);
    close(from_child[1]);
    database_close(open_database());
}

static void test_migration(void **state)
{
    database_close(open_database());
    sqlite3 *raw;
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    sqlite3_stmt *statement;
    sqlite3_prepare_v2(raw, "PRAGMA user_version", -1, &statement, NULL);
    sqlite3_step(statement);
    assert_true(sqlite3_column_int(statement, 0) >= 1);
    sqlite3_finalize(statement);
    /* Of a newer engine: refused, and left as it is. */
    sqlite3_exec(raw, "PRAGMA user_version = 99", NULL, NULL, NULL);
    sqlite3_close(raw);
    struct error err = ERROR_INIT;
    assert_null(database_open(path, &err));
    assert_int_equal(err.kind, ERROR_UNSUPPORTED);
    error_release(&err);
    /* Not a database at all. */
    assert_true(
        file_write_text(AT_FDCWD, path, "this is not a database, it is a text of more than 16 bytes", 0600, NULL));
    assert_null(database_open(path, &err));
    error_release(&err);
}

/* What dies with its process must not cost a disk's time: well below 0.2 ms a document. Not an assertion on a shared
   machine's clock; the number is shown. */
static void test_speed(void **state)
{
    struct database *database = open_database();
    char body[4096];
    memset(body, 'x', sizeof(body) - 1);
    body[sizeof(body) - 1] = '\0';
    for (enum durability durability = DURABLE; durability <= NOT_DURABLE; durability++) {
        int rounds = durability == DURABLE ? 50 : 5000;
        int64_t start = clock_monotonic();
        for (int i = 0; i < rounds; i++) {
            char id[32];
            snprintf(id, sizeof(id), "id-%d", i % 100);
            assert_true(database_put(database, "container", id, body, durability, NULL));
        }
        print_message("%s: %.3f ms a document\n", durability == DURABLE ? "DURABLE" : "NOT_DURABLE",
                      (double)(clock_monotonic() - start) / 1e6 / rounds);
    }
    database_close(database);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    path = path_join(folder, "wherry.db");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_documents, set_up), cmocka_unit_test_setup(test_transactions, set_up),
        cmocka_unit_test_setup(test_crash, set_up),     cmocka_unit_test_setup(test_second_engine, set_up),
        cmocka_unit_test_setup(test_migration, set_up), cmocka_unit_test_setup(test_speed, set_up),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tree_remove(AT_FDCWD, folder, NULL);
    free(path);
    return failed;
}
