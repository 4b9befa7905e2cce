/* The manifests that are kept for an image, so that it can be pushed and shown as it came. */
#include <string.h>

#include "oci/manifest.h"
#include "store/image_internal.h"

bool image_manifests(struct store *store, const char *image_id, struct strlist *out, struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    bool is_read =
        image_query_texts(store, "SELECT digest FROM image_manifests WHERE image_id = ?1", image_id, out, err);
    database_end(store->database, false, NULL);
    return is_read;
}

bool image_tags(struct store *store, const char *full_name, struct strmap *out, struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    bool is_read = image_tags_of_name(store, full_name, out, err);
    database_end(store->database, false, NULL);
    return is_read;
}

bool image_check_platform(const struct image *image, const char *shown, const struct platform *wanted,
                          struct error *err)
{
    struct platform actual = {
        .os = image->parsed.os, .architecture = image->parsed.architecture, .variant = image->parsed.variant};
    if (platform_match(wanted, &actual) > 0)
        return true;
    _cleanup_free_ char *wanted_text = platform_text(wanted);
    _cleanup_free_ char *actual_text = platform_text(&actual);
    return error_set(err, ERROR_NOT_FOUND,
                     "image with reference %s was found but does not match the specified platform: wanted %s, actual: "
                     "%s",
                     shown, wanted_text, actual_text);
}

bool image_add_digest(struct store *store, const char *image_id, const char *text, bool is_manifest, struct error *err)
{
    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse(text, &reference, err) || !database_begin(store->database, DURABLE, err))
        return false;
    bool is_done = image_set_reference(store, &reference, image_id, NULL, err) &&
                   (!is_manifest ||
                    image_execute(store, "INSERT OR IGNORE INTO image_manifests (digest, image_id) VALUES (?1, ?2)",
                                  reference.digest, image_id, err));
    return is_done ? database_end(store->database, true, err) : database_end(store->database, false, NULL) && false;
}
