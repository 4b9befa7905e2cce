#include <sqlite3.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/digest.h"
#include "store/image_internal.h"
#include "json/json_record.h"

void image_release(struct image *image)
{
    free(image->id);
    free(image->config);
    record_release(&image_config_type, &image->parsed);
    strlist_release(&image->repo_tags);
    strlist_release(&image->repo_digests);
    free(image->parent);
    *image = (struct image){0};
}

char *familiar_from_full(const char *full)
{
    _cleanup_reference_ struct reference reference = {0};
    return reference_parse(full, &reference, NULL) ? reference_familiar(&reference) : xstrdup(full);
}

char *short_id(const char *id)
{
    const char *colon = strchr(id, ':');
    return xasprintf("%.12s", colon ? colon + 1 : id);
}

char *digest_text(const char *text, size_t length)
{
    struct digester *digester = digester_new();
    digester_add(digester, text, length);
    char *digest = digester_finish(digester);
    digester_free(digester);
    return digest;
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

static char *column_text(sqlite3_stmt *statement, int column)
{
    return xstrdup(string_or_empty((const char *)sqlite3_column_text(statement, column)));
}

bool image_execute(struct store *store, const char *sql, const char *first, const char *second, struct error *err)
{
    sqlite3_stmt *statement = database_statement(store->database, sql, err);
    if (!statement)
        return false;
    if (first)
        bind_text(statement, 1, first);
    if (second)
        bind_text(statement, 2, second);
    return database_step(store->database, statement, err) == 0;
}

bool image_query_texts(struct store *store, const char *sql, const char *first, struct strlist *out, struct error *err)
{
    sqlite3_stmt *statement = database_statement(store->database, sql, err);
    if (!statement)
        return false;
    if (first)
        bind_text(statement, 1, first);
    int step;
    while ((step = database_step(store->database, statement, err)) > 0)
        strlist_take(out, column_text(statement, 0));
    return step == 0;
}

/* The first column of the first row; *out is NULL where there is no row. */
static bool query_text(struct store *store, const char *sql, const char *first, char **out, struct error *err)
{
    _cleanup_strlist_ struct strlist texts = {0};
    if (!image_query_texts(store, sql, first, &texts, err))
        return false;
    *out = texts.count > 0 ? TAKE_PTR(texts.items[0]) : NULL;
    if (texts.count > 0)
        texts.items[0] = xstrdup("");
    return true;
}

/* A name with tag and digest is looked up by its digest: the tag may have moved on (Docker's reference store). */
static char *reference_key(const struct reference *reference)
{
    _cleanup_free_ char *name = reference_full_name(reference);
    if (reference->digest)
        return xasprintf("%s@%s", name, reference->digest);
    return xasprintf("%s:%s", name, reference->tag);
}

bool image_by_reference(struct store *store, const struct reference *reference, char **id, struct error *err)
{
    _cleanup_free_ char *key = reference_key(reference);
    return query_text(store,
                      reference->digest ? "SELECT image_id FROM digests WHERE reference = ?1"
                                        : "SELECT image_id FROM tags WHERE reference = ?1",
                      key, id, err);
}

bool image_by_prefix(struct store *store, const char *prefix, char **id, struct error *err)
{
    const char *hex = string_starts_with(prefix, "sha256:") ? prefix + strlen("sha256:") : prefix;
    size_t length = strlen(hex);
    *id = NULL;
    if (length == 0 || length > 64 || strspn(hex, "0123456789abcdef") != length)
        return true;
    _cleanup_free_ char *pattern = xasprintf("sha256:%s*", hex);
    _cleanup_strlist_ struct strlist ids = {0};
    if (!image_query_texts(store, "SELECT id FROM images WHERE id GLOB ?1 LIMIT 2", pattern, &ids, err))
        return false;
    if (ids.count == 1)
        *id = xstrdup(ids.items[0]);
    return true;
}

static bool no_such_image(struct error *err, const char *what)
{
    return error_set(err, ERROR_NOT_FOUND, "No such image: %s", what);
}

bool image_resolve(struct store *store, const char *text, char **id, struct error *err)
{
    _cleanup_free_ char *full_id = is_hex_id(text) ? xasprintf("sha256:%s", text) : xstrdup(text);
    char *found = NULL;
    if (digest_is_valid(full_id)) {
        if (!query_text(store, "SELECT id FROM images WHERE id = ?1", full_id, &found, err))
            return false;
        if (!found)
            return no_such_image(err, full_id);
        *id = found;
        return true;
    }

    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse(text, &reference, err) || !image_by_reference(store, &reference, &found, err))
        return false;
    if (!found && !image_by_prefix(store, text, &found, err))
        return false;
    if (!found) {
        _cleanup_free_ char *familiar = reference_familiar(&reference);
        return no_such_image(err, familiar);
    }
    *id = found;
    return true;
}

