#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/networks.h"
#include "engine/spec.h"
#include "runtime/defaults.h"
#include "store/layer.h"

static struct oci_mount *find_mount(struct record_list *list, const char *destination, size_t *index)
{
    for (size_t i = 0; i < list->count; i++) {
        struct oci_mount *mount = RECORD_AT(*list, struct oci_mount, i);
        if (string_equal(mount->destination, destination)) {
            *index = i;
            return mount;
        }
    }
    return NULL;
}

/* A later mount replaces a default one at the same place. */
static struct oci_mount *put_mount(struct record_list *list, const char *destination, const char *type,
                                   const char *source)
{
    size_t index;
    if (find_mount(list, destination, &index))
        record_list_remove(list, &oci_mount_type, index);
    struct oci_mount *mount = record_list_add(list, &oci_mount_type);
    mount->destination = xstrdup(destination);
    mount->type = xstrdup(type);
    mount->source = xstrdup(source);
    return mount;
}

static void remove_option(struct oci_mount *mount, const char *option)
{
    for (size_t i = mount->options.count; i > 0; i--)
        if (string_equal(mount->options.items[i - 1], option))
            strlist_remove(&mount->options, i - 1);
}

static void add_default_mounts(const struct host_config *host, struct record_list *list)
{
    static const char *const kernel_mounts[] = {"/sys", "/sys/fs/cgroup"};
    size_t index;
    defaults_mounts(list, host->shm_size);
    for (size_t i = 0; i < ARRAY_SIZE(kernel_mounts) && host->privileged; i++) {
        struct oci_mount *mount = find_mount(list, kernel_mounts[i], &index);
        if (mount)
            remove_option(mount, "ro");
    }
}

/* --- /dev/shm and /dev/mqueue by IPC mode --- */

static bool add_shared_memory(struct container *container, struct record_list *list, struct error *err)
{
    const char *mode = container->record.host_config.ipc_mode;
    size_t index;
    struct oci_mount *mount;
    if (string_equal(mode, "none")) {
        if (find_mount(list, "/dev/shm", &index))
            record_list_remove(list, &oci_mount_type, index);
        return true;
    }
    if (string_equal(mode, "host")) {
        mount = put_mount(list, "/dev/shm", "bind", "/dev/shm");
        mount->options = strlist_split("rbind,rprivate,nosuid,noexec,nodev", ',');
        return true;
    }
    /* A shareable container has its shared memory in exec-root (itself in memory), so that others can mount it. */
    _cleanup_free_ char *owner = NULL;
    if (string_equal(mode, "shareable")) {
        owner = xstrdup(container->record.id);
    } else if (string_starts_with(mode, "container:")) {
        _cleanup_container_ struct container *other = container_find(container->engine, mode + 10, err);
        if (!other)
            return false;
        owner = xstrdup(other->record.id);
    } else {
        return true;
    }
    _cleanup_free_ char *folder = xasprintf("%s/%s", container->engine->options.exec_root, owner);
    _cleanup_free_ char *path = path_join(folder, "shm");
    if (string_equal(mode, "shareable") && !tree_remove(AT_FDCWD, path, err))
        return false;
    if (!directory_make(folder, 0700, err) || !directory_make(path, 01777, err))
        return false;
    if (chmod(path, 01777) < 0)
        return error_errno(err, "cannot set the mode of %s", path);
    mount = put_mount(list, "/dev/shm", "bind", path);
    mount->options = strlist_split("rbind,rprivate,nosuid,noexec,nodev", ',');
    return true;
}

/* --- /etc/hosts, /etc/hostname, /etc/resolv.conf --- */

