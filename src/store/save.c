/* `save`: one tar that is a Docker archive and an OCI layout at once.

       blobs/sha256/<hex>   configs, manifests, layers (uncompressed: their digest is their diff id), each once
       index.json           one descriptor for every name (annotations tell it), or one for an image without
       manifest.json        the Docker archive's table of images
       oci-layout
       repositories         where there are tags: name → tag → topmost layer */
#include <errno.h>
#include <string.h>

#include "archive/tar_writer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "oci/manifest.h"
#include "store/digest.h"
#include "store/image_internal.h"
#include "json/json_record.h"

struct saved_image {
    struct image image;
    struct strlist tags;  /* full references under which it is saved */
    int64_t *layer_sizes; /* bytes of each layer's tar */
    char *manifest;       /* JSON */
    char *manifest_digest;
};

struct save {
    struct store *store;
    struct saved_image *images;
    size_t count;
};

static void save_release(struct save *save)
{
    for (size_t i = 0; i < save->count; i++) {
        image_release(&save->images[i].image);
        strlist_release(&save->images[i].tags);
        free(save->images[i].layer_sizes);
        free(save->images[i].manifest);
        free(save->images[i].manifest_digest);
    }
    free(save->images);
}

static bool add_image(struct save *save, const char *id, const char *tag, struct error *err)
{
    struct saved_image *saved = NULL;
    for (size_t i = 0; i < save->count; i++)
        if (strcmp(save->images[i].image.id, id) == 0)
            saved = &save->images[i];
    if (!saved) {
        struct image image;
        if (!image_read(save->store, id, &image, err))
            return false;
        saved = APPEND(save->images, save->count);
        saved->image = image;
    }
    if (tag && !strlist_contains(&saved->tags, tag))
        strlist_add(&saved->tags, tag);
    return true;
}

/* A name without tag stands for all its tags; an id saves no name (Docker's tarexport). */
static bool resolve(struct save *save, const char *text, struct error *err)
{
    _cleanup_free_ char *id = NULL;
    _cleanup_reference_ struct reference reference = {0};
    if (is_hex_id(text) || digest_is_valid(text))
        return image_resolve(save->store, text, &id, err) && add_image(save, id, NULL, err);
    if (!reference_parse(text, &reference, err)) {
        if (err)
            err->kind = ERROR_INTERNAL; /* as Docker answers it */
        return false;
    }
    if (string_starts_with(text, "sha256:")) {
        if (!image_by_prefix(save->store, text, &id, err))
            return false;
        return id ? add_image(save, id, NULL, err) : error_set(err, ERROR_NOT_FOUND, "No such image: %s", text);
    }
    if (reference.is_tag_implied) {
        _cleanup_free_ char *name = reference_full_name(&reference);
        _cleanup_strmap_ struct strmap tags = {0};
        if (!image_tags_of_name(save->store, name, &tags, err))
            return false;
        for (size_t i = 0; i < tags.count; i++)
            if (!add_image(save, tags.items[i].value, tags.items[i].key, err))
                return false;
        if (tags.count > 0)
            return true;
        if (!image_by_prefix(save->store, text, &id, err))
            return false;
        return id ? add_image(save, id, NULL, err) : error_set(err, ERROR_NOT_FOUND, "No such image: %s", text);
    }
    if (!image_by_reference(save->store, &reference, &id, err))
        return false;
    if (!id)
        return error_set(err, ERROR_NOT_FOUND, "reference does not exist");
    _cleanup_free_ char *full = reference.digest ? NULL : reference_full(&reference);
    return add_image(save, id, full, err);
}

static bool resolve_all(struct save *save, const struct strlist *references, struct error *err)
{
    if (!database_begin(save->store->database, NOT_DURABLE, err))
        return false;
    bool is_done = true;
    for (size_t i = 0; is_done && i < references->count; i++)
        is_done = resolve(save, references->items[i], err);
    database_end(save->store->database, false, NULL);
    return is_done;
}

static char *blob_name(const char *digest)
{
    return xasprintf("blobs/sha256/%s", digest_hex(digest));
}

static void descriptor_fill(struct descriptor *descriptor, const char *media_type, const char *digest, int64_t size)
{
    descriptor->media_type = xstrdup(media_type);
    descriptor->digest = xstrdup(digest);
    descriptor->size = size;
}

