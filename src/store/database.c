#include "store/database.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "base/memory.h"
#include "store/internal.h"

/* A checkpoint copies the write-ahead log into the database and waits for the disk. Durable transactions, which wait
   anyway, do it when the log has grown to 1000 pages (4 MiB); others only when no durable one came for 8 times that. */
#define CHECKPOINT_PAGES         1000
#define CHECKPOINT_PAGES_AT_MOST 8000

struct kept_statement {
    const char *sql;
    sqlite3_stmt *statement;
};

struct database {
    sqlite3 *connection;
    pthread_mutex_t lock; /* held from database_begin to database_end; error-checking */
    struct kept_statement *statements;
    size_t statement_count;
    enum durability durability;     /* of the transaction that is open */
    enum durability set_durability; /* what the connection was told last */
    int log_pages;                  /* in the write-ahead log after the last commit */
};

static bool fail(struct database *database, struct error *err, const char *what)
{
    int code = sqlite3_errcode(database->connection);
    enum error_kind kind = (code & 0xff) == SQLITE_CONSTRAINT ? ERROR_CONFLICT : ERROR_INTERNAL;
    if ((code & 0xff) == SQLITE_FULL)
        return error_set(err, kind, "%s: no space left on device", what);
    return error_set(err, kind, "%s: %s", what, sqlite3_errmsg(database->connection));
}

