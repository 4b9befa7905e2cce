/* A container's files as this process can reach them: a descriptor of its root, in a mount namespace that the shim's
   program has made for it. A container that does not run stays in its operation while the view is open. */
#pragma once

#include "engine/container.h"

struct view {
    struct container *container; /* referenced */
    bool is_in_operation;
    struct shim_view mounts;
};
bool view_open(struct engine *engine, const char *reference, bool has_volumes, struct view *out, struct error *err);
void view_close(struct view *view);
/* A descriptor of the mount namespace of the container's process; -1 where there is no process (any more). */
int view_namespace(struct container *container);
#define _cleanup_view_ _cleanup_(view_close)
#define VIEW_INIT      ((struct view){.mounts = {-1, -1}})
