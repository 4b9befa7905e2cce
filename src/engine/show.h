/* Parts of a container's JSON that inspect and list share. */
#pragma once

#include "engine/container.h"

/* With the container's lock held; new references. */
json_t *show_networks(const struct container *container, int version);
json_t *show_mounts(const struct container *container);
/* Adds SizeRw and SizeRootFs. Without the lock: it walks the writable layer. */
void show_sizes(const struct container *container, json_t *json);
/* "Up 3 minutes", "Exited (0) 2 hours ago", …: with the lock held; the caller frees. */
char *show_status(const struct container *container, unix_nano now);
