#include "archive/tar_reader.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

#define BLOCK 512
/* Of a pax header or a GNU long name: Go's own limit. */
#define EXTENSION_LIMIT ((int64_t)1 << 20)

static const char invalid_header[] = "archive/tar: invalid tar header";
static const char unexpected_end[] = "unexpected EOF";

void tar_member_release(struct tar_member *member)
{
    free(member->name);
    free(member->link);
    for (size_t i = 0; i < member->attribute_count; i++) {
        free(member->attributes[i].name);
        free(member->attributes[i].value);
    }
    free(member->attributes);
    free(member->pieces);
    *member = (struct tar_member){0};
}

/* As many bytes as there are, up to `length`; -1 with err. */
static ssize_t fill(struct tar_reader *tar, void *data, size_t length, struct error *err)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = tar->read(tar->context, (char *)data + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set(err, ERROR_INVALID, "%s", errno == EPROTO ? unexpected_end : errno_text(errno));
            return -1;
        }
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static bool fill_all(struct tar_reader *tar, void *data, size_t length, struct error *err)
{
    ssize_t n = fill(tar, data, length, err);
    return n == (ssize_t)length || (n >= 0 && error_set(err, ERROR_INVALID, "%s", unexpected_end));
}

static bool skip(struct tar_reader *tar, int64_t length, struct error *err)
{
    char scrap[16384];
    while (length > 0) {
        size_t part = (size_t)MIN(length, (int64_t)sizeof(scrap));
        if (!fill_all(tar, scrap, part, err))
            return false;
        length -= (int64_t)part;
    }
    return true;
}

static ssize_t read_content(struct tar_reader *tar, void *data, size_t length, struct error *err)
{
    if (tar->remaining == 0)
        return 0;
    ssize_t n = tar->read(tar->context, data, (size_t)MIN((int64_t)length, tar->remaining));
    if (n < 0 && errno == EINTR)
        return read_content(tar, data, length, err);
    if (n <= 0) {
        error_set(err, ERROR_INVALID, "%s", n == 0 || errno == EPROTO ? unexpected_end : errno_text(errno));
        return -1;
    }
    tar->remaining -= n;
    return n;
}

ssize_t tar_reader_data(struct tar_reader *tar, void *data, size_t length, struct error *err)
{
    const struct tar_member *member = tar->sparse;
    if (!member)
        return read_content(tar, data, length, err);
    const struct tar_piece *piece = member->pieces + tar->piece;
    for (; tar->piece < member->piece_count && tar->position == piece->offset + piece->length; piece++)
        tar->piece++;
    int64_t next = tar->piece < member->piece_count ? piece->offset : member->size;
    ssize_t n;
    if (tar->position < next) {
        n = (ssize_t)MIN((int64_t)length, next - tar->position);
        memset(data, 0, (size_t)n);
    } else if (tar->piece == member->piece_count) {
        return 0;
    } else {
        n = read_content(tar, data, (size_t)MIN((int64_t)length, piece->offset + piece->length - tar->position), err);
    }
    tar->position += MAX(n, (ssize_t)0);
    return n;
}

bool tar_reader_drain(struct tar_reader *tar, struct error *err)
{
    char scrap[16384];
    ssize_t n;
    while ((n = fill(tar, scrap, sizeof(scrap), err)) > 0) {
    }
    return n == 0;
}

/* Octal, or GNU's base 256 with the first bit set. */
static bool read_number(const char *field, size_t size, int64_t *out)
{
    const unsigned char *bytes = (const unsigned char *)field;
    if (bytes[0] & 0x80) {
        bool is_negative = bytes[0] & 0x40;
        uint64_t value = 0;
        for (size_t i = 0; i < size; i++) {
            unsigned char byte = is_negative ? (unsigned char)~bytes[i] : bytes[i];
            if (i == 0)
                byte &= 0x7f;
            if (value >> 55)
                return false;
            value = value << 8 | byte;
        }
        *out = is_negative ? -(int64_t)value - 1 : (int64_t)value;
        return true;
    }
    size_t at = 0;
    while (at < size && (field[at] == ' ' || field[at] == '\0'))
        at++;
    int64_t value = 0;
    for (; at < size && field[at] != ' ' && field[at] != '\0'; at++) {
        if (field[at] < '0' || field[at] > '7' || value >> 59)
            return false;
        value = value << 3 | (field[at] - '0');
    }
    *out = value;
    return true;
}

