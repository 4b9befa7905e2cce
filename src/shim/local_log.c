#include "shim/local_log.h"

#include <endian.h>
#include <string.h>

/* Protobuf's wire types. */
enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

static void add_varint(struct strbuf *out, uint64_t value)
{
    char bytes[10];
    size_t count = 0;
    do
        bytes[count++] = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    while (value >>= 7);
    strbuf_add(out, bytes, count);
}

static void add_number(struct strbuf *out, unsigned field, uint64_t value)
{
    if (!value)
        return;
    add_varint(out, field << 3 | WIRE_VARINT);
    add_varint(out, value);
}

static void add_bytes(struct strbuf *out, unsigned field, const char *data, size_t length)
{
    add_varint(out, field << 3 | WIRE_BYTES);
    add_varint(out, length);
    strbuf_add(out, data, length);
}

void local_log_add(struct rotating_file *file, const struct log_piece *piece)
{
    rotating_file_begin(file);
    struct strbuf *out = &file->pending;
    size_t before = out->length;
    strbuf_add(out, "\0\0\0\0", 4);
    add_bytes(out, 1, piece->stream == STREAM_STDERR ? "stderr" : "stdout", 6);
    add_number(out, 2, (uint64_t)piece->time);
    if (piece->length)
        add_bytes(out, 3, piece->data, piece->length);
    add_number(out, 4, !piece->ends_line);
    if (piece->partial_id) {
        _cleanup_strbuf_ struct strbuf metadata = STRBUF_INIT;
        add_number(&metadata, 1, piece->ends_line);
        add_bytes(&metadata, 2, piece->partial_id, strlen(piece->partial_id));
        add_number(&metadata, 3, piece->ordinal);
        add_bytes(out, 5, metadata.data, metadata.length);
    }
    uint32_t length = htobe32((uint32_t)(out->length - before - 4));
    memcpy(out->data + before, &length, 4);
    strbuf_add(out, &length, 4);
    rotating_file_end(file, out->length - before);
}
