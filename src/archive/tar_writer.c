#include "archive/tar_writer.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"

#define BLOCK          512
#define MAX_OCTAL_SIZE INT64_C(077777777777)
#define MAX_OCTAL_ID   INT64_C(07777777)
#define CONTENT_BUFFER ((size_t)256 << 10)
#define SHORTER        "write archive: a file is shorter than was announced"

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2],
        user[32], group[32], device_major[8], device_minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

static bool put(struct tar_writer *tar, const void *data, size_t length, struct error *err)
{
    if (tar->write(tar->context, data, length))
        return true;
    return error_errno(err, "write archive");
}

static bool put_zeroes(struct tar_writer *tar, size_t length, struct error *err)
{
    static const char zeroes[2 * BLOCK];
    return length == 0 || put(tar, zeroes, length, err);
}

/* A number that does not fit is written as the largest that does; the pax header has the right one. */
static void put_octal(char *field, size_t size, int64_t value, int64_t most)
{
    snprintf(field, size, "%0*llo", (int)size - 1, (unsigned long long)(value < 0 ? 0 : MIN(value, most)));
}

static bool put_header(struct tar_writer *tar, const struct tar_entry *entry, char type, struct error *err)
{
    struct header header = {.type = type};
    const char *link = string_or_empty(entry->link);
    memcpy(header.name, entry->name, MIN(strlen(entry->name), sizeof(header.name)));
    memcpy(header.link, link, MIN(strlen(link), sizeof(header.link)));
    memcpy(header.magic, "ustar", sizeof("ustar"));
    memcpy(header.version, "00", sizeof(header.version));
    put_octal(header.mode, sizeof(header.mode), entry->mode & 07777, MAX_OCTAL_ID);
    put_octal(header.uid, sizeof(header.uid), entry->uid, MAX_OCTAL_ID);
    put_octal(header.gid, sizeof(header.gid), entry->gid, MAX_OCTAL_ID);
    put_octal(header.size, sizeof(header.size), entry->size, MAX_OCTAL_SIZE);
    put_octal(header.mtime, sizeof(header.mtime), entry->seconds, MAX_OCTAL_SIZE);
    put_octal(header.device_major, sizeof(header.device_major), entry->device_major, MAX_OCTAL_ID);
    put_octal(header.device_minor, sizeof(header.device_minor), entry->device_minor, MAX_OCTAL_ID);
    memset(header.checksum, ' ', sizeof(header.checksum));
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(header); i++)
        sum += ((const unsigned char *)&header)[i];
    snprintf(header.checksum, sizeof(header.checksum), "%06o", sum & 0777777);
    return put(tar, &header, sizeof(header), err);
}

/* "<length> <key>=<value>\n", where the length counts its own digits too. */
static void pax_add(struct strbuf *records, const char *key, const void *value, size_t value_length)
{
    size_t rest = strlen(key) + value_length + 3;
    size_t length = rest;
    for (;;) {
        size_t next = rest + (size_t)snprintf(NULL, 0, "%zu", length);
        if (next == length)
            break;
        length = next;
    }
    strbuf_addf(records, "%zu %s=", length, key);
    strbuf_add(records, value, value_length);
    strbuf_add_char(records, '\n');
}

/* Within a header a name is in no particular encoding, in a pax record it is UTF-8. */
static void pax_add_name(struct strbuf *records, const char *key, const char *name, size_t room)
{
    size_t length = strlen(name);
    bool is_plain = length <= room;
    for (size_t i = 0; i < length && is_plain; i++)
        is_plain = (unsigned char)name[i] < 0x80;
    if (!is_plain)
        pax_add(records, key, name, length);
}

static void pax_add_number(struct strbuf *records, const char *key, int64_t value, int64_t most)
{
    char text[32];
    if (value >= 0 && value <= most)
        return;
    int length = snprintf(text, sizeof(text), "%lld", (long long)value);
    pax_add(records, key, text, (size_t)length);
}

static void pax_add_time(struct strbuf *records, const struct tar_entry *entry)
{
    char text[48];
    if (!entry->nanoseconds) {
        pax_add_number(records, "mtime", entry->seconds, MAX_OCTAL_SIZE);
        return;
    }
    /* -1.5 seconds are -2 and 500000000 nanoseconds. */
    bool is_negative = entry->seconds < 0;
    int64_t seconds = is_negative ? -(entry->seconds + 1) : entry->seconds;
    int64_t nanoseconds = is_negative ? 1000000000 - entry->nanoseconds : entry->nanoseconds;
    int length = snprintf(text, sizeof(text), "%s%lld.%09lld", is_negative ? "-" : "", (long long)seconds,
                          (long long)nanoseconds);
    while (text[length - 1] == '0')
        length--;
    pax_add(records, "mtime", text, (size_t)length);
}

