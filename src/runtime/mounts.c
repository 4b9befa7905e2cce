#include "runtime/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/mount_options.h"
#include "runtime/root.h"

#define LINKS_MAXIMUM 40

static int set_option(int fs, const char *option)
{
    const char *equals = strchr(option, '=');
    if (!equals)
        return fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
    _cleanup_free_ char *name = xstrndup(option, (size_t)(equals - option));
    return fsconfig(fs, FSCONFIG_SET_STRING, name, equals + 1, 0);
}

int mount_new(const char *type, const char *source, const struct strlist *options, uint64_t attributes)
{
    _cleanup_close_ int fs = fsopen(type, FSOPEN_CLOEXEC);
    if (fs < 0)
        return -1;
    if (string_is_set(source) && fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
        return -1;
    for (size_t i = 0; i < options->count; i++)
        if (set_option(fs, options->items[i]) < 0)
            return -1;
    if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attributes);
}

int mount_clone(int directory, const char *path, bool is_recursive)
{
    return open_tree(directory, path,
                     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT | (is_recursive ? AT_RECURSIVE : 0) |
                         (*path ? 0 : AT_EMPTY_PATH));
}

bool mount_attach(int mount, int target)
{
    return move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0;
}

bool mount_set_attributes(int mount, uint64_t set, uint64_t clear, unsigned long propagation, bool is_recursive)
{
    if (!set && !clear && !propagation)
        return true;
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation & ~MS_REC};
    return mount_setattr(mount, "", AT_EMPTY_PATH | (is_recursive ? AT_RECURSIVE : 0), &attributes,
                         sizeof(attributes)) == 0;
}

/* Makes the empty file `target`, the folders above it too; where it is a link to what is not there, where that leads.
   What is there meanwhile is never opened: a container that runs may put a device there. */
static int make_file(int root, const char *target, int links)
{
    char link[4096];
    const char *name = path_base(target);
    _cleanup_free_ char *parent = xstrndup(target, (size_t)(name - target));
    _cleanup_close_ int folder = make_directories_in_root(root, *parent ? parent : "/", 0755);
    if (folder < 0)
        return -1;
    _cleanup_close_ int file = openat(folder, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0755);
    if (file >= 0)
        return openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (errno != EEXIST)
        return -1;
    int fd = open_in_root(root, target, O_PATH, 0);
    if (fd >= 0 || errno != ENOENT || links == 0)
        return fd;
    ssize_t length = readlinkat(folder, name, link, sizeof(link) - 1);
    if (length <= 0)
        return -1;
    link[length] = '\0';
    _cleanup_free_ char *next = *link == '/' ? xstrdup(link) : xasprintf("%s/%s", parent, link);
    return make_file(root, next, links - 1);
}

int mount_target(int root, const char *target, bool is_directory, struct error *err)
{
    int fd = open_in_root(root, target, O_PATH, 0);
    if (fd < 0 && errno == ENOENT)
        fd = is_directory ? make_directories_in_root(root, target, 0755) : make_file(root, target, LINKS_MAXIMUM);
    if (fd < 0)
        error_errno(err, "create mount destination for %s mount", target);
    return fd;
}

/* The flags of mount(2) that runc's message shows; its users search for it. */
static unsigned long shown_flags(const struct mount_options *options)
{
    return (options->is_bind ? MS_BIND : 0) | (options->is_recursive_bind ? MS_REC : 0) |
           (options->set & MOUNT_ATTR_RDONLY ? MS_RDONLY : 0) | (options->set & MOUNT_ATTR_NOSUID ? MS_NOSUID : 0) |
           (options->set & MOUNT_ATTR_NODEV ? MS_NODEV : 0) | (options->set & MOUNT_ATTR_NOEXEC ? MS_NOEXEC : 0);
}

static bool fail(const struct oci_mount *mount, const struct mount_options *options, struct error *err)
{
    return error_errno(err, "mount %s:%s, flags: 0x%lx", string_or_empty(mount->source), mount->destination,
                       shown_flags(options));
}

static bool set_propagation(const struct mount_options *options, int made)
{
    return !options->propagation ||
           mount_set_attributes(made, 0, 0, options->propagation, (options->propagation & MS_REC) != 0);
}