struct field {
    size_t offset, size;
};
static const struct field field_name = {0, 100}, field_mode = {100, 8}, field_uid = {108, 8}, field_gid = {116, 8},
                          field_size = {124, 12}, field_time = {136, 12}, field_checksum = {148, 8},
                          field_link = {157, 100}, field_major = {329, 8}, field_minor = {337, 8},
                          field_prefix = {345, 155};
#define TYPE_OFFSET  156
#define MAGIC_OFFSET 257

static bool number_at(const char *block, struct field field, int64_t *out)
{
    return read_number(block + field.offset, field.size, out);
}

static char *text_at(const char *block, struct field field)
{
    return xstrndup(block + field.offset, strnlen(block + field.offset, field.size));
}

static bool has_right_sum(const char *block)
{
    int64_t given, sum = 0, signed_sum = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        bool is_sum = i >= field_checksum.offset && i < field_checksum.offset + field_checksum.size;
        sum += is_sum ? ' ' : (unsigned char)block[i];
        signed_sum += is_sum ? ' ' : (signed char)block[i];
    }
    return number_at(block, field_checksum, &given) && (given == sum || given == signed_sum);
}

static bool is_zero(const char *block)
{
    for (size_t i = 0; i < BLOCK; i++)
        if (block[i])
            return false;
    return true;
}

/* What extension headers said about the next member. */
struct extension {
    char *name, *link;
    int64_t uid, gid, size; /* -1: nothing */
    int64_t seconds, nanoseconds;
    bool has_time;
    struct tar_sparse sparse;
    struct tar_member holder; /* of the attributes */
};

static void extension_release(struct extension *extension)
{
    free(extension->name);
    free(extension->link);
    tar_sparse_release(&extension->sparse);
    tar_member_release(&extension->holder);
}

static bool read_text(struct tar_reader *tar, int64_t size, struct strbuf *out, struct error *err)
{
    if (size < 0 || size > EXTENSION_LIMIT)
        return error_set(err, ERROR_INVALID, "%s", invalid_header);
    strbuf_reserve(out, (size_t)size + 1);
    if (!fill_all(tar, out->data, (size_t)size, err))
        return false;
    out->length = (size_t)size;
    out->data[size] = '\0';
    return skip(tar, (BLOCK - size % BLOCK) % BLOCK, err);
}

/* "1234.5" or "-1.25" */
static bool read_time(const char *text, struct extension *extension)
{
    bool is_negative = *text == '-';
    _cleanup_free_ char *whole = xstrdup(text + is_negative);
    char *dot = strchr(whole, '.');
    if (dot)
        *dot++ = '\0';
    int64_t seconds, nanoseconds = 0;
    if (!parse_int64(whole, &seconds))
        return false;
    int64_t unit = 100000000;
    for (; dot && *dot; dot++, unit /= 10) {
        if (*dot < '0' || *dot > '9')
            return false;
        nanoseconds += (*dot - '0') * unit;
    }
    if (is_negative) {
        seconds = -seconds - (nanoseconds > 0);
        nanoseconds = nanoseconds > 0 ? 1000000000 - nanoseconds : 0;
    }
    extension->seconds = seconds;
    extension->nanoseconds = nanoseconds;
    extension->has_time = true;
    return true;
}

static bool take_record(struct extension *extension, const char *key, const char *value, size_t length)
{
    static const char attribute[] = "SCHILY.xattr.";
    if (strcmp(key, "path") == 0)
        string_replace(&extension->name, value);
    else if (strcmp(key, "linkpath") == 0)
        string_replace(&extension->link, value);
    else if (strcmp(key, "size") == 0)
        return parse_int64(value, &extension->size) && extension->size >= 0;
    else if (strcmp(key, "uid") == 0)
        return parse_int64(value, &extension->uid);
    else if (strcmp(key, "gid") == 0)
        return parse_int64(value, &extension->gid);
    else if (strcmp(key, "mtime") == 0)
        return read_time(value, extension);
    else if (string_starts_with(key, "GNU.sparse."))
        tar_sparse_take(&extension->sparse, key, value);
    else if (string_starts_with(key, attribute)) {
        struct tar_attribute *made = APPEND(extension->holder.attributes, extension->holder.attribute_count);
        made->name = xstrdup(key + sizeof(attribute) - 1);
        made->value = xmemdup(value, length);
        made->length = length;
    }
    return true;
}