bool image_references(struct store *store, const char *id, struct strlist *out, struct error *err)
{
    return image_query_texts(store,
                             "SELECT reference FROM tags WHERE image_id = ?1 UNION ALL"
                             " SELECT reference FROM digests WHERE image_id = ?1 ORDER BY 1",
                             id, out, err);
}

bool image_tags_of_name(struct store *store, const char *full_name, struct strmap *out, struct error *err)
{
    /* Tags have no ':' in them and names have no ';', the character after it. */
    sqlite3_stmt *statement =
        database_statement(store->database,
                           "SELECT reference, image_id FROM tags WHERE reference >= ?1 || ':' AND reference < ?1 || ';'"
                           " ORDER BY reference",
                           err);
    if (!statement)
        return false;
    bind_text(statement, 1, full_name);
    int step;
    while ((step = database_step(store->database, statement, err)) > 0)
        strmap_set(out, (const char *)sqlite3_column_text(statement, 0),
                   (const char *)sqlite3_column_text(statement, 1));
    return step == 0;
}

static bool read_names(struct store *store, const char *id, struct image *image, struct error *err)
{
    _cleanup_strlist_ struct strlist references = {0};
    if (!image_references(store, id, &references, err))
        return false;
    strlist_give(&image->repo_tags);
    strlist_give(&image->repo_digests);
    for (size_t i = 0; i < references.count; i++)
        strlist_take(strchr(references.items[i], '@') ? &image->repo_digests : &image->repo_tags,
                     familiar_from_full(references.items[i]));
    return true;
}

bool image_read(struct store *store, const char *id, struct image *out, struct error *err)
{
    sqlite3_stmt *statement = database_statement(
        store->database, "SELECT config, created, parent, last_tagged, size FROM images WHERE id = ?1", err);
    if (!statement)
        return false;
    bind_text(statement, 1, id);
    int step = database_step(store->database, statement, err);
    if (step < 0)
        return false;
    if (step == 0)
        return no_such_image(err, id);
    _cleanup_image_ struct image image = {
        .id = xstrdup(id),
        .config = column_text(statement, 0),
        .created = sqlite3_column_int64(statement, 1),
        .parent = column_text(statement, 2),
        .last_tagged = sqlite3_column_int64(statement, 3),
        .size = sqlite3_column_int64(statement, 4),
    };
    sqlite3_reset(statement);
    if (!record_parse(&image_config_type, image.config, strlen(image.config), &image.parsed, err))
        return error_prefix(err, "configuration of image %s", id);
    if (!read_names(store, id, &image, err))
        return false;
    *out = image;
    image = (struct image){0};
    return true;
}

bool image_get(struct store *store, const char *reference, struct image *out, struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    _cleanup_free_ char *id = NULL;
    bool is_found = image_resolve(store, reference, &id, err) && image_read(store, id, out, err);
    database_end(store->database, false, NULL);
    return is_found;
}

static void images_free(struct image *images, size_t count)
{
    for (size_t i = 0; i < count; i++)
        image_release(&images[i]);
    free(images);
}

