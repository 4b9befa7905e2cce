#include "engine/disk_usage.h"

#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/storage.h"
#include "engine/volume.h"
#include "store/image_json.h"
#include "store/layer.h"

bool disk_usage_part_parse(const char *name, unsigned *part, struct error *err)
{
    static const char *const names[] = {"container", "image", "volume", "build-cache"};
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (string_equal(name, names[i])) {
            *part = 1u << i;
            return true;
        }
    return error_set(err, ERROR_INVALID, "unknown object type: %s", name);
}

struct users {
    struct container **containers;
    size_t count;
};

static int64_t count_users(void *context, const char *image_id)
{
    const struct users *users = context;
    int64_t count = 0;
    for (size_t i = 0; i < users->count; i++)
        count += string_equal(users->containers[i]->record.image_id, image_id);
    return count;
}

static json_t *images_usage(struct engine *engine, int version, struct error *err)
{
    struct users users = {0};
    users.containers = container_snapshot(engine, &users.count);
    struct image_list_options options = {
        .wants_shared_size = true,
        .version = version,
        .count_containers = count_users,
        .context = &users,
    };
    json_t *list = image_list_json(engine->store, &options, err);
    container_snapshot_release(users.containers, users.count);
    return list;
}

/* Lists of names that are empty are null here, though not in a list of images. */
static void forget_empty_names(json_t *images)
{
    static const char *const names[] = {"RepoTags", "RepoDigests"};
    size_t i;
    json_t *image;
    json_array_foreach(images, i, image)
    {
        for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
            const json_t *list = json_object_get(image, names[j]);
            if (json_is_array(list) && json_array_size(list) == 0)
                json_object_set_new(image, names[j], json_null());
        }
    }
}

json_t *engine_disk_usage(struct engine *engine, unsigned parts, int version, struct error *err)
{
    json_t *usage = json_object();
    int64_t layers = 0;
    const struct list_options all = {.is_all = true, .wants_size = true};
    json_t *images = parts & USAGE_IMAGES ? images_usage(engine, version, err) : json_null();
    json_t *containers = parts & USAGE_CONTAINERS ? container_list(engine, &all, version, err) : json_null();
    bool is_good = images && containers && (!(parts & USAGE_IMAGES) || layers_total_size(engine->store, &layers, err));
    if (!is_good) {
        json_decref(images);
        json_decref(containers);
        json_decref(usage);
        return NULL;
    }
    forget_empty_names(images);
    json_object_set_new(usage, "LayersSize", json_integer(layers));
    json_object_set_new(usage, "Images", images);
    json_object_set_new(usage, "Containers", containers);
    json_object_set_new(usage, "Volumes", parts & USAGE_VOLUMES ? volume_list_usage(engine) : json_null());
    json_object_set_new(usage, "BuildCache", parts & USAGE_BUILD_CACHE ? json_array() : json_null());
    /* Ours (docs/api.md). */
    json_t *storage = parts == USAGE_ALL ? storage_describe(engine) : NULL;
    if (storage)
        json_object_set_new(usage, "Storage", storage);
    return usage;
}
