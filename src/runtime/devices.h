/* Device nodes and the links in /dev. */
#pragma once

#include "runtime/launch.h"

/* Where /dev is a file system of the container's own: the default nodes, /dev/fd and its kin, /dev/ptmx. Then, in every
   case, the nodes of the config. `root` as in mounts.h. */
bool devices_create(int root, const struct runtime_config *config, struct error *err);
/* Is /dev a bind mount, so that its content is not ours? */
bool devices_are_foreign(const struct record_list *mounts);