static bool execute(struct database *database, const char *sql, struct error *err)
{
    if (sqlite3_exec(database->connection, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fail(database, err, "database");
    return true;
}

static int note_log_size(void *context, sqlite3 *connection, const char *name, int pages)
{
    struct database *database = context;
    database->log_pages = pages;
    return SQLITE_OK;
}

/* EXCLUSIVE keeps the log's index in our memory instead of a shared file and keeps every other process out: a second
   engine on the same data root is refused here, before it touches anything. */
static const char *const pragmas[] = {
    "PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = WAL",     "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",  "PRAGMA cache_size = -512",      "PRAGMA mmap_size = 0",
    "PRAGMA temp_store = MEMORY",      "PRAGMA synchronous = FULL",     "PRAGMA journal_size_limit = 4194304",
    "PRAGMA trusted_schema = OFF",     "PRAGMA wal_autocheckpoint = 0",
};

struct database *database_open(const char *path, struct error *err)
{
    return database_open_with(path, schema_upgrade, err);
}

struct database *database_open_with(const char *path, bool (*upgrade)(struct sqlite3 *connection, struct error *err),
                                    struct error *err)
{
    struct database *database = NEW(struct database);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&database->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);

    bool is_open = sqlite3_open_v2(path, &database->connection,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK;
    if (!is_open) {
        error_set(err, ERROR_INTERNAL, "%s: %s", path,
                  database->connection ? sqlite3_errmsg(database->connection) : "out of memory");
    } else {
        sqlite3_extended_result_codes(database->connection, 1);
        for (size_t i = 0; is_open && i < ARRAY_SIZE(pragmas); i++)
            is_open = execute(database, pragmas[i], err);
        sqlite3_wal_hook(database->connection, note_log_size, database);
        is_open = is_open && upgrade(database->connection, err);
        if (!is_open && (sqlite3_errcode(database->connection) & 0xff) == SQLITE_BUSY)
            error_set(err, ERROR_UNAVAILABLE, "%s is in use by another engine", path);
        else if (!is_open)
            error_prefix(err, "%s", path);
    }
    if (!is_open) {
        database_close(database);
        return NULL;
    }
    return database;
}

void database_close(struct database *database)
{
    if (!database)
        return;
    for (size_t i = 0; i < database->statement_count; i++)
        sqlite3_finalize(database->statements[i].statement);
    free(database->statements);
    sqlite3_close_v2(database->connection);
    pthread_mutex_destroy(&database->lock);
    free(database);
}

bool database_begin(struct database *database, enum durability durability, struct error *err)
{
    int code = pthread_mutex_lock(&database->lock);
    if (code)
        return error_errno_value(err, code, "database: a transaction within a transaction");
    database->durability = durability;
    bool is_begun = true;
    if (durability != database->set_durability) {
        /* In WAL mode NORMAL means: no fsync at a commit, only at a checkpoint. OFF would risk the whole file. */
        is_begun =
            execute(database, durability == DURABLE ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", err);
        if (is_begun)
            database->set_durability = durability;
    }
    sqlite3_stmt *begin = is_begun ? database_statement(database, "BEGIN", err) : NULL;
    if (!begin || database_step(database, begin, err) < 0) {
        pthread_mutex_unlock(&database->lock);
        return false;
    }
    return true;
}

static void checkpoint(struct database *database)
{
    int limit = database->durability == DURABLE ? CHECKPOINT_PAGES : CHECKPOINT_PAGES_AT_MOST;
    /* A failure leaves the log as it is: nothing is lost and the next commit tries again. */
    if (database->log_pages >= limit &&
        sqlite3_wal_checkpoint_v2(database->connection, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) == SQLITE_OK)
        database->log_pages = 0;
}

bool database_end(struct database *database, bool commit, struct error *err)
{
    /* Rows half-read keep a transaction open; their statements may also still point at the caller's memory. */
    for (size_t i = 0; i < database->statement_count; i++) {
        sqlite3_reset(database->statements[i].statement);
        sqlite3_clear_bindings(database->statements[i].statement);
    }
    bool is_done = true;
    if (commit) {
        sqlite3_stmt *statement = database_statement(database, "COMMIT", err);
        is_done = statement && database_step(database, statement, err) >= 0;
        if (is_done)
            checkpoint(database);
    }
    /* Some errors (a full disk) roll back by themselves. */
    if (!sqlite3_get_autocommit(database->connection))
        sqlite3_exec(database->connection, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&database->lock);
    return is_done;
}

sqlite3_stmt *database_statement(struct database *database, const char *sql, struct error *err)
{
    for (size_t i = 0; i < database->statement_count; i++) {
        if (database->statements[i].sql != sql)
            continue;
        sqlite3_reset(database->statements[i].statement);
        sqlite3_clear_bindings(database->statements[i].statement);
        return database->statements[i].statement;
    }
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(database->connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) {
        fail(database, err, "database");
        return NULL;
    }
    *APPEND(database->statements, database->statement_count) = (struct kept_statement){sql, statement};
    return statement;
}

int database_step(struct database *database, sqlite3_stmt *statement, struct error *err)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return 1;
    if (code != SQLITE_DONE)
        fail(database, err, "database");
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

/* --- documents --- */

/* One statement in a transaction of its own, with up to three texts bound. */
static bool change(struct database *database, const char *sql, const char *const *texts, int count,
                   enum durability durability, struct error *err)
{
    if (!database_begin(database, durability, err))
        return false;
    sqlite3_stmt *statement = database_statement(database, sql, err);
    bool is_done = statement;
    for (int i = 0; is_done && i < count; i++)
        is_done = sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC) == SQLITE_OK ||
                  fail(database, err, "database");
    is_done = is_done && database_step(database, statement, err) == 0;
    return database_end(database, is_done, err) && is_done;
}

bool database_put(struct database *database, const char *kind, const char *id, const char *body,
                  enum durability durability, struct error *err)
{
    static const char sql[] = "INSERT INTO documents (kind, id, body) VALUES (?, ?, ?) "
                              "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body";
    return change(database, sql, (const char *const[]){kind, id, body}, 3, durability, err);
}

bool database_delete(struct database *database, const char *kind, const char *id, enum durability durability,
                     struct error *err)
{
    static const char sql[] = "DELETE FROM documents WHERE kind = ? AND id = ?";
    return change(database, sql, (const char *const[]){kind, id}, 2, durability, err);
}

bool database_all(struct database *database, const char *kind, struct strmap *out, struct error *err)
{
    static const char sql[] = "SELECT id, body FROM documents WHERE kind = ? ORDER BY sequence";
    if (!database_begin(database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement = database_statement(database, sql, err);
    _cleanup_strmap_ struct strmap found = {0};
    strmap_give(&found);
    int state = -1;
    if (statement) {
        sqlite3_bind_text(statement, 1, kind, -1, SQLITE_STATIC);
        /* Ids are unique within a kind: appending spares strmap_set's linear search. */
        while ((state = database_step(database, statement, err)) == 1)
            *APPEND(found.items, found.count) =
                (struct strpair){xstrdup((const char *)sqlite3_column_text(statement, 0)),
                                 xstrdup((const char *)sqlite3_column_text(statement, 1))};
    }
    if (!database_end(database, state == 0, err) || state != 0)
        return false;
    strmap_release(out);
    *out = found;
    found = (struct strmap){0};
    return true;
}