/* After what the user asked for: a mount of the user's at one of them stays, and one at /etc does not hide them. */
static bool add_files(struct container *container, struct launch *launch, const struct record_map *endpoints,
                      struct record_list *list, struct error *err)
{
    static const char *const names[] = {"resolv.conf", "hostname", "hosts"};
    const char *mode = container->record.host_config.network_mode;
    _cleanup_container_ struct container *owner = NULL;
    if (string_starts_with(mode, "container:")) {
        owner = container_find(container->engine, mode + strlen("container:"), err);
        if (!owner)
            return false;
    } else {
        owner = container_ref(container);
        if (!networks_write_files(container, endpoints, err))
            return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *path = container_path(owner, names[i]);
        _cleanup_free_ char *destination = xasprintf("/etc/%s", names[i]);
        size_t index;
        if (find_mount(list, destination, &index))
            continue;
        struct oci_mount *mount = put_mount(list, destination, "bind", path);
        mount->options = strlist_split("rbind,rprivate", ',');
        if (container->record.host_config.readonly_rootfs)
            strlist_add(&mount->options, "ro");
    }
    return true;
}

/* Those that a start has written. */
static void add_present_files(struct container *container, struct record_list *list)
{
    static const char *const names[] = {"resolv.conf", "hostname", "hosts"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *path = container_path(container, names[i]);
        _cleanup_free_ char *destination = xasprintf("/etc/%s", names[i]);
        size_t index;
        if (access(path, F_OK) == 0 && !find_mount(list, destination, &index))
            put_mount(list, destination, "bind", path)->options = strlist_split("rbind,rprivate", ',');
    }
}

/* --- what the user asked for --- */

static unsigned depth_of(const char *path)
{
    unsigned depth = 0;
    for (; *path; path++)
        depth += *path == '/';
    return depth;
}

/* A mount comes after those that hold its target. */
static int by_depth(const void *left, const void *right)
{
    const struct oci_mount *a = left, *b = right;
    unsigned x = depth_of(a->destination), y = depth_of(b->destination);
    return x != y ? (x < y ? -1 : 1) : strcmp(a->destination, b->destination);
}

static bool make_source(const struct container_mount *mount, struct error *err)
{
    struct stat info;
    if (stat(mount->point.source, &info) == 0)
        return true;
    if (mount->is_source_made)
        return directory_make(mount->point.source, 0755, err) ||
               error_prefix(err, "error while creating mount source path '%s'", mount->point.source);
    return error_set(err, ERROR_INVALID, "invalid mount config for type \"bind\": bind source path does not exist: %s",
                     mount->point.source);
}

/* The line of the mount in /proc/self/mountinfo: "id parent dev root place options [shared:1 master:2 …] - …". */
static char *mount_line(uint64_t mount_id)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, "/proc/self/mountinfo", 16 << 20, &text, NULL))
        return NULL;
    _cleanup_free_ char *start = xasprintf("%llu ", (unsigned long long)mount_id);
    for (const char *line = strbuf_text(&text); *line; line += line[strcspn(line, "\n")] != '\0') {
        size_t length = strcspn(line, "\n");
        if (string_starts_with(line, start))
            return xstrndup(line, length);
        line += length;
    }
    return NULL;
}

/* As Docker: a mount cannot pass on what its source's mount does not have. */
static bool check_propagation(const char *source, const char *propagation, struct error *err)
{
    bool wants_shared = strstr(propagation, "shared") != NULL;
    struct statx status;
    if ((!wants_shared && !strstr(propagation, "slave")) || statx(AT_FDCWD, source, 0, STATX_MNT_ID, &status) < 0 ||
        !(status.stx_mask & STATX_MNT_ID))
        return true;
    _cleanup_free_ char *line = mount_line(status.stx_mnt_id);
    if (!line)
        return true;
    char *fields = strstr(line, " - ");
    if (fields)
        *fields = '\0';
    if (strstr(line, " shared:") || (!wants_shared && strstr(line, " master:")))
        return true;
    _cleanup_strlist_ struct strlist parts = strlist_split(line, ' ');
    return error_set(err, ERROR_INTERNAL, "path %s is mounted on %s but it is not a shared%s mount", source,
                     parts.count > 4 ? parts.items[4] : "/", wants_shared ? "" : " or slave");
}

