/* Lists in pages. */
#include <string.h>

#include "base/memory.h"
#include "distribution/ledger_internal.h"

static bool list(struct ledger *ledger, const char *sql, const struct parameter *parameters, int count,
                 struct strlist *out, struct error *err)
{
    sqlite3_stmt *statement = ledger_statement(ledger, sql, parameters, count, err);
    int state = -1;
    while (statement && (state = database_step(ledger->database, statement, err)) == 1)
        strlist_add(out, (const char *)sqlite3_column_text(statement, 0));
    return state == 0;
}

bool ledger_repositories(struct ledger *ledger, const char *last, int64_t limit, struct strlist *out, struct error *err)
{
    static const char sql[] = "SELECT name FROM repository WHERE name > ? ORDER BY name LIMIT ?";
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = list(ledger, sql, PARAMETERS(TEXT(string_or_empty(last)), NUMBER(limit)), out, err);
    return database_end(ledger->database, false, NULL) && is_done;
}

bool ledger_tags(struct ledger *ledger, const char *repository, const char *last, int64_t limit, struct strlist *out,
                 struct error *err)
{
    static const char sql[] = "SELECT name FROM tag WHERE repository = ?1 AND (name > ?2 COLLATE NOCASE OR "
                              "(name = ?2 COLLATE NOCASE AND name > ?2)) ORDER BY name COLLATE NOCASE, name LIMIT ?3";
    int64_t id = 0;
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    bool is_done = ledger_repository(ledger, repository, &id, err) &&
                   (id || error_set(err, ERROR_NOT_FOUND, "repository name not known to registry")) &&
                   list(ledger, sql, PARAMETERS(NUMBER(id), TEXT(string_or_empty(last)), NUMBER(limit)), out, err);
    return database_end(ledger->database, false, NULL) && is_done;
}

bool ledger_referrers(struct ledger *ledger, const char *repository, const char *subject, const char *artifact_type,
                      const char *last, bool (*take)(void *context, const struct referrer *referrer), void *context,
                      struct error *err)
{
    static const char sql[] =
        "SELECT m.digest, m.media_type, m.artifact_type, m.annotations, m.size "
        "FROM repository r JOIN manifest m ON m.repository = r.id WHERE r.name = ?1 AND m.subject = ?2 "
        "AND m.digest > ?3 AND (?4 IS NULL OR m.artifact_type = ?4) ORDER BY m.digest";
    if (!database_begin(ledger->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement = ledger_statement(
        ledger, sql, PARAMETERS(TEXT(repository), TEXT(subject), TEXT(string_or_empty(last)), TEXT(artifact_type)),
        err);
    int state = -1;
    while (statement && (state = database_step(ledger->database, statement, err)) == 1) {
        struct referrer referrer = {.digest = (const char *)sqlite3_column_text(statement, 0),
                                    .media_type = (const char *)sqlite3_column_text(statement, 1),
                                    .artifact_type = (const char *)sqlite3_column_text(statement, 2),
                                    .annotations = (const char *)sqlite3_column_text(statement, 3),
                                    .size = sqlite3_column_int64(statement, 4)};
        if (!take(context, &referrer))
            break;
    }
    return database_end(ledger->database, false, NULL) && state >= 0;
}
