#include "base/base64.h"

#include <string.h>

#include "base/memory.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t length)
{
    const uint8_t *in = data;
    char *text = xmalloc((length + 2) / 3 * 4 + 1), *out = text;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[group & 63] : '=';
    }
    *out = '\0';
    return text;
}

static int value_of(char digit)
{
    const char *place = digit ? strchr(digits, digit) : NULL;
    return place ? (int)(place - digits) : -1;
}

long base64_decode(const char *text, uint8_t *data)
{
    size_t length = strlen(text);
    if (length % 4)
        return -1;
    size_t padding = length == 0 || text[length - 1] != '=' ? 0 : text[length - 2] != '=' ? 1 : 2;
    uint8_t *out = data;
    uint32_t group = 0;
    for (size_t i = 0; i < length - padding; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return -1;
        group = group << 6 | (uint32_t)value;
        if (i % 4 > 0)
            *out++ = (uint8_t)(group >> (6 - i % 4 * 2));
    }
    return out - data;
}