int mount_open_source(const struct oci_mount *mount)
{
    if (!mount->source_root)
        return open(string_or_empty(mount->source), O_PATH | O_CLOEXEC);
    _cleanup_close_ int root = open(mount->source_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? -1 : open_in_root(root, mount->source, O_PATH, 0);
}

/* A copy of the source's mount that is attached nowhere yet. */
static bool prepare_bind(struct prepared_mount *prepared, struct error *err)
{
    const struct oci_mount *mount = prepared->mount;
    const struct mount_options *options = &prepared->options;
    struct stat source;
    _cleanup_close_ int from = mount_open_source(mount);
    if (from < 0 || fstat(from, &source) < 0)
        return error_errno(err, "stat %s", string_or_empty(mount->source));
    prepared->is_directory = S_ISDIR(source.st_mode);
    prepared->tree = mount_clone(from, "", options->is_recursive_bind);
    if (prepared->tree < 0 || !mount_set_attributes(prepared->tree, options->set, options->clear, 0, false) ||
        !mount_set_attributes(prepared->tree, options->recursive_set, options->recursive_clear, 0, true))
        return fail(mount, options, err);
    return true;
}

static bool prepare_layers(struct prepared_mount *prepared, struct error *err)
{
    const struct oci_mount *mount = prepared->mount;
    struct stat status;
    prepared->options.is_bind = true;
    prepared->tree = root_open_layers(&mount->lower, mount->source, err);
    if (prepared->tree < 0)
        return false;
    if (fstat(prepared->tree, &status) < 0 ||
        !mount_set_attributes(prepared->tree, prepared->options.set, prepared->options.clear, 0, false))
        return fail(mount, &prepared->options, err);
    prepared->is_directory = S_ISDIR(status.st_mode);
    return true;
}

static bool attach_bind(int root, const struct prepared_mount *prepared, struct error *err)
{
    const struct oci_mount *mount = prepared->mount;
    _cleanup_close_ int target = mount_target(root, mount->destination, prepared->is_directory, err);
    if (target < 0)
        return false;
    struct stat place;
    if (fstat(target, &place) == 0 && S_ISDIR(place.st_mode) != prepared->is_directory) {
        errno = ENOTDIR;
        if (S_ISDIR(place.st_mode))
            return fail(mount, &prepared->options, err);
        return error_errno(err, "create mount destination for %s mount: cannot mkdir in %s", mount->destination,
                           mount->destination);
    }
    if (!mount_attach(prepared->tree, target) || !set_propagation(&prepared->options, prepared->tree))
        return fail(mount, &prepared->options, err);
    return true;
}

/* proc and sysfs on a place that a link of the image points at would let the image see or hide what it should not. */
static bool check_ordinary(int root, const struct oci_mount *mount, struct error *err)
{
    struct stat status;
    _cleanup_close_ int fd = open_in_root(root, mount->destination, O_PATH | O_NOFOLLOW, 0);
    if (fd >= 0 && fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
        return error_set(err, ERROR_INVALID, "filesystem \"%s\" must be mounted on ordinary directory", mount->type);
    return true;
}

static bool mount_filesystem(int root, struct prepared_mount *prepared, struct error *err)
{
    const struct oci_mount *mount = prepared->mount;
    struct mount_options *options = &prepared->options;
    if ((strcmp(mount->type, "proc") == 0 || strcmp(mount->type, "sysfs") == 0) && !check_ordinary(root, mount, err))
        return false;
    struct stat status;
    _cleanup_close_ int existing = open_in_root(root, mount->destination, O_PATH | O_DIRECTORY, 0);
    /* A tmpfs over a folder of the image takes on its mode, as runc has it. */
    if (strcmp(mount->type, "tmpfs") == 0 && existing >= 0 && !mount_options_data(options, "mode") &&
        fstat(existing, &status) == 0)
        strlist_addf(&options->data, "mode=%04o", (unsigned)status.st_mode & 07777);
    _cleanup_close_ int made_target = existing < 0 ? mount_target(root, mount->destination, true, err) : -1;
    if (existing < 0 && made_target < 0)
        return false;
    prepared->tree = mount_new(mount->type, mount->source, &options->data, options->set);
    if (prepared->tree < 0 || !mount_attach(prepared->tree, existing >= 0 ? existing : made_target) ||
        !set_propagation(options, prepared->tree))
        return fail(mount, options, err);
    return true;
}

/* As runc: who could cover /proc or what is in it would decide what the runtime and the container's tools believe. */
static bool check_proc(int root, const struct prepared_mount *prepared, struct error *err)
{
    const struct oci_mount *mount = prepared->mount;
    static const char *const fine[] = {"/proc/cpuinfo",
                                       "/proc/diskstats",
                                       "/proc/meminfo",
                                       "/proc/stat",
                                       "/proc/swaps",
                                       "/proc/uptime",
                                       "/proc/loadavg",
                                       "/proc/slabinfo",
                                       "/proc/net/dev",
                                       "/proc/sys/kernel/ns_last_pid",
                                       "/proc/sys/crypto/fips_enabled"};
    _cleanup_free_ char *place = path_clean(mount->destination);
    struct statfs status;
    if (strcmp(place, "/proc") == 0) {
        bool is_proc = prepared->tree >= 0 ? fstatfs(prepared->tree, &status) == 0 && status.f_type == PROC_SUPER_MAGIC
                                           : strcmp(mount->type, "proc") == 0;
        return is_proc ||
               error_set(err, ERROR_INVALID,
                         "create mount destination for %s mount: check proc-safety of %s mount: \"%s\" cannot "
                         "be mounted because it is not of type proc",
                         place, place, place);
    }
    if (!string_starts_with(place, "/proc/")) {
        /* A link of the image's may lead there, too. */
        _cleanup_close_ int target = open_in_root(root, place, O_PATH, 0);
        if (target < 0 || fstatfs(target, &status) < 0 || status.f_type != PROC_SUPER_MAGIC)
            return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
        if (strcmp(place, fine[i]) == 0)
            return true;
    return error_set(err, ERROR_INVALID,
                     "create mount destination for %s mount: check proc-safety of %s mount: \"%s\" cannot be mounted "
                     "because it is inside /proc",
                     place, place, place);
}

static bool fail_at(const struct oci_mount *mount, struct error *err)
{
    return error_prefix(err, "error mounting \"%s\" to rootfs at \"%s\"", string_or_empty(mount->source),
                        string_or_empty(mount->destination));
}

bool mount_prepare(const struct oci_mount *mount, struct prepared_mount *out, struct error *err)
{
    struct prepared_mount prepared = {.mount = mount, .tree = -1};
    const char *type = string_or_empty(mount->type);
    bool is_done = mount_options_parse(&mount->options, &prepared.options, err);
    if (is_done && !string_is_set(mount->destination))
        is_done = error_set(err, ERROR_INVALID, "a mount has no destination");
    prepared.options.is_bind |= strcmp(type, "bind") == 0 || strcmp(type, "none") == 0 || !*type;
    if (is_done && mount->lower.count)
        is_done = prepare_layers(&prepared, err);
    else if (is_done && prepared.options.is_bind)
        is_done = prepare_bind(&prepared, err);
    if (!is_done) {
        prepared_mount_release(&prepared);
        return fail_at(mount, err);
    }
    *out = prepared;
    return true;
}

void prepared_mount_release(struct prepared_mount *prepared)
{
    mount_options_release(&prepared->options);
    prepared->tree = close_fd(prepared->tree);
}

bool mount_put(int root, struct prepared_mount *prepared, const struct cgroup_view *cgroup, struct error *err)
{
    const struct oci_mount *mount = prepared->mount;
    const char *type = string_or_empty(mount->type);
    bool is_done = check_proc(root, prepared, err);
    if (is_done && prepared->options.is_bind)
        is_done = attach_bind(root, prepared, err);
    else if (is_done && (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0))
        is_done = mount_cgroup(root, mount->destination, &prepared->options, cgroup, err);
    else if (is_done)
        is_done = mount_filesystem(root, prepared, err);
    return is_done || fail_at(mount, err);
}

bool mount_one(int root, const struct oci_mount *mount, const struct cgroup_view *cgroup, struct error *err)
{
    struct prepared_mount prepared;
    if (!mount_prepare(mount, &prepared, err))
        return false;
    bool is_done = mount_put(root, &prepared, cgroup, err);
    prepared_mount_release(&prepared);
    return is_done;
}
