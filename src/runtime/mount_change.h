/* Mounts that come and go in the mount namespace of a container that runs. */
#pragma once

#include "oci/runtime_config.h"

struct mount_change {
    struct record_list removed; /* of struct oci_mount, in their order: the destination, and of a bind its source */
    struct record_list added;   /* of struct oci_mount, in their order, after the removals */
};
extern const struct record_type mount_change_type;

/* For a process of its own with one thread, in the namespace of the engine: it enters the container's (`namespace`, a
   descriptor) and cannot come back. All or nothing: what was done before a failure is undone. ERROR_CONFLICT where
   something else is mounted at or below the place, where nothing is, and where a mount is in use.

   Nothing that the container does can lead a mount out of its root: sources are looked up before it is entered, and its
   root is the root of this process afterwards. */
bool mount_change_apply(int namespace, const struct mount_change *change, struct error *err);
