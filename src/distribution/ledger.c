#include "distribution/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/memory.h"
#include "distribution/ledger_internal.h"

#define SCHEMA_VERSION 1

/* `bytes` are kept true by triggers, so that a quota costs the same however much a repository holds. A row of `held`
   says that a repository holds a blob; `touched` is when somebody last asked for it. */
static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE total (bytes INTEGER NOT NULL);"
    "INSERT INTO total VALUES (0);"
    "CREATE TABLE repository (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE blob (digest TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE held (repository INTEGER NOT NULL REFERENCES repository, digest TEXT NOT NULL REFERENCES blob,"
    "  size INTEGER NOT NULL, touched INTEGER NOT NULL, PRIMARY KEY (repository, digest)) WITHOUT ROWID;"
    "CREATE INDEX held_digest ON held (digest);"
    "CREATE TABLE manifest (id INTEGER PRIMARY KEY, repository INTEGER NOT NULL REFERENCES repository,"
    "  digest TEXT NOT NULL, media_type TEXT NOT NULL, artifact_type TEXT, subject TEXT, annotations TEXT,"
    "  size INTEGER NOT NULL, updated INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (repository, digest));"
    "CREATE INDEX manifest_subject ON manifest (repository, subject, digest) WHERE subject IS NOT NULL;"
    "CREATE TABLE child (manifest INTEGER NOT NULL REFERENCES manifest ON DELETE CASCADE,"
    "  repository INTEGER NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (manifest, digest)) WITHOUT ROWID;"
    "CREATE INDEX child_digest ON child (repository, digest);"
    "CREATE TABLE tag (repository INTEGER NOT NULL REFERENCES repository, name TEXT NOT NULL, digest TEXT NOT NULL,"
    "  updated INTEGER NOT NULL, PRIMARY KEY (repository, name)) WITHOUT ROWID;"
    "CREATE INDEX tag_order ON tag (repository, name COLLATE NOCASE, name);"
    "CREATE INDEX tag_digest ON tag (repository, digest);"
    "CREATE TRIGGER blob_added AFTER INSERT ON blob BEGIN UPDATE total SET bytes = bytes + new.size; END;"
    "CREATE TRIGGER blob_removed AFTER DELETE ON blob BEGIN UPDATE total SET bytes = bytes - old.size; END;"
    "CREATE TRIGGER held_added AFTER INSERT ON held BEGIN"
    "  UPDATE repository SET bytes = bytes + new.size WHERE id = new.repository; END;"
    "CREATE TRIGGER held_removed AFTER DELETE ON held BEGIN"
    "  UPDATE repository SET bytes = bytes - old.size WHERE id = old.repository; END;"
    "CREATE TRIGGER manifest_added AFTER INSERT ON manifest BEGIN"
    "  UPDATE repository SET bytes = bytes + new.size WHERE id = new.repository;"
    "  UPDATE total SET bytes = bytes + new.size; END;"
    "CREATE TRIGGER manifest_removed AFTER DELETE ON manifest BEGIN"
    "  UPDATE repository SET bytes = bytes - old.size WHERE id = old.repository;"
    "  UPDATE total SET bytes = bytes - old.size; END;"
    "PRAGMA user_version = 1;"
    "COMMIT";