static bool make_manifest(struct save *save, struct saved_image *saved, struct error *err)
{
    struct manifest manifest = {.schema_version = 2, .media_type = xstrdup(MEDIA_TYPE_OCI_MANIFEST)};
    descriptor_fill(&manifest.config, MEDIA_TYPE_OCI_CONFIG, saved->image.id, (int64_t)strlen(saved->image.config));
    const struct strlist *diff_ids = &saved->image.parsed.rootfs.diff_ids;
    saved->layer_sizes = xcalloc(diff_ids->count + 1, sizeof(*saved->layer_sizes));
    bool is_done = true;
    for (size_t i = 0; is_done && i < diff_ids->count; i++) {
        int64_t size = 0;
        is_done = layer_tar_size(save->store, diff_ids->items[i], &size, err);
        descriptor_fill(record_list_add(&manifest.layers, &descriptor_type), MEDIA_TYPE_OCI_LAYER, diff_ids->items[i],
                        size);
        saved->layer_sizes[i] = size;
    }
    if (is_done) {
        saved->manifest = record_format(&manifest_type, &manifest);
        saved->manifest_digest = digest_text(saved->manifest, strlen(saved->manifest));
    }
    record_release(&manifest_type, &manifest);
    return is_done;
}

static char *make_index(const struct save *save)
{
    struct index index = {.schema_version = 2, .media_type = xstrdup(MEDIA_TYPE_OCI_INDEX)};
    for (size_t i = 0; i < save->count; i++) {
        const struct saved_image *saved = &save->images[i];
        for (size_t t = 0; t < MAX(saved->tags.count, (size_t)1); t++) {
            struct descriptor *descriptor = record_list_add(&index.manifests, &descriptor_type);
            descriptor_fill(descriptor, MEDIA_TYPE_OCI_MANIFEST, saved->manifest_digest,
                            (int64_t)strlen(saved->manifest));
            if (saved->tags.count == 0)
                continue;
            strmap_set(&descriptor->annotations, ANNOTATION_IMAGE_NAME, saved->tags.items[t]);
            strmap_set(&descriptor->annotations, ANNOTATION_REF_NAME, strrchr(saved->tags.items[t], ':') + 1);
        }
    }
    char *text = record_format(&index_type, &index);
    record_release(&index_type, &index);
    return text;
}

static bool is_saved(const struct save *save, const char *id)
{
    for (size_t i = 0; i < save->count; i++)
        if (string_equal(save->images[i].image.id, id))
            return true;
    return false;
}

/* As Go's json.Encoder writes it. */
static char *format_line(const json_t *json)
{
    _cleanup_free_ char *text = json_format(json);
    return xasprintf("%s\n", text);
}

static char *make_archive_manifest(const struct save *save)
{
    struct record_list images = {0};
    for (size_t i = 0; i < save->count; i++) {
        const struct saved_image *saved = &save->images[i];
        struct archive_image *item = record_list_add(&images, &archive_image_type);
        item->config = blob_name(saved->image.id);
        if (string_is_set(saved->image.parent) && is_saved(save, saved->image.parent))
            item->parent = xstrdup(saved->image.parent);
        for (size_t t = 0; t < saved->tags.count; t++)
            strlist_take(&item->repo_tags, familiar_from_full(saved->tags.items[t]));
        const struct strlist *diff_ids = &saved->image.parsed.rootfs.diff_ids;
        strlist_give(&item->layers);
        for (size_t l = 0; l < diff_ids->count; l++)
            strlist_take(&item->layers, blob_name(diff_ids->items[l]));
        for (size_t l = 0; l < diff_ids->count; l++) {
            const char *diff_id = diff_ids->items[l];
            if (!record_map_get(&item->layer_sources, &descriptor_type, diff_id))
                descriptor_fill(record_map_put(&item->layer_sources, &descriptor_type, diff_id), MEDIA_TYPE_OCI_LAYER,
                                diff_id, saved->layer_sizes[l]);
        }
    }
    _cleanup_json_ json_t *json = record_list_to_json(&archive_image_type, &images);
    record_list_release(&images, &archive_image_type);
    return format_line(json);
}

