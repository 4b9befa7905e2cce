#include "logger/msgpack.h"

/* `bytes` of the value, big-endian. */
static void add_typed(struct strbuf *out, unsigned type, uint64_t value, int bytes)
{
    char text[9] = {(char)type};
    for (int i = 0; i < bytes; i++)
        text[1 + i] = (char)(value >> (8 * (bytes - 1 - i)));
    strbuf_add(out, text, 1 + (size_t)bytes);
}

void msgpack_add_array(struct strbuf *out, uint32_t count)
{
    if (count < 16)
        add_typed(out, 0x90 | count, 0, 0);
    else if (count <= UINT16_MAX)
        add_typed(out, 0xdc, count, 2);
    else
        add_typed(out, 0xdd, count, 4);
}

void msgpack_add_map(struct strbuf *out, uint32_t count)
{
    if (count < 16)
        add_typed(out, 0x80 | count, 0, 0);
    else if (count <= UINT16_MAX)
        add_typed(out, 0xde, count, 2);
    else
        add_typed(out, 0xdf, count, 4);
}

void msgpack_add_integer(struct strbuf *out, int64_t value)
{
    if (value >= 0 && value < 128)
        add_typed(out, (unsigned)value, 0, 0);
    else if (value < 0 && value >= -32)
        add_typed(out, 0xe0 | ((unsigned)value & 0x1f), 0, 0);
    else if (value >= 0)
        add_typed(out,
                  value <= UINT8_MAX    ? 0xcc
                  : value <= UINT16_MAX ? 0xcd
                  : value <= UINT32_MAX ? 0xce
                                        : 0xcf,
                  (uint64_t)value,
                  value <= UINT8_MAX    ? 1
                  : value <= UINT16_MAX ? 2
                  : value <= UINT32_MAX ? 4
                                        : 8);
    else
        add_typed(out, 0xd3, (uint64_t)value, 8);
}

void msgpack_add_string(struct strbuf *out, const char *text, size_t length)
{
    if (length < 32)
        add_typed(out, 0xa0 | (unsigned)length, 0, 0);
    else if (length <= UINT8_MAX)
        add_typed(out, 0xd9, length, 1);
    else if (length <= UINT16_MAX)
        add_typed(out, 0xda, length, 2);
    else
        add_typed(out, 0xdb, length, 4);
    strbuf_add(out, text, length);
}

void msgpack_add_event_time(struct strbuf *out, uint32_t seconds, uint32_t nanoseconds)
{
    add_typed(out, 0xd7, 0, 1);
    add_typed(out, seconds >> 24, seconds & 0xffffff, 3);
    add_typed(out, nanoseconds >> 24, nanoseconds & 0xffffff, 3);
}
