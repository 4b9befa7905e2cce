#include "store/image_json.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/image_internal.h"
#include "json/json_record.h"

/* Versions of the API in which fields of images came or went. */
#define VERSION_NO_VIRTUAL_SIZE     144
#define VERSION_NO_CONTAINER_CONFIG 145
#define VERSION_OCI_CONFIG          150

static json_t *strings_json(const struct strlist *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

static void set_string(json_t *object, const char *key, const char *value)
{
    json_object_set_new(object, key, json_string(string_or_empty(value)));
}

static void set_time(json_t *object, const char *key, int64_t time)
{
    char text[TIME_TEXT_SIZE];
    set_string(object, key, time_format(time, text));
}

/* The comment of the image itself, or of its last step (Docker's inspect). */
static const char *comment_of(const struct image *image, const json_t *raw)
{
    const char *comment = json_string_value(json_object_get(raw, "comment"));
    const struct record_list *history = &image->parsed.history;
    if (string_is_set(comment) || history->count == 0)
        return comment;
    return RECORD_AT(*history, struct image_history, history->count - 1)->comment;
}

/* From 1.50 on: what the OCI image-spec has, each only where it is set, in the order in which Docker writes it. */
static json_t *oci_config_json(const struct container_config *config)
{
    static const char *const kept[] = {"User",        "ExposedPorts", "Env",    "Entrypoint", "Cmd",
                                       "Volumes",     "WorkingDir",   "Labels", "StopSignal", "ArgsEscaped",
                                       "Healthcheck", "OnBuild",      "Shell"};
    _cleanup_json_ json_t *whole = record_to_json(&container_config_type, config);
    json_t *object = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
        json_t *value = json_object_get(whole, kept[i]);
        bool is_empty = !value || json_is_null(value) || json_is_false(value) ||
                        (json_is_string(value) && json_string_length(value) == 0) ||
                        (json_is_array(value) && json_array_size(value) == 0) ||
                        (json_is_object(value) && json_object_size(value) == 0);
        if (!is_empty)
            json_object_set(object, kept[i], value);
    }
    return object;
}

static json_t *config_json(const struct image *image, int version)
{
    if (version >= VERSION_OCI_CONFIG)
        return oci_config_json(&image->parsed.config);
    return record_to_json(&container_config_type, &image->parsed.config);
}

/* The folders of the image's layers in the names of Docker's overlay2 driver. Nothing is ever mounted for an image, so
   WorkDir and MergedDir are the names that a mount would have. */
static json_t *graph_driver_json(struct store *store, const struct image *image)
{
    const struct strlist *diff_ids = &image->parsed.rootfs.diff_ids;
    json_t *data = json_object();
    if (diff_ids->count > 1) {
        _cleanup_strlist_ struct strlist lower = {0};
        for (size_t i = diff_ids->count - 1; i > 0; i--)
            strlist_take(&lower, layer_path(store, diff_ids->items[i - 1]));
        _cleanup_free_ char *text = strlist_join(&lower, ":");
        set_string(data, "LowerDir", text);
    }
    if (diff_ids->count > 0) {
        _cleanup_free_ char *upper = layer_path(store, diff_ids->items[diff_ids->count - 1]);
        _cleanup_free_ char *merged = xasprintf("%s-merged", upper);
        _cleanup_free_ char *work = xasprintf("%s-work", upper);
        set_string(data, "MergedDir", merged);
        set_string(data, "UpperDir", upper);
        set_string(data, "WorkDir", work);
    }
    json_t *driver = json_object();
    json_object_set_new(driver, "Data", data);
    set_string(driver, "Name", "overlay2");
    return driver;
}

static json_t *root_fs_json(const struct image *image)
{
    json_t *root_fs = json_object();
    set_string(root_fs, "Type", image->parsed.rootfs.type);
    if (image->parsed.rootfs.diff_ids.count > 0)
        json_object_set_new(root_fs, "Layers", strings_json(&image->parsed.rootfs.diff_ids));
    return root_fs;
}

static void set_where_given(json_t *object, const char *key, const char *value)
{
    if (string_is_set(value))
        set_string(object, key, value);
}

