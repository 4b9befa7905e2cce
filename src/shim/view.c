#include "shim/view.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/file.h"
#include "runtime/mounts.h"
#include "runtime/root.h"

/* The root of a running container, as its own namespace has it, without what is mounted on it: a copy of that one
   mount, which is put anywhere in a namespace of our own. */
static int copy_root(int namespace, const char *place, struct error *err)
{
    _cleanup_close_ int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (own < 0 || setns(namespace, CLONE_NEWNS) < 0) {
        error_errno(err, "enter the container's mounts");
        return -1;
    }
    _cleanup_close_ int root = mount_clone(AT_FDCWD, "/", false);
    int saved = errno;
    if (setns(own, CLONE_NEWNS) < 0 || unshare(CLONE_NEWNS) < 0) {
        error_errno(err, "leave the container's mounts");
        return -1;
    }
    if (root < 0) {
        error_errno_value(err, saved, "copy the container's root");
        return -1;
    }
    _cleanup_close_ int target = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 || target < 0 || !mount_attach(root, target)) {
        error_errno(err, "mount the container's root");
        return -1;
    }
    return TAKE_FD(root);
}

static int make_root(const struct launch *launch, int namespace, struct error *err)
{
    if (namespace >= 0)
        return copy_root(namespace, launch->overlay.upper, err);
    if (unshare(CLONE_NEWNS) < 0) {
        error_errno(err, "unshare");
        return -1;
    }
    return root_mount(launch, err);
}

static bool make(const struct launch *launch, int namespace, struct error *err)
{
    _cleanup_close_ int root = make_root(launch, namespace, err);
    if (root < 0)
        return false;
    for (size_t i = 0; i < launch->config.mounts.count; i++)
        if (!mount_one(root, RECORD_AT(launch->config.mounts, struct oci_mount, i), NULL, err))
            return false;
    _cleanup_close_ int made = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (made < 0)
        return error_errno(err, "open /proc/self/ns/mnt");
    return message_send(SHIM_CHANNEL, MESSAGE_VIEWED, NULL, NULL, (int[]){root, made}, 2, err);
}

bool view_make(struct message *message, struct error *err)
{
    struct message_start head = {0};
    struct launch launch = {0};
    if (!message_expect(message, MESSAGE_VIEW, &message_start_type, &head, err))
        return false;
    if (head.fingerprint != record_fingerprint(&launch_type) || message->fd_count < 1)
        return error_set(err, ERROR_INTERNAL, "wherry-shim and wherryd are of different builds");
    bool is_made = payload_read(message->fds[0], &launch_type, &launch, err) &&
                   make(&launch, message->fd_count > 1 ? message->fds[1] : -1, err);
    record_release(&launch_type, &launch);
    return is_made;
}