/* NULL where nothing has a tag. */
static char *make_repositories(const struct save *save)
{
    _cleanup_json_ json_t *repositories = json_object();
    for (size_t i = 0; i < save->count; i++) {
        const struct saved_image *saved = &save->images[i];
        const struct strlist *diff_ids = &saved->image.parsed.rootfs.diff_ids;
        for (size_t t = 0; t < saved->tags.count && diff_ids->count > 0; t++) {
            _cleanup_reference_ struct reference reference = {0};
            if (!reference_parse(saved->tags.items[t], &reference, NULL))
                continue;
            _cleanup_free_ char *name = reference_familiar_name(&reference);
            json_t *tags = json_object_get(repositories, name);
            if (!tags) {
                tags = json_object();
                json_object_set_new(repositories, name, tags);
            }
            json_object_set_new(tags, reference.tag, json_string(digest_hex(diff_ids->items[diff_ids->count - 1])));
        }
    }
    return json_object_size(repositories) > 0 ? format_line(repositories) : NULL;
}

static bool write_member(void *context, const void *data, size_t length)
{
    struct error err = ERROR_INIT;
    bool is_written = tar_writer_data(context, data, length, &err);
    int errno_value = err.errno_value ? err.errno_value : EIO;
    error_release(&err);
    if (!is_written)
        errno = errno_value;
    return is_written;
}

static bool write_layers(struct save *save, struct tar_writer *tar, const struct saved_image *saved,
                         struct strlist *written, struct error *err)
{
    const struct strlist *diff_ids = &saved->image.parsed.rootfs.diff_ids;
    for (size_t i = 0; i < diff_ids->count; i++) {
        if (strlist_contains(written, diff_ids->items[i]))
            continue;
        strlist_add(written, diff_ids->items[i]);
        _cleanup_free_ char *name = blob_name(diff_ids->items[i]);
        int64_t size;
        if (!layer_tar_size(save->store, diff_ids->items[i], &size, err) ||
            !tar_writer_file(tar, name, size, saved->image.created / NANOSECONDS_PER_SECOND, err) ||
            !layer_write_tar(save->store, diff_ids->items[i], write_member, tar, err))
            return false;
        if (tar->remaining > 0)
            return error_set(err, ERROR_INTERNAL, "layer %s is shorter than was recorded", diff_ids->items[i]);
    }
    return true;
}

static bool write_blobs(struct save *save, struct tar_writer *tar, struct error *err)
{
    _cleanup_strlist_ struct strlist written = {0};
    if (!tar_writer_directory(tar, "blobs/", 0, err) || !tar_writer_directory(tar, "blobs/sha256/", 0, err))
        return false;
    for (size_t i = 0; i < save->count; i++) {
        const struct saved_image *saved = &save->images[i];
        int64_t seconds = saved->image.created / NANOSECONDS_PER_SECOND;
        _cleanup_free_ char *config_name = blob_name(saved->image.id);
        _cleanup_free_ char *manifest_name = blob_name(saved->manifest_digest);
        if (!tar_writer_text(tar, config_name, saved->image.config, seconds, err) ||
            !tar_writer_text(tar, manifest_name, saved->manifest, 0, err) ||
            !write_layers(save, tar, saved, &written, err))
            return false;
    }
    return true;
}

static bool write_tables(struct save *save, struct tar_writer *tar, struct error *err)
{
    _cleanup_free_ char *index = make_index(save);
    _cleanup_free_ char *manifest = make_archive_manifest(save);
    _cleanup_free_ char *repositories = make_repositories(save);
    return tar_writer_text(tar, "index.json", index, 0, err) &&
           tar_writer_text(tar, "manifest.json", manifest, 0, err) &&
           tar_writer_text(tar, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", 0, err) &&
           (!repositories || tar_writer_text(tar, "repositories", repositories, 0, err));
}

bool store_save(struct store *store, const struct strlist *references, stream_write write, void *context,
                struct error *err)
{
    struct save save = {.store = store};
    struct tar_writer tar = {.write = write, .context = context};
    /* Held, so that an `rmi` meanwhile does not take the layers away. */
    store_hold(store);
    bool is_done = resolve_all(&save, references, err);
    for (size_t i = 0; is_done && i < save.count; i++)
        is_done = make_manifest(&save, &save.images[i], err);
    is_done =
        is_done && write_blobs(&save, &tar, err) && write_tables(&save, &tar, err) && tar_writer_finish(&tar, err);
    store_release(store);
    save_release(&save);
    return is_done;
}
