#include <sqlite3.h>

#include "store/internal.h"

/* Each row leads from its index to the next version of the schema (PRAGMA user_version). A row that was released is
   never edited; a change is a new row. */
static const char *const migrations[] = {
    /* 0 → 1 */
    "CREATE TABLE layers (diff_id TEXT PRIMARY KEY NOT NULL, blob_digest TEXT NOT NULL, blob_size INTEGER NOT NULL,"
    " size INTEGER NOT NULL, tar_size INTEGER NOT NULL, media_type TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX layers_blob ON layers (blob_digest);"
    "CREATE TABLE images (id TEXT PRIMARY KEY NOT NULL, config TEXT NOT NULL, created INTEGER NOT NULL DEFAULT 0,"
    " parent TEXT NOT NULL DEFAULT '', last_tagged INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE image_layers (image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,"
    " position INTEGER NOT NULL, diff_id TEXT NOT NULL REFERENCES layers (diff_id),"
    " PRIMARY KEY (image_id, position)) WITHOUT ROWID;"
    "CREATE INDEX image_layers_diff_id ON image_layers (diff_id);"
    "CREATE TABLE tags (reference TEXT PRIMARY KEY NOT NULL,"
    " image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE) WITHOUT ROWID;"
    "CREATE INDEX tags_image ON tags (image_id);"
    "CREATE TABLE digests (reference TEXT PRIMARY KEY NOT NULL,"
    " image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE) WITHOUT ROWID;"
    "CREATE INDEX digests_image ON digests (image_id);"
    "CREATE TABLE container_layers (container_id TEXT NOT NULL, diff_id TEXT NOT NULL REFERENCES layers (diff_id),"
    " PRIMARY KEY (container_id, diff_id)) WITHOUT ROWID;"
    "CREATE INDEX container_layers_diff_id ON container_layers (diff_id);"
    "CREATE TABLE documents (sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL,"
    " body TEXT NOT NULL, UNIQUE (kind, id));",
    /* 1 → 2: the manifests that images came with, and where the blobs of layers are known to be */
    "CREATE TABLE image_manifests (digest TEXT NOT NULL,"
    " image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE, PRIMARY KEY (digest, image_id)) WITHOUT ROWID;"
    "CREATE INDEX image_manifests_image ON image_manifests (image_id);"
    "CREATE TABLE layer_sources (diff_id TEXT NOT NULL REFERENCES layers (diff_id) ON DELETE CASCADE,"
    " repository TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, media_type TEXT NOT NULL,"
    " PRIMARY KEY (diff_id, repository)) WITHOUT ROWID;",
    /* 2 → 3: what steps of builds have made; `boot` is empty once it is known to be on the disk */
    "CREATE TABLE build_cache (sequence INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,"
    " diff_id TEXT REFERENCES layers (diff_id), parent TEXT NOT NULL, kind TEXT NOT NULL, description TEXT NOT NULL,"
    " created INTEGER NOT NULL, last_used INTEGER NOT NULL, uses INTEGER NOT NULL, size INTEGER NOT NULL,"
    " boot TEXT NOT NULL);"
    "CREATE INDEX build_cache_diff_id ON build_cache (diff_id);"
    "CREATE INDEX build_cache_boot ON build_cache (sequence) WHERE boot != '';",
};

static bool fail(sqlite3 *connection, struct error *err)
{
    error_set(err, ERROR_INTERNAL, "database schema: %s", sqlite3_errmsg(connection));
    return false;
}

static bool read_version(sqlite3 *connection, int *version, struct error *err)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(connection, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK)
        return fail(connection, err);
    bool is_read = sqlite3_step(statement) == SQLITE_ROW;
    if (is_read)
        *version = sqlite3_column_int(statement, 0);
    else
        fail(connection, err);
    sqlite3_finalize(statement);
    return is_read;
}

static bool upgrade_step(sqlite3 *connection, int version, struct error *err)
{
    char set_version[64];
    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %d", version + 1);
    const char *const steps[] = {"BEGIN IMMEDIATE", migrations[version], set_version, "COMMIT"};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        if (sqlite3_exec(connection, steps[i], NULL, NULL, NULL) == SQLITE_OK)
            continue;
        fail(connection, err);
        sqlite3_exec(connection, "ROLLBACK", NULL, NULL, NULL);
        return false;
    }
    return true;
}

bool schema_upgrade(sqlite3 *connection, struct error *err)
{
    int version;
    if (!read_version(connection, &version, err))
        return false;
    if (version < 0 || (size_t)version > ARRAY_SIZE(migrations))
        return error_set(err, ERROR_UNSUPPORTED,
                         "the database has schema version %d, made by a newer engine; this one knows %zu", version,
                         ARRAY_SIZE(migrations));
    for (; (size_t)version < ARRAY_SIZE(migrations); version++) {
        if (!upgrade_step(connection, version, err))
            return false;
    }
    return true;
}
