#include "engine/copy_up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/memory.h"

static bool is_whiteout(const struct stat *info)
{
    return S_ISCHR(info->st_mode) && info->st_rdev == makedev(0, 0);
}

static bool is_opaque(int folder)
{
    char value = 0;
    return fgetxattr(folder, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

/* Everything in the folder goes, the folder stays. */
static bool clear_folder(int folder, struct error *err)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        close_fd(copy);
        return error_errno(err, "cannot read the volume");
    }
    bool is_good = true;
    const struct dirent *entry;
    while (is_good && (entry = readdir(stream)))
        if (!string_equal(entry->d_name, ".") && !string_equal(entry->d_name, ".."))
            is_good = tree_remove(folder, entry->d_name, err);
    closedir(stream);
    return is_good;
}

static void copy_xattrs(int from, int to)
{
    char names[4096], value[4096];
    ssize_t length = flistxattr(from, names, sizeof(names));
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
        if (string_starts_with(names + at, "trusted.overlay."))
            continue;
        ssize_t size = fgetxattr(from, names + at, value, sizeof(value));
        if (size >= 0)
            (void)fsetxattr(to, names + at, value, (size_t)size, 0);
    }
}

static bool copy_attributes(int from, int to, const struct stat *info)
{
    const struct timespec times[] = {info->st_atim, info->st_mtim};
    if (fchown(to, info->st_uid, info->st_gid) < 0 || fchmod(to, info->st_mode & 07777) < 0)
        return false;
    copy_xattrs(from, to);
    return futimens(to, times) == 0;
}

static bool copy_file(int from_folder, int to_folder, const char *name, const struct stat *info)
{
    _cleanup_close_ int from = openat(from_folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_close_ int to = openat(to_folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (from < 0 || to < 0)
        return false;
    char block[65536];
    ssize_t length;
    while ((length = read_full(from, block, sizeof(block))) > 0)
        if (write_full(to, block, (size_t)length) < 0)
            return false;
    return length == 0 && copy_attributes(from, to, info);
}

static bool copy_special(int from_folder, int to_folder, const char *name, const struct stat *info)
{
    if (S_ISLNK(info->st_mode)) {
        char target[4096];
        ssize_t length = readlinkat(from_folder, name, target, sizeof(target) - 1);
        if (length < 0)
            return false;
        target[length] = '\0';
        if (symlinkat(target, to_folder, name) < 0)
            return false;
    } else if (mknodat(to_folder, name, info->st_mode, info->st_rdev) < 0) {
        return false;
    } else if (fchmodat(to_folder, name, info->st_mode & 07777, 0) < 0) {
        return false;
    }
    const struct timespec times[] = {info->st_atim, info->st_mtim};
    return fchownat(to_folder, name, info->st_uid, info->st_gid, AT_SYMLINK_NOFOLLOW) == 0 &&
           utimensat(to_folder, name, times, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool merge_folder(int from, int to, struct error *err);

static bool merge_entry(int from, int to, const char *name, struct error *err)
{
    struct stat info, present;
    if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, "cannot read %s", name);
    bool is_there = fstatat(to, name, &present, AT_SYMLINK_NOFOLLOW) == 0;
    bool is_folder = S_ISDIR(info.st_mode);
    if (is_there && !(is_folder && S_ISDIR(present.st_mode)) && !tree_remove(to, name, err))
        return false;
    if (is_whiteout(&info))
        return true;
    if (!is_folder) {
        bool is_copied = S_ISREG(info.st_mode) ? copy_file(from, to, name, &info) : copy_special(from, to, name, &info);
        return is_copied || error_errno(err, "cannot copy %s", name);
    }
    if (mkdirat(to, name, 0700) < 0 && errno != EEXIST)
        return error_errno(err, "cannot make %s", name);
    _cleanup_close_ int inner_from = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_close_ int inner_to = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner_from < 0 || inner_to < 0)
        return error_errno(err, "cannot open %s", name);
    return merge_folder(inner_from, inner_to, err);
}

/* Lays the folder of a layer over what is there. */
static bool merge_folder(int from, int to, struct error *err)
{
    if (is_opaque(from) && !clear_folder(to, err))
        return false;
    int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        close_fd(copy);
        return error_errno(err, "cannot read a layer");
    }
    bool is_good = true;
    const struct dirent *entry;
    while (is_good && (entry = readdir(stream)))
        if (!string_equal(entry->d_name, ".") && !string_equal(entry->d_name, ".."))
            is_good = merge_entry(from, to, entry->d_name, err);
    closedir(stream);
    struct stat info;
    return is_good && ((fstat(from, &info) == 0 && copy_attributes(from, to, &info)) ||
                       error_errno(err, "cannot set the attributes of a folder"));
}

/* Does this layer hide what the layers below it have at the path? */
static bool hides_lower(int root, const char *path)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(path + 1, '/');
    _cleanup_strbuf_ struct strbuf prefix = STRBUF_INIT;
    for (size_t i = 0; i < parts.count; i++) {
        strbuf_addf(&prefix, "%s%s", i ? "/" : "", parts.items[i]);
        struct stat info;
        if (fstatat(root, strbuf_text(&prefix), &info, AT_SYMLINK_NOFOLLOW) < 0)
            return false;
        if (!S_ISDIR(info.st_mode))
            return !S_ISLNK(info.st_mode);
        _cleanup_close_ int folder = openat(root, strbuf_text(&prefix), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0 && is_opaque(folder))
            return true;
    }
    return false;
}

bool copy_up(const struct strlist *layers, const char *path, const char *destination, struct error *err)
{
    _cleanup_close_ int to = open(destination, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (to < 0)
        return error_errno(err, "cannot open %s", destination);
    for (size_t i = layers->count; i > 0; i--) {
        _cleanup_close_ int root = open(layers->items[i - 1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
            return error_errno(err, "cannot open %s", layers->items[i - 1]);
        if (hides_lower(root, path) && !clear_folder(to, err))
            return false;
        _cleanup_close_ int from = open_in_root(root, path, O_RDONLY | O_DIRECTORY, 0);
        if (from >= 0 && !merge_folder(from, to, err))
            return false;
    }
    return true;
}
