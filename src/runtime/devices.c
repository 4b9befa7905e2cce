#include "runtime/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/mount_options.h"
#include "runtime/mounts.h"

bool devices_are_foreign(const struct record_list *mounts)
{
    for (size_t i = 0; i < mounts->count; i++) {
        const struct oci_mount *mount = RECORD_AT(*mounts, struct oci_mount, i);
        _cleanup_free_ char *destination = path_clean(string_or_empty(mount->destination));
        if (strcmp(destination, "/dev") == 0)
            return string_equal(mount->type, "bind") || strlist_contains(&mount->options, "bind") ||
                   strlist_contains(&mount->options, "rbind");
    }
    return false;
}

static bool create_defaults(int dev, struct error *err)
{
    static const struct {
        const char *name;
        unsigned major, minor;
    } nodes[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        if (mknodat(dev, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0 && errno != EEXIST)
            return error_errno(err, "error creating device nodes: mknod /dev/%s", nodes[i].name);
    }
    static const struct {
        const char *name, *target;
    } links[] = {{"fd", "/proc/self/fd"},
                 {"stdin", "/proc/self/fd/0"},
                 {"stdout", "/proc/self/fd/1"},
                 {"stderr", "/proc/self/fd/2"}};
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
            return error_errno(err, "error setting up ptmx: symlink %s /dev/%s", links[i].target, links[i].name);
    /* The one of the container's devpts, not the kernel's global one that an image may have brought. */
    if ((unlinkat(dev, "ptmx", 0) < 0 && errno != ENOENT) || symlinkat("pts/ptmx", dev, "ptmx") < 0)
        return error_errno(err, "error setting up ptmx");
    return true;
}

static bool create_device(int root, const struct oci_device *device, struct error *err)
{
    const char *path = string_or_empty(device->path), *type = string_or_empty(device->type);
    mode_t kind = strcmp(type, "b") == 0                             ? S_IFBLK
                  : strcmp(type, "c") == 0 || strcmp(type, "u") == 0 ? S_IFCHR
                  : strcmp(type, "p") == 0                           ? S_IFIFO
                                                                     : 0;
    const char *name = path_base(path);
    if (!kind || *path != '/' || !*name)
        return error_set(err, ERROR_INVALID, "'%s' is not a valid device type for %s", type, path);
    _cleanup_free_ char *parent = xstrndup(path, (size_t)(name - path));
    _cleanup_close_ int folder = make_directories_in_root(root, parent, 0755);
    if (folder < 0)
        return error_errno(err, "error creating device nodes: mkdir %s", parent);
    mode_t mode = device->file_mode.is_set ? (mode_t)device->file_mode.value & 07777 : 0666;
    if (mknodat(folder, name, kind | mode, makedev((unsigned)device->major, (unsigned)device->minor)) < 0) {
        /* A default one, asked for once more, or one that the image or an earlier start has brought. */
        if (errno != EEXIST)
            return error_errno(err, "error creating device nodes: mknod %s", path);
        if (unlinkat(folder, name, 0) < 0 ||
            mknodat(folder, name, kind | mode, makedev((unsigned)device->major, (unsigned)device->minor)) < 0)
            return error_errno(err, "error creating device nodes: mknod %s", path);
    }
    if ((device->uid.value || device->gid.value) &&
        fchownat(folder, name, (uid_t)device->uid.value, (gid_t)device->gid.value, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, "error creating device nodes: chown %s", path);
    return true;
}

bool devices_create(int root, const struct runtime_config *config, struct error *err)
{
    mode_t old = umask(0);
    bool is_done = true;
    if (!devices_are_foreign(&config->mounts)) {
        _cleanup_close_ int dev = mount_target(root, "/dev", true, err);
        is_done = dev >= 0 && create_defaults(dev, err);
        for (size_t i = 0; is_done && i < config->linux_.devices.count; i++)
            is_done = create_device(root, RECORD_AT(config->linux_.devices, struct oci_device, i), err);
    }
    umask(old);
    return is_done;
}
