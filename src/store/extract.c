#include "store/extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/extract_path.h"

#define WHITEOUT_PREFIX      ".wh."
#define WHITEOUT_OPAQUE      ".wh..wh..opq"
#define OPAQUE_XATTR         "trusted.overlay.opaque"
#define DISK_CHECK_INTERVAL  ((uint64_t)64 << 20)
#define OVERLAY_XATTR_PREFIX "trusted.overlay."

/* A folder's times are set when nothing is put into it any more. */
struct folder_times {
    char *path;
    struct timespec times[2];
};

struct extractor {
    extract_read read;
    void *context;
    uint64_t bytes_read;
    bool is_broken; /* the stream failed, as opposed to: the tar is wrong */
    struct archive *archive;
    struct folders folders;
    struct folder_times *folder_times;
    size_t folder_times_count;
    uint64_t entries;
    uint64_t written; /* bytes */
    uint64_t written_at_check;
    int64_t size;
    char name[PATH_MAX]; /* the entry's, cleaned */
};

/* Where an entry goes: a folder that is open, and a name that is neither "", "." nor "..". */
struct place {
    int folder; /* borrowed */
    const char *name;
};

static la_ssize_t read_stream(struct archive *archive, void *context, const void **data)
{
    struct extractor *extractor = context;
    ssize_t n = extractor->read(extractor->context, data);
    if (n < 0) {
        extractor->is_broken = true;
        archive_set_error(archive, EIO, "the stream broke");
        return ARCHIVE_FATAL;
    }
    extractor->bytes_read += (uint64_t)n;
    return n;
}

#define TAR_BLOCK 512 /* less than one is a cut-off archive, more that makes no sense is a wrong one */

/* What Docker says of a broken tar (the messages are those of Go's archive/tar). */
static bool fail_archive(struct extractor *extractor, struct error *err)
{
    const char *text = string_or_empty(archive_error_string(extractor->archive));
    if (extractor->is_broken)
        return error_set(err, ERROR_CANCELLED, "the stream broke");
    if (strstr(text, "runcated") || extractor->bytes_read < TAR_BLOCK)
        return error_set(err, ERROR_INVALID, "unexpected EOF");
    return error_set(err, ERROR_INVALID, "archive/tar: invalid tar header");
}

static bool find_place(struct extractor *extractor, const char *path, struct place *place, struct error *err)
{
    const char *base = path_base(path);
    char parent[PATH_MAX];
    size_t length = base > path ? (size_t)(base - path) - 1 : 0;
    memcpy(parent, path, length);
    parent[length] = '\0';
    int folder = folders_open(&extractor->folders, parent, err);
    if (folder < 0)
        return false;
    *place = (struct place){folder, base};
    return true;
}

/* After EEXIST: an entry replaces an earlier one, only folders merge. */
static bool make_room(struct extractor *extractor, struct place *place, bool *was_whiteout, struct error *err)
{
    struct stat status;
    if (fstatat(place->folder, place->name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        extract_remove(place->folder, place->name, &extractor->size) < 0)
        return error_errno(err, "replace /%s", extractor->name);
    *was_whiteout = S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
    /* A folder that is kept open may be the one that went, and place's own is borrowed from the same list. */
    if (S_ISDIR(status.st_mode) || S_ISLNK(status.st_mode)) {
        folders_forget(&extractor->folders);
        return find_place(extractor, extractor->name, place, err);
    }
    return true;
}

/* The name of an entry for calls that know no folder descriptor. Only the last part is not followed, and the first is
   our own descriptor. */
static const char *proc_path(const struct place *place, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "/proc/self/fd/%d/%s", place->folder, place->name);
    return path;
}

