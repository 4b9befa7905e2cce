#include "dockerfile/json_array.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/strbuf.h"

enum { DEPTH_LIMIT = 200 };

static void skip_space(const char **at)
{
    *at += strspn(*at, " \t\r\n");
}

static bool take(const char **at, const char *text)
{
    if (!string_starts_with(*at, text))
        return false;
    *at += strlen(text);
    return true;
}

static bool take_hex(const char **at, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char digit = (*at)[i];
        if (!isxdigit((unsigned char)digit))
            return false;
        value = value << 4 | (uint32_t)(isdigit((unsigned char)digit) ? digit - '0' : (digit | 32) - 'a' + 10);
    }
    *at += 4;
    *out = value;
    return true;
}

static void add_rune(struct strbuf *out, uint32_t rune)
{
    if (rune < 0x80) {
        strbuf_add_char(out, (char)rune);
    } else if (rune < 0x800) {
        strbuf_addf(out, "%c%c", (int)(0xc0 | rune >> 6), (int)(0x80 | (rune & 0x3f)));
    } else if (rune < 0x10000) {
        strbuf_addf(out, "%c%c%c", (int)(0xe0 | rune >> 12), (int)(0x80 | (rune >> 6 & 0x3f)),
                    (int)(0x80 | (rune & 0x3f)));
    } else {
        strbuf_addf(out, "%c%c%c%c", (int)(0xf0 | rune >> 18), (int)(0x80 | (rune >> 12 & 0x3f)),
                    (int)(0x80 | (rune >> 6 & 0x3f)), (int)(0x80 | (rune & 0x3f)));
    }
}

/* \uXXXX, two of them where they are a pair; half a pair alone is U+FFFD. A NUL cannot be in an argument. */
static bool take_unicode(const char **at, struct strbuf *out)
{
    uint32_t rune, low;
    if (!take_hex(at, &rune) || rune == 0)
        return false;
    if (rune >= 0xd800 && rune < 0xe000) {
        const char *next = *at;
        if (rune < 0xdc00 && take(&next, "\\u") && take_hex(&next, &low) && low >= 0xdc00 && low < 0xe000) {
            rune = 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00);
            *at = next;
        } else {
            rune = 0xfffd;
        }
    }
    add_rune(out, rune);
    return true;
}

static bool take_string(const char **at, struct strbuf *out)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (!take(at, "\""))
        return false;
    while (**at != '"') {
        unsigned char next = (unsigned char)*(*at)++;
        if (next < 0x20)
            return false;
        if (next != '\\') {
            strbuf_add_char(out, (char)next);
            continue;
        }
        char escape = *(*at)++;
        const char *place = escape ? strchr(escapes, escape) : NULL;
        if (place)
            strbuf_add_char(out, meanings[place - escapes]);
        else if (escape != 'u' || !take_unicode(at, out))
            return false;
    }
    ++*at;
    return true;
}

static bool take_digits(const char **at)
{
    size_t count = strspn(*at, "0123456789");
    *at += count;
    return count > 0;
}

static bool take_number(const char **at)
{
    take(at, "-");
    if (!take(at, "0") && !take_digits(at))
        return false;
    if (take(at, ".") && !take_digits(at))
        return false;
    if (**at == 'e' || **at == 'E') {
        ++*at;
        *at += **at == '+' || **at == '-';
        return take_digits(at);
    }
    return true;
}

static bool take_value(const char **at, int depth);

static bool take_members(const char **at, bool is_object, int depth)
{
    const char *close = is_object ? "}" : "]";
    skip_space(at);
    if (take(at, close))
        return true;
    do {
        skip_space(at);
        if (is_object) {
            _cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
            if (!take_string(at, &key))
                return false;
            skip_space(at);
            if (!take(at, ":"))
                return false;
            skip_space(at);
        }
        if (!take_value(at, depth))
            return false;
        skip_space(at);
    } while (take(at, ","));
    return take(at, close);
}

/* Any value, of which nothing is kept. */
static bool take_value(const char **at, int depth)
{
    if (depth > DEPTH_LIMIT)
        return false;
    if (**at == '"') {
        _cleanup_strbuf_ struct strbuf ignored = STRBUF_INIT;
        return take_string(at, &ignored);
    }
    if (take(at, "{"))
        return take_members(at, true, depth + 1);
    if (take(at, "["))
        return take_members(at, false, depth + 1);
    return take(at, "true") || take(at, "false") || take(at, "null") || take_number(at);
}

static bool parse(const char *at, struct strlist *out, bool *is_mixed)
{
    strlist_give(out);
    at += strspn(at, " \t\r\n\v\f");
    if (!take(&at, "["))
        return false;
    skip_space(&at);
    if (!take(&at, "]")) {
        do {
            skip_space(&at);
            if (*at == '"') {
                struct strbuf text = STRBUF_INIT;
                bool is_text = take_string(&at, &text);
                char *value = strbuf_take(&text);
                _cleanup_free_ char *utf8 = text_to_utf8(value);
                free(value);
                if (!is_text)
                    return false;
                strlist_add(out, utf8);
            } else if (take_value(&at, 1)) {
                *is_mixed = true;
            } else {
                return false;
            }
            skip_space(&at);
        } while (take(&at, ","));
        if (!take(&at, "]"))
            return false;
    }
    skip_space(&at);
    return *at == '\0';
}

enum json_array_kind json_array_parse(const char *text, struct strlist *out)
{
    _cleanup_strlist_ struct strlist items = {0};
    bool is_mixed = false;
    if (!parse(text, &items, &is_mixed))
        return JSON_ARRAY_NONE;
    if (is_mixed)
        return JSON_ARRAY_MIXED;
    strlist_release(out);
    *out = items;
    items = (struct strlist){0};
    return JSON_ARRAY_STRINGS;
}
