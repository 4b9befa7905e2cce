#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "build/internal.h"
#include "store/layer.h"

void origin_release(struct origin *origin)
{
    snapshot_close(&origin->snapshot);
    free(origin->identity);
    *origin = (struct origin){0};
}

static char *identity_of(const struct strlist *layers)
{
    _cleanup_key_ struct key *key = key_new();
    key_add_list(key, layers);
    return key_finish(key);
}

static bool open_layers(const struct strlist *layers, struct origin *out, struct error *err)
{
    struct origin origin = {0};
    if (!snapshot_open(&origin.snapshot, layers, err))
        return false;
    origin.identity = identity_of(layers);
    *out = origin;
    out->source = (struct copy_source){.snapshot = &out->snapshot};
    return true;
}

static bool open_image(struct stage *stage, const char *reference, struct origin *out, struct error *err)
{
    _cleanup_image_ struct image image = {0};
    _cleanup_strlist_ struct strlist layers = {0};
    return base_load(stage, reference, NULL, &image, err) &&
           image_layers(stage->build->store, image.id, &layers, err) && open_layers(&layers, out, err);
}

/* A folder of the body that the client named. */
static bool open_folder(struct build *build, const char *prefix, struct origin *out, struct error *err)
{
    _cleanup_strlist_ struct strlist folders = {0};
    _cleanup_node_ struct node node = {0};
    if (!snapshot_find(&build->context.snapshot, prefix, false, &node, NULL))
        return error_set(err, ERROR_INVALID, "the build context has no folder %s", prefix);
    for (size_t i = 0; i < node.layer_count; i++)
        strlist_addf(&folders, "%s/%s", build->context.snapshot.folders[node.layers[i]], node.path);
    struct origin origin = {0};
    if (!snapshot_open(&origin.snapshot, &folders, err))
        return false;
    *out = origin;
    out->source = (struct copy_source){.snapshot = &out->snapshot, .is_linkable = true};
    return true;
}

bool origin_open(struct stage *stage, const char *name, struct origin *out, struct error *err)
{
    struct build *build = stage->build;
    const char *context = strmap_get(&build->request->contexts, name);
    if (context && string_starts_with(context, "folder:"))
        return open_folder(build, context + strlen("folder:"), out, err);
    if (context && string_starts_with(context, "image:"))
        return open_image(stage, context + strlen("image:"), out, err);
    if (context)
        return error_set(err, ERROR_INVALID, "unsupported context source %s for %s", context, name);
    struct stage *other = plan_find_stage(build, name);
    /* What the plan did not see, in a trigger or by a variable, may not be built at all. */
    if (other && (other == stage || !other->is_needed))
        return error_set(err, ERROR_INVALID, "the stage %s is not built for stage %zu", name, stage->index);
    if (other)
        return stage_wait(build, other, err) && open_layers(&other->layers, out, err);
    return open_image(stage, name, out, err);
}
