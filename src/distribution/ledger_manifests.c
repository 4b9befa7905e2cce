/* Manifests, tags and what refers to what. */
#include <string.h>

#include "base/memory.h"
#include "distribution/ledger_internal.h"

void manifest_entry_release(struct manifest_entry *entry)
{
    free(entry->digest);
    free(entry->media_type);
    free(entry->artifact_type);
    free(entry->subject);
    free(entry->annotations);
    strbuf_release(&entry->body);
    *entry = (struct manifest_entry){0};
}

static bool unknown(struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, "manifest unknown");
}

static bool insert_manifest(struct ledger *ledger, int64_t repository, const struct manifest_entry *entry,
                            struct error *err)
{
    static const char sql[] = "INSERT INTO manifest (repository, digest, media_type, artifact_type, subject, "
                              "annotations, size, updated, body)"
                              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    sqlite3_stmt *statement =
        ledger_statement(ledger, sql,
                         PARAMETERS(NUMBER(repository), TEXT(entry->digest), TEXT(entry->media_type),
                                    TEXT(entry->artifact_type), TEXT(entry->subject), TEXT(entry->annotations),
                                    NUMBER((int64_t)entry->body.length), NUMBER(clock_now())),
                         err);
    if (!statement)
        return false;
    sqlite3_bind_blob(statement, 9, strbuf_text(&entry->body), (int)entry->body.length, SQLITE_STATIC);
    return database_step(ledger->database, statement, err) >= 0;
}

static bool insert_children(struct ledger *ledger, int64_t repository, const char *digest,
                            const struct strlist *children, struct error *err)
{
    static const char find_sql[] = "SELECT id FROM manifest WHERE repository = ? AND digest = ?";
    static const char sql[] =
        "INSERT INTO child (manifest, repository, digest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    int64_t id;
    if (!ledger_number(ledger, find_sql, PARAMETERS(NUMBER(repository), TEXT(digest)), 0, &id, err))
        return false;
    for (size_t i = 0; i < children->count; i++)
        if (!ledger_run(ledger, sql, PARAMETERS(NUMBER(id), NUMBER(repository), TEXT(children->items[i])), err))
            return false;
    return true;
}

static bool put(struct ledger *ledger, const char *repository, const struct manifest_entry *entry,
                const struct strlist *children, const char *tag, struct error *err)
{
    static const char touch_sql[] = "UPDATE manifest SET updated = ?, media_type = ? "
                                    "WHERE repository = ? AND digest = ? RETURNING 1";
    static const char tag_sql[] = "INSERT INTO tag (repository, name, digest, updated) VALUES (?, ?, ?, ?) "
                                  "ON CONFLICT DO UPDATE SET digest = excluded.digest, updated = excluded.updated";
    int64_t id, is_there;
    unix_nano now = clock_now();
    if (!ledger_make_repository(ledger, repository, &id, err) ||
        !ledger_number(ledger, touch_sql,
                       PARAMETERS(NUMBER(now), TEXT(entry->media_type), NUMBER(id), TEXT(entry->digest)), 0, &is_there,
                       err))
        return false;
    if (!is_there &&
        (!insert_manifest(ledger, id, entry, err) || !insert_children(ledger, id, entry->digest, children, err)))
        return false;
    return !tag ||
           ledger_run(ledger, tag_sql, PARAMETERS(NUMBER(id), TEXT(tag), TEXT(entry->digest), NUMBER(now)), err);
}

/* They were there when the request came; a collection may have been faster. */
static bool holds(struct ledger *ledger, const char *repository, const struct strlist *needed, struct error *err)
{
    static const char sql[] = "SELECT 1 FROM held WHERE repository = ?1 AND digest = ?2 "
                              "UNION ALL SELECT 1 FROM manifest WHERE repository = ?1 AND digest = ?2";
    int64_t id, is_there;
    if (!ledger_repository(ledger, repository, &id, err))
        return false;
    for (size_t i = 0; i < needed->count; i++) {
        if (!ledger_number(ledger, sql, PARAMETERS(NUMBER(id), TEXT(needed->items[i])), 0, &is_there, err))
            return false;
        if (!is_there)
            return error_set(err, ERROR_NOT_FOUND, "manifest references a manifest or blob unknown to registry");
    }
    return true;
}

bool ledger_put_manifest(struct ledger *ledger, const char *repository, const struct manifest_entry *entry,
                         const struct strlist *children, const struct strlist *needed, const char *tag,
                         const struct quota *quota, struct error *err)
{
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = put(ledger, repository, entry, children, tag, err) &&
                   (!needed || holds(ledger, repository, needed, err)) &&
                   ledger_within_quota(ledger, repository, quota, 0, err);
    return database_end(ledger->database, is_done, err) && is_done;
}