/* In Docker's words. What may change until it is mounted cannot lead out of the volume either: the runtime looks the
   subpath up in the volume as if that were the root. */
static bool check_subpath(const struct container_mount *mount, struct error *err)
{
    const char *base = mount->point.source;
    _cleanup_close_ int root = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    _cleanup_close_ int found = (int)syscall(SYS_openat2, root, mount->subpath, &how, sizeof(how));
    if (found >= 0)
        return true;
    if (errno == EXDEV)
        return error_set(err, ERROR_INVALID, "path concatenation escapes the base directory, base: %s, subpath: %s",
                         base, mount->subpath);
    error_errno(err, "cannot access path %s/%s: lstat %s/%s", base, mount->subpath, base, mount->subpath);
    if (err)
        err->kind = ERROR_NOT_FOUND;
    return false;
}

static bool add_mount(const struct store *store, struct launch *launch, const struct container_mount *mount,
                      struct record_list *list, struct error *err)
{
    const struct mount_point *point = &mount->point;
    if (string_equal(point->type, "tmpfs")) {
        struct oci_mount *made = put_mount(list, point->destination, "tmpfs", "tmpfs");
        made->options = strlist_split("noexec,nosuid,nodev", ',');
        if (string_is_set(mount->tmpfs_options)) {
            _cleanup_strlist_ struct strlist more = strlist_split(mount->tmpfs_options, ',');
            for (size_t i = 0; i < more.count; i++)
                strlist_add(&made->options, more.items[i]);
        }
        return true;
    }
    if (mount->image_id) {
        struct oci_mount *made = put_mount(list, point->destination, "bind", string_or_empty(mount->subpath));
        for (size_t i = mount->image_layers.count; i-- > 0;)
            strlist_take(&made->lower, layer_path(store, mount->image_layers.items[i]));
        strlist_add(&made->options, "rprivate");
        strlist_add(&made->options, "ro");
        return true;
    }
    if (!make_source(mount, err) || (mount->subpath && !check_subpath(mount, err)))
        return false;
    struct oci_mount *made =
        put_mount(list, point->destination, "bind", mount->subpath ? mount->subpath : point->source);
    if (mount->subpath)
        made->source_root = xstrdup(point->source);
    const char *propagation = string_is_set(point->propagation) ? point->propagation : "rprivate";
    if (!check_propagation(point->source, propagation, err))
        return false;
    strlist_add(&made->options, mount->is_not_recursive ? "bind" : "rbind");
    strlist_add(&made->options, propagation);
    if (!point->is_writable)
        strlist_add(&made->options, mount->is_only_top_read_only ? "ro" : "rro");
    if (strstr(propagation, "shared"))
        string_replace(&launch->config.linux_.rootfs_propagation, "shared");
    else if (strstr(propagation, "slave") && !launch->config.linux_.rootfs_propagation)
        string_replace(&launch->config.linux_.rootfs_propagation, "rslave");
    return true;
}

static void add_tmpfs(const struct host_config *host, struct record_list *list)
{
    for (size_t i = 0; i < host->tmpfs.count; i++) {
        _cleanup_free_ char *destination = path_clean(host->tmpfs.items[i].key);
        struct oci_mount *made = put_mount(list, destination, "tmpfs", "tmpfs");
        made->options = strlist_split("noexec,nosuid,nodev", ',');
        const char *options = host->tmpfs.items[i].value;
        if (!string_is_set(options))
            continue;
        _cleanup_strlist_ struct strlist more = strlist_split(options, ',');
        for (size_t j = 0; j < more.count; j++)
            if (more.items[j][0])
                strlist_add(&made->options, more.items[j]);
    }
}

