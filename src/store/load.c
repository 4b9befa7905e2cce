/* `load`: the stream is spooled, understood as one of three kinds of archive, its layers are added, and then all images
   and names come into the database in one transaction. */
#include <string.h>

#include "base/memory.h"
#include "store/load_internal.h"
#include "json/json_record.h"

static void load_release(struct load *load)
{
    for (size_t i = 0; i < load->count; i++) {
        struct loaded_image *image = &load->images[i];
        strbuf_release(&image->config);
        record_release(&image_config_type, &image->parsed);
        strlist_release(&image->layers);
        strlist_release(&image->blob_digests);
        strlist_release(&image->tags);
        free(image->parent);
    }
    free(load->images);
    spool_release(&load->spool);
}

bool text_has_digest(const struct strbuf *text, const char *digest, const char *what, struct error *err)
{
    _cleanup_free_ char *actual = digest_text(strbuf_text(text), text->length);
    if (strcmp(actual, digest) == 0)
        return true;
    return error_set(err, ERROR_INVALID, "%s: digest mismatch: expected %s, got %s", what, digest, actual);
}

bool loaded_image_parse(struct loaded_image *image, struct error *err)
{
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&image->config), image->config.length, err);
    if (!json || !record_from_json(&image_config_type, json, &image->parsed, err))
        return false;
    if (!json_is_object(json_object_get(json, "rootfs")))
        return error_set(err, ERROR_INVALID, "invalid image JSON, no RootFS key");
    const char *os = image->parsed.os;
    if (string_is_set(os) && strcmp(os, "linux") != 0)
        return error_set(err, ERROR_INVALID, "cannot load %s image on linux", os);
    for (size_t i = 0; i < image->parsed.rootfs.diff_ids.count; i++)
        if (!digest_is_valid(image->parsed.rootfs.diff_ids.items[i]))
            return error_set(err, ERROR_INVALID, "invalid image JSON, diff_id \"%s\" is no sha256 digest",
                             image->parsed.rootfs.diff_ids.items[i]);
    return true;
}

static bool add_layers(struct load *load, const struct loaded_image *image, struct error *err)
{
    for (size_t i = 0; i < image->layers.count; i++) {
        const char *diff_id = image->parsed.rootfs.diff_ids.items[i];
        if (layer_exists(load->store, diff_id))
            continue;
        _cleanup_close_ int fd = spool_open(&load->spool, image->layers.items[i], err);
        struct layer_info layer = {0};
        if (fd < 0 || !layer_add(load->store, read_descriptor, &fd, diff_id, &layer, err))
            return false;
        const char *expected = image->blob_digests.count > i ? image->blob_digests.items[i] : layer.blob_digest;
        bool is_intact = strcmp(expected, layer.blob_digest) == 0;
        if (!is_intact)
            error_set(err, ERROR_INVALID, "layer %zu: digest mismatch: expected %s, got %s", i, expected,
                      layer.blob_digest);
        layer_info_release(&layer);
        if (!is_intact)
            return false;
    }
    return true;
}

static bool history_is_equal(const struct image_history *a, const struct image_history *b)
{
    return string_equal(string_or_empty(a->created), string_or_empty(b->created)) &&
           string_equal(string_or_empty(a->created_by), string_or_empty(b->created_by)) &&
           string_equal(string_or_empty(a->author), string_or_empty(b->author)) &&
           string_equal(string_or_empty(a->comment), string_or_empty(b->comment)) && a->empty_layer == b->empty_layer;
}

/* A parent's history is its child's without the last step. */
static bool is_valid_parent(const struct image_config *child, const struct image_config *parent)
{
    if (child->history.count == 0 && parent->history.count == 0)
        return true;
    if (child->history.count != parent->history.count + 1)
        return false;
    for (size_t i = 0; i < parent->history.count; i++)
        if (!history_is_equal(RECORD_AT(child->history, struct image_history, i),
                              RECORD_AT(parent->history, struct image_history, i)))
            return false;
    return true;
}

/* Only a parent that came in the same archive counts; *parent is within `ids`, or NULL. */
static bool find_parent(const struct load *load, char *const *ids, size_t child, const char **parent, struct error *err)
{
    *parent = NULL;
    if (!load->images[child].parent)
        return true;
    for (size_t i = 0; i < load->count; i++) {
        if (i == child || strcmp(ids[i], load->images[child].parent) != 0)
            continue;
        if (!is_valid_parent(&load->images[child].parsed, &load->images[i].parsed))
            return error_set(err, ERROR_INVALID, "image %s is not a valid parent for %s", ids[i], ids[child]);
        *parent = ids[i];
    }
    return true;
}

static void add_messages(const struct load *load, char *const *ids, const struct strmap *renamed,
                         struct strlist *messages)
{
    strlist_give(messages);
    for (size_t i = 0; i < load->count; i++) {
        const struct strlist *tags = &load->images[i].tags;
        for (size_t t = 0; t < tags->count; t++) {
            _cleanup_free_ char *familiar = familiar_from_full(tags->items[t]);
            const char *previous = strmap_get(renamed, familiar);
            if (previous)
                strlist_addf(messages, "The image %s already exists, renaming the old one with ID %s to empty string",
                             familiar, previous);
            strlist_addf(messages, "Loaded image: %s", familiar);
        }
        if (tags->count == 0)
            strlist_addf(messages, "Loaded image ID: %s", ids[i]);
    }
}

static bool create_images(struct load *load, struct strlist *messages, struct error *err)
{
    struct image_creation *creations = xcalloc(load->count + 1, sizeof(*creations));
    char **ids = xcalloc(load->count + 1, sizeof(*ids));
    char **created = xcalloc(load->count + 1, sizeof(*created));
    _cleanup_strmap_ struct strmap renamed = {0};
    bool is_done = true;
    for (size_t i = 0; i < load->count; i++)
        ids[i] = digest_text(strbuf_text(&load->images[i].config), load->images[i].config.length);
    for (size_t i = 0; is_done && i < load->count; i++) {
        const struct loaded_image *image = &load->images[i];
        creations[i] = (struct image_creation){
            .config = strbuf_text(&image->config), .config_length = image->config.length, .references = image->tags};
        is_done = find_parent(load, ids, i, &creations[i].parent, err);
    }
    is_done = is_done && image_create(load->store, creations, load->count, created, &renamed, err);
    if (is_done)
        add_messages(load, ids, &renamed, messages);
    for (size_t i = 0; i < load->count; i++) {
        free(ids[i]);
        free(created[i]);
    }
    free(ids);
    free(created);
    free(creations);
    return is_done;
}

static bool understand(struct load *load, struct error *err)
{
    if (spool_contains(&load->spool, "manifest.json"))
        return load_docker(load, err);
    if (spool_contains(&load->spool, "index.json"))
        return load_oci(load, err);
    if (spool_contains(&load->spool, "repositories"))
        return load_legacy(load, err);
    return error_set(err, ERROR_INVALID, "invalid archive: does not contain a manifest.json");
}

bool store_load(struct store *store, stream_read read, void *context, struct strlist *messages, struct error *err)
{
    struct load load = {.store = store, .spool = SPOOL_INIT};
    if (!spool_read(store, read, context, &load.spool, err))
        return false;
    store_hold(store);
    bool is_done = understand(&load, err);
    for (size_t i = 0; is_done && i < load.count; i++)
        is_done = add_layers(&load, &load.images[i], err);
    is_done = is_done && create_images(&load, messages, err);
    store_release(store);
    if (!is_done)
        layer_collect(store, NULL);
    load_release(&load);
    return is_done;
}