/* "<length> <key>=<value>\n", one after the other. */
static bool read_pax(struct strbuf *text, struct extension *extension)
{
    char *at = text->data, *end = text->data + text->length;
    while (at < end) {
        char *space = memchr(at, ' ', (size_t)(end - at));
        int64_t length;
        if (!space)
            return false;
        *space = '\0';
        if (!parse_int64(at, &length) || length < space - at + 3 || length > end - at || at[length - 1] != '\n')
            return false;
        char *next = at + length;
        next[-1] = '\0';
        char *key = space + 1, *equals = memchr(key, '=', (size_t)(next - key));
        if (!equals || equals == key)
            return false;
        *equals = '\0';
        if (!take_record(extension, key, equals + 1, (size_t)(next - 1 - (equals + 1))))
            return false;
        at = next;
    }
    return true;
}

static bool parse_member(const char *block, struct extension *extension, struct tar_member *out)
{
    int64_t mode, major, minor;
    if (!number_at(block, field_mode, &mode) || !number_at(block, field_uid, &out->uid) ||
        !number_at(block, field_gid, &out->gid) || !number_at(block, field_size, &out->size) ||
        !number_at(block, field_time, &out->seconds) || !number_at(block, field_major, &major) ||
        !number_at(block, field_minor, &minor))
        return false;
    bool has_prefix = memcmp(block + MAGIC_OFFSET, "ustar\0", 6) == 0 && block[field_prefix.offset];
    out->name = text_at(block, field_name);
    if (has_prefix) {
        _cleanup_free_ char *prefix = text_at(block, field_prefix), *name = TAKE_PTR(out->name);
        out->name = xasprintf("%s/%s", prefix, name);
    }
    out->link = text_at(block, field_link);
    out->mode = (unsigned)mode & 07777;
    out->device_major = (unsigned)major;
    out->device_minor = (unsigned)minor;
    if (extension->name) {
        free(out->name);
        out->name = TAKE_PTR(extension->name);
    }
    if (extension->link) {
        free(out->link);
        out->link = TAKE_PTR(extension->link);
    }
    if (extension->uid >= 0)
        out->uid = extension->uid;
    if (extension->gid >= 0)
        out->gid = extension->gid;
    if (extension->size >= 0)
        out->size = extension->size;
    if (extension->has_time) {
        out->seconds = extension->seconds;
        out->nanoseconds = extension->nanoseconds;
    }
    out->attributes = TAKE_PTR(extension->holder.attributes);
    out->attribute_count = extension->holder.attribute_count;
    extension->holder.attribute_count = 0;
    char type = block[TYPE_OFFSET];
    if (type == '\0' || type == '7')
        type = string_ends_with(out->name, "/") ? TAR_DIRECTORY : TAR_FILE; /* before POSIX; contiguous */
    out->type = (enum tar_type)type;
    if (type != TAR_FILE)
        out->size = 0;
    return out->size >= 0;
}

static bool read_extension(struct tar_reader *tar, const char *block, struct extension *extension, struct error *err)
{
    int64_t size;
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!number_at(block, field_size, &size))
        return error_set(err, ERROR_INVALID, "%s", invalid_header);
    if (!read_text(tar, size, &text, err))
        return false;
    switch (block[TYPE_OFFSET]) {
    case 'L':
        string_replace(&extension->name, strbuf_text(&text));
        return true;
    case 'K':
        string_replace(&extension->link, strbuf_text(&text));
        return true;
    case 'x':
        return read_pax(&text, extension) || error_set(err, ERROR_INVALID, "%s", invalid_header);
    default: /* 'g' */
        return true;
    }
}

/* The map of form 1.0, which is the beginning of the content: the number of pieces, then offsets and lengths, a line
   each, filled up to a block. */
