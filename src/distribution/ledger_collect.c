/* What nothing leads to any more. */
#include <string.h>

#include "base/memory.h"
#include "distribution/ledger_internal.h"

#define BATCH 32 /* files that are removed within one transaction: requests wait meanwhile */

/* Runs a DELETE … RETURNING 1 of what is older, in one transaction; its rows are added to *count. */
static bool delete_before(struct ledger *ledger, const char *sql, unix_nano before, int64_t *count, struct error *err)
{
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement = ledger_statement(ledger, sql, PARAMETERS(NUMBER(before)), err);
    int state = -1;
    int64_t deleted = 0;
    while (statement && (state = database_step(ledger->database, statement, err)) == 1)
        deleted++;
    if (!database_end(ledger->database, state == 0, err) || state < 0)
        return false;
    *count += deleted;
    return true;
}

bool ledger_collect_manifests(struct ledger *ledger, unix_nano before, struct collected *out, struct error *err)
{
    static const char sql[] =
        "DELETE FROM manifest WHERE updated < ?1 AND id NOT IN ("
        " WITH RECURSIVE live (id, repository, digest) AS ("
        "  SELECT m.id, m.repository, m.digest FROM tag t JOIN manifest m"
        "   ON m.repository = t.repository AND m.digest = t.digest"
        "  UNION SELECT id, repository, digest FROM manifest WHERE updated >= ?1"
        "  UNION SELECT m.id, m.repository, m.digest FROM live l JOIN child c ON c.manifest = l.id"
        "   JOIN manifest m ON m.repository = l.repository AND m.digest = c.digest"
        "  UNION SELECT m.id, m.repository, m.digest FROM live l JOIN manifest m"
        "   ON m.repository = l.repository AND m.subject = l.digest"
        " ) SELECT id FROM live) RETURNING 1";
    return delete_before(ledger, sql, before, &out->manifests, err);
}

/* Blobs that are no longer any use to the repository that holds them. */
static bool release_unused(struct ledger *ledger, unix_nano before, struct collected *out, struct error *err)
{
    static const char sql[] = "DELETE FROM held WHERE touched < ? AND NOT EXISTS (SELECT 1 FROM child c "
                              "WHERE c.repository = held.repository AND c.digest = held.digest) RETURNING 1";
    return delete_before(ledger, sql, before, &out->links, err);
}

/* One batch; *count tells how many. Rows and files go in the same transaction, so that whoever pushes the same blob
   comes before it or after it. */
static bool forget_batch(struct ledger *ledger, void (*remove)(void *context, const char *digest), void *context,
                         struct strlist *digests, int64_t *bytes, struct error *err)
{
    static const char find_sql[] = "SELECT digest, size FROM blob WHERE NOT EXISTS "
                                   "(SELECT 1 FROM held WHERE held.digest = blob.digest) LIMIT ?";
    static const char sql[] = "DELETE FROM blob WHERE digest = ?";
    sqlite3_stmt *statement = ledger_statement(ledger, find_sql, PARAMETERS(NUMBER(BATCH)), err);
    int state = -1;
    while (statement && (state = database_step(ledger->database, statement, err)) == 1) {
        strlist_add(digests, (const char *)sqlite3_column_text(statement, 0));
        *bytes += sqlite3_column_int64(statement, 1);
    }
    for (size_t i = 0; state == 0 && i < digests->count; i++) {
        if (!ledger_run(ledger, sql, PARAMETERS(TEXT(digests->items[i])), err))
            return false;
        remove(context, digests->items[i]);
    }
    return state == 0;
}

bool ledger_collect_blobs(struct ledger *ledger, unix_nano before, void (*remove)(void *context, const char *digest),
                          void *context, struct collected *out, struct error *err)
{
    if (!release_unused(ledger, before, out, err))
        return false;
    for (;;) {
        _cleanup_strlist_ struct strlist digests = {0};
        int64_t bytes = 0;
        if (!database_begin(ledger->database, NOT_DURABLE, err))
            return false;
        bool is_done = forget_batch(ledger, remove, context, &digests, &bytes, err);
        if (!database_end(ledger->database, is_done, err) || !is_done)
            return false;
        out->blobs += (int64_t)digests.count;
        out->bytes += bytes;
        if (digests.count < BATCH)
            return true;
    }
}

bool ledger_collect_repositories(struct ledger *ledger, struct error *err)
{
    static const char sql[] = "DELETE FROM repository WHERE NOT EXISTS (SELECT 1 FROM held WHERE repository = id) "
                              "AND NOT EXISTS (SELECT 1 FROM manifest m WHERE m.repository = repository.id)"
                              "AND NOT EXISTS (SELECT 1 FROM tag WHERE repository = id)";
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = ledger_run(ledger, sql, NULL, 0, err);
    return database_end(ledger->database, is_done, err) && is_done;
}

bool ledger_collect_stray(struct ledger *ledger, const char *digest, void (*remove)(void *context, const char *digest),
                          void *context, struct error *err)
{
    static const char sql[] = "SELECT 1 FROM blob WHERE digest = ?";
    int64_t is_known = 1;
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = ledger_number(ledger, sql, PARAMETERS(TEXT(digest)), 0, &is_known, err);
    if (is_done && !is_known)
        remove(context, digest);
    return database_end(ledger->database, false, NULL) && is_done;
}
