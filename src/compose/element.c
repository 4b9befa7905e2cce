#include "compose/element.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct element *element_new(enum element_kind kind, const struct element *at)
{
    struct element *node = NEW(struct element);
    node->kind = kind;
    if (at) {
        node->file = at->file;
        node->line = at->line;
    }
    return node;
}

struct element *element_take_string(char *text, const struct element *at)
{
    struct element *node = element_new(ELEMENT_STRING, at);
    node->text = text;
    return node;
}

struct element *element_string(const char *text, const struct element *at)
{
    return element_take_string(xstrdup(text), at);
}

struct element *element_bool(bool value, const struct element *at)
{
    struct element *node = element_string(value ? "true" : "false", at);
    node->kind = ELEMENT_BOOL;
    node->integer = value;
    return node;
}

struct element *element_integer(int64_t value, const struct element *at)
{
    struct element *node = element_take_string(xasprintf("%lld", (long long)value), at);
    node->kind = ELEMENT_INT;
    node->integer = value;
    node->number = (double)value;
    return node;
}

void element_free(struct element *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->count; i++) {
        element_free(node->items[i]);
        if (node->keys)
            free(node->keys[i]);
    }
    free(node->keys);
    free(node->items);
    free(node->text);
    free(node);
}

struct element *element_copy(const struct element *node)
{
    if (!node)
        return NULL;
    struct element *copy = element_new(node->kind, node);
    copy->merge = node->merge;
    copy->is_interpolated = node->is_interpolated;
    copy->text = xstrdup(node->text);
    copy->integer = node->integer;
    copy->number = node->number;
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == ELEMENT_MAP) {
            size_t count = copy->count;
            *APPEND(copy->keys, count) = xstrdup(node->keys[i]);
        }
        *APPEND(copy->items, copy->count) = element_copy(node->items[i]);
    }
    return copy;
}

static bool find(const struct element *map, const char *key, size_t *index)
{
    for (size_t i = 0; map && map->kind == ELEMENT_MAP && i < map->count; i++) {
        if (strcmp(map->keys[i], key) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

struct element *element_get(const struct element *map, const char *key)
{
    size_t index;
    return find(map, key, &index) ? map->items[index] : NULL;
}

void element_put(struct element *map, const char *key, struct element *value)
{
    size_t index;
    if (find(map, key, &index)) {
        if (map->items[index] != value)
            element_free(map->items[index]);
        map->items[index] = value;
        return;
    }
    size_t count = map->count;
    *APPEND(map->keys, count) = xstrdup(key);
    *APPEND(map->items, map->count) = value;
}

struct element *element_take(struct element *map, const char *key)
{
    size_t index;
    if (!find(map, key, &index))
        return NULL;
    struct element *value = TAKE_PTR(map->items[index]);
    element_remove_at(map, index);
    return value;
}

void element_remove(struct element *map, const char *key)
{
    element_free(element_take(map, key));
}

void element_append(struct element *list, struct element *item)
{
    *APPEND(list->items, list->count) = item;
}

void element_remove_at(struct element *node, size_t index)
{
    element_free(node->items[index]);
    size_t left = node->count - index - 1;
    memmove(&node->items[index], &node->items[index + 1], left * sizeof(*node->items));
    if (node->keys) {
        free(node->keys[index]);
        memmove(&node->keys[index], &node->keys[index + 1], left * sizeof(*node->keys));
    }
    node->count--;
}

void element_replace(struct element **place, struct element *value)
{
    value->merge = (*place)->merge;
    if (*place != value)
        element_free(*place);
    *place = value;
}

bool element_is(const struct element *node, enum element_kind kind)
{
    return node && node->kind == kind;
}

const char *element_text(const struct element *node)
{
    return node && node->kind != ELEMENT_NULL ? node->text : NULL;
}

bool element_is_true(const struct element *node)
{
    return element_is(node, ELEMENT_BOOL) && node->integer;
}

static bool is_word(const char *text, const char *lower, const char *title, const char *upper)
{
    return string_equal(text, lower) || string_equal(text, title) || string_equal(text, upper);
}

static bool read_integer(const char *text, int64_t *out)
{
    const char *digits = text + (*text == '-' || *text == '+');
    int base = 10;
    if (digits[0] == '0' && digits[1]) {
        base = digits[1] == 'x' ? 16 : digits[1] == 'b' ? 2 : 8;
        digits += digits[1] == 'x' || digits[1] == 'b' || digits[1] == 'o' ? 2 : 1;
    }
    const char *allowed = base == 16  ? "0123456789abcdefABCDEF"
                          : base == 8 ? "01234567"
                          : base == 2 ? "01"
                                      : "0123456789";
    if (!*digits || digits[strspn(digits, allowed)])
        return false;
    errno = 0;
    long long value = strtoll(digits, NULL, base);
    *out = *text == '-' ? -value : value;
    return errno == 0;
}

static bool read_float(const char *text, double *out)
{
    const char *rest = text + (*text == '-' || *text == '+');
    if (is_word(rest, ".inf", ".Inf", ".INF")) {
        *out = *text == '-' ? -INFINITY : INFINITY;
        return true;
    }
    bool has_digit = strpbrk(rest, "0123456789") != NULL;
    if (!has_digit || rest[strspn(rest, "0123456789.eE+-")] || strchr("eE+-", *rest))
        return false;
    char *end;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

void element_resolve(struct element *scalar)
{
    const char *text = scalar->text;
    scalar->kind = ELEMENT_STRING;
    if (!*text || string_equal(text, "~") || is_word(text, "null", "Null", "NULL")) {
        scalar->kind = ELEMENT_NULL;
    } else if (is_word(text, "true", "True", "TRUE") || is_word(text, "false", "False", "FALSE")) {
        scalar->kind = ELEMENT_BOOL;
        scalar->integer = *text == 't' || *text == 'T';
    } else if (read_integer(text, &scalar->integer)) {
        scalar->kind = ELEMENT_INT;
        scalar->number = (double)scalar->integer;
    } else if (read_float(text, &scalar->number)) {
        scalar->kind = ELEMENT_FLOAT;
    }
}

bool element_error(const struct element *at, const char *path, struct error *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *message = xvasprintf(format, arguments);
    va_end(arguments);
    _cleanup_free_ char *place = at && at->file ? xasprintf("%s:%d: ", at->file, at->line) : xstrdup("");
    return error_set(err, ERROR_INVALID, "%s%s%s%s", place, string_or_empty(path), string_is_set(path) ? ": " : "",
                     message);
}

json_t *element_to_json(const struct element *node)
{
    json_t *json;
    if (!node)
        return json_null();
    switch (node->kind) {
    case ELEMENT_NULL:
        return json_null();
    case ELEMENT_BOOL:
        return json_boolean(node->integer);
    case ELEMENT_INT:
        return json_integer(node->integer);
    case ELEMENT_FLOAT:
        json = json_real(node->number);
        return json ? json : json_string(node->text);
    case ELEMENT_STRING:
        break;
    case ELEMENT_LIST:
        json = json_array();
        for (size_t i = 0; i < node->count; i++)
            json_array_append_new(json, element_to_json(node->items[i]));
        return json;
    case ELEMENT_MAP:
        json = json_object();
        for (size_t i = 0; i < node->count; i++)
            json_object_set_new(json, node->keys[i], element_to_json(node->items[i]));
        return json;
    }
    _cleanup_free_ char *text = text_to_utf8(node->text);
    return json_string(text);
}
