#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

void strlist_release(struct strlist *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct strlist){0};
}

void strlist_take(struct strlist *list, char *item)
{
    /* There is room for the next power of two above count, so it is full where count + 1 is one. */
    size_t used = list->count + 1;
    if (!list->items || (used > 1 && (used & (used - 1)) == 0))
        list->items = xrealloc(list->items, used * 2, sizeof(char *));
    list->items[list->count++] = item;
    list->items[list->count] = NULL;
}

void strlist_add(struct strlist *list, const char *item)
{
    strlist_take(list, xstrdup(item));
}

void strlist_addf(struct strlist *list, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    strlist_take(list, xvasprintf(format, arguments));
    va_end(arguments);
}

void strlist_give(struct strlist *list)
{
    if (!list->items)
        list->items = xcalloc(2, sizeof(char *));
}

bool strlist_contains(const struct strlist *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], item) == 0)
            return true;
    return false;
}

void strlist_copy(struct strlist *to, const struct strlist *from)
{
    struct strlist copy = {0};
    if (strlist_is_given(from))
        strlist_give(&copy);
    for (size_t i = 0; i < from->count; i++)
        strlist_add(&copy, from->items[i]);
    strlist_release(to);
    *to = copy;
}

struct strlist strlist_split(const char *text, char separator)
{
    struct strlist list = {0};
    for (;;) {
        const char *end = strchrnul(text, separator);
        strlist_take(&list, xstrndup(text, (size_t)(end - text)));
        if (!*end)
            return list;
        text = end + 1;
    }
}

char *strlist_join(const struct strlist *list, const char *separator)
{
    struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            strbuf_add_string(&text, separator);
        strbuf_add_string(&text, list->items[i]);
    }
    return strbuf_take(&text);
}

void strlist_remove(struct strlist *list, size_t index)
{
    free(list->items[index]);
    memmove(list->items + index, list->items + index + 1, (list->count - index) * sizeof(char *));
    list->count--;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(char *), compare_strings);
}

void strmap_release(struct strmap *map)
{
    for (size_t i = 0; i < map->count; i++) {
        free(map->items[i].key);
        free(map->items[i].value);
    }
    free(map->items);
    *map = (struct strmap){0};
}

void strmap_set(struct strmap *map, const char *key, const char *value)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->items[i].key, key) == 0) {
            string_replace(&map->items[i].value, value);
            return;
        }
    struct strpair *pair = APPEND(map->items, map->count);
    pair->key = xstrdup(key);
    pair->value = xstrdup(value);
}

void strmap_remove(struct strmap *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->items[i].key, key) != 0)
            continue;
        free(map->items[i].key);
        free(map->items[i].value);
        memmove(&map->items[i], &map->items[i + 1], (map->count - i - 1) * sizeof(*map->items));
        map->count--;
        return;
    }
}

const char *strmap_get(const struct strmap *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->items[i].key, key) == 0)
            return map->items[i].value;
    return NULL;
}

void strmap_give(struct strmap *map)
{
    if (!map->items)
        map->items = xcalloc(1, sizeof(struct strpair));
}

void strmap_copy(struct strmap *to, const struct strmap *from)
{
    struct strmap copy = {0};
    if (from->items)
        strmap_give(&copy);
    for (size_t i = 0; i < from->count; i++)
        strmap_set(&copy, from->items[i].key, from->items[i].value);
    strmap_release(to);
    *to = copy;
}

const char *env_get(const struct strlist *env, const char *key)
{
    size_t length = strlen(key);
    for (size_t i = 0; i < env->count; i++)
        if (strncmp(env->items[i], key, length) == 0 && env->items[i][length] == '=')
            return env->items[i] + length + 1;
    return NULL;
}

void env_put(struct strlist *env, const char *assignment)
{
    size_t length = strcspn(assignment, "=");
    for (size_t i = 0; i < env->count; i++) {
        if (strncmp(env->items[i], assignment, length) != 0 || env->items[i][length] != '=')
            continue;
        if (assignment[length])
            string_replace(&env->items[i], assignment);
        else
            strlist_remove(env, i);
        return;
    }
    if (assignment[length])
        strlist_add(env, assignment);
}

bool string_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool string_is_set(const char *text)
{
    return text && *text;
}

bool string_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool string_ends_with(const char *text, const char *suffix)
{
    size_t text_length = strlen(text), suffix_length = strlen(suffix);
    return text_length >= suffix_length && strcmp(text + text_length - suffix_length, suffix) == 0;
}

void string_replace(char **place, const char *value)
{
    char *copy = xstrdup(value);
    free(*place);
    *place = copy;
}

bool parse_int64(const char *text, int64_t *out)
{
    const char *digits = *text == '-' || *text == '+' ? text + 1 : text;
    if (!isdigit((unsigned char)*digits))
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end)
        return false;
    *out = value;
    return true;
}

bool parse_uint64(const char *text, uint64_t *out)
{
    if (!isdigit((unsigned char)*text))
        return false;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || *end)
        return false;
    *out = value;
    return true;
}

/* Bytes of the character at `text` (RFC 3629), or 0 where it is none. */
static size_t utf8_length(const unsigned char *text)
{
    size_t length = text[0] < 0x80   ? 1
                    : text[0] < 0xc2 ? 0
                    : text[0] < 0xe0 ? 2
                    : text[0] < 0xf0 ? 3
                    : text[0] < 0xf5 ? 4
                                     : 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    /* Longer forms than needed, surrogates, and what lies beyond U+10FFFF. */
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    return length;
}

char *text_to_utf8(const char *text)
{
    struct strbuf out = STRBUF_INIT;
    for (const char *at = string_or_empty(text); *at;) {
        size_t length = utf8_length((const unsigned char *)at);
        if (length)
            strbuf_add(&out, at, length);
        else
            strbuf_add_string(&out, "\xEF\xBF\xBD");
        at += length ? length : 1;
    }
    return strbuf_take(&out);
}
