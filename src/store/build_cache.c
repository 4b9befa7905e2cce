#include "store/build_cache.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/internal.h"

#define COLUMNS "key, diff_id, parent, kind, description, created, last_used, uses, size"

void build_record_release(struct build_record *record)
{
    free(record->key);
    free(record->diff_id);
    free(record->parent);
    free(record->kind);
    free(record->description);
    *record = (struct build_record){0};
}

/* Changes with every boot of the machine. */
static bool read_boot(struct strbuf *out, struct error *err)
{
    if (!file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, out, err))
        return false;
    while (out->length && out->data[out->length - 1] == '\n')
        strbuf_truncate(out, out->length - 1);
    return true;
}

static char *column_text(sqlite3_stmt *statement, int column)
{
    return xstrdup((const char *)sqlite3_column_text(statement, column));
}

static void read_row(sqlite3_stmt *statement, struct build_record *out)
{
    *out = (struct build_record){
        .key = column_text(statement, 0),
        .diff_id = column_text(statement, 1),
        .parent = column_text(statement, 2),
        .kind = column_text(statement, 3),
        .description = column_text(statement, 4),
        .created = sqlite3_column_int64(statement, 5),
        .last_used = sqlite3_column_int64(statement, 6),
        .uses = sqlite3_column_int64(statement, 7),
        .size = sqlite3_column_int64(statement, 8),
    };
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

/* Inside a transaction. 1: a row. */
static int find(struct store *store, const char *key, struct build_record *out, struct error *err)
{
    sqlite3_stmt *statement = database_statement(
        store->database, "UPDATE build_cache SET uses = uses + 1, last_used = ?2 WHERE key = ?1 RETURNING " COLUMNS,
        err);
    if (!statement)
        return -1;
    bind_text(statement, 1, key);
    sqlite3_bind_int64(statement, 2, clock_now());
    int state = database_step(store->database, statement, err);
    if (state != 1)
        return state;
    read_row(statement, out);
    return database_step(store->database, statement, err) == 0 ? 1 : -1;
}

bool build_cache_find(struct store *store, const char *key, struct build_record *out, bool *is_found, struct error *err)
{
    struct build_record record = {0};
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    int state = find(store, key, &record, err);
    bool is_done = database_end(store->database, state >= 0, state < 0 ? NULL : err) && state >= 0;
    if (is_done && state == 1)
        *out = record;
    else
        build_record_release(&record);
    if (is_done)
        *is_found = state == 1;
    return is_done;
}

bool build_cache_put(struct store *store, const struct build_record *record, struct error *err)
{
    _cleanup_strbuf_ struct strbuf boot = STRBUF_INIT;
    if (!read_boot(&boot, err) || !database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement = database_statement(
        store->database,
        "INSERT OR REPLACE INTO build_cache (" COLUMNS ", boot) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", err);
    bool is_done = statement;
    if (is_done) {
        const char *const texts[] = {record->key, record->diff_id, string_or_empty(record->parent), record->kind,
                                     record->description};
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
            bind_text(statement, (int)i + 1, texts[i]);
        sqlite3_bind_int64(statement, 6, record->created);
        sqlite3_bind_int64(statement, 7, clock_now());
        sqlite3_bind_int64(statement, 8, 1);
        sqlite3_bind_int64(statement, 9, record->size);
        bind_text(statement, 10, strbuf_text(&boot));
        is_done = database_step(store->database, statement, err) == 0;
    }
    return database_end(store->database, is_done, is_done ? err : NULL) && is_done;
}

bool build_cache_list(struct store *store, struct build_record **out, size_t *count, struct error *err)
{
    struct build_record *records = NULL;
    size_t found = 0;
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement =
        database_statement(store->database, "SELECT " COLUMNS " FROM build_cache ORDER BY last_used, sequence", err);
    int state = statement ? 1 : -1;
    while (state > 0 && (state = database_step(store->database, statement, err)) > 0)
        read_row(statement, APPEND(records, found));
    database_end(store->database, false, NULL);
    if (state < 0) {
        for (size_t i = 0; i < found; i++)
            build_record_release(&records[i]);
        free(records);
        return false;
    }
    *out = records;
    *count = found;
    return true;
}

bool build_cache_remove(struct store *store, const struct strlist *keys, struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    bool is_done = true;
    for (size_t i = 0; is_done && i < keys->count; i++) {
        sqlite3_stmt *statement = database_statement(store->database, "DELETE FROM build_cache WHERE key = ?1", err);
        is_done = statement;
        if (is_done) {
            bind_text(statement, 1, keys->items[i]);
            is_done = database_step(store->database, statement, err) == 0;
        }
    }
    return database_end(store->database, is_done, is_done ? err : NULL) && is_done;
}

bool build_cache_mark(struct store *store, int64_t *mark, struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement =
        database_statement(store->database, "SELECT coalesce(max(sequence), 0) FROM build_cache", err);
    bool is_read = statement && database_step(store->database, statement, err) == 1;
    if (is_read) {
        *mark = sqlite3_column_int64(statement, 0);
        sqlite3_reset(statement);
    }
    database_end(store->database, false, NULL);
    return is_read;
}

bool build_cache_settle(struct store *store, int64_t mark, struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement = database_statement(
        store->database, "UPDATE build_cache SET boot = '' WHERE boot != '' AND sequence <= ?1", err);
    bool is_done = statement;
    if (is_done) {
        sqlite3_bind_int64(statement, 1, mark);
        is_done = database_step(store->database, statement, err) == 0;
    }
    return database_end(store->database, is_done, is_done ? err : NULL) && is_done;
}

bool build_cache_recover(struct store *store, struct error *err)
{
    _cleanup_strbuf_ struct strbuf boot = STRBUF_INIT;
    if (!read_boot(&boot, err) || !database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement =
        database_statement(store->database, "DELETE FROM build_cache WHERE boot != '' AND boot != ?1", err);
    bool is_done = statement;
    if (is_done) {
        bind_text(statement, 1, strbuf_text(&boot));
        is_done = database_step(store->database, statement, err) == 0;
    }
    return database_end(store->database, is_done, is_done ? err : NULL) && is_done;
}
