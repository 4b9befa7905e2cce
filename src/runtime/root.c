#include "runtime/root.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/mount_options.h"
#include "runtime/mounts.h"

/* mount(2) takes a page of options. */
#define MOUNT_DATA_LIMIT  4095
#define MOUNT_TABLE_LIMIT ((size_t)16 << 20)

/* Makes the mount that holds `path` private: what is mounted below it then stays in this namespace. mount(2) wants the
   mount's own root, so the path is shortened until it is one. */
static bool make_parent_private(const char *path)
{
    _cleanup_free_ char *at = xstrdup(path);
    for (;;) {
        if (mount(NULL, *at ? at : "/", NULL, MS_PRIVATE, NULL) == 0)
            return true;
        char *slash = strrchr(at, '/');
        if (errno != EINVAL || !slash || !*at)
            return false;
        *slash = '\0';
    }
}

/* In mount(2)'s string a ',' ends an option and a ':' a layer. */
static void add_escaped(struct strbuf *out, const char *path)
{
    for (; *path; path++) {
        if (*path == ':' || *path == ',' || *path == '\\')
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *path);
    }
}

static void format_overlay(const struct launch_overlay *overlay, struct strbuf *out)
{
    strbuf_add_string(out, "lowerdir=");
    for (size_t i = 0; i < overlay->lower.count; i++) {
        if (i)
            strbuf_add_char(out, ':');
        add_escaped(out, overlay->lower.items[i]);
    }
    if (!string_is_set(overlay->upper))
        return;
    strbuf_add_string(out, ",upperdir=");
    add_escaped(out, overlay->upper);
    strbuf_add_string(out, ",workdir=");
    add_escaped(out, overlay->work);
    if (overlay->is_volatile)
        strbuf_add_string(out, ",volatile");
}

/* The same folders under names that are short whatever their paths are, so that every number of layers fits in a page.
   The descriptors are put in `fds`, one for each layer, and have to stay open until the mount is made. */
static bool shorten_overlay(const struct launch_overlay *overlay, int *fds, struct launch_overlay *out,
                            struct error *err)
{
    for (size_t i = 0; i < overlay->lower.count; i++) {
        fds[i] = open(overlay->lower.items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fds[i] < 0)
            return error_errno(err, "open layer %s", overlay->lower.items[i]);
        strlist_addf(&out->lower, "/proc/self/fd/%d", fds[i]);
    }
    out->upper = overlay->upper;
    out->work = overlay->work;
    out->is_volatile = overlay->is_volatile;
    return true;
}

static bool mount_options_string(const char *data, const char *target, struct error *err)
{
    return mount("overlay", target, "overlay", 0, data) == 0 ||
           error_errno(err, "mount overlay:%s, data: %s", target, data);
}

/* A volatile mount leaves a mark that keeps the folders from being mounted again, since the machine may have crashed
   meanwhile. Such a container is removed then; this one has only been started again. */
static void forget_volatile(const struct launch_overlay *overlay)
{
    _cleanup_free_ char *mark = string_is_set(overlay->work) ? path_join(overlay->work, "work/incompat") : NULL;
    if (mark && access(mark, F_OK) == 0)
        tree_remove(AT_FDCWD, mark, NULL);
}

static bool mount_overlay(const struct launch_overlay *overlay, const char *target, struct error *err)
{
    forget_volatile(overlay);
    _cleanup_strbuf_ struct strbuf data = STRBUF_INIT;
    format_overlay(overlay, &data);
    if (data.length <= MOUNT_DATA_LIMIT)
        return mount_options_string(strbuf_text(&data), target, err);
    strbuf_truncate(&data, 0);
    struct launch_overlay shortened = {0};
    _cleanup_free_ int *fds = xmalloc(overlay->lower.count * sizeof(int));
    for (size_t i = 0; i < overlay->lower.count; i++)
        fds[i] = -1;
    bool is_mounted = shorten_overlay(overlay, fds, &shortened, err);
    if (is_mounted) {
        format_overlay(&shortened, &data);
        is_mounted = mount_options_string(strbuf_text(&data), target, err);
    }
    for (size_t i = 0; i < overlay->lower.count; i++)
        close_fd(fds[i]);
    strlist_release(&shortened.lower);
    return is_mounted;
}

/* Any folder will do to mount the overlay on: nobody else sees it there. */
static const char *place_of(const struct launch *launch)
{
    if (string_is_set(launch->config.root.path))
        return launch->config.root.path;
    return string_is_set(launch->overlay.upper) ? launch->overlay.upper : launch->overlay.lower.items[0];
}

int root_mount(const struct launch *launch, struct error *err)
{
    unsigned long propagation = MS_SLAVE | MS_REC;
    const char *wanted = launch->config.linux_.rootfs_propagation;
    if (string_is_set(wanted) && !propagation_parse(wanted, &propagation)) {
        error_set(err, ERROR_INVALID, "rootfsPropagation=%s is not supported", wanted);
        return -1;
    }
    /* Slave unless asked otherwise: mounts of the host still arrive in volumes that want them, none leaves. */
    bool is_shared = (propagation & MS_SHARED) != 0;
    if (mount(NULL, "/", NULL, (propagation & MS_UNBINDABLE ? MS_PRIVATE : propagation & ~MS_REC) | MS_REC, NULL) < 0) {
        error_errno(err, "make / %s", string_is_set(wanted) ? wanted : "rslave");
        return -1;
    }
    bool has_overlay = launch->overlay.lower.count > 0;
    if (!has_overlay && !string_is_set(launch->config.root.path)) {
        error_set(err, ERROR_INVALID, "the container has no root");
        return -1;
    }
    const char *place = place_of(launch);
    if (is_shared && !make_parent_private(place)) {
        error_errno(err, "make the mount of %s private", place);
        return -1;
    }
    if (has_overlay && !mount_overlay(&launch->overlay, place, err))
        return -1;
    if (!has_overlay && mount(place, place, NULL, MS_BIND | MS_REC, NULL) < 0) {
        error_errno(err, "mount %s:%s", place, place);
        return -1;
    }
    if (!has_overlay && is_shared && mount(NULL, place, NULL, MS_PRIVATE, NULL) < 0) {
        error_errno(err, "make %s private", place);
        return -1;
    }
    int root = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        error_errno(err, "open %s", place);
    return root;
}