bool image_list(struct store *store, struct image **out, size_t *count, struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    _cleanup_strlist_ struct strlist ids = {0};
    bool is_read = image_query_texts(store, "SELECT id FROM images ORDER BY created DESC, id", NULL, &ids, err);
    struct image *images = xcalloc(ids.count ? ids.count : 1, sizeof(*images));
    size_t read_count = 0;
    for (; is_read && read_count < ids.count; read_count += is_read)
        is_read = image_read(store, ids.items[read_count], &images[read_count], err);
    database_end(store->database, false, NULL);
    if (!is_read) {
        images_free(images, read_count);
        return false;
    }
    *out = images;
    *count = ids.count;
    return true;
}

bool image_layers(struct store *store, const char *image_id, struct strlist *out, struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    _cleanup_strlist_ struct strlist exists = {0}, diff_ids = {0};
    bool is_read =
        image_query_texts(store, "SELECT id FROM images WHERE id = ?1", image_id, &exists, err) &&
        image_query_texts(store, "SELECT diff_id FROM image_layers WHERE image_id = ?1 ORDER BY position DESC",
                          image_id, &diff_ids, err);
    database_end(store->database, false, NULL);
    if (!is_read)
        return false;
    if (exists.count == 0)
        return no_such_image(err, image_id);
    strlist_give(out);
    for (size_t i = 0; i < diff_ids.count; i++) {
        _cleanup_free_ char *path = layer_path(store, diff_ids.items[i]);
        if (!strlist_contains(out, path))
            strlist_add(out, path);
    }
    return true;
}

bool image_remove_reference(struct store *store, const char *full, struct error *err)
{
    return image_execute(
        store, strchr(full, '@') ? "DELETE FROM digests WHERE reference = ?1" : "DELETE FROM tags WHERE reference = ?1",
        full, NULL, err);
}

bool image_set_reference(struct store *store, const struct reference *reference, const char *id, char **previous,
                         struct error *err)
{
    _cleanup_free_ char *familiar_name = reference_familiar_name(reference);
    if (strcmp(familiar_name, "sha256") == 0)
        return error_set(err, ERROR_INVALID, "refusing to create an ambiguous tag using digest algorithm as name");
    _cleanup_free_ char *key = reference_key(reference);
    _cleanup_free_ char *had = NULL;
    if (!image_by_reference(store, reference, &had, err))
        return false;
    if (!image_execute(store,
                       reference->digest ? "INSERT OR REPLACE INTO digests (reference, image_id) VALUES (?1, ?2)"
                                         : "INSERT OR REPLACE INTO tags (reference, image_id) VALUES (?1, ?2)",
                       key, id, err))
        return false;
    if (!reference->digest) {
        sqlite3_stmt *statement =
            database_statement(store->database, "UPDATE images SET last_tagged = ?2 WHERE id = ?1", err);
        if (!statement)
            return false;
        bind_text(statement, 1, id);
        sqlite3_bind_int64(statement, 2, clock_now());
        if (database_step(store->database, statement, err) != 0)
            return false;
    }
    if (previous)
        *previous = had && strcmp(had, id) != 0 ? TAKE_PTR(had) : NULL;
    return true;
}

bool image_tag(struct store *store, const char *source, const char *repository, const char *tag, struct error *err)
{
    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse_name(repository, tag, &reference, err))
        return false;
    if (!database_begin(store->database, DURABLE, err))
        return false;
    _cleanup_free_ char *id = NULL;
    bool is_there = image_resolve(store, source, &id, err);
    if (!is_there && err && err->kind == ERROR_INVALID)
        err->kind = ERROR_NOT_FOUND; /* as Docker answers it */
    bool is_tagged = is_there && image_set_reference(store, &reference, id, NULL, err);
    return is_tagged ? database_end(store->database, true, err) : database_end(store->database, false, NULL) && false;
}
