#include "build/context.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "archive/tar_reader.h"
#include "base/file.h"
#include "base/memory.h"
#include "build/key.h"
#include "store/decompress.h"
#include "store/extract.h"
#include "store/extract_path.h"
#include "store/scratch.h"

#define BLOCK         512
#define COPY_SIZE     ((size_t)128 << 10)
#define FREE_INTERVAL ((uint64_t)64 << 20)
#define SMALL_FILE    ((int64_t)64 << 10)
#define MEMORY_MOST   ((uint64_t)256 << 20) /* bytes; a quarter of what is free in memory at most */

struct content {
    char *path;
    unsigned char digest[KEY_BYTES];
};

/* A folder's time is set when nothing is put into it any more. */
struct folder_time {
    char *path;
    struct timespec time;
};

struct unpacking {
    struct context *context;
    struct decompressor *decompressor;
    struct error err; /* of the stream */
    char head[BLOCK]; /* what was read to see whether it is a tar */
    size_t head_length, head_taken;
    char *input; /* bytes read ahead */
    size_t input_length, input_taken;
    struct tar_reader tar;
    struct folders folders[2]; /* on the disk and in memory */
    int roots[2];
    size_t root_count;
    uint64_t memory_left; /* bytes that small files may still take */
    struct key *key;
    char *buffer;
    uint64_t entries, written, checked;
    struct folder_time *times;
    size_t time_count;
};

static ssize_t read_stream(void *context, void *data, size_t length)
{
    struct unpacking *unpacking = context;
    size_t left = unpacking->head_length - unpacking->head_taken;
    if (left) {
        size_t taken = MIN(left, length);
        memcpy(data, unpacking->head + unpacking->head_taken, taken);
        unpacking->head_taken += taken;
        return (ssize_t)taken;
    }
    if (unpacking->input_taken == unpacking->input_length) {
        ssize_t n = decompressor_read(unpacking->decompressor, unpacking->input, COPY_SIZE, &unpacking->err);
        if (n < 0)
            errno = EIO;
        if (n <= 0)
            return n;
        unpacking->input_length = (size_t)n;
        unpacking->input_taken = 0;
    }
    size_t taken = MIN(unpacking->input_length - unpacking->input_taken, length);
    memcpy(data, unpacking->input + unpacking->input_taken, taken);
    unpacking->input_taken += taken;
    return (ssize_t)taken;
}

static bool is_disk_free(struct unpacking *unpacking, struct error *err)
{
    struct statvfs status;
    if (unpacking->written - unpacking->checked < FREE_INTERVAL)
        return true;
    unpacking->checked = unpacking->written;
    if (fstatvfs(unpacking->roots[0], &status) < 0 ||
        (uint64_t)status.f_bavail * status.f_frsize >= EXTRACT_DISK_RESERVE)
        return true;
    return error_set(err, ERROR_INTERNAL, "no space left on device");
}

static bool write_content(struct unpacking *unpacking, int fd, const char *path, unsigned char digest[KEY_BYTES],
                          struct error *err)
{
    key_reset(unpacking->key);
    for (;;) {
        ssize_t n = tar_reader_data(&unpacking->tar, unpacking->buffer, COPY_SIZE, err);
        if (n < 0)
            return false;
        if (n == 0)
            break;
        if (write_full(fd, unpacking->buffer, (size_t)n) < 0)
            return error_errno(err, "write %s", path);
        key_add_raw(unpacking->key, unpacking->buffer, (size_t)n);
        unpacking->written += (uint64_t)n;
        if (!is_disk_free(unpacking, err))
            return false;
    }
    key_finish_bytes(unpacking->key, digest);
    return true;
}

static void add_content(struct context *context, const char *path, const unsigned char digest[KEY_BYTES])
{
    struct content *content = APPEND(context->contents, context->count);
    content->path = xstrdup(path);
    memcpy(content->digest, digest, KEY_BYTES);
}

static struct timespec time_of(const struct tar_member *member)
{
    return (struct timespec){.tv_sec = member->seconds, .tv_nsec = member->nanoseconds};
}