static bool set_xattrs(struct extractor *extractor, struct archive_entry *entry, const struct place *place, int fd,
                       struct error *err)
{
    const char *key;
    const void *value;
    size_t length;
    archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &key, &value, &length) == ARCHIVE_OK) {
        /* These are how overlayfs itself speaks (redirects, opaque folders): a tar has whiteouts to say so. */
        if (string_starts_with(key, OVERLAY_XATTR_PREFIX))
            continue;
        char path[PATH_MAX];
        int result =
            fd >= 0 ? fsetxattr(fd, key, value, length, 0) : lsetxattr(proc_path(place, path), key, value, length, 0);
        if (result < 0)
            return error_errno(err, "lsetxattr %s /%s", key, extractor->name);
    }
    return true;
}

static void get_times(struct archive_entry *entry, struct timespec times[2])
{
    times[1] = (struct timespec){archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
    times[0] = times[1];
    if (archive_entry_atime_is_set(entry) && archive_entry_atime(entry) > archive_entry_mtime(entry))
        times[0] = (struct timespec){archive_entry_atime(entry), archive_entry_atime_nsec(entry)};
}

static mode_t get_mode(struct archive_entry *entry)
{
    return archive_entry_perm(entry) & 07777;
}

/* Owner, xattrs, mode and times, in this order: a change of owner clears set-id bits and file capabilities. `fd` is the
   open file, or -1: then the entry is named by place. A file that was made just now belongs to 0:0 already. */
static bool set_attributes(struct extractor *extractor, struct archive_entry *entry, const struct place *place, int fd,
                           struct error *err)
{
    int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
    if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
        return error_set(err, ERROR_INVALID, "lchown /%s: invalid argument", extractor->name);
    bool is_link = archive_entry_filetype(entry) == AE_IFLNK, is_folder = archive_entry_filetype(entry) == AE_IFDIR;
    bool is_new = !is_folder && !archive_entry_hardlink(entry);
    if ((uid || gid || !is_new) &&
        (fd >= 0 ? fchown(fd, (uid_t)uid, (gid_t)gid)
                 : fchownat(place->folder, place->name, (uid_t)uid, (gid_t)gid, AT_SYMLINK_NOFOLLOW)) < 0)
        return error_errno(err, "lchown /%s", extractor->name);
    if (archive_entry_xattr_count(entry) && !set_xattrs(extractor, entry, place, fd, err))
        return false;
    if (!is_link &&
        (fd >= 0 ? fchmod(fd, get_mode(entry)) : fchmodat(place->folder, place->name, get_mode(entry), 0)) < 0)
        return error_errno(err, "chmod /%s", extractor->name);
    struct timespec times[2];
    get_times(entry, times);
    if (is_folder) {
        struct folder_times *later = APPEND(extractor->folder_times, extractor->folder_times_count);
        later->path = xstrdup(extractor->name);
        memcpy(later->times, times, sizeof(times));
        return true;
    }
    if ((fd >= 0 ? futimens(fd, times) : utimensat(place->folder, place->name, times, AT_SYMLINK_NOFOLLOW)) < 0)
        return error_errno(err, "chtimes /%s", extractor->name);
    return true;
}

static bool check_disk(struct extractor *extractor, struct error *err)
{
    extractor->written_at_check = extractor->written;
    struct statvfs disk;
    if (fstatvfs(extractor->folders.root, &disk) < 0)
        return error_errno(err, "statvfs");
    if ((uint64_t)disk.f_bavail * disk.f_frsize < EXTRACT_DISK_RESERVE)
        return error_set(err, ERROR_INTERNAL, "write /%s: no space left on device", extractor->name);
    return true;
}

static bool write_content(struct extractor *extractor, struct archive_entry *entry, int fd, struct error *err)
{
    int64_t end = 0;
    for (;;) {
        const void *data;
        size_t length;
        la_int64_t offset;
        int code = archive_read_data_block(extractor->archive, &data, &length, &offset);
        if (code == ARCHIVE_EOF)
            break;
        if (code < ARCHIVE_WARN)
            return fail_archive(extractor, err);
        extractor->written += length;
        if (extractor->written > EXTRACT_BYTES_MAX)
            return error_set(err, ERROR_TOO_LARGE, "write /%s: the layer is larger than %llu bytes", extractor->name,
                             (unsigned long long)EXTRACT_BYTES_MAX);
        if (extractor->written - extractor->written_at_check >= DISK_CHECK_INTERVAL && !check_disk(extractor, err))
            return false;
        for (size_t done = 0; done < length;) {
            ssize_t n = pwrite(fd, (const char *)data + done, length - done, offset + (off_t)done);
            if (n < 0 && errno != EINTR)
                return error_errno(err, "write /%s", extractor->name);
            done += n < 0 ? 0 : (size_t)n;
        }
        end = MAX(end, offset + (int64_t)length);
    }
    int64_t size = archive_entry_size(entry);
    if (end < size && ftruncate(fd, size) < 0)
        return error_errno(err, "truncate /%s", extractor->name);
    extractor->size += MAX(end, size);
    return true;
}

static bool make_file(struct extractor *extractor, struct archive_entry *entry, struct place *place, struct error *err)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    _cleanup_close_ int fd = openat(place->folder, place->name, flags, 0600);
    if (fd < 0 && errno == EEXIST) {
        bool was_whiteout;
        if (!make_room(extractor, place, &was_whiteout, err))
            return false;
        fd = openat(place->folder, place->name, flags, 0600);
    }
    if (fd < 0)
        return error_errno(err, "open /%s", extractor->name);
    return write_content(extractor, entry, fd, err) && set_attributes(extractor, entry, place, fd, err);
}

