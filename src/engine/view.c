#include "engine/view.h"

#include <fcntl.h>

#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/spec.h"

int view_namespace(struct container *container)
{
    char path[64];
    int fd = -1;
    container_lock(container);
    if (status_has_process(container->status) && container->record.pid > 0) {
        /* An exit is recorded under the lock, so the number is still the container's, or that of its corpse. */
        snprintf(path, sizeof(path), "/proc/%lld/ns/mnt", (long long)container->record.pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    container_unlock(container);
    return fd;
}

bool view_open(struct engine *engine, const char *reference, bool has_volumes, struct view *out, struct error *err)
{
    _cleanup_view_ struct view view = VIEW_INIT;
    view.container = container_find(engine, reference, err);
    if (!view.container)
        return false;
    _cleanup_close_ int namespace = view_namespace(view.container);
    if (namespace < 0) {
        if (!container_begin(view.container, reference, err))
            return false;
        view.is_in_operation = true;
        namespace = view_namespace(view.container); /* a start may have been under way */
    }
    struct launch launch = {0};
    bool is_open = spec_add_view(view.container, has_volumes, &launch, err) &&
                   shim_view(engine->options.shim_program, &launch, namespace, &view.mounts, err);
    spec_release(&launch);
    if (!is_open)
        return false;
    if (namespace >= 0 && view.is_in_operation) {
        container_end(view.container);
        view.is_in_operation = false;
    }
    *out = view;
    view = VIEW_INIT;
    return true;
}

void view_close(struct view *view)
{
    shim_view_close(&view->mounts);
    if (view->is_in_operation)
        container_end(view->container);
    container_unref(view->container);
    *view = VIEW_INIT;
}