static bool add_file(struct unpacking *unpacking, int folder, const char *base, const char *path,
                     const struct tar_member *member, struct error *err)
{
    unsigned char digest[KEY_BYTES];
    _cleanup_close_ int fd = openat(folder, base, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, "create %s", path);
    if (!write_content(unpacking, fd, path, digest, err))
        return false;
    struct timespec times[2] = {time_of(member), time_of(member)};
    if (fchmod(fd, member->mode & 07777) < 0 || futimens(fd, times) < 0)
        return error_errno(err, "set the mode of %s", path);
    add_content(unpacking->context, path, digest);
    return true;
}

static bool add_folder(int folder, const char *base, const char *path, const struct tar_member *member,
                       struct error *err)
{
    struct stat status;
    bool is_there = fstatat(folder, base, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
    if (!is_there && mkdirat(folder, base, 0755) < 0)
        return error_errno(err, "mkdir %s", path);
    if (file_change_mode(folder, base, member->mode & 07777) < 0)
        return error_errno(err, "set the mode of %s", path);
    return true;
}

static bool add_link(int folder, const char *base, const char *path, const struct tar_member *member, struct error *err)
{
    struct timespec times[2] = {time_of(member), time_of(member)};
    if (symlinkat(string_or_empty(member->link), folder, base) < 0 ||
        utimensat(folder, base, times, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, "symlink %s", path);
    return true;
}

/* A second name, beside the first; it has the digest of that, which stands before it. */
static bool add_hard_link(struct unpacking *unpacking, const int *folders, const char *base, const char *path,
                          const struct tar_member *member, struct error *err)
{
    char target[PATH_MAX];
    if (!extract_clean_name(string_or_empty(member->link), target) || !*target)
        return error_set(err, ERROR_INVALID, "invalid hardlink %s -> %s", path, string_or_empty(member->link));
    _cleanup_free_ char *parent = xstrndup(target, (size_t)(path_base(target) - target));
    bool is_linked = false;
    for (size_t i = 0; i < unpacking->root_count && !is_linked; i++) {
        int from = folders_open(&unpacking->folders[i], parent, err);
        if (from < 0)
            return false;
        is_linked = linkat(from, path_base(target), folders[i], base, 0) == 0;
    }
    if (!is_linked)
        return error_errno(err, "link %s", path);
    for (size_t i = unpacking->context->count; i > 0; i--)
        if (strcmp(unpacking->context->contents[i - 1].path, target) == 0) {
            unsigned char digest[KEY_BYTES];
            memcpy(digest, unpacking->context->contents[i - 1].digest, KEY_BYTES);
            add_content(unpacking->context, path, digest);
            break;
        }
    return true;
}

/* Opens the folder that an entry goes into. What has its name already goes away, unless both are folders. */
static int make_room(struct folders *folders, const char *parent, const char *base, bool is_folder, struct error *err)
{
    struct stat status;
    int folder = folders_open(folders, parent, err);
    if (folder < 0 || fstatat(folder, base, &status, AT_SYMLINK_NOFOLLOW) < 0 || (is_folder && S_ISDIR(status.st_mode)))
        return folder;
    if (extract_remove(folder, base, &(int64_t){0}) < 0) {
        error_errno(err, "remove %s", base);
        return -1;
    }
    folders_forget(folders);
    return folders_open(folders, parent, err);
}

static size_t root_for(struct unpacking *unpacking, const struct tar_member *member)
{
    if (unpacking->root_count < 2 || member->size > SMALL_FILE || (uint64_t)member->size > unpacking->memory_left)
        return 0;
    unpacking->memory_left -= (uint64_t)member->size;
    return 1;
}

/* Folders and links are in both places, so that names lead the same way in them. */
static bool add_to_all(struct unpacking *unpacking, const int *folders, const char *base, const char *path,
                       const struct tar_member *member, struct error *err)
{
    bool is_folder = member->type == TAR_DIRECTORY;
    for (size_t i = 0; i < unpacking->root_count; i++)
        if (is_folder ? !add_folder(folders[i], base, path, member, err)
                      : !add_link(folders[i], base, path, member, err))
            return false;
    if (is_folder)
        *APPEND(unpacking->times, unpacking->time_count) = (struct folder_time){xstrdup(path), time_of(member)};
    return true;
}

static bool add_member(struct unpacking *unpacking, const struct tar_member *member, struct error *err)
{
    char path[PATH_MAX];
    int folders[2];
    if (!extract_clean_name(member->name, path))
        return error_set(err, ERROR_INVALID, "the name of an entry in the build context is too long");
    if (!*path)
        return true;
    if (++unpacking->entries > EXTRACT_ENTRIES_MAX)
        return error_set(err, ERROR_TOO_LARGE, "the build context has too many entries");
    const char *base = path_base(path);
    _cleanup_free_ char *parent = xstrndup(path, base > path ? (size_t)(base - path - 1) : 0);
    for (size_t i = 0; i < unpacking->root_count; i++) {
        folders[i] = make_room(&unpacking->folders[i], parent, base, member->type == TAR_DIRECTORY, err);
        if (folders[i] < 0)
            return false;
    }
    switch (member->type) {
    case TAR_FILE:
        return add_file(unpacking, folders[root_for(unpacking, member)], base, path, member, err);
    case TAR_DIRECTORY:
    case TAR_LINK:
        return add_to_all(unpacking, folders, base, path, member, err);
    case TAR_HARD_LINK:
        return add_hard_link(unpacking, folders, base, path, member, err);
    default:
        return error_set(err, ERROR_INVALID, "the build context has a device or a pipe in it: %s", path);
    }
}

static int by_path(const void *left, const void *right)
{
    const struct content *a = left, *b = right;
    return strcmp(a->path, b->path);
}

static void set_folder_times(struct unpacking *unpacking)
{
    for (size_t i = unpacking->time_count; i > 0; i--) {
        const struct folder_time *folder = &unpacking->times[i - 1];
        struct timespec times[2] = {folder->time, folder->time};
        for (size_t j = 0; j < unpacking->root_count; j++) {
            _cleanup_close_ int fd = open_beneath(unpacking->roots[j], folder->path, O_RDONLY | O_DIRECTORY);
            if (fd >= 0)
                futimens(fd, times);
        }
    }
}

static bool unpack_members(struct unpacking *unpacking, struct error *err)
{
    _cleanup_tar_member_ struct tar_member member = {0};
    bool is_there = true;
    while (is_there) {
        if (!tar_reader_next(&unpacking->tar, &member, &is_there, err))
            return false;
        if (is_there && !add_member(unpacking, &member, err))
            return false;
    }
    set_folder_times(unpacking);
    return tar_reader_drain(&unpacking->tar, err);
}

/* The rest of the stream is the text of a Dockerfile. */
static bool unpack_text(struct unpacking *unpacking, const char *name, struct error *err)
{
    unsigned char digest[KEY_BYTES];
    _cleanup_close_ int fd = openat(unpacking->roots[0], name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    ssize_t n;
    if (fd < 0)
        return error_errno(err, "create %s", name);
    while ((n = read_stream(unpacking, unpacking->buffer, COPY_SIZE)) > 0) {
        if (write_full(fd, unpacking->buffer, (size_t)n) < 0)
            return error_errno(err, "write %s", name);
        key_add_raw(unpacking->key, unpacking->buffer, (size_t)n);
    }
    if (n < 0)
        return error_set(err, ERROR_INVALID, "unexpected EOF");
    key_finish_bytes(unpacking->key, digest);
    add_content(unpacking->context, name, digest);
    return true;
}

static bool looks_like_text(const struct unpacking *unpacking)
{
    if (!unpacking->head_length)
        return false;
    for (size_t i = 0; i < unpacking->head_length; i++) {
        unsigned char c = (unsigned char)unpacking->head[i];
        if (c < ' ' && c != '\n' && c != '\r' && c != '\t')
            return false;
    }
    return true;
}

static bool unpack_stream(struct unpacking *unpacking, const char *dockerfile, struct error *err)
{
    ssize_t n = decompressor_read(unpacking->decompressor, unpacking->head, BLOCK, err);
    if (n < 0)
        return false;
    unpacking->head_length = (size_t)n;
    return looks_like_text(unpacking) ? unpack_text(unpacking, dockerfile, err) : unpack_members(unpacking, err);
}

/* A new folder in `parent`, where that is in memory. Caller frees; NULL: there is none. */
static char *make_in_memory(const char *parent)
{
    struct statfs status;
    _cleanup_free_ char *path = xasprintf("%s/context-XXXXXX", parent);
    _cleanup_free_ char *above = xstrndup(parent, (size_t)(path_base(parent) - parent));
    if (statfs(above, &status) < 0 || status.f_type != TMPFS_MAGIC || !directory_make(parent, 0700, NULL) ||
        !mkdtemp(path) || chmod(path, 0755) < 0)
        return NULL;
    return TAKE_PTR(path);
}

bool context_make(struct context *context, struct store *store, const char *memory, struct error *err)
{
    struct context made = {.store = store};
    made.folder = scratch_make(store, "context", err);
    if (!made.folder)
        return false;
    made.memory = memory ? make_in_memory(memory) : NULL;
    _cleanup_strlist_ struct strlist folders = {0};
    strlist_take(&folders, scratch_path(store, made.folder));
    if (made.memory)
        strlist_add(&folders, made.memory);
    if (!snapshot_open(&made.snapshot, &folders, err)) {
        context_release(&made);
        return false;
    }
    *context = made;
    return true;
}

static uint64_t memory_limit(int folder)
{
    struct statvfs status;
    return fstatvfs(folder, &status) < 0 ? 0 : MIN((uint64_t)status.f_bavail * status.f_frsize / 4, MEMORY_MOST);
}

bool context_unpack(struct context *context, struct store *store, const char *memory, stream_read read, void *stream,
                    const char *dockerfile, struct error *err)
{
    if (!context_make(context, store, memory, err))
        return false;
    struct unpacking unpacking = {.context = context, .root_count = context->snapshot.count};
    for (size_t i = 0; i < unpacking.root_count; i++)
        unpacking.roots[i] = context->snapshot.fds[i];
    if (context->memory)
        unpacking.memory_left = memory_limit(context->snapshot.fds[1]);
    struct error why = ERROR_INIT;
    unpacking.decompressor = decompressor_open(read, stream, &why);
    bool is_done = unpacking.decompressor != NULL;
    if (is_done) {
        unpacking.tar = (struct tar_reader){.read = read_stream, .context = &unpacking};
        unpacking.key = key_new();
        unpacking.buffer = xmalloc(COPY_SIZE);
        unpacking.input = xmalloc(COPY_SIZE);
        for (size_t i = 0; i < unpacking.root_count; i++)
            folders_init(&unpacking.folders[i], unpacking.roots[i]);
        is_done = unpack_stream(&unpacking, dockerfile, &why);
        for (size_t i = 0; i < unpacking.root_count; i++)
            folders_release(&unpacking.folders[i]);
        free(unpacking.input);
        key_free(unpacking.key);
        free(unpacking.buffer);
        decompressor_close(unpacking.decompressor);
    }
    for (size_t i = 0; i < unpacking.time_count; i++)
        free(unpacking.times[i].path);
    free(unpacking.times);
    error_release(&unpacking.err);
    if (!is_done) {
        context_release(context);
        return error_move(err, &why);
    }
    if (context->count)
        qsort(context->contents, context->count, sizeof(*context->contents), by_path);
    return true;
}

void context_release(struct context *context)
{
    if (!context->folder)
        return;
    snapshot_close(&context->snapshot);
    scratch_remove(context->store, context->folder);
    if (context->memory)
        tree_remove(AT_FDCWD, context->memory, NULL);
    free(context->folder);
    free(context->memory);
    for (size_t i = 0; i < context->count; i++)
        free(context->contents[i].path);
    free(context->contents);
    *context = (struct context){0};
}

const unsigned char *context_digest(const struct context *context, const char *path)
{
    struct content wanted = {.path = (char *)(uintptr_t)path};
    if (!context->count)
        return NULL;
    const struct content *found =
        bsearch(&wanted, context->contents, context->count, sizeof(*context->contents), by_path);
    return found ? found->digest : NULL;
}
