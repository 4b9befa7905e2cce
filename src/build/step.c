#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "build/epoch.h"
#include "build/internal.h"
#include "store/layer.h"

#define COMMENT "buildkit.dockerfile.v0"

void step_add_layers(const struct stage *stage, struct key *key)
{
    key_add_list(key, &stage->image.rootfs.diff_ids);
}

void step_add_epoch(const struct stage *stage, struct key *key)
{
    key_add_number(key, stage->build->request->has_epoch ? stage->build->request->epoch : -1);
}

bool step_adopt(struct stage *stage, const char *folder, struct layer_info *layer, struct error *err)
{
    const struct build_request *request = stage->build->request;
    return (!request->has_epoch || epoch_clamp(folder, request->epoch, err)) &&
           layer_adopt(stage->build->store, folder, layer, err);
}

static int64_t creation_time(const struct build *build)
{
    return build->request->has_epoch ? build->request->epoch * NANOSECONDS_PER_SECOND : clock_now();
}

static bool make(struct stage *stage, const struct step_call *call, struct build_record *record, struct error *err)
{
    struct layer_info layer = {0};
    if (call->make) {
        if (!builder_take_slot(stage->build, err))
            return false;
        bool is_made = call->make(call->context, &layer, err);
        builder_give_slot(stage->build);
        if (!is_made)
            return false;
    }
    struct build_record made = {
        .key = xstrdup(call->key),
        .diff_id = TAKE_PTR(layer.diff_id),
        .parent = xstrdup(string_or_empty(stage->record)),
        .kind = xstrdup(call->kind),
        .description = xstrdup(call->description),
        .created = creation_time(stage->build),
        .size = layer.size,
    };
    layer_info_release(&layer);
    if (!build_cache_put(stage->build->store, &made, err)) {
        build_record_release(&made);
        return false;
    }
    *record = made;
    return true;
}

bool step_do(struct stage *stage, const struct step_call *call, struct build_record *record, bool *is_cached,
             struct error *err)
{
    struct build *build = stage->build;
    bool is_mine = false;
    if (build_is_cancelled(build))
        return error_set(err, ERROR_CANCELLED, "context canceled");
    while (!is_mine) {
        if (!call->uses_no_cache) {
            if (!build_cache_find(build->store, call->key, record, is_cached, err))
                return false;
            if (*is_cached)
                return true;
        }
        if (!builder_begin(build, call->key, &is_mine, err))
            return false;
        /* Who takes nothing from the cache has only waited for its turn. */
    }
    *is_cached = false;
    bool is_done = make(stage, call, record, err);
    builder_end(build, call->key);
    return is_done;
}

bool step_apply(struct stage *stage, const struct build_record *record, const char *history, bool has_layer,
                struct error *err)
{
    struct image_config *image = &stage->image;
    int64_t created =
        stage->build->request->has_epoch ? stage->build->request->epoch * NANOSECONDS_PER_SECOND : record->created;
    char time[TIME_TEXT_SIZE];
    time_format(created, time);
    string_replace(&image->created, time);
    struct image_history *entry = record_list_add(&image->history, &image_history_type);
    entry->created = xstrdup(time);
    entry->created_by = xstrdup(history);
    entry->comment = xstrdup(COMMENT);
    entry->empty_layer = !record->diff_id;
    if (has_layer && record->diff_id) {
        if (image->rootfs.diff_ids.count >= LAYERS_PER_IMAGE_MAX)
            return error_set(err, ERROR_INVALID, "max depth exceeded");
        strlist_add(&image->rootfs.diff_ids, record->diff_id);
        struct strlist layers = {0};
        strlist_take(&layers, layer_path(stage->build->store, record->diff_id));
        for (size_t i = 0; i < stage->layers.count; i++)
            if (strcmp(stage->layers.items[i], layers.items[0]) != 0) /* no folder twice: see image_layers */
                strlist_add(&layers, stage->layers.items[i]);
        strlist_release(&stage->layers);
        stage->layers = layers;
        snapshot_close(&stage->snapshot);
        stage->has_snapshot = false;
    }
    _cleanup_key_ struct key *key = key_new();
    key_add(key, stage->key);
    key_add(key, record->key);
    key_add(key, record->diff_id);
    free(stage->key);
    stage->key = key_finish(key);
    string_replace(&stage->record, record->key);
    return true;
}
