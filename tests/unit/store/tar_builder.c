#include "tar_builder.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "base/memory.h"

static la_ssize_t append(struct archive *archive, void *context, const void *data, size_t length)
{
    strbuf_add(context, data, length);
    return (la_ssize_t)length;
}

static void check(struct archive *archive, int code)
{
    if (code >= ARCHIVE_WARN)
        return;
    fprintf(stderr, "tar_builder: %s\n", archive_error_string(archive));
    abort();
}

static void add_entry(struct archive *archive, const struct tar_entry *from)
{
    struct archive_entry *entry = archive_entry_new();
    static const struct {
        char type;
        mode_t mode;
    } types[] = {{'f', AE_IFREG}, {'h', AE_IFREG}, {'d', AE_IFDIR}, {'l', AE_IFLNK},
                 {'c', AE_IFCHR}, {'b', AE_IFBLK}, {'p', AE_IFIFO}};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (types[i].type == from->type)
            archive_entry_set_filetype(entry, types[i].mode);
    }
    archive_entry_set_pathname(entry, from->name);
    archive_entry_set_perm(entry, from->mode ? from->mode : from->type == 'd' ? 0755 : 0644);
    archive_entry_set_uid(entry, from->uid);
    archive_entry_set_gid(entry, from->gid);
    archive_entry_set_mtime(entry, from->seconds, (long)from->nanoseconds);
    archive_entry_set_rdevmajor(entry, from->major);
    archive_entry_set_rdevminor(entry, from->minor);
    if (from->type == 'l')
        archive_entry_set_symlink(entry, from->link);
    if (from->type == 'h')
        archive_entry_set_hardlink(entry, from->link);
    if (from->xattr)
        archive_entry_xattr_add_entry(entry, from->xattr, from->value, strlen(from->value));
    size_t length = from->type == 'f' && from->content ? strlen(from->content) : 0;
    archive_entry_set_size(entry, from->sparse_size + (int64_t)length);
    if (from->sparse_size)
        archive_entry_sparse_add_entry(entry, from->sparse_size, (la_int64_t)length);
    check(archive, archive_write_header(archive, entry));
    static const char zeroes[4096];
    for (int64_t left = from->sparse_size; left > 0; left -= (int64_t)sizeof(zeroes))
        archive_write_data(archive, zeroes, (size_t)MIN(left, (int64_t)sizeof(zeroes)));
    if (length)
        archive_write_data(archive, from->content, length);
    archive_entry_free(entry);
}

void tar_build(const struct tar_entry *entries, struct strbuf *out)
{
    struct archive *archive = archive_write_new();
    archive_write_set_format_pax(archive);
    archive_write_set_bytes_in_last_block(archive, 1);
    check(archive, archive_write_open(archive, out, NULL, append, NULL));
    for (; entries->name; entries++)
        add_entry(archive, entries);
    check(archive, archive_write_close(archive));
    archive_write_free(archive);
}

void tar_compress(const struct strbuf *in, const char *filter, struct strbuf *out)
{
    struct archive *archive = archive_write_new();
    archive_write_set_format_raw(archive);
    archive_write_set_bytes_in_last_block(archive, 1);
    check(archive, archive_write_add_filter_by_name(archive, filter));
    check(archive, archive_write_open(archive, out, NULL, append, NULL));
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_filetype(entry, AE_IFREG);
    check(archive, archive_write_header(archive, entry));
    if (archive_write_data(archive, in->data, in->length) != (la_ssize_t)in->length)
        check(archive, ARCHIVE_FATAL);
    archive_entry_free(entry);
    check(archive, archive_write_close(archive));
    archive_write_free(archive);
}

ssize_t memory_read(void *context, void *data, size_t length)
{
    struct memory_stream *stream = context;
    size_t n = MIN(length, stream->length);
    if (stream->chunk)
        n = MIN(n, stream->chunk);
    memcpy(data, stream->data, n);
    stream->data += n;
    stream->length -= n;
    return (ssize_t)n;
}
