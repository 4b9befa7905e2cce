/* The mounts of a container, made below a descriptor of its root before pivot_root: sources are paths of the host,
   destinations are resolved inside the root. Nothing is made through a path that a link in the image could bend. */
#pragma once

#include <sys/stat.h>

#include "runtime/launch.h"
#include "runtime/mount_options.h"

/* What a mount of type "cgroup" needs to know. */
struct cgroup_view {
    const char *cgroups_path;
    bool has_own_namespace;
};

/* One mount of the config. */
bool mount_one(int root, const struct oci_mount *mount, const struct cgroup_view *cgroup, struct error *err);
/* The same in two steps, for a root that is in another mount namespace than the source of a bind: that is looked up by
   the first, and everything else made by the second. The mount is borrowed. */
struct prepared_mount {
    const struct oci_mount *mount;
    struct mount_options options;
    int tree;          /* the mount: of a bind from the first step on, of a file system from the second on; else -1 */
    bool is_directory; /* of a bind */
};
bool mount_prepare(const struct oci_mount *mount, struct prepared_mount *out, struct error *err);
bool mount_put(int root, struct prepared_mount *prepared, const struct cgroup_view *cgroup, struct error *err);
void prepared_mount_release(struct prepared_mount *prepared);
/* An O_PATH descriptor of what a bind shows; -1 with errno. */
int mount_open_source(const struct oci_mount *mount);
/* Makes `target` inside the root where it is missing, a folder or an empty file as `is_directory` says, and returns an
   O_PATH descriptor of it; -1 with err. */
int mount_target(int root, const char *target, bool is_directory, struct error *err);

/* --- the new mount interface in one call each; descriptors of detached mounts, -1 with errno --- */

/* A new file system. Options without '=' are flags. `source` may be NULL. */
int mount_new(const char *type, const char *source, const struct strlist *options, uint64_t attributes);
/* A copy of the mount at `path` (relative to `directory`; "" for the descriptor itself), perhaps with those below. */
int mount_clone(int directory, const char *path, bool is_recursive);
bool mount_attach(int mount, int target);
bool mount_set_attributes(int mount, uint64_t set, uint64_t clear, unsigned long propagation, bool is_recursive);

/* The mount of type "cgroup", in mounts_cgroup.c. */
bool mount_cgroup(int root, const char *destination, const struct mount_options *options,
                  const struct cgroup_view *cgroup, struct error *err);
