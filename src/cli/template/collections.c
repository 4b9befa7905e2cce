/* index, slice, len, join, split. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/template/functions.h"

/* A position in something that has `capacity` elements; Go lets it be one too many, and then says so elsewhere. */
static bool position(struct value index, int64_t capacity, int64_t *out, struct error *err)
{
    index = value_of_interface(index);
    if (!index.type)
        return error_set(err, ERROR_INVALID, "cannot index slice/array with nil");
    if (index.type->kind != VALUE_KIND_INT && index.type->kind != VALUE_KIND_UINT)
        return error_set(err, ERROR_INVALID, "cannot index slice/array with type %s", index.type->name);
    *out = value_int(index);
    if (*out < 0 || *out > capacity)
        return error_set(err, ERROR_INVALID, "index out of range: %lld", (long long)*out);
    return true;
}

static bool index_once(const struct template_call *call, struct value index, struct value *item, struct error *err)
{
    bool is_nil;
    char buffer[64];
    index = value_of_interface(index);
    *item = value_indirect(*item, &is_nil);
    if (is_nil || !item->type)
        return error_set(err, ERROR_INVALID, "index of nil pointer");
    int64_t place, length = value_length(*item);
    switch (item->type->kind) {
    case VALUE_KIND_LIST:
    case VALUE_KIND_STRING:
    case VALUE_KIND_NUMBER:
        if (!position(index, length, &place, err))
            return false;
        if (place == length)
            return error_set(err, ERROR_INVALID, "reflect: %s index out of range",
                             item->type->kind == VALUE_KIND_LIST ? "slice" : "string");
        if (item->type->kind == VALUE_KIND_LIST)
            *item = value_element(*item, (size_t)place);
        else
            *item = pool_take(call->pool, &type_byte, json_integer((unsigned char)value_text(*item, buffer)[place]));
        return true;
    case VALUE_KIND_MAP: {
        if (!index.type)
            return error_set(err, ERROR_INVALID, "value is nil; should be of type string");
        if (item->type->key_name)
            return error_set(err, ERROR_INVALID, "value has type %s; should be %s", index.type->name,
                             item->type->key_name);
        if (!value_is_text(index))
            return error_set(err, ERROR_INVALID, "value has type %s; should be string", index.type->name);
        struct value member = value_member(*item, value_text(index, buffer));
        *item = member.type ? member : (struct value){item->type->element, NULL};
        return true;
    }
    default:
        return error_set(err, ERROR_INVALID, "can't index item of type %s", item->type->name);
    }
}

bool function_index(const struct template_call *call, struct value *out, struct error *err)
{
    struct value item = value_of_interface(call->arguments[0]);
    if (!item.type)
        return error_set(err, ERROR_INVALID, "index of untyped nil");
    for (size_t i = 1; i < call->count; i++)
        if (!index_once(call, call->arguments[i], &item, err))
            return false;
    *out = item;
    return true;
}

bool function_slice(const struct template_call *call, struct value *out, struct error *err)
{
    struct value item = value_of_interface(call->arguments[0]);
    if (!item.type)
        return error_set(err, ERROR_INVALID, "slice of untyped nil");
    if (call->count > 4)
        return error_set(err, ERROR_INVALID, "too many slice indexes: %zu", call->count - 1);
    bool is_text = value_is_text(item);
    if (is_text && call->count == 4)
        return error_set(err, ERROR_INVALID, "cannot 3-index slice a string");
    if (!is_text && item.type->kind != VALUE_KIND_LIST)
        return error_set(err, ERROR_INVALID, "can't slice item of type %s", item.type->name);
    int64_t length = value_length(item), places[3] = {0, length, length};
    for (size_t i = 1; i < call->count; i++)
        if (!position(call->arguments[i], length, &places[i - 1], err))
            return false;
    if (places[0] > places[1])
        return error_set(err, ERROR_INVALID, "invalid slice index: %lld > %lld", (long long)places[0],
                         (long long)places[1]);
    if (places[1] > places[2])
        return error_set(err, ERROR_INVALID, "invalid slice index: %lld > %lld", (long long)places[1],
                         (long long)places[2]);
    if (is_text) {
        char buffer[64];
        const char *text = value_text(item, buffer);
        *out = pool_take(call->pool, item.type->kind == VALUE_KIND_STRING ? item.type : &type_string,
                         json_stringn_nocheck(text + places[0], (size_t)(places[1] - places[0])));
        return true;
    }
    json_t *part = json_array();
    for (int64_t i = places[0]; i < places[1]; i++)
        json_array_append(part, json_array_get(item.json, (size_t)i));
    *out = pool_take(call->pool, item.type, part);
    return true;
}

bool function_len(const struct template_call *call, struct value *out, struct error *err)
{
    bool is_nil;
    struct value item = value_indirect(call->arguments[0], &is_nil);
    if (!item.type)
        return error_set(err, ERROR_INVALID, "reflect: call of reflect.Value.Type on zero Value");
    if (is_nil)
        return error_set(err, ERROR_INVALID, "len of nil pointer");
    int64_t length = value_length(item);
    if (length < 0)
        return error_set(err, ERROR_INVALID, "len of type %s", item.type->name);
    *out = pool_int(call->pool, length);
    return true;
}

bool function_join(const struct template_call *call, struct value *out, struct error *err)
{
    char buffer[64];
    struct strbuf text = STRBUF_INIT;
    for (int64_t i = 0; i < value_length(call->arguments[0]); i++) {
        strbuf_add_string(&text, i ? value_text(call->arguments[1], buffer) : "");
        strbuf_add_string(&text, value_text(value_element(call->arguments[0], (size_t)i), buffer));
    }
    *out = pool_string(call->pool, strbuf_take(&text));
    return true;
}

bool function_split(const struct template_call *call, struct value *out, struct error *err)
{
    char buffer[64], separator_buffer[64];
    const char *text = value_text(call->arguments[0], buffer);
    const char *separator = value_text(call->arguments[1], separator_buffer);
    json_t *parts = json_array();
    size_t step = strlen(separator);
    while (step == 0 && *text) { /* every character by itself */
        size_t length = 1;
        while (((unsigned char)text[length] & 0xc0) == 0x80)
            length++;
        json_array_append_new(parts, json_stringn_nocheck(text, length));
        text += length;
    }
    for (const char *place = NULL; step; text = place + step) {
        place = strstr(text, separator);
        json_array_append_new(parts, json_stringn_nocheck(text, place ? (size_t)(place - text) : strlen(text)));
        if (!place)
            break;
    }
    *out = pool_take(call->pool, &type_strings, parts);
    return true;
}
