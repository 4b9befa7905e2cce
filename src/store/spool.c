#include "store/spool.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/decompress.h"

#define READ_SIZE ((size_t)256 << 10)
#define MAX_LINKS 16

struct source {
    struct decompressor *decompressor;
    struct error err;
    char *buffer;
    uint64_t bytes_read;
};

void spool_release(struct spool *spool)
{
    for (size_t i = 0; i < spool->count; i++) {
        free(spool->members[i].name);
        free(spool->members[i].target);
    }
    free(spool->members);
    spool->folder = close_fd(spool->folder);
    if (spool->name)
        tree_remove(spool->store->temporary, spool->name, NULL);
    free(spool->name);
    if (spool->store)
        atomic_fetch_sub(&spool->store->spool_count, 1);
    *spool = SPOOL_INIT;
}

/* "/" + name cleaned: `..` cannot climb above the root of the archive. */
static char *member_name(const char *directory, const char *name)
{
    _cleanup_free_ char *rooted = xasprintf("/%s/%s", *name == '/' ? "" : directory, name);
    _cleanup_free_ char *clean = path_clean(rooted);
    return xstrdup(clean + 1);
}

static la_ssize_t give_archive(struct archive *archive, void *context, const void **data)
{
    struct source *source = context;
    *data = source->buffer;
    ssize_t length = decompressor_read(source->decompressor, source->buffer, READ_SIZE, &source->err);
    if (length < 0)
        archive_set_error(archive, EIO, "%s", error_message(&source->err));
    else
        source->bytes_read += (uint64_t)length;
    return length;
}

static bool archive_failed(struct archive *archive, struct source *source, struct error *err)
{
    if (source->err.kind != ERROR_NONE)
        return error_move(err, &source->err);
    const char *text = string_or_empty(archive_error_string(archive));
    if (strstr(text, "runcated") || source->bytes_read < 512) /* not even one block */
        return error_set(err, ERROR_INVALID, "unexpected EOF");
    return error_set(err, ERROR_INVALID, "archive/tar: invalid tar header");
}

static bool store_file(struct spool *spool, struct archive *archive, struct source *source, struct spool_member *member,
                       size_t index, struct error *err)
{
    char name[32];
    snprintf(name, sizeof(name), "%zu", index);
    _cleanup_close_ int fd = openat(spool->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, "write temporary file");
    for (;;) {
        const void *data;
        size_t length;
        la_int64_t offset;
        int status = archive_read_data_block(archive, &data, &length, &offset);
        if (status == ARCHIVE_EOF)
            break;
        if (status < ARCHIVE_WARN)
            return archive_failed(archive, source, err);
        /* A sparse member skips its holes. */
        if (offset != member->size && lseek(fd, offset, SEEK_SET) < 0)
            return error_errno(err, "write temporary file");
        if (write_full(fd, data, length) < 0)
            return error_errno(err, "write temporary file");
        member->size = offset + (int64_t)length;
    }
    return true;
}

static bool store_entry(struct spool *spool, struct archive *archive, struct archive_entry *entry,
                        struct source *source, struct error *err)
{
    const char *path = archive_entry_pathname(entry);
    if (!path)
        path = archive_entry_pathname_utf8(entry);
    if (!path)
        return true;
    if (spool->count >= SPOOL_MAX_MEMBERS)
        return error_set(err, ERROR_TOO_LARGE, "the archive has more than %d members", SPOOL_MAX_MEMBERS);

    size_t index = spool->count;
    struct spool_member *member = APPEND(spool->members, spool->count);
    member->name = member_name("", path);
    const char *hard_link = archive_entry_hardlink(entry);
    if (hard_link) {
        member->target = member_name("", hard_link);
        return true;
    }
    if (archive_entry_filetype(entry) == AE_IFLNK) {
        const char *target = string_or_empty(archive_entry_symlink(entry));
        const char *slash = strrchr(member->name, '/');
        _cleanup_free_ char *directory = slash ? xstrndup(member->name, (size_t)(slash - member->name)) : xstrdup("");
        member->target = member_name(directory, target);
        return true;
    }
    if (archive_entry_filetype(entry) == AE_IFREG)
        return store_file(spool, archive, source, member, index, err);
    free(member->name);
    spool->count--;
    return true;
}

