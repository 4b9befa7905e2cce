#include "engine/images.h"

#include "base/memory.h"
#include "engine/container.h"
#include "engine/engine_state.h"
#include "engine/events.h"

/* An image_user_function: a running container before one that is not. */
static char *find_user(void *context, const char *image_id, bool *is_running)
{
    struct engine *engine = context;
    size_t count;
    struct container **all = container_snapshot(engine, &count);
    char *user = NULL;
    *is_running = false;
    for (size_t i = 0; i < count && !*is_running; i++) {
        container_lock(all[i]);
        if (!all[i]->is_removed && string_equal(all[i]->record.image_id, image_id)) {
            *is_running = status_is_running(all[i]->status);
            string_replace(&user, all[i]->record.id);
        }
        container_unlock(all[i]);
    }
    container_snapshot_release(all, count);
    return user ? user : xstrdup("");
}

bool engine_image_remove(struct engine *engine, const char *reference, bool is_forced, bool keeps_parents,
                         struct image_removal **removals, size_t *count, struct error *err)
{
    if (!image_remove(engine->store, reference, is_forced, keeps_parents, find_user, engine, removals, count, err))
        return false;
    for (size_t i = 0; i < *count; i++) {
        const struct image_removal *removal = &(*removals)[i];
        if (removal->image_id)
            image_event(engine, removal->is_deletion ? "delete" : "untag", removal->image_id, removal->image_id);
    }
    return true;
}