/* Moves all of `asked` behind what is in `list`, where a mount at the same place gives way. */
static void append_sorted(struct record_list *list, struct record_list *asked)
{
    if (asked->count)
        qsort(asked->items, asked->count, sizeof(struct oci_mount), by_depth);
    for (size_t i = 0; i < asked->count; i++) {
        struct oci_mount *mount = RECORD_AT(*asked, struct oci_mount, i);
        size_t index;
        if (find_mount(list, mount->destination, &index))
            record_list_remove(list, &oci_mount_type, index);
        *(struct oci_mount *)record_list_add(list, &oci_mount_type) = *mount;
        *mount = (struct oci_mount){0};
    }
}

/* As Docker: a read-only root makes the kernel's file systems read-only, too, except those that must be written. */
static void make_read_only(struct record_list *list)
{
    static const char *const names[] = {"/sys", "/sys/fs/cgroup"};
    size_t index;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct oci_mount *mount = find_mount(list, names[i], &index);
        if (mount && !strlist_contains(&mount->options, "ro"))
            strlist_add(&mount->options, "ro");
    }
}

bool spec_add_mounts(struct container *container, struct launch *launch, const struct record_map *endpoints,
                     struct error *err)
{
    const struct container_record *record = &container->record;
    struct record_list *list = &launch->config.mounts;
    add_default_mounts(&record->host_config, list);
    if (record->host_config.readonly_rootfs)
        make_read_only(list);
    if (!add_shared_memory(container, list, err))
        return false;
    struct record_list asked = {0};
    add_tmpfs(&record->host_config, &asked);
    bool is_good = true;
    for (size_t i = 0; i < record->mounts.count && is_good; i++)
        is_good = add_mount(container->engine->store, launch, RECORD_AT(record->mounts, struct container_mount, i),
                            &asked, err);
    is_good = is_good && add_files(container, launch, endpoints, &asked, err);
    if (is_good)
        append_sorted(list, &asked);
    record_list_release(&asked, &oci_mount_type);
    return is_good;
}

bool spec_add_view(struct container *container, bool has_volumes, struct launch *launch, struct error *err)
{
    const struct container_record *record = &container->record;
    launch->overlay.upper = container_path(container, "upper");
    launch->overlay.work = container_path(container, "work");
    launch->overlay.is_volatile = true; /* nobody waits for the disk after a copy */
    container_lower_folders(record, container->engine->store, &launch->overlay.lower);
    struct record_list asked = {0}, mounts = {0};
    bool is_good = true;
    container_lock(container);
    for (size_t i = 0; i < record->mounts.count && has_volumes; i++)
        record_copy(&container_mount_type, record_list_add(&mounts, &container_mount_type),
                    RECORD_AT(record->mounts, struct container_mount, i));
    container_unlock(container);
    for (size_t i = 0; i < mounts.count && is_good; i++) {
        const struct container_mount *mount = RECORD_AT(mounts, struct container_mount, i);
        is_good =
            string_equal(mount->point.type, "tmpfs") || add_mount(container->engine->store, launch, mount, &asked, err);
    }
    record_list_release(&mounts, &container_mount_type);
    string_replace(&launch->config.linux_.rootfs_propagation, NULL);
    if (is_good && has_volumes) {
        add_present_files(container, &asked);
        append_sorted(&launch->config.mounts, &asked);
    }
    record_list_release(&asked, &oci_mount_type);
    return is_good;
}

bool spec_live_mounts(const struct store *store, const struct record_list *mounts, struct record_list *out,
                      struct error *err)
{
    struct launch launch = {0};
    struct record_list asked = {0};
    bool is_good = true;
    for (size_t i = 0; i < mounts->count && is_good; i++)
        is_good = add_mount(store, &launch, RECORD_AT(*mounts, struct container_mount, i), &asked, err);
    if (is_good)
        append_sorted(out, &asked);
    record_list_release(&asked, &oci_mount_type);
    record_release(&launch_type, &launch);
    return is_good;
}