static bool upgrade(sqlite3 *connection, struct error *err)
{
    sqlite3_stmt *statement;
    int version = -1;
    if (sqlite3_prepare_v2(connection, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    if (version == SCHEMA_VERSION)
        return true;
    if (version > SCHEMA_VERSION)
        return error_set(err, ERROR_UNSUPPORTED, "the database has schema version %d, made by a newer wherry-registry",
                         version);
    if (version < 0 || sqlite3_exec(connection, schema, NULL, NULL, NULL) != SQLITE_OK) {
        error_set(err, ERROR_INTERNAL, "database: %s", sqlite3_errmsg(connection));
        sqlite3_exec(connection, "ROLLBACK", NULL, NULL, NULL);
        return false;
    }
    return true;
}

struct ledger *ledger_open(const char *path, struct error *err)
{
    struct ledger *ledger = NEW(struct ledger);
    ledger->log = -1;
    ledger->log_path = xasprintf("%s-wal", path);
    pthread_mutex_init(&ledger->lock, NULL);
    pthread_cond_init(&ledger->synced, NULL);
    ledger->database = database_open_with(path, upgrade, err);
    if (ledger->database)
        return ledger;
    ledger_close(ledger);
    return NULL;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger)
        return;
    database_close(ledger->database);
    close_fd(ledger->log);
    pthread_cond_destroy(&ledger->synced);
    pthread_mutex_destroy(&ledger->lock);
    free(ledger->log_path);
    free(ledger);
}

/* A commit is in the write-ahead log, which SQLite itself brings to the disk before it copies from it. */
bool ledger_sync(struct ledger *ledger, struct error *err)
{
    int cause = 0;
    pthread_mutex_lock(&ledger->lock);
    int64_t mine = ++ledger->wanted;
    while (!cause && ledger->done < mine) {
        if (ledger->is_syncing) {
            pthread_cond_wait(&ledger->synced, &ledger->lock);
            continue;
        }
        int64_t target = ledger->wanted;
        ledger->is_syncing = true;
        pthread_mutex_unlock(&ledger->lock);
        if (ledger->log < 0) /* nobody else: is_syncing */
            ledger->log = open(ledger->log_path, O_RDWR | O_CLOEXEC);
        cause = ledger->log < 0 || fdatasync(ledger->log) < 0 ? errno : 0;
        pthread_mutex_lock(&ledger->lock);
        ledger->is_syncing = false;
        if (!cause)
            ledger->done = target;
        pthread_cond_broadcast(&ledger->synced);
    }
    pthread_mutex_unlock(&ledger->lock);
    return !cause || error_errno_value(err, cause, "fsync %s", ledger->log_path);
}

/* --- statements --- */

sqlite3_stmt *ledger_statement(struct ledger *ledger, const char *sql, const struct parameter *parameters, int count,
                               struct error *err)
{
    sqlite3_stmt *statement = database_statement(ledger->database, sql, err);
    for (int i = 0; statement && i < count; i++) {
        const struct parameter *parameter = &parameters[i];
        if (parameter->is_null)
            sqlite3_bind_null(statement, i + 1);
        else if (parameter->text)
            sqlite3_bind_text(statement, i + 1, parameter->text, -1, SQLITE_TRANSIENT);
        else
            sqlite3_bind_int64(statement, i + 1, parameter->number);
    }
    return statement;
}

bool ledger_run(struct ledger *ledger, const char *sql, const struct parameter *parameters, int count,
                struct error *err)
{
    sqlite3_stmt *statement = ledger_statement(ledger, sql, parameters, count, err);
    return statement && database_step(ledger->database, statement, err) >= 0;
}

bool ledger_number(struct ledger *ledger, const char *sql, const struct parameter *parameters, int count,
                   int64_t missing, int64_t *out, struct error *err)
{
    sqlite3_stmt *statement = ledger_statement(ledger, sql, parameters, count, err);
    int state = statement ? database_step(ledger->database, statement, err) : -1;
    if (state < 0)
        return false;
    *out = state == 1 ? sqlite3_column_int64(statement, 0) : missing;
    sqlite3_reset(statement);
    return true;
}

/* --- repositories and quotas --- */

bool ledger_repository(struct ledger *ledger, const char *name, int64_t *id, struct error *err)
{
    static const char sql[] = "SELECT id FROM repository WHERE name = ?";
    return ledger_number(ledger, sql, PARAMETERS(TEXT(name)), 0, id, err);
}

bool ledger_make_repository(struct ledger *ledger, const char *name, int64_t *id, struct error *err)
{
    static const char sql[] = "INSERT INTO repository (name) VALUES (?) ON CONFLICT DO NOTHING";
    if (!ledger_repository(ledger, name, id, err))
        return false;
    return *id || (ledger_run(ledger, sql, PARAMETERS(TEXT(name)), err) && ledger_repository(ledger, name, id, err));
}

bool ledger_within_quota(struct ledger *ledger, const char *repository, const struct quota *quota, int64_t more,
                         struct error *err)
{
    static const char repository_sql[] = "SELECT bytes FROM repository WHERE name = ?";
    static const char total_sql[] = "SELECT bytes FROM total";
    int64_t used;
    if (quota->repository) {
        if (!ledger_number(ledger, repository_sql, PARAMETERS(TEXT(repository)), 0, &used, err))
            return false;
        if (used > quota->repository - more)
            return error_set(err, ERROR_DENIED, "quota exceeded: repository %s may hold %lld bytes", repository,
                             (long long)quota->repository);
    }
    if (quota->total) {
        if (!ledger_number(ledger, total_sql, NULL, 0, 0, &used, err))
            return false;
        if (used > quota->total - more)
            return error_set(err, ERROR_DENIED, "quota exceeded: the registry may hold %lld bytes",
                             (long long)quota->total);
    }
    return true;
}

bool ledger_check_quota(struct ledger *ledger, const char *repository, const struct quota *quota, int64_t more,
                        struct error *err)
{
    if (!quota->repository && !quota->total)
        return true;
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_within = ledger_within_quota(ledger, repository, quota, more, err);
    return database_end(ledger->database, false, NULL) && is_within;
}

bool ledger_count(struct ledger *ledger, struct ledger_counts *out, struct error *err)
{
    static const char *const sql[] = {"SELECT count(*) FROM repository", "SELECT count(*) FROM blob",
                                      "SELECT count(*) FROM manifest", "SELECT count(*) FROM tag",
                                      "SELECT bytes FROM total"};
    int64_t *const places[] = {&out->repositories, &out->blobs, &out->manifests, &out->tags, &out->bytes};
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = true;
    for (size_t i = 0; is_done && i < ARRAY_SIZE(sql); i++)
        is_done = ledger_number(ledger, sql[i], NULL, 0, 0, places[i], err);
    return database_end(ledger->database, false, NULL) && is_done;
}

bool ledger_has_repository(struct ledger *ledger, const char *repository)
{
    int64_t id = 0;
    if (!database_begin(ledger->database, NOT_DURABLE, NULL))
        return false;
    bool is_done = ledger_repository(ledger, repository, &id, NULL);
    return database_end(ledger->database, false, NULL) && is_done && id;
}
