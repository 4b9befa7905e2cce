#include "engine/changes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/engine_state.h"

void change_list_release(struct change_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].path);
    free(list->items);
    *list = (struct change_list){0};
}

/* A folder of the container's layer whose names are being gone through. */
struct level {
    struct strlist names;
    size_t next;
    size_t path_length;
    size_t changes; /* how many there were when it was entered */
    bool is_new;    /* nothing below it is in the image */
    bool is_listed; /* is in the list already */
};

struct search {
    int upper;
    int *lower; /* the image's layers, topmost first */
    size_t lower_count;
    struct level *levels;
    size_t depth;
    struct strbuf path; /* "" is the root, "/a/b" below it */
    struct change_list list;
};

static bool is_whiteout(const struct stat *status)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == makedev(0, 0);
}

static bool is_opaque(int folder)
{
    char value = 0;
    return fgetxattr(folder, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

/* What each start makes, and Docker has in a layer below the container's own. */
static bool is_made_by_start(const char *path, const struct stat *now, bool was_there)
{
    static const struct {
        const char *path;
        mode_t type;
        bool is_parent; /* made where the image has none; otherwise the container's business */
    } made[] = {
        {"/.dockerenv", S_IFREG, false},      {"/dev", S_IFDIR, true},        {"/dev/console", S_IFREG, false},
        {"/dev/pts", S_IFDIR, false},         {"/dev/shm", S_IFDIR, false},   {"/etc", S_IFDIR, true},
        {"/etc/hostname", S_IFREG, false},    {"/etc/hosts", S_IFREG, false}, {"/etc/mtab", S_IFLNK, false},
        {"/etc/resolv.conf", S_IFREG, false}, {"/proc", S_IFDIR, false},      {"/sys", S_IFDIR, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(made); i++)
        if (strcmp(path, made[i].path) == 0)
            return (now->st_mode & S_IFMT) == made[i].type && (!made[i].is_parent || !was_there) &&
                   (made[i].type != S_IFREG || now->st_size == 0);
    return false;
}

static void add(struct search *search, const char *path, enum change_kind kind)
{
    *APPEND(search->list.items, search->list.count) = (struct change){xstrdup(path), kind};
}

/* What the image has at the path, or false. A layer hides those below it with a whiteout, an opaque folder, or
   something that is no folder. */
static bool find_in_image(const struct search *search, const char *path, struct stat *out)
{
    for (size_t i = 0; i < search->lower_count; i++) {
        _cleanup_free_ char *partial = xstrdup(path + 1);
        for (char *slash = partial;; slash++) {
            slash = strchrnul(slash, '/');
            bool is_last = !*slash;
            *slash = '\0';
            struct stat status;
            _cleanup_close_ int fd =
                open_beneath(search->lower[i], partial, (is_last ? O_PATH : O_RDONLY | O_DIRECTORY) | O_NOFOLLOW);
            if (fd < 0 && errno != ENOENT)
                return false; /* no folder, where one would have to be */
            if (fd < 0)
                break; /* this layer says nothing */
            if (fstat(fd, &status) < 0 || is_whiteout(&status))
                return false;
            if (is_last) {
                *out = status;
                return true;
            }
            if (is_opaque(fd) && i + 1 < search->lower_count) {
                /* Only what this layer itself has below this folder counts. */
                *slash = '/';
                _cleanup_close_ int found = open_beneath(search->lower[i], path + 1, O_PATH | O_NOFOLLOW);
                return found >= 0 && fstat(found, out) == 0 && !is_whiteout(out);
            }
            *slash = '/';
        }
    }
    return false;
}

static bool is_different(const struct stat *now, const struct stat *before)
{
    if (now->st_mode != before->st_mode || now->st_uid != before->st_uid || now->st_gid != before->st_gid ||
        now->st_rdev != before->st_rdev)
        return true;
    bool is_folder = S_ISDIR(now->st_mode);
    return !is_folder &&
           (now->st_size != before->st_size || now->st_mtim.tv_sec != before->st_mtim.tv_sec ||
            (now->st_mtim.tv_nsec != before->st_mtim.tv_nsec && now->st_mtim.tv_nsec && before->st_mtim.tv_nsec));
}

static bool read_names(int folder, struct strlist *out, struct error *err)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        close_fd(copy);
        return error_errno(err, "read the container's layer");
    }
    const struct dirent *entry;
    while ((entry = readdir(stream)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            strlist_add(out, entry->d_name);
    closedir(stream);
    strlist_sort(out);
    return true;
}

/* The names that the image has in a folder which the container's layer hides as a whole. */
static void add_hidden_names(struct search *search, const char *path, struct strlist *names)
{
    for (size_t i = 0; i < search->lower_count; i++) {
        _cleanup_close_ int fd = open_beneath(search->lower[i], *path ? path + 1 : ".", O_RDONLY | O_DIRECTORY);
        _cleanup_strlist_ struct strlist here = {0};
        if (fd < 0 || !read_names(fd, &here, NULL))
            continue;
        for (size_t j = 0; j < here.count; j++) {
            _cleanup_free_ char *inner = xasprintf("%s/%s", path, here.items[j]);
            struct stat status;
            if (!strlist_contains(names, here.items[j]) && find_in_image(search, inner, &status))
                strlist_add(names, here.items[j]);
        }
    }
    strlist_sort(names);
}

static bool push(struct search *search, int fd, bool is_new, bool is_listed, struct error *err)
{
    struct level *level = APPEND(search->levels, search->depth);
    level->path_length = search->path.length;
    level->changes = search->list.count;
    level->is_new = is_new;
    level->is_listed = is_listed;
    if (!read_names(fd, &level->names, err))
        return false;
    if (!is_new && is_opaque(fd))
        add_hidden_names(search, strbuf_text(&search->path), &level->names);
    return true;
}

/* A folder in which something changed has changed too, and comes before what is in it. */
static void pop(struct search *search)
{
    struct level *level = &search->levels[search->depth - 1];
    strbuf_truncate(&search->path, level->path_length);
    if (search->list.count > level->changes && !level->is_listed && search->path.length) {
        add(search, strbuf_text(&search->path), CHANGE_MODIFIED);
        struct change *items = search->list.items;
        struct change last = items[search->list.count - 1];
        memmove(&items[level->changes + 1], &items[level->changes],
                (search->list.count - 1 - level->changes) * sizeof(*items));
        items[level->changes] = last;
    }
    strlist_release(&level->names);
    search->depth--;
}

static bool step(struct search *search, struct error *err)
{
    struct level *level = &search->levels[search->depth - 1];
    if (level->next == level->names.count) {
        pop(search);
        return true;
    }
    bool is_new = level->is_new;
    const char *name = level->names.items[level->next++];
    strbuf_truncate(&search->path, level->path_length);
    strbuf_addf(&search->path, "/%s", name);
    const char *path = strbuf_text(&search->path);
    struct stat now, before;
    _cleanup_close_ int fd = open_beneath(search->upper, path + 1, O_PATH | O_NOFOLLOW);
    bool is_there = fd >= 0 && fstat(fd, &now) == 0;
    bool was_there = !is_new && find_in_image(search, path, &before);
    if (!is_there || is_whiteout(&now)) {
        /* Gone since its name was read, or hidden with its folder, or removed. */
        if (was_there)
            add(search, path, CHANGE_DELETED);
        return true;
    }
    bool is_listed = !is_made_by_start(path, &now, was_there) && (!was_there || is_different(&now, &before));
    if (is_listed)
        add(search, path, was_there ? CHANGE_MODIFIED : CHANGE_ADDED);
    if (!S_ISDIR(now.st_mode))
        return true;
    _cleanup_close_ int folder = open_beneath(search->upper, path + 1, O_RDONLY | O_DIRECTORY);
    bool had_folder = was_there && S_ISDIR(before.st_mode);
    return folder < 0 || push(search, folder, !had_folder, is_listed, err);
}

static bool find_all(struct search *search, struct container *container, struct error *err)
{
    _cleanup_free_ char *upper = container_path(container, "upper");
    search->upper = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (search->upper < 0)
        return error_errno(err, "open %s", upper);
    _cleanup_strlist_ struct strlist folders = {0};
    container_lower_folders(&container->record, container->engine->store, &folders);
    search->lower = xcalloc(folders.count + 1, sizeof(int));
    for (; search->lower_count < folders.count; search->lower_count++) {
        int fd = open(folders.items[search->lower_count], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return error_errno(err, "open %s", folders.items[search->lower_count]);
        search->lower[search->lower_count] = fd;
    }
    if (!push(search, search->upper, false, false, err))
        return false;
    while (search->depth)
        if (!step(search, err))
            return false;
    return true;
}

bool changes_find(struct container *container, struct change_list *out, struct error *err)
{
    struct search search = {.upper = -1};
    bool is_done = find_all(&search, container, err);
    for (size_t i = 0; i < search.depth; i++)
        strlist_release(&search.levels[i].names);
    for (size_t i = 0; i < search.lower_count; i++)
        close_fd(search.lower[i]);
    free(search.lower);
    free(search.levels);
    close_fd(search.upper);
    strbuf_release(&search.path);
    if (is_done)
        *out = search.list;
    else
        change_list_release(&search.list);
    return is_done;
}

bool container_changes(struct engine *engine, const char *reference, struct change_list *out, struct error *err)
{
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    return container && changes_find(container, out, err);
}
