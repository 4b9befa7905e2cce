#include "dockerfile/shell_pattern.h"

#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "base/memory.h"
#include "base/strbuf.h"

/* Code points; a byte that is no UTF-8 stands for itself, above all of them. */
enum { ANY_RUN = 0x120000, ANY_ONE = 0x120001, BAD_BYTE = 0x110000 };

struct runes {
    uint32_t *items;
    size_t count;
};

static void runes_release(struct runes *runes)
{
    free(runes->items);
}

static uint32_t take_rune(const char **place)
{
    const unsigned char *at = (const unsigned char *)*place;
    size_t length = *at < 0x80 ? 1 : *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : *at >= 0xc2 ? 2 : 0;
    if (length == 0 || *at > 0xf4)
        length = 0;
    uint32_t rune = length == 1 ? (uint32_t)*at : (uint32_t)*at & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            length = 0;
            break;
        }
        rune = rune << 6 | (at[i] & 0x3f);
    }
    *place += length ? length : 1;
    return length ? rune : (uint32_t)BAD_BYTE + *at;
}

static void add_rune(struct strbuf *out, uint32_t rune)
{
    if (rune >= BAD_BYTE) {
        strbuf_add_char(out, (char)(rune - BAD_BYTE));
    } else if (rune < 0x80) {
        strbuf_add_char(out, (char)rune);
    } else {
        int extra = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
        static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
        strbuf_add_char(out, (char)(leads[extra] | rune >> (6 * extra)));
        while (extra-- > 0)
            strbuf_add_char(out, (char)(0x80 | (rune >> (6 * extra) & 0x3f)));
    }
}

static void read_text(const char *text, struct runes *out)
{
    out->items = xcalloc(strlen(text) + 1, sizeof(*out->items));
    while (*text)
        out->items[out->count++] = take_rune(&text);
}

static bool read_pattern(const char *pattern, struct runes *out, struct error *err)
{
    out->items = xcalloc(strlen(pattern) + 1, sizeof(*out->items));
    while (*pattern) {
        uint32_t rune = take_rune(&pattern);
        if (rune == '*') {
            if (out->count == 0 || out->items[out->count - 1] != ANY_RUN)
                out->items[out->count++] = ANY_RUN;
            continue;
        }
        if (rune == '?') {
            rune = ANY_ONE;
        } else if (rune == '\\') {
            if (*pattern == '}' || *pattern == '/')
                continue;
            if (!*pattern || !strchr("*?\\", *pattern)) {
                _cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
                add_rune(&shown, *pattern ? take_rune(&pattern) : 0xfffd);
                return error_set(err, ERROR_INVALID, "invalid escape '\\%s'", strbuf_text(&shown));
            }
            rune = take_rune(&pattern);
        }
        out->items[out->count++] = rune;
    }
    return true;
}

static void reverse(struct runes *runes)
{
    for (size_t i = 0, j = runes->count; i + 1 < j; i++) {
        uint32_t other = runes->items[--j];
        runes->items[j] = runes->items[i];
        runes->items[i] = other;
    }
}

/* The length of the match at the start of the text, -1 for none. *stopped_at (may be NULL) gets the place of the line
   end at which a `*` ended, when nothing matched: no later start before that can match either. The time is at most
   pattern times text: a set of places in the pattern moves along the text. */
static ssize_t match(const struct runes *pattern, const uint32_t *text, size_t length, bool is_longest,
                     size_t *stopped_at)
{
    _cleanup_free_ bool *now = xcalloc(pattern->count + 1, sizeof(bool));
    _cleanup_free_ bool *next = xcalloc(pattern->count + 1, sizeof(bool));
    ssize_t found = -1;
    bool has_passed_run = false;
    now[0] = true;
    for (size_t i = 0;; i++) {
        bool is_alive = false;
        for (size_t p = 0; p < pattern->count; p++)
            if (now[p] && pattern->items[p] == ANY_RUN)
                now[p + 1] = has_passed_run = true;
        if (now[pattern->count]) {
            found = (ssize_t)i;
            if (!is_longest)
                return found;
        }
        memset(next, 0, (pattern->count + 1) * sizeof(bool));
        for (size_t p = 0; i < length && p < pattern->count; p++) {
            if (!now[p])
                continue;
            bool is_run = pattern->items[p] == ANY_RUN;
            bool is_any = is_run || pattern->items[p] == ANY_ONE;
            if (is_any ? text[i] != '\n' : text[i] == pattern->items[p])
                is_alive = next[is_run ? p : p + 1] = true;
        }
        if (!is_alive) {
            if (stopped_at && found < 0 && has_passed_run)
                *stopped_at = i;
            return found;
        }
        bool *swap = now;
        now = next;
        next = swap;
    }
}

char *shell_pattern_cut(const char *pattern, const char *text, bool at_end, bool is_longest, struct error *err)
{
    _cleanup_(runes_release) struct runes wanted = {0}, given = {0};
    if (!read_pattern(pattern, &wanted, err))
        return NULL;
    read_text(text, &given);
    if (at_end) {
        reverse(&wanted);
        reverse(&given);
    }
    ssize_t length = match(&wanted, given.items, given.count, is_longest, NULL);
    size_t cut = length > 0 ? (size_t)length : 0;
    if (at_end)
        reverse(&given);
    struct strbuf out = STRBUF_INIT;
    for (size_t i = at_end ? 0 : cut; i < given.count - (at_end ? cut : 0); i++)
        add_rune(&out, given.items[i]);
    return strbuf_take(&out);
}

char *shell_pattern_replace(const char *pattern, const char *text, const char *replacement, bool replaces_all,
                            struct error *err)
{
    _cleanup_(runes_release) struct runes wanted = {0}, given = {0};
    if (!read_pattern(pattern, &wanted, err))
        return NULL;
    read_text(text, &given);
    struct strbuf out = STRBUF_INIT;
    size_t barren_until = 0, last_end = 0;
    bool is_over = false, has_newline = strchr(pattern, '\n') != NULL;
    for (size_t i = 0; i <= given.count;) {
        size_t stopped_at = 0;
        ssize_t length = -1;
        if (!is_over && i >= barren_until)
            length = match(&wanted, given.items + i, given.count - i, true, &stopped_at);
        if (stopped_at > 0 && !has_newline)
            barren_until = i + stopped_at;
        /* An empty match right behind the last one does not count (Go's regexp). */
        if (length > 0 || (length == 0 && (i == 0 || i > last_end))) {
            strbuf_add_string(&out, replacement);
            is_over = !replaces_all;
            i += (size_t)length;
            last_end = i;
        }
        if (length <= 0) {
            if (i < given.count)
                add_rune(&out, given.items[i]);
            i++;
        }
    }
    return strbuf_take(&out);
}