static bool read_entries(struct spool *spool, struct archive *archive, struct source *source, struct error *err)
{
    if (archive_read_open(archive, source, NULL, give_archive, NULL) < ARCHIVE_WARN)
        return archive_failed(archive, source, err);
    for (;;) {
        struct archive_entry *entry;
        int status = archive_read_next_header(archive, &entry);
        if (status == ARCHIVE_EOF)
            break;
        if (status < ARCHIVE_WARN)
            return archive_failed(archive, source, err);
        if (!store_entry(spool, archive, entry, source, err))
            return false;
    }
    /* The padding after the archive's end: whoever writes it would else see a broken pipe. */
    ssize_t length;
    do
        length = decompressor_read(source->decompressor, source->buffer, READ_SIZE, &source->err);
    while (length > 0);
    return length == 0 || error_move(err, &source->err);
}

bool spool_read(struct store *store, stream_read read, void *context, struct spool *out, struct error *err)
{
    _cleanup_spool_ struct spool spool = SPOOL_INIT;
    spool.store = store;
    atomic_fetch_add(&store->spool_count, 1);
    spool.name = store_temporary_name(store, "load");
    if (mkdirat(store->temporary, spool.name, 0700) < 0)
        return error_errno(err, "make temporary folder");
    spool.folder = openat(store->temporary, spool.name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (spool.folder < 0)
        return error_errno(err, "open temporary folder");

    struct source source = {.err = ERROR_INIT};
    source.decompressor = decompressor_open(read, context, err);
    if (!source.decompressor)
        return false;
    source.buffer = xmalloc(READ_SIZE);
    struct archive *archive = archive_read_new();
    archive_read_support_format_tar(archive);
    archive_read_support_format_empty(archive);
    bool is_read = read_entries(&spool, archive, &source, err);
    archive_read_free(archive);
    decompressor_close(source.decompressor);
    error_release(&source.err);
    free(source.buffer);
    if (!is_read)
        return false;
    *out = spool;
    spool = SPOOL_INIT;
    return true;
}

/* The file that a name stands for, or NULL. The last member of a name counts, as in any tar. */
static const struct spool_member *find(const struct spool *spool, const char *text)
{
    _cleanup_free_ char *name = member_name("", text);
    for (int links = 0; links < MAX_LINKS; links++) {
        const struct spool_member *member = NULL;
        for (size_t i = spool->count; i > 0 && !member; i--)
            if (strcmp(spool->members[i - 1].name, name) == 0)
                member = &spool->members[i - 1];
        if (!member || !member->target)
            return member;
        free(name);
        name = xstrdup(member->target);
    }
    return NULL;
}

bool spool_contains(const struct spool *spool, const char *name)
{
    return find(spool, name) != NULL;
}

int spool_open(const struct spool *spool, const char *name, struct error *err)
{
    const struct spool_member *member = find(spool, name);
    if (!member) {
        error_set(err, ERROR_INVALID, "open %s: no such file or directory", name);
        return -1;
    }
    char own[32];
    snprintf(own, sizeof(own), "%zu", (size_t)(member - spool->members));
    int fd = openat(spool->folder, own, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        error_errno(err, "open %s", name);
    return fd;
}

bool spool_text(const struct spool *spool, const char *name, struct strbuf *out, struct error *err)
{
    const struct spool_member *member = find(spool, name);
    if (!member)
        return error_set(err, ERROR_INVALID, "open %s: no such file or directory", name);
    char own[32];
    snprintf(own, sizeof(own), "%zu", (size_t)(member - spool->members));
    if (file_read(spool->folder, own, SPOOL_MAX_TEXT, out, err))
        return true;
    return error_prefix(err, "%s", name);
}

ssize_t read_descriptor(void *context, void *data, size_t length)
{
    return read_full(*(const int *)context, data, length);
}
