/* Which repository holds which blob. */
#include <string.h>

#include "base/memory.h"
#include "distribution/ledger_internal.h"

/* Asking again within this time changes nothing: most questions are only read. Far below any grace of a collection. */
#define TOUCH_INTERVAL (60 * NANOSECONDS_PER_SECOND)

static bool unknown(struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, "blob unknown to registry");
}

static bool hold(struct ledger *ledger, const char *repository, const char *digest, int64_t size,
                 const struct quota *quota, struct error *err)
{
    static const char sql[] = "INSERT INTO held (repository, digest, size, touched) VALUES (?1, ?2, ?3, ?4) "
                              "ON CONFLICT DO UPDATE SET touched = excluded.touched";
    int64_t id;
    return ledger_make_repository(ledger, repository, &id, err) &&
           ledger_run(ledger, sql, PARAMETERS(NUMBER(id), TEXT(digest), NUMBER(size), NUMBER(clock_now())), err) &&
           ledger_within_quota(ledger, repository, quota, 0, err);
}

bool ledger_add_blob(struct ledger *ledger, const char *repository, const char *digest, int64_t size,
                     const struct quota *quota, bool (*place)(void *context, struct error *err), void *context,
                     struct error *err)
{
    static const char sql[] = "INSERT INTO blob (digest, size) VALUES (?, ?) ON CONFLICT DO NOTHING";
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = ledger_run(ledger, sql, PARAMETERS(TEXT(digest), NUMBER(size)), err) &&
                   hold(ledger, repository, digest, size, quota, err) && place(context, err);
    return database_end(ledger->database, is_done, err) && is_done;
}

struct held {
    int64_t repository, size, touched;
};

/* False with ERROR_NOT_FOUND where there is none. */
static bool find(struct ledger *ledger, const char *repository, const char *digest, struct held *out, struct error *err)
{
    static const char sql[] = "SELECT r.id, h.size, h.touched FROM repository r JOIN held h ON h.repository = r.id "
                              "WHERE r.name = ? AND h.digest = ?";
    sqlite3_stmt *statement = ledger_statement(ledger, sql, PARAMETERS(TEXT(repository), TEXT(digest)), err);
    int state = statement ? database_step(ledger->database, statement, err) : -1;
    if (state == 0)
        return unknown(err);
    if (state < 0)
        return false;
    *out = (struct held){sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
                         sqlite3_column_int64(statement, 2)};
    sqlite3_reset(statement);
    return true;
}

static bool touch(struct ledger *ledger, const struct held *held, const char *digest, struct error *err)
{
    static const char sql[] = "UPDATE held SET touched = ? WHERE repository = ? AND digest = ?";
    unix_nano now = clock_now();
    return now - held->touched < TOUCH_INTERVAL ||
           ledger_run(ledger, sql, PARAMETERS(NUMBER(now), NUMBER(held->repository), TEXT(digest)), err);
}

bool ledger_find_blob(struct ledger *ledger, const char *repository, const char *digest, int64_t *size,
                      struct error *err)
{
    struct held held;
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = find(ledger, repository, digest, &held, err) && touch(ledger, &held, digest, err);
    if (!database_end(ledger->database, is_done, err) || !is_done)
        return false;
    *size = held.size;
    return true;
}

bool ledger_mount_blob(struct ledger *ledger, const char *from, const char *to, const char *digest,
                       const struct quota *quota, int64_t *size, struct error *err)
{
    struct held held;
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = find(ledger, from, digest, &held, err) && hold(ledger, to, digest, held.size, quota, err);
    if (!database_end(ledger->database, is_done, err) || !is_done)
        return false;
    *size = held.size;
    return true;
}

bool ledger_drop_blob(struct ledger *ledger, const char *repository, const char *digest, struct error *err)
{
    static const char sql[] = "DELETE FROM held WHERE repository = ? AND digest = ?";
    struct held held;
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = find(ledger, repository, digest, &held, err) &&
                   ledger_run(ledger, sql, PARAMETERS(NUMBER(held.repository), TEXT(digest)), err);
    return database_end(ledger->database, is_done, err) && is_done;
}
