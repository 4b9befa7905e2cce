#include <string.h>

#include "base/memory.h"
#include "oci/manifest.h"
#include "store/load_internal.h"
#include "json/json_record.h"

#define BLOB_PREFIX "blobs/sha256/"

static bool add_item(struct load *load, const struct archive_image *item, struct error *err)
{
    struct loaded_image *image = APPEND(load->images, load->count);
    const char *config = string_or_empty(item->config);
    if (!spool_text(&load->spool, config, &image->config, err))
        return false;
    if (string_starts_with(config, BLOB_PREFIX)) {
        _cleanup_free_ char *digest = xasprintf("sha256:%s", config + strlen(BLOB_PREFIX));
        if (!text_has_digest(&image->config, digest, config, err))
            return false;
    }
    if (!loaded_image_parse(image, err))
        return false;
    size_t expected = item->layers.count, actual = image->parsed.rootfs.diff_ids.count;
    if (expected != actual)
        return error_set(err, ERROR_INVALID, "invalid manifest, layers length mismatch: expected %zu, got %zu",
                         expected, actual);
    strlist_copy(&image->layers, &item->layers);
    for (size_t i = 0; i < item->repo_tags.count; i++) {
        _cleanup_reference_ struct reference reference = {0};
        if (!reference_parse(item->repo_tags.items[i], &reference, err))
            return false;
        if (reference.is_tag_implied || !reference.tag || reference.digest)
            return error_set(err, ERROR_INVALID, "invalid tag \"%s\"", item->repo_tags.items[i]);
        strlist_add(&image->tags, item->repo_tags.items[i]);
    }
    if (string_is_set(item->parent))
        image->parent = xstrdup(item->parent);
    return true;
}

bool load_docker(struct load *load, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!spool_text(&load->spool, "manifest.json", &text, err))
        return false;
    struct error why = ERROR_INIT;
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&text), text.length, &why);
    if (!json) {
        const char *message = error_message(&why), *prefix = "invalid JSON: ";
        error_set(err, ERROR_INVALID, "%s", message + (string_starts_with(message, prefix) ? strlen(prefix) : 0));
        error_release(&why);
        return false;
    }
    if (json_is_null(json))
        return error_set(err, ERROR_INVALID, "invalid manifest, manifest cannot be null (but can be [])");
    if (json_is_object(json))
        return error_set(err, ERROR_INVALID,
                         "json: cannot unmarshal object into Go value of type []tarexport.manifestItem");
    struct record_list items = {0};
    if (!record_list_from_json(&archive_image_type, json, &items, err))
        return false;
    bool is_done = true;
    for (size_t i = 0; is_done && i < items.count; i++)
        is_done = add_item(load, RECORD_AT(items, struct archive_image, i), err);
    record_list_release(&items, &archive_image_type);
    return is_done;
}
