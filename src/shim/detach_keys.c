#include "shim/detach_keys.h"

#include <ctype.h>
#include <string.h>

static int hex_digit(char character)
{
    if (isdigit((unsigned char)character))
        return character - '0';
    int lower = tolower((unsigned char)character);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool detach_keys_parse(const char *hex, struct detach_keys *out)
{
    struct detach_keys keys = {0};
    for (; hex && *hex; hex += 2) {
        int high = hex_digit(hex[0]), low = high < 0 ? -1 : hex_digit(hex[1]);
        if (low < 0 || keys.length == DETACH_KEYS_MAX)
            return false;
        keys.sequence[keys.length++] = (uint8_t)(high << 4 | low);
    }
    *out = keys;
    return true;
}

/* The longest end of the held back keys and `key` that is also a beginning of the sequence. */
static uint8_t longest_border(const struct detach_keys *keys, uint8_t key)
{
    for (uint8_t length = keys->matched; length > 0; length--)
        if (keys->sequence[length - 1] == key &&
            memcmp(keys->sequence, keys->sequence + keys->matched - (length - 1), length - 1) == 0)
            return length;
    return 0;
}

bool detach_keys_filter(struct detach_keys *keys, const uint8_t *data, size_t length, struct strbuf *out)
{
    if (!keys->length) {
        strbuf_add(out, data, length);
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (data[i] == keys->sequence[keys->matched]) {
            if (++keys->matched < keys->length)
                continue;
            keys->matched = 0;
            return true;
        }
        uint8_t border = longest_border(keys, data[i]);
        strbuf_add(out, keys->sequence, border ? (size_t)(keys->matched + 1 - border) : keys->matched);
        if (!border)
            strbuf_add_char(out, (char)data[i]);
        keys->matched = border;
    }
    return false;
}
