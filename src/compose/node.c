#include "compose/node.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct node *node_new(enum node_kind kind, const struct node *at)
{
    struct node *node = NEW(struct node);
    node->kind = kind;
    if (at) {
        node->file = at->file;
        node->line = at->line;
    }
    return node;
}

struct node *node_take_string(char *text, const struct node *at)
{
    struct node *node = node_new(NODE_STRING, at);
    node->text = text;
    return node;
}

struct node *node_string(const char *text, const struct node *at)
{
    return node_take_string(xstrdup(text), at);
}

struct node *node_bool(bool value, const struct node *at)
{
    struct node *node = node_string(value ? "true" : "false", at);
    node->kind = NODE_BOOL;
    node->integer = value;
    return node;
}

struct node *node_integer(int64_t value, const struct node *at)
{
    struct node *node = node_take_string(xasprintf("%lld", (long long)value), at);
    node->kind = NODE_INT;
    node->integer = value;
    node->number = (double)value;
    return node;
}

void node_free(struct node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->count; i++) {
        node_free(node->items[i]);
        if (node->keys)
            free(node->keys[i]);
    }
    free(node->keys);
    free(node->items);
    free(node->text);
    free(node);
}

struct node *node_copy(const struct node *node)
{
    if (!node)
        return NULL;
    struct node *copy = node_new(node->kind, node);
    copy->merge = node->merge;
    copy->is_interpolated = node->is_interpolated;
    copy->text = xstrdup(node->text);
    copy->integer = node->integer;
    copy->number = node->number;
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_MAP) {
            size_t count = copy->count;
            *APPEND(copy->keys, count) = xstrdup(node->keys[i]);
        }
        *APPEND(copy->items, copy->count) = node_copy(node->items[i]);
    }
    return copy;
}

static bool find(const struct node *map, const char *key, size_t *index)
{
    for (size_t i = 0; map && map->kind == NODE_MAP && i < map->count; i++) {
        if (strcmp(map->keys[i], key) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

struct node *node_get(const struct node *map, const char *key)
{
    size_t index;
    return find(map, key, &index) ? map->items[index] : NULL;
}

void node_put(struct node *map, const char *key, struct node *value)
{
    size_t index;
    if (find(map, key, &index)) {
        if (map->items[index] != value)
            node_free(map->items[index]);
        map->items[index] = value;
        return;
    }
    size_t count = map->count;
    *APPEND(map->keys, count) = xstrdup(key);
    *APPEND(map->items, map->count) = value;
}

struct node *node_take(struct node *map, const char *key)
{
    size_t index;
    if (!find(map, key, &index))
        return NULL;
    struct node *value = TAKE_PTR(map->items[index]);
    node_remove_at(map, index);
    return value;
}

void node_remove(struct node *map, const char *key)
{
    node_free(node_take(map, key));
}

void node_append(struct node *list, struct node *item)
{
    *APPEND(list->items, list->count) = item;
}

void node_remove_at(struct node *node, size_t index)
{
    node_free(node->items[index]);
    size_t left = node->count - index - 1;
    memmove(&node->items[index], &node->items[index + 1], left * sizeof(*node->items));
    if (node->keys) {
        free(node->keys[index]);
        memmove(&node->keys[index], &node->keys[index + 1], left * sizeof(*node->keys));
    }
    node->count--;
}

void node_replace(struct node **place, struct node *value)
{
    value->merge = (*place)->merge;
    if (*place != value)
        node_free(*place);
    *place = value;
}

bool node_is(const struct node *node, enum node_kind kind)
{
    return node && node->kind == kind;
}

const char *node_text(const struct node *node)
{
    return node && node->kind != NODE_NULL ? node->text : NULL;
}

bool node_is_true(const struct node *node)
{
    return node_is(node, NODE_BOOL) && node->integer;
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

void node_resolve(struct node *scalar)
{
    const char *text = scalar->text;
    scalar->kind = NODE_STRING;
    if (!*text || string_equal(text, "~") || is_word(text, "null", "Null", "NULL")) {
        scalar->kind = NODE_NULL;
    } else if (is_word(text, "true", "True", "TRUE") || is_word(text, "false", "False", "FALSE")) {
        scalar->kind = NODE_BOOL;
        scalar->integer = *text == 't' || *text == 'T';
    } else if (read_integer(text, &scalar->integer)) {
        scalar->kind = NODE_INT;
        scalar->number = (double)scalar->integer;
    } else if (read_float(text, &scalar->number)) {
        scalar->kind = NODE_FLOAT;
    }
}

bool node_error(const struct node *at, const char *path, struct error *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *message = xvasprintf(format, arguments);
    va_end(arguments);
    _cleanup_free_ char *place = at && at->file ? xasprintf("%s:%d: ", at->file, at->line) : xstrdup("");
    return error_set(err, ERROR_INVALID, "%s%s%s%s", place, string_or_empty(path), string_is_set(path) ? ": " : "",
                     message);
}

json_t *node_to_json(const struct node *node)
{
    json_t *json;
    if (!node)
        return json_null();
    switch (node->kind) {
    case NODE_NULL:
        return json_null();
    case NODE_BOOL:
        return json_boolean(node->integer);
    case NODE_INT:
        return json_integer(node->integer);
    case NODE_FLOAT:
        json = json_real(node->number);
        return json ? json : json_string(node->text);
    case NODE_STRING:
        break;
    case NODE_LIST:
        json = json_array();
        for (size_t i = 0; i < node->count; i++)
            json_array_append_new(json, node_to_json(node->items[i]));
        return json;
    case NODE_MAP:
        json = json_object();
        for (size_t i = 0; i < node->count; i++)
            json_object_set_new(json, node->keys[i], node_to_json(node->items[i]));
        return json;
    }
    _cleanup_free_ char *text = text_to_utf8(node->text);
    return json_string(text);
}
