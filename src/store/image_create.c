/* How an image comes into the database, whoever brought its layers: load, import, pull, commit, build. */
#include <sqlite3.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/digest.h"
#include "store/image_internal.h"
#include "json/json_record.h"

/* What is worked out before the transaction begins. */
struct new_image {
    char *id;
    struct image_config parsed;
    int64_t created;
    int64_t size;
    struct reference *references;
    size_t reference_count;
};

static void new_image_release(struct new_image *image)
{
    free(image->id);
    record_release(&image_config_type, &image->parsed);
    for (size_t i = 0; i < image->reference_count; i++)
        reference_release(&image->references[i]);
    free(image->references);
}

static bool prepare(struct store *store, const struct image_creation *creation, struct new_image *image,
                    struct error *err)
{
    if (memchr(creation->config, '\0', creation->config_length))
        return error_set(err, ERROR_INVALID, "invalid image JSON: it contains a NUL byte");
    if (!record_parse(&image_config_type, creation->config, creation->config_length, &image->parsed, err))
        return false;
    if (string_is_set(image->parsed.created) && !time_parse(image->parsed.created, &image->created))
        return error_set(err, ERROR_INVALID, "parsing time \"%s\": cannot parse it as RFC 3339", image->parsed.created);
    for (size_t i = 0; i < creation->references.count; i++)
        if (!reference_parse(creation->references.items[i], APPEND(image->references, image->reference_count), err))
            return false;
    if (image->parsed.rootfs.diff_ids.count > LAYERS_PER_IMAGE_MAX)
        return error_set(err, ERROR_INVALID, "max depth exceeded");
    for (size_t i = 0; i < image->parsed.rootfs.diff_ids.count; i++) {
        struct layer_info layer = {0};
        if (!layer_get(store, image->parsed.rootfs.diff_ids.items[i], &layer, err))
            return false;
        image->size += layer.size;
        layer_info_release(&layer);
    }
    return blob_put(store, creation->config, creation->config_length, &image->id, err);
}

static bool insert_layers(struct store *store, const struct new_image *image, struct error *err)
{
    const struct strlist *diff_ids = &image->parsed.rootfs.diff_ids;
    for (size_t i = 0; i < diff_ids->count; i++) {
        sqlite3_stmt *statement = database_statement(
            store->database, "INSERT OR IGNORE INTO image_layers (image_id, position, diff_id) VALUES (?1, ?2, ?3)",
            err);
        if (!statement)
            return false;
        sqlite3_bind_text(statement, 1, image->id, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(statement, 2, (sqlite3_int64)i);
        sqlite3_bind_text(statement, 3, diff_ids->items[i], -1, SQLITE_TRANSIENT);
        if (database_step(store->database, statement, err) != 0)
            return false;
    }
    return true;
}

static bool insert(struct store *store, const struct image_creation *creation, const struct new_image *image,
                   struct strmap *renamed, struct error *err)
{
    sqlite3_stmt *statement =
        database_statement(store->database,
                           "INSERT INTO images (id, config, created, parent, size) VALUES (?1, ?2, ?3, ?4, ?5)"
                           " ON CONFLICT (id) DO UPDATE SET parent = excluded.parent WHERE excluded.parent != ''",
                           err);
    if (!statement)
        return false;
    sqlite3_bind_text(statement, 1, image->id, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, creation->config, (int)creation->config_length, SQLITE_TRANSIENT);
    sqlite3_bind_int64(statement, 3, image->created);
    sqlite3_bind_text(statement, 4, string_or_empty(creation->parent), -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(statement, 5, image->size);
    if (database_step(store->database, statement, err) != 0 || !insert_layers(store, image, err))
        return false;

    for (size_t i = 0; i < creation->manifests.count; i++)
        if (!image_execute(store, "INSERT OR IGNORE INTO image_manifests (digest, image_id) VALUES (?1, ?2)",
                           creation->manifests.items[i], image->id, err))
            return false;
    for (size_t i = 0; i < image->reference_count; i++) {
        _cleanup_free_ char *previous = NULL;
        if (!image_set_reference(store, &image->references[i], image->id, &previous, err))
            return false;
        if (previous && renamed) {
            _cleanup_free_ char *familiar = reference_familiar(&image->references[i]);
            strmap_set(renamed, familiar, previous);
        }
    }
    return true;
}

bool image_create(struct store *store, const struct image_creation *creations, size_t count, char **ids,
                  struct strmap *renamed, struct error *err)
{
    struct new_image *images = xcalloc(count ? count : 1, sizeof(*images));
    bool is_done = true;
    for (size_t i = 0; is_done && i < count; i++)
        is_done = prepare(store, &creations[i], &images[i], err);
    is_done = is_done && store_sync(store, err) && database_begin(store->database, DURABLE, err);
    if (is_done) {
        for (size_t i = 0; is_done && i < count; i++)
            is_done = insert(store, &creations[i], &images[i], renamed, err);
        if (is_done)
            is_done = database_end(store->database, true, err);
        else
            database_end(store->database, false, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        if (is_done)
            ids[i] = TAKE_PTR(images[i].id);
        new_image_release(&images[i]);
    }
    free(images);
    return is_done;
}
