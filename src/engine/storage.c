/* A container's files are walked when something comes in, never at a start, and not again within a while: what it
   writes cannot be bounded without quotas of the file system, so that a number some seconds old is as good as any. */
#include "engine/storage.h"

#include <fcntl.h>

#include "base/memory.h"
#include "base/tree_size.h"
#include "engine/disk_usage.h"
#include "engine/engine_state.h"
#include "store/limit.h"
#include "json/json_record.h"

#define RUNNING_AGE (30 * NANOSECONDS_PER_SECOND)
#define STOPPED_AGE (600 * NANOSECONDS_PER_SECOND)

/* Its own layer, its log and its files in /etc. */
static int64_t measure(struct container *container)
{
    int64_t now = clock_monotonic(), size = 0;
    container_lock(container);
    bool has_process = status_has_process(container->status);
    int64_t age = has_process || container->was_measured_running ? RUNNING_AGE : STOPPED_AGE;
    bool is_known = container->measured_at && now - container->measured_at < age;
    if (is_known)
        size = container->measured_size;
    container_unlock(container);
    if (is_known)
        return size;
    _cleanup_free_ char *folder = container_path(container, NULL);
    size = tree_size(AT_FDCWD, folder);
    container_lock(container);
    container->measured_at = now;
    container->measured_size = size;
    container->was_measured_running = has_process;
    container_unlock(container);
    return size;
}

static int64_t measure_all(void *context)
{
    size_t count;
    struct container **all = container_snapshot(context, &count);
    int64_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += measure(all[i]);
    container_snapshot_release(all, count);
    return size;
}

/* --- what would free how much --- */

static int64_t stopped_size(struct engine *engine)
{
    size_t count;
    struct container **all = container_snapshot(engine, &count);
    int64_t size = 0;
    for (size_t i = 0; i < count; i++) {
        container_lock(all[i]);
        bool is_stopped = !status_has_process(all[i]->status) && all[i]->status != STATUS_RESTARTING;
        container_unlock(all[i]);
        size += is_stopped ? measure(all[i]) : 0;
    }
    container_snapshot_release(all, count);
    return size;
}

/* As `system df --explain` counts: what an image alone holds is freed with it at the least. */
static int64_t unused_size(struct engine *engine)
{
    _cleanup_json_ json_t *usage = engine_disk_usage(engine, USAGE_IMAGES, 150, NULL);
    int64_t size = 0;
    size_t i;
    json_t *image;
    json_array_foreach(json_object_get(usage, "Images"), i, image)
    {
        if (json_integer_value(json_object_get(image, "Containers")) == 0)
            size += json_integer_value(json_object_get(image, "Size")) -
                    json_integer_value(json_object_get(image, "SharedSize"));
    }
    return size;
}

static void add_advice(struct strbuf *out, const char *command, int64_t size)
{
    if (size > 0)
        strbuf_addf(out, "%s%s (frees about %.1fMB)", out->length ? ", " : "", command, (double)size / 1e6);
}

static char *advise(void *context)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    add_advice(&text, "wherry image prune --all", unused_size(context));
    add_advice(&text, "wherry container prune", stopped_size(context));
    add_advice(&text, "wherry builder prune --all", store_cache_size(((struct engine *)context)->store));
    return text.length ? xasprintf(": free space with %s; see wherry system df --explain", strbuf_text(&text))
                       : xstrdup(": no prune frees any; see wherry system df -v");
}

/* --- the limit --- */

void storage_begin(struct engine *engine)
{
    const struct store_limit limit = {
        .maximum = engine->options.storage_max, .others = measure_all, .advise = advise, .context = engine};
    store_set_limit(engine->store, &limit);
}

json_t *storage_describe(struct engine *engine)
{
    struct store_usage usage;
    if (!engine->options.storage_max || !store_usage(engine->store, &usage, NULL))
        return NULL;
    return json_pack("{s:I, s:I, s:I, s:I}", "Max", (json_int_t)usage.maximum, "Used",
                     (json_int_t)(usage.images + usage.containers), "Images", (json_int_t)usage.images, "Containers",
                     (json_int_t)usage.containers);
}