/* Would what is mounted below the path be seen elsewhere? */
static bool is_shared_place(const char *path)
{
    struct statx status;
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &status) < 0 ||
        !file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNT_TABLE_LIMIT, &text, NULL))
        return true;
    _cleanup_strlist_ struct strlist lines = strlist_split(strbuf_text(&text), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        char *end = NULL;
        if (strtoull(lines.items[i], &end, 10) != status.stx_mnt_id || *end != ' ')
            continue;
        char *rest = strstr(lines.items[i], " - ");
        if (rest)
            *rest = '\0';
        return strstr(lines.items[i], " shared:") != NULL;
    }
    return true;
}

static int copy_path(const char *place, const char *path, struct error *err)
{
    _cleanup_close_ int root = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int found = root < 0 ? -1 : open_in_root(root, string_is_set(path) ? path : "/", O_PATH, 0);
    int copy = found < 0 ? -1 : mount_clone(found, "", false);
    if (copy < 0)
        error_errno(err, "open %s in the image", string_is_set(path) ? path : "/");
    return copy;
}

int root_open_layers(const struct strlist *lower, const char *path, struct error *err)
{
    /* An overlay takes two layers at least; where there is one it hides nothing. */
    const char *place = lower->items[0];
    if (lower->count == 1)
        return copy_path(place, path, err);
    if (is_shared_place(place) && !make_parent_private(place)) {
        error_errno(err, "make the mount of %s private", place);
        return -1;
    }
    if (!mount_overlay(&(struct launch_overlay){.lower = *lower}, place, err))
        return -1;
    int copy = copy_path(place, path, err);
    umount2(place, MNT_DETACH);
    return copy;
}

void root_mark(int root)
{
    _cleanup_close_ int mark = openat(root, ".dockerenv", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    _cleanup_close_ int folder = make_directories_in_root(root, "/etc", 0755);
    if (mark >= 0)
        (void)fchmod(mark, 0755);
    if (folder >= 0)
        (void)!symlinkat("/proc/mounts", folder, "mtab");
}

bool root_enter(int root, const char *propagation, struct error *err)
{
    /* With the same folder for both, the old root ends up on top of the new one, and detaching it uncovers that. */
    if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return error_errno(err, "pivot_root");
    if (mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return error_errno(err, "detach the host's root");
    unsigned long flags = 0;
    if (string_is_set(propagation) && propagation_parse(propagation, &flags) && mount(NULL, "/", NULL, flags, NULL) < 0)
        return error_errno(err, "unable to apply root propagation flags");
    return true;
}

static bool is_missing(int errno_value)
{
    return errno_value == ENOENT || errno_value == ENOTDIR;
}

/* One empty, read-only tmpfs serves all masked folders: the first has the mount itself, the others copies. (Before
   Linux 6.15 a mount that is not attached anywhere cannot be copied.) */
static int cover_folder(int *empty)
{
    if (*empty >= 0)
        return mount_clone(*empty, "", false);
    _cleanup_strlist_ struct strlist options = {0};
    *empty = mount_new("tmpfs", "tmpfs", &options, MOUNT_ATTR_RDONLY);
    return *empty < 0 ? -1 : fcntl(*empty, F_DUPFD_CLOEXEC, 3);
}

static bool mask(const char *path, int *empty, struct error *err)
{
    _cleanup_close_ int target = open(path, O_PATH | O_CLOEXEC);
    struct stat status;
    if (target < 0 && is_missing(errno))
        return true;
    if (target < 0 || fstat(target, &status) < 0)
        return error_errno(err, "can't mask path \"%s\"", path);
    _cleanup_close_ int cover =
        S_ISDIR(status.st_mode) ? cover_folder(empty) : mount_clone(AT_FDCWD, "/dev/null", false);
    if (cover < 0 || !mount_attach(cover, target))
        return error_errno(err, "can't mask path \"%s\"", path);
    return true;
}

static bool make_readonly(const char *path, struct error *err)
{
    _cleanup_close_ int target = open(path, O_PATH | O_CLOEXEC);
    if (target < 0 && is_missing(errno))
        return true;
    _cleanup_close_ int made = target < 0 ? -1 : mount_clone(target, "", true);
    if (made < 0 || !mount_set_attributes(made, MOUNT_ATTR_RDONLY, 0, 0, false) || !mount_attach(made, target))
        return error_errno(err, "can't make \"%s\" read-only", path);
    return true;
}

bool root_protect(const struct oci_linux *config, bool is_readonly, struct error *err)
{
    if (is_readonly) {
        struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
        if (mount_setattr(AT_FDCWD, "/", 0, &attributes, sizeof(attributes)) < 0)
            return error_errno(err, "error setting rootfs as readonly");
    }
    for (size_t i = 0; i < config->readonly_paths.count; i++)
        if (!make_readonly(config->readonly_paths.items[i], err))
            return false;
    _cleanup_close_ int empty = -1;
    for (size_t i = 0; i < config->masked_paths.count; i++)
        if (!mask(config->masked_paths.items[i], &empty, err))
            return false;
    return true;
}