static bool read_map(struct tar_reader *tar, struct strbuf *out, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = {.limit = (size_t)EXTENSION_LIMIT};
    int64_t wanted = -1, lines = 0;
    size_t first = 0;
    for (size_t at = 0; wanted < 0 || lines < 1 + 2 * wanted;) {
        char block[BLOCK];
        if (tar->remaining < BLOCK || text.length + BLOCK > (size_t)EXTENSION_LIMIT)
            return error_set(err, ERROR_INVALID, "%s", invalid_header);
        if (!fill_all(tar, block, BLOCK, err))
            return false;
        tar->remaining -= BLOCK;
        strbuf_add(&text, block, BLOCK);
        for (; at < text.length && (wanted < 0 || lines < 1 + 2 * wanted); at++) {
            if (text.data[at] != '\n')
                continue;
            lines++;
            if (lines > 1)
                continue;
            text.data[at] = '\0';
            first = at + 1;
            if (!parse_int64(text.data, &wanted) || wanted < 0 || wanted > EXTENSION_LIMIT)
                return error_set(err, ERROR_INVALID, "%s", invalid_header);
        }
        if (wanted >= 0 && lines >= 1 + 2 * wanted)
            strbuf_truncate(&text, at);
    }
    strbuf_add(out, text.data + first, text.length - first);
    return true;
}

/* The name, the size and the map of a file with holes. */
static bool take_sparse(struct tar_reader *tar, struct tar_sparse *sparse, struct tar_member *member, struct error *err)
{
    if (sparse->is_broken)
        return error_set(err, ERROR_INVALID, "%s", invalid_header);
    if (sparse->name) {
        free(member->name);
        member->name = TAKE_PTR(sparse->name);
    }
    _cleanup_strbuf_ struct strbuf map = STRBUF_INIT;
    bool is_in_content = tar_sparse_has_map_in_content(sparse);
    if (is_in_content && !read_map(tar, &map, err))
        return false;
    member->size = sparse->size >= 0 ? sparse->size : tar->remaining;
    member->is_sparse = true;
    if (!tar_sparse_parse(strbuf_text(is_in_content ? &map : &sparse->map), is_in_content ? '\n' : ',', member->size,
                          tar->remaining, &member->pieces, &member->piece_count))
        return error_set(err, ERROR_INVALID, "%s", invalid_header);
    tar->sparse = member;
    tar->piece = 0;
    tar->position = 0;
    return true;
}

/* 1: a header in `block`, 0: the end, -1 with err. */
static int next_block(struct tar_reader *tar, char *block, struct error *err)
{
    for (int zeroes = 0; zeroes < 2; zeroes++) {
        ssize_t n = fill(tar, block, BLOCK, err);
        if (n <= 0)
            return (int)n;
        if (n < BLOCK) {
            error_set(err, ERROR_INVALID, "%s", unexpected_end);
            return -1;
        }
        if (!is_zero(block))
            return 1;
    }
    return 0;
}

bool tar_reader_next(struct tar_reader *tar, struct tar_member *member, bool *is_there, struct error *err)
{
    tar_member_release(member);
    tar->sparse = NULL;
    *is_there = false;
    _cleanup_(extension_release) struct extension extension = {
        .uid = -1, .gid = -1, .size = -1, .sparse = TAR_SPARSE_INIT};
    char block[BLOCK];
    while (!tar->is_over) {
        if (!skip(tar, tar->remaining + tar->padding, err))
            return false;
        tar->remaining = tar->padding = 0;
        int state = next_block(tar, block, err);
        if (state < 0)
            return false;
        if (state == 0) {
            tar->is_over = true;
            break;
        }
        if (!has_right_sum(block))
            return error_set(err, ERROR_INVALID, "%s", invalid_header);
        if (strchr("LKxg", block[TYPE_OFFSET]) && block[TYPE_OFFSET]) {
            if (!read_extension(tar, block, &extension, err))
                return false;
            continue;
        }
        if (!parse_member(block, &extension, member)) {
            tar_member_release(member);
            return error_set(err, ERROR_INVALID, "%s", invalid_header);
        }
        tar->remaining = member->size;
        tar->padding = (int)((BLOCK - member->size % BLOCK) % BLOCK);
        if (member->type == TAR_FILE && tar_sparse_is_mapped(&extension.sparse) &&
            !take_sparse(tar, &extension.sparse, member, err)) {
            tar_member_release(member);
            tar->sparse = NULL;
            return false;
        }
        return *is_there = true;
    }
    return true;
}