static char *column_text(sqlite3_stmt *statement, int column)
{
    return xstrdup((const char *)sqlite3_column_text(statement, column));
}

static bool get(struct ledger *ledger, const char *repository, const char *reference, struct manifest_entry *out,
                struct error *err)
{
    static const char by_digest[] =
        "SELECT m.digest, m.media_type, m.artifact_type, m.subject, m.annotations, m.updated, m.body "
        "FROM repository r JOIN manifest m ON m.repository = r.id WHERE r.name = ? AND m.digest = ?";
    static const char by_tag[] =
        "SELECT m.digest, m.media_type, m.artifact_type, m.subject, m.annotations, t.updated, m.body "
        "FROM repository r JOIN tag t ON t.repository = r.id "
        "JOIN manifest m ON m.repository = r.id AND m.digest = t.digest WHERE r.name = ? AND t.name = ?";
    sqlite3_stmt *statement = ledger_statement(ledger, strchr(reference, ':') ? by_digest : by_tag,
                                               PARAMETERS(TEXT(repository), TEXT(reference)), err);
    int state = statement ? database_step(ledger->database, statement, err) : -1;
    if (state == 0)
        return unknown(err);
    if (state < 0)
        return false;
    manifest_entry_release(out);
    out->digest = column_text(statement, 0);
    out->media_type = column_text(statement, 1);
    out->artifact_type = column_text(statement, 2);
    out->subject = column_text(statement, 3);
    out->annotations = column_text(statement, 4);
    out->updated = sqlite3_column_int64(statement, 5);
    const void *body = sqlite3_column_blob(statement, 6);
    strbuf_add(&out->body, body ? body : "", (size_t)sqlite3_column_bytes(statement, 6));
    return true;
}

bool ledger_get_manifest(struct ledger *ledger, const char *repository, const char *reference,
                         struct manifest_entry *out, struct error *err)
{
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = get(ledger, repository, reference, out, err);
    return database_end(ledger->database, false, NULL) && is_done;
}

bool ledger_find_manifest(struct ledger *ledger, const char *repository, const char *digest, int64_t *size,
                          struct error *err)
{
    static const char sql[] = "SELECT m.size FROM repository r JOIN manifest m ON m.repository = r.id "
                              "WHERE r.name = ? AND m.digest = ?";
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = ledger_number(ledger, sql, PARAMETERS(TEXT(repository), TEXT(digest)), -1, size, err);
    database_end(ledger->database, false, NULL);
    return is_done && (*size >= 0 || unknown(err));
}

/* --- removing --- */

static bool drop(struct ledger *ledger, const char *sql, const char *repository, const char *what, struct error *err)
{
    int64_t id, is_gone;
    if (!ledger_repository(ledger, repository, &id, err) ||
        !ledger_number(ledger, sql, PARAMETERS(NUMBER(id), TEXT(what)), 0, &is_gone, err))
        return false;
    return is_gone || unknown(err);
}

bool ledger_drop_manifest(struct ledger *ledger, const char *repository, const char *digest, struct error *err)
{
    static const char tags_sql[] = "DELETE FROM tag WHERE repository = ? AND digest = ?";
    static const char sql[] = "DELETE FROM manifest WHERE repository = ? AND digest = ? RETURNING 1";
    int64_t id;
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = ledger_repository(ledger, repository, &id, err) &&
                   ledger_run(ledger, tags_sql, PARAMETERS(NUMBER(id), TEXT(digest)), err) &&
                   drop(ledger, sql, repository, digest, err);
    return database_end(ledger->database, is_done, err) && is_done;
}

bool ledger_drop_tag(struct ledger *ledger, const char *repository, const char *tag, struct error *err)
{
    static const char sql[] = "DELETE FROM tag WHERE repository = ? AND name = ? RETURNING 1";
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = drop(ledger, sql, repository, tag, err);
    return database_end(ledger->database, is_done, err) && is_done;
}

bool ledger_touch_tag(struct ledger *ledger, const char *repository, const char *tag, struct error *err)
{
    static const char sql[] = "UPDATE tag SET updated = ? WHERE name = ? AND repository = "
                              "(SELECT id FROM repository WHERE name = ?)";
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = ledger_run(ledger, sql, PARAMETERS(NUMBER(clock_now()), TEXT(tag), TEXT(repository)), err);
    return database_end(ledger->database, is_done, err) && is_done;
}
