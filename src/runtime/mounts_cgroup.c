/* /sys/fs/cgroup inside a container. With v2 it is a mount of its own. With v1 it is a tmpfs with one folder a
   hierarchy; without a cgroup namespace the container's own folders are bound there, so that it sees itself as the
   root. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup_v1.h"
#include "runtime/mount_options.h"
#include "runtime/mounts.h"

static bool mount_hierarchy(int folder, const struct cgroup_hierarchy *hierarchy, const struct mount_options *options,
                            const struct cgroup_view *cgroup, struct error *err)
{
    if (mkdirat(folder, hierarchy->directory, 0755) < 0)
        return error_errno(err, "mkdir %s", hierarchy->directory);
    _cleanup_close_ int target = openat(folder, hierarchy->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int made = -1;
    if (cgroup->has_own_namespace) {
        _cleanup_strlist_ struct strlist data = strlist_split(hierarchy->controllers, ',');
        made = mount_new("cgroup", "cgroup", &data, options->set);
    } else {
        _cleanup_free_ char *source =
            xasprintf(CGROUP_ROOT "/%s/%s", hierarchy->directory, string_or_empty(cgroup->cgroups_path));
        made = mount_clone(AT_FDCWD, source, false);
        if (made >= 0 && !mount_set_attributes(made, options->set, options->clear, 0, false))
            made = close_fd(made);
    }
    if (target < 0 || made < 0 || !mount_attach(made, target))
        return error_errno(err, "mount cgroup hierarchy %s", hierarchy->controllers);

    /* "cpu,cpuacct" is also found as "cpu" and as "cpuacct". */
    _cleanup_strlist_ struct strlist names = strlist_split(hierarchy->directory, ',');
    for (size_t i = 0; names.count > 1 && i < names.count; i++)
        if (symlinkat(hierarchy->directory, folder, names.items[i]) < 0)
            return error_errno(err, "symlink %s", names.items[i]);
    return true;
}

bool mount_cgroup(int root, const char *destination, const struct mount_options *options,
                  const struct cgroup_view *cgroup, struct error *err)
{
    _cleanup_close_ int target = mount_target(root, destination, true, err);
    if (target < 0)
        return false;
    _cleanup_strlist_ struct strlist data = {0};
    if (cgroup_version() == 2) {
        _cleanup_close_ int made = mount_new("cgroup2", "cgroup", &data, options->set);
        if (made < 0 || !mount_attach(made, target))
            return error_errno(err, "mount cgroup2:%s", destination);
        return true;
    }
    strlist_add(&data, "mode=755");
    uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    _cleanup_close_ int folder = mount_new("tmpfs", "tmpfs", &data, attributes);
    if (folder < 0 || !mount_attach(folder, target))
        return error_errno(err, "mount tmpfs:%s", destination);
    size_t count;
    const struct cgroup_hierarchy *hierarchies = cgroup_v1_hierarchies(&count);
    for (size_t i = 0; i < count; i++)
        if (!mount_hierarchy(folder, &hierarchies[i], options, cgroup, err))
            return false;
    if ((options->set & MOUNT_ATTR_RDONLY) && !mount_set_attributes(folder, MOUNT_ATTR_RDONLY, 0, 0, false))
        return error_errno(err, "remount %s read-only", destination);
    return true;
}
