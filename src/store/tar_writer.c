#include "store/tar_writer.h"

#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

#define BLOCK          512
#define MAX_OCTAL_SIZE INT64_C(077777777777)

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

static bool put_header(struct tar_writer *tar, const char *name, char type, int mode, int64_t size, int64_t seconds,
                       struct error *err)
{
    struct header header = {.type = type};
    memcpy(header.name, name, MIN(strlen(name), sizeof(header.name)));
    memcpy(header.magic, "ustar", sizeof("ustar"));
    memcpy(header.version, "00", sizeof(header.version));
    snprintf(header.mode, sizeof(header.mode), "%07o", (unsigned)mode & 07777);
    snprintf(header.uid, sizeof(header.uid), "%07o", 0u);
    snprintf(header.gid, sizeof(header.gid), "%07o", 0u);
    snprintf(header.size, sizeof(header.size), "%011llo", (unsigned long long)MIN(size, MAX_OCTAL_SIZE));
    seconds = seconds < 0 ? 0 : MIN(seconds, MAX_OCTAL_SIZE);
    snprintf(header.mtime, sizeof(header.mtime), "%011llo", (unsigned long long)seconds);
    snprintf(header.device_major, sizeof(header.device_major), "%07o", 0u);
    snprintf(header.device_minor, sizeof(header.device_minor), "%07o", 0u);
    memset(header.checksum, ' ', sizeof(header.checksum));
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(header); i++)
        sum += ((const unsigned char *)&header)[i];
    snprintf(header.checksum, sizeof(header.checksum), "%06o", sum & 0777777);
    return put(tar, &header, sizeof(header), err);
}

/* "<length> <key>=<value>\n", where the length counts its own digits too. */
static void pax_add(struct strbuf *records, const char *key, const char *value)
{
    size_t rest = strlen(key) + strlen(value) + 3;
    size_t length = rest;
    for (;;) {
        size_t next = rest + (size_t)snprintf(NULL, 0, "%zu", length);
        if (next == length)
            break;
        length = next;
    }
    strbuf_addf(records, "%zu %s=%s\n", length, key, value);
}

static bool begin(struct tar_writer *tar, const char *name, char type, int mode, int64_t size, int64_t seconds,
                  struct error *err)
{
    _cleanup_strbuf_ struct strbuf records = STRBUF_INIT;
    if (strlen(name) > sizeof(((struct header *)0)->name))
        pax_add(&records, "path", name);
    if (size > MAX_OCTAL_SIZE) {
        _cleanup_free_ char *text = xasprintf("%lld", (long long)size);
        pax_add(&records, "size", text);
    }
    if (records.length > 0) {
        size_t padding = (BLOCK - records.length % BLOCK) % BLOCK;
        if (!put_header(tar, "PaxHeaders/entry", 'x', 0644, (int64_t)records.length, seconds, err) ||
            !put(tar, records.data, records.length, err) || !put_zeroes(tar, padding, err))
            return false;
    }
    tar->remaining = size;
    tar->padding = (int)((BLOCK - size % BLOCK) % BLOCK);
    return put_header(tar, name, type, mode, size, seconds, err);
}

bool tar_writer_directory(struct tar_writer *tar, const char *name, int64_t seconds, struct error *err)
{
    return begin(tar, name, '5', 0755, 0, seconds, err);
}

bool tar_writer_file(struct tar_writer *tar, const char *name, int64_t size, int64_t seconds, struct error *err)
{
    return begin(tar, name, '0', 0644, size, seconds, err);
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

bool tar_writer_text(struct tar_writer *tar, const char *name, const char *text, int64_t seconds, struct error *err)
{
    size_t length = strlen(text);
    return tar_writer_file(tar, name, (int64_t)length, seconds, err) && tar_writer_data(tar, text, length, err);
}

bool tar_writer_finish(struct tar_writer *tar, struct error *err)
{
    if (tar->remaining > 0)
        return error_set(err, ERROR_INTERNAL, "write archive: a file is shorter than was announced");
    return put_zeroes(tar, 2 * BLOCK, err);
}