bool tar_writer_entry(struct tar_writer *tar, const struct tar_entry *entry, struct error *err)
{
    _cleanup_strbuf_ struct strbuf records = STRBUF_INIT;
    pax_add_name(&records, "path", entry->name, sizeof(((struct header *)0)->name));
    pax_add_name(&records, "linkpath", string_or_empty(entry->link), sizeof(((struct header *)0)->link));
    pax_add_number(&records, "size", entry->size, MAX_OCTAL_SIZE);
    pax_add_number(&records, "uid", entry->uid, MAX_OCTAL_ID);
    pax_add_number(&records, "gid", entry->gid, MAX_OCTAL_ID);
    pax_add_time(&records, entry);
    if (entry->capability)
        pax_add(&records, "SCHILY.xattr.security.capability", entry->capability, entry->capability_length);
    if (records.length > 0) {
        size_t padding = (BLOCK - records.length % BLOCK) % BLOCK;
        struct tar_entry head = {
            .name = "PaxHeaders/entry", .mode = 0644, .size = (int64_t)records.length, .seconds = entry->seconds};
        if (!put_header(tar, &head, 'x', err) || !put(tar, records.data, records.length, err) ||
            !put_zeroes(tar, padding, err))
            return false;
    }
    tar->remaining = entry->size;
    tar->padding = (int)((BLOCK - entry->size % BLOCK) % BLOCK);
    return put_header(tar, entry, (char)entry->type, err);
}

bool tar_writer_directory(struct tar_writer *tar, const char *name, int64_t seconds, struct error *err)
{
    return tar_writer_entry(
        tar, &(struct tar_entry){.name = name, .type = TAR_DIRECTORY, .mode = 0755, .seconds = seconds}, err);
}

bool tar_writer_file(struct tar_writer *tar, const char *name, int64_t size, int64_t seconds, struct error *err)
{
    struct tar_entry entry = {.name = name, .type = TAR_FILE, .mode = 0644, .size = size, .seconds = seconds};
    return tar_writer_entry(tar, &entry, err);
}

bool tar_writer_data(struct tar_writer *tar, const void *data, size_t length, struct error *err)
{
    if ((int64_t)length > tar->remaining)
        return error_set(err, ERROR_INTERNAL, "write archive: a file is longer than was announced");
    if (length > 0 && !put(tar, data, length, err))
        return false;
    tar->remaining -= (int64_t)length;
    return tar->remaining > 0 || put_zeroes(tar, (size_t)tar->padding, err);
}

bool tar_writer_content(struct tar_writer *tar, int fd, struct error *err)
{
    if (tar->remaining > 0 && tar->write_file) {
        if (!tar->write_file(tar->context, fd, tar->remaining))
            return error_errno(err, "write archive");
        tar->remaining = 0;
        return put_zeroes(tar, (size_t)tar->padding, err);
    }
    _cleanup_free_ char *buffer = tar->remaining > 0 ? xmalloc(CONTENT_BUFFER) : NULL;
    while (tar->remaining > 0) {
        ssize_t n = read(fd, buffer, (size_t)MIN(tar->remaining, (int64_t)CONTENT_BUFFER));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, "read");
        if (n == 0) {
            n = (ssize_t)MIN(tar->remaining, (int64_t)CONTENT_BUFFER); /* it has become shorter meanwhile */
            memset(buffer, 0, (size_t)n);
        }
        if (!tar_writer_data(tar, buffer, (size_t)n, err))
            return false;
    }
    return true;
}

bool tar_writer_text(struct tar_writer *tar, const char *name, const char *text, int64_t seconds, struct error *err)
{
    size_t length = strlen(text);
    return tar_writer_file(tar, name, (int64_t)length, seconds, err) && tar_writer_data(tar, text, length, err);
}

bool tar_writer_finish(struct tar_writer *tar, struct error *err)
{
    if (tar->remaining > 0)
        return error_set(err, ERROR_INTERNAL, SHORTER);
    return put_zeroes(tar, 2 * BLOCK, err);
}