static bool set_opaque(struct extractor *extractor, const char *path, struct error *err)
{
    if (lsetxattr(path, OPAQUE_XATTR, "y", 1, 0) < 0)
        return error_errno(err, "lsetxattr " OPAQUE_XATTR " /%s", extractor->name);
    return true;
}

static bool make_folder(struct extractor *extractor, struct archive_entry *entry, struct place *place,
                        struct error *err)
{
    int result = mkdirat(place->folder, place->name, 0700);
    if (result < 0 && errno == EEXIST) {
        struct stat status;
        if (fstatat(place->folder, place->name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
            return set_attributes(extractor, entry, place, -1, err);
        bool was_whiteout;
        char path[PATH_MAX];
        if (!make_room(extractor, place, &was_whiteout, err))
            return false;
        result = mkdirat(place->folder, place->name, 0700);
        /* The whiteout was about a lower layer's folder, which must not shine through this one. */
        if (result == 0 && was_whiteout && !set_opaque(extractor, proc_path(place, path), err))
            return false;
    }
    if (result < 0)
        return error_errno(err, "mkdir /%s", extractor->name);
    return set_attributes(extractor, entry, place, -1, err);
}

static int make_node_once(struct archive_entry *entry, const struct place *place)
{
    mode_t type = archive_entry_filetype(entry);
    if (type == AE_IFLNK)
        return symlinkat(string_or_empty(archive_entry_symlink(entry)), place->folder, place->name);
    dev_t device = type == AE_IFIFO
                       ? 0
                       : makedev((unsigned)archive_entry_rdevmajor(entry), (unsigned)archive_entry_rdevminor(entry));
    return mknodat(place->folder, place->name, type | 0600, device);
}

/* Symbolic links, devices and named pipes. */
static bool make_node(struct extractor *extractor, struct archive_entry *entry, struct place *place, struct error *err)
{
    int result = make_node_once(entry, place);
    if (result < 0 && errno == EEXIST) {
        bool was_whiteout;
        if (!make_room(extractor, place, &was_whiteout, err))
            return false;
        result = make_node_once(entry, place);
    }
    bool is_link = archive_entry_filetype(entry) == AE_IFLNK;
    if (result < 0)
        return error_errno(err, "%s /%s", is_link ? "symlink" : "mknod", extractor->name);
    if (is_link)
        extractor->size += (int64_t)strlen(string_or_empty(archive_entry_symlink(entry)));
    return set_attributes(extractor, entry, place, -1, err);
}

/* The entry's owner, mode and times hold for the file that both names share, as Docker has it. What is the same already
   is not set again: a change of owner would take the file's capabilities. */
static bool set_link_attributes(struct extractor *extractor, struct archive_entry *entry, const struct place *place,
                                struct error *err)
{
    struct stat status;
    if (fstatat(place->folder, place->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, "lstat /%s", extractor->name);
    if (S_ISLNK(status.st_mode))
        return true;
    if (status.st_uid == archive_entry_uid(entry) && status.st_gid == archive_entry_gid(entry) &&
        (status.st_mode & 07777) == get_mode(entry) && status.st_mtim.tv_sec == archive_entry_mtime(entry) &&
        status.st_mtim.tv_nsec == archive_entry_mtime_nsec(entry) && !archive_entry_xattr_count(entry))
        return true;
    return set_attributes(extractor, entry, place, -1, err);
}

static bool make_hard_link(struct extractor *extractor, struct archive_entry *entry, struct place *place,
                           struct error *err)
{
    char target[PATH_MAX];
    struct place from;
    if (!extract_clean_name(archive_entry_hardlink(entry), target))
        return error_errno_value(err, ENAMETOOLONG, "link /%s", extractor->name);
    for (int attempt = 0;; attempt++) {
        if (!find_place(extractor, target, &from, err))
            return false;
        if (linkat(from.folder, *from.name ? from.name : ".", place->folder, place->name, 0) == 0)
            return set_link_attributes(extractor, entry, place, err);
        bool was_whiteout;
        if (errno != EEXIST || attempt)
            return error_errno(err, "link /%s /%s", target, extractor->name);
        if (!make_room(extractor, place, &was_whiteout, err))
            return false;
    }
}

/* ".wh.x" hides x of the layers below; what this layer itself has is not hidden (OCI image-spec, layer.md), whichever
   comes first in the tar. */
static bool make_whiteout(struct extractor *extractor, struct archive_entry *entry, const struct place *place,
                          struct error *err)
{
    char path[PATH_MAX];
    struct place hidden = {place->folder, place->name + strlen(WHITEOUT_PREFIX)};
    if (strcmp(place->name, WHITEOUT_OPAQUE) == 0) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", place->folder);
        if (setxattr(path, OPAQUE_XATTR, "y", 1, 0) < 0)
            return error_errno(err, "setxattr " OPAQUE_XATTR " /%s", extractor->name);
        return true;
    }
    if (!*hidden.name || strcmp(hidden.name, ".") == 0 || strcmp(hidden.name, "..") == 0)
        return error_set(err, ERROR_INVALID, "failed to mknod(\"/%s\", S_IFCHR, 0): file exists", extractor->name);
    if (mknodat(hidden.folder, hidden.name, S_IFCHR | 0600, makedev(0, 0)) == 0) {
        uid_t uid = (uid_t)archive_entry_uid(entry);
        gid_t gid = (gid_t)archive_entry_gid(entry);
        if ((uid || gid) && fchownat(hidden.folder, hidden.name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
            return error_errno(err, "lchown /%s", extractor->name);
        return true;
    }
    struct stat status;
    if (errno != EEXIST || fstatat(hidden.folder, hidden.name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, "failed to mknod(\"/%s\", S_IFCHR, 0)", extractor->name);
    return !S_ISDIR(status.st_mode) || set_opaque(extractor, proc_path(&hidden, path), err);
}

static bool make_entry(struct extractor *extractor, struct archive_entry *entry, struct error *err)
{
    const char *name = archive_entry_pathname(entry);
    if (!name)
        return error_set(err, ERROR_INVALID, "archive/tar: invalid tar header");
    if (!extract_clean_name(name, extractor->name))
        return error_errno_value(err, ENAMETOOLONG, "open /%.100s…", name);
    if (++extractor->entries + extractor->folders.made > EXTRACT_ENTRIES_MAX)
        return error_set(err, ERROR_TOO_LARGE, "the layer has more than %llu files",
                         (unsigned long long)EXTRACT_ENTRIES_MAX);
    /* The root folder keeps our attributes: Docker skips it as well. */
    if (!*extractor->name)
        return true;
    struct place place;
    if (!find_place(extractor, extractor->name, &place, err))
        return false;
    if (string_starts_with(place.name, WHITEOUT_PREFIX))
        return make_whiteout(extractor, entry, &place, err);
    if (archive_entry_hardlink(entry))
        return make_hard_link(extractor, entry, &place, err);
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
        return make_file(extractor, entry, &place, err);
    case AE_IFDIR:
        return make_folder(extractor, entry, &place, err);
    case AE_IFLNK:
    case AE_IFCHR:
    case AE_IFBLK:
    case AE_IFIFO:
        return make_node(extractor, entry, &place, err);
    default:
        return error_set(err, ERROR_INVALID, "unhandled tar header type of /%s", extractor->name);
    }
}

static bool set_folder_times(struct extractor *extractor, struct error *err)
{
    for (size_t i = 0; i < extractor->folder_times_count; i++) {
        const struct folder_times *folder = &extractor->folder_times[i];
        struct place place;
        struct stat status;
        struct error ignored = ERROR_INIT;
        /* A later entry may have put something else in its place. */
        bool is_there = find_place(extractor, folder->path, &place, &ignored) &&
                        fstatat(place.folder, place.name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
        error_release(&ignored);
        if (is_there && utimensat(place.folder, place.name, folder->times, AT_SYMLINK_NOFOLLOW) < 0)
            return error_errno(err, "chtimes /%s", folder->path);
    }
    return true;
}

static bool extract_all(struct extractor *extractor, struct archive_entry *entry, struct error *err)
{
    if (archive_read_support_format_tar(extractor->archive) != ARCHIVE_OK)
        return fail_archive(extractor, err);
    int code = archive_read_open(extractor->archive, extractor, NULL, read_stream, NULL);
    while (code >= ARCHIVE_WARN) {
        archive_entry_clear(entry);
        code = archive_read_next_header2(extractor->archive, entry);
        if (code == ARCHIVE_EOF)
            break;
        if (code >= ARCHIVE_WARN && !make_entry(extractor, entry, err))
            return false;
    }
    /* No bytes at all are a layer without files. */
    if (code != ARCHIVE_EOF && (extractor->bytes_read || extractor->is_broken))
        return fail_archive(extractor, err);
    /* The padding behind the archive belongs to the layer's digest. */
    const void *data;
    ssize_t n;
    do
        n = extractor->read(extractor->context, &data);
    while (n > 0);
    if (n < 0)
        return error_set(err, ERROR_CANCELLED, "the stream broke");
    return set_folder_times(extractor, err);
}

bool extract_tar(int root, extract_read read, void *context, int64_t *size, struct error *err)
{
    struct extractor extractor = {.read = read, .context = context, .archive = archive_read_new()};
    struct archive_entry *entry = archive_entry_new();
    folders_init(&extractor.folders, root);
    /* libarchive converts pax names from UTF-8 to the thread's locale and would mangle them in "C". */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t previous = utf8 ? uselocale(utf8) : (locale_t)0;
    bool is_done = false;
    if (!extractor.archive || !entry || !utf8)
        error_set(err, ERROR_INTERNAL, utf8 ? "libarchive: out of memory" : "the C.UTF-8 locale is missing");
    else
        is_done = check_disk(&extractor, err) && extract_all(&extractor, entry, err);
    archive_entry_free(entry);
    archive_read_free(extractor.archive);
    if (utf8) {
        uselocale(previous);
        freelocale(utf8);
    }
    folders_release(&extractor.folders);
    for (size_t i = 0; i < extractor.folder_times_count; i++)
        free(extractor.folder_times[i].path);
    free(extractor.folder_times);
    if (is_done)
        *size = extractor.size;
    return is_done;
}
