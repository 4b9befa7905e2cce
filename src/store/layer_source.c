/* Where the blobs of layers are known to be: a push looks there before it sends anything. */
#include <sqlite3.h>

#include "base/memory.h"
#include "store/internal.h"

void layer_sources_free(struct layer_source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(sources[i].repository);
        free(sources[i].digest);
        free(sources[i].media_type);
    }
    free(sources);
}

bool layer_source_add(struct store *store, const char *diff_id, const struct layer_source *source, struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement =
        database_statement(store->database,
                           "INSERT OR REPLACE INTO layer_sources (diff_id, repository, digest, size, media_type)"
                           " VALUES (?1, ?2, ?3, ?4, ?5)",
                           err);
    bool is_done = statement != NULL;
    if (is_done) {
        sqlite3_bind_text(statement, 1, diff_id, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, source->repository, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 3, source->digest, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 4, source->size);
        sqlite3_bind_text(statement, 5, source->media_type, -1, SQLITE_STATIC);
        is_done = database_step(store->database, statement, err) == 0;
    }
    return database_end(store->database, is_done, is_done ? err : NULL) && is_done;
}

bool layer_sources(struct store *store, const char *diff_id, struct layer_source **sources, size_t *count,
                   struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    struct layer_source *found = NULL;
    size_t found_count = 0;
    sqlite3_stmt *statement = database_statement(
        store->database,
        "SELECT repository, digest, size, media_type FROM layer_sources WHERE diff_id = ?1 ORDER BY repository", err);
    int state = -1;
    if (statement) {
        sqlite3_bind_text(statement, 1, diff_id, -1, SQLITE_STATIC);
        while ((state = database_step(store->database, statement, err)) > 0)
            *APPEND(found, found_count) = (struct layer_source){
                .repository = xstrdup((const char *)sqlite3_column_text(statement, 0)),
                .digest = xstrdup((const char *)sqlite3_column_text(statement, 1)),
                .size = sqlite3_column_int64(statement, 2),
                .media_type = xstrdup((const char *)sqlite3_column_text(statement, 3)),
            };
    }
    database_end(store->database, false, NULL);
    if (state < 0) {
        layer_sources_free(found, found_count);
        return false;
    }
    *sources = found;
    *count = found_count;
    return true;
}
