#include "base/json_escape.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The bytes that are made room for at a time: each becomes six at most. */
#define CHUNK  ((size_t)1024)
#define GROWTH 6
#define BLOCK  16

/* Length of the UTF-8 sequence at `data`, with its code point; 0 where there is none (Unicode 15, table 3-7). */
static size_t utf8_length(const uint8_t *data, size_t left, uint32_t *point)
{
    size_t length = data[0] < 0xc2 ? 0 : data[0] < 0xe0 ? 2 : data[0] < 0xf0 ? 3 : data[0] < 0xf5 ? 4 : 0;
    if (!length || length > left)
        return 0;
    uint32_t value = data[0] & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (data[i] & 0x3fU);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *point = value;
    return length;
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\' && byte != '<' && byte != '>' && byte != '&';
}

/* Copies bytes that stand for themselves; returns how many. Up to BLOCK bytes beyond them are written too. */
static size_t copy_plain(char *out, const uint8_t *data, size_t length)
{
    size_t done = 0;
#ifdef __SSE2__
    while (length - done >= BLOCK) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(data + done));
        _mm_storeu_si128((__m128i *)(void *)(out + done), block);
        /* The comparison is signed: what is not ASCII is below 0x20 too. */
        __m128i special = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(block, _mm_set1_epi8('"')));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(block, _mm_set1_epi8('<')));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(block, _mm_set1_epi8('>')));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(block, _mm_set1_epi8('&')));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask)
            return done + (size_t)__builtin_ctz(mask);
        done += BLOCK;
    }
#endif
    for (; done < length && is_plain(data[done]); done++)
        out[done] = (char)data[done];
    return done;
}

static char *put(char *out, const char *text, size_t length)
{
    memcpy(out, text, length);
    return out + length;
}

static char *escape_ascii(char *out, uint8_t byte, enum json_letters letters)
{
    static const char special[] = "\"\\\n\r\b\f\t", names[] = "\"\\nrbft", digits[] = "0123456789abcdef";
    const char *found = memchr(special, byte, letters == JSON_LETTERS_ALL ? 7 : 4);
    if (found)
        return put(out, (const char[]){'\\', names[found - special]}, 2);
    const char text[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
    return put(out, text, sizeof(text));
}

void json_escape(struct strbuf *out, const char *data, size_t length, enum json_letters letters)
{
    const uint8_t *bytes = (const uint8_t *)data;
    size_t i = 0;
    while (i < length) {
        size_t stop = length - i > CHUNK ? i + CHUNK : length;
        if (!strbuf_reserve(out, GROWTH * (stop - i) + 2 * BLOCK))
            return;
        char *end = out->data + out->length;
        while (i < stop) {
            size_t plain = copy_plain(end, bytes + i, stop - i);
            i += plain;
            end += plain;
            if (i >= stop)
                break;
            uint32_t point = 0;
            size_t sequence = bytes[i] < 0x80 ? 1 : utf8_length(bytes + i, length - i, &point);
            if (sequence == 0)
                end = put(end, "\\ufffd", 6);
            else if (sequence == 1)
                end = escape_ascii(end, bytes[i], letters);
            else if (point == 0x2028 || point == 0x2029)
                end = put(end, point == 0x2028 ? "\\u2028" : "\\u2029", 6);
            else
                end = put(end, data + i, sequence);
            i += sequence ? sequence : 1;
        }
        *end = '\0';
        out->length = (size_t)(end - out->data);
    }
}
