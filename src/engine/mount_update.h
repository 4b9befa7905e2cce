/* Mounts that come and go while the container is there: ours beyond Docker (docs/api.md). */
#pragma once

#include "engine/container.h"

/* In the operation. `added` is of struct mount_request, `removed` are paths in the container. All or nothing, and kept
   in the database; where the container runs (or is paused) it has them at once. ERROR_NOT_FOUND where nothing of the
   container's is mounted at a path, ERROR_CONFLICT where the kernel or another mount hinders it. An anonymous volume
   that goes is kept. */
bool mounts_update(struct container *container, const struct record_list *added, const struct strlist *removed,
                   struct error *err);