json_t *image_inspect_json(struct store *store, const char *reference, int version, struct error *err)
{
    _cleanup_image_ struct image image = {0};
    if (!image_get(store, reference, &image, err))
        return NULL;
    _cleanup_json_ json_t *raw = json_parse(image.config, strlen(image.config), err);
    if (!raw)
        return NULL;
    json_t *object = json_object();
    set_string(object, "Id", image.id);
    json_object_set_new(object, "RepoTags", strings_json(&image.repo_tags));
    json_object_set_new(object, "RepoDigests", strings_json(&image.repo_digests));
    set_string(object, "Parent", image.parent);
    set_string(object, "Comment", comment_of(&image, raw));
    if (string_is_set(image.parsed.created))
        set_time(object, "Created", image.created);
    if (version < VERSION_NO_CONTAINER_CONFIG) {
        set_where_given(object, "Container", image.parsed.container);
        json_t *container_config = json_object_get(raw, "container_config");
        static const struct container_config none = {0};
        if (json_is_object(container_config))
            json_object_set(object, "ContainerConfig", container_config);
        else
            json_object_set_new(object, "ContainerConfig", record_to_json(&container_config_type, &none));
    }
    set_string(object, "DockerVersion", image.parsed.docker_version);
    set_string(object, "Author", image.parsed.author);
    json_object_set_new(object, "Config", config_json(&image, version));
    set_string(object, "Architecture", image.parsed.architecture);
    set_where_given(object, "Variant", image.parsed.variant);
    set_string(object, "Os", image.parsed.os);
    set_where_given(object, "OsVersion", image.parsed.os_version);
    json_object_set_new(object, "Size", json_integer(image.size));
    if (version < VERSION_NO_VIRTUAL_SIZE)
        json_object_set_new(object, "VirtualSize", json_integer(image.size));
    json_object_set_new(object, "GraphDriver", graph_driver_json(store, &image));
    json_object_set_new(object, "RootFS", root_fs_json(&image));
    json_t *metadata = json_object();
    set_time(metadata, "LastTagTime", image.last_tagged);
    json_object_set_new(object, "Metadata", metadata);
    return object;
}

static bool layer_size(struct store *store, const char *diff_id, int64_t *size, struct error *err)
{
    struct layer_info layer = {0};
    if (!layer_get(store, diff_id, &layer, err))
        return false;
    *size = layer.size;
    layer_info_release(&layer);
    return true;
}

/* Seconds since 1970; Go's zero time is long before that. */
static int64_t unix_seconds(const char *text)
{
    unix_nano time = 0;
    if (string_equal(text, ZERO_TIME_TEXT))
        return INT64_C(-62135596800);
    if (!string_is_set(text) || !time_parse(text, &time))
        return 0;
    return time / NANOSECONDS_PER_SECOND - (time % NANOSECONDS_PER_SECOND < 0);
}

/* The steps get the ids and tags of the image and of its parents, as far as there are any. */
static bool name_steps(struct store *store, const struct image *image, json_t *steps, struct error *err)
{
    _cleanup_free_ char *id = xstrdup(image->id);
    for (size_t i = 0; i < json_array_size(steps) && string_is_set(id); i++) {
        json_t *step = json_array_get(steps, i);
        struct error missing = ERROR_INIT;
        _cleanup_image_ struct image current = {0};
        if (!image_get(store, id, &current, &missing)) {
            if (missing.kind != ERROR_NOT_FOUND)
                return error_move(err, &missing);
            error_release(&missing);
            return true;
        }
        set_string(step, "Id", current.id);
        if (current.repo_tags.count > 0)
            json_object_set_new(step, "Tags", strings_json(&current.repo_tags));
        free(id);
        id = xstrdup(current.parent);
    }
    return true;
}

json_t *image_history_json(struct store *store, const char *reference, int version _unused_, struct error *err)
{
    _cleanup_image_ struct image image = {0};
    if (!image_get(store, reference, &image, err))
        return NULL;
    _cleanup_json_ json_t *steps = json_array();
    size_t layer = 0;
    for (size_t i = 0; i < image.parsed.history.count; i++) {
        const struct image_history *history = RECORD_AT(image.parsed.history, struct image_history, i);
        int64_t size = 0;
        if (!history->empty_layer) {
            if (layer >= image.parsed.rootfs.diff_ids.count) {
                error_set(err, ERROR_INTERNAL, "too many non-empty layers in History section");
                return NULL;
            }
            if (!layer_size(store, image.parsed.rootfs.diff_ids.items[layer++], &size, err))
                return NULL;
        }
        json_t *step = json_object();
        set_string(step, "Comment", history->comment);
        json_object_set_new(step, "Created", json_integer(unix_seconds(history->created)));
        set_string(step, "CreatedBy", history->created_by);
        set_string(step, "Id", "<missing>");
        json_object_set_new(step, "Size", json_integer(size));
        json_object_set_new(step, "Tags", json_null());
        json_array_insert_new(steps, 0, step);
    }
    return name_steps(store, &image, steps, err) ? TAKE_PTR(steps) : NULL;
}
