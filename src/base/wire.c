#include "base/wire.h"

#include <string.h>

#include "base/memory.h"

#define COUNT_OF_NULL UINT32_MAX

static void put_u32(struct strbuf *out, uint32_t value)
{
    strbuf_add(out, &value, sizeof(value));
}

static void put_blob(struct strbuf *out, const void *data, size_t length)
{
    put_u32(out, data ? (uint32_t)length : COUNT_OF_NULL);
    if (data)
        strbuf_add(out, data, length);
}

static void put_string(struct strbuf *out, const char *text)
{
    put_blob(out, text, text ? strlen(text) : 0);
}

static void put_strings(struct strbuf *out, const struct strlist *list)
{
    put_u32(out, list->items ? (uint32_t)list->count : COUNT_OF_NULL);
    for (size_t i = 0; i < list->count; i++)
        put_string(out, list->items[i]);
}

static void put_list(const struct record_type *type, const struct record_list *list, struct strbuf *out)
{
    put_u32(out, list->items ? (uint32_t)list->count : COUNT_OF_NULL);
    for (size_t i = 0; i < list->count; i++)
        wire_encode(type, (const char *)list->items + type->size * i, out);
}

static void encode_field(const struct field *field, const void *place, struct strbuf *out)
{
    switch (field->kind) {
    case FIELD_KIND_STRING:
    case FIELD_KIND_JSON:
        put_string(out, *(char *const *)place);
        break;
    case FIELD_KIND_BOOL:
        strbuf_add_char(out, *(const bool *)place);
        break;
    case FIELD_KIND_INT32:
    case FIELD_KIND_UINT32:
        strbuf_add(out, place, sizeof(uint32_t));
        break;
    case FIELD_KIND_INT64:
    case FIELD_KIND_UINT64:
    case FIELD_KIND_DOUBLE:
        strbuf_add(out, place, sizeof(uint64_t));
        break;
    case FIELD_KIND_OPT_BOOL: {
        const struct opt_bool *value = place;
        strbuf_add_char(out, value->is_set);
        strbuf_add_char(out, value->value);
        break;
    }
    case FIELD_KIND_OPT_INT64: {
        const struct opt_int64 *value = place;
        strbuf_add_char(out, value->is_set);
        strbuf_add(out, &value->value, sizeof(value->value));
        break;
    }
    case FIELD_KIND_STRINGS:
    case FIELD_KIND_SET:
        put_strings(out, place);
        break;
    case FIELD_KIND_MAP: {
        const struct strmap *map = place;
        put_u32(out, map->items ? (uint32_t)map->count : COUNT_OF_NULL);
        for (size_t i = 0; i < map->count; i++) {
            put_string(out, map->items[i].key);
            put_string(out, map->items[i].value);
        }
        break;
    }
    case FIELD_KIND_RECORD:
        wire_encode(field->type, place, out);
        break;
    case FIELD_KIND_OPT_RECORD:
        strbuf_add_char(out, *(void *const *)place != NULL);
        if (*(void *const *)place)
            wire_encode(field->type, *(void *const *)place, out);
        break;
    case FIELD_KIND_RECORDS:
        put_list(field->type, place, out);
        break;
    case FIELD_KIND_RECORD_MAP:
    case FIELD_KIND_LISTS_MAP: {
        const struct record_map *map = place;
        put_strings(out, &map->keys);
        for (size_t i = 0; i < map->keys.count; i++)
            if (field->kind == FIELD_KIND_LISTS_MAP)
                put_list(field->type, RECORD_AT(*map, struct record_list, i), out);
            else
                wire_encode(field->type, (const char *)map->items + field->type->size * i, out);
        break;
    }
    case FIELD_KIND_BYTES:
        put_blob(out, ((const struct bytes *)place)->data, ((const struct bytes *)place)->length);
        break;
    }
}

void wire_encode(const struct record_type *type, const void *record, struct strbuf *out)
{
    for (size_t i = 0; i < type->field_count; i++)
        encode_field(&type->fields[i], (const char *)record + type->fields[i].offset, out);
}

/* What is left to read; any read past the end sets is_broken and gives zeroes from then on. */
struct reader {
    const char *data;
    size_t left;
    bool is_broken;
};

static void take(struct reader *reader, void *out, size_t length)
{
    if (length > reader->left) {
        reader->is_broken = true;
        reader->left = 0;
        memset(out, 0, length);
        return;
    }
    memcpy(out, reader->data, length);
    reader->data += length;
    reader->left -= length;
}

/* A count of things that take at least one byte each; COUNT_OF_NULL passes. */
static uint32_t take_count(struct reader *reader)
{
    uint32_t count;
    take(reader, &count, sizeof(count));
    if (count != COUNT_OF_NULL && count > reader->left) {
        reader->is_broken = true;
        return COUNT_OF_NULL;
    }
    return count;
}

static void *take_blob(struct reader *reader, size_t *length)
{
    uint32_t count = take_count(reader);
    if (count == COUNT_OF_NULL)
        return NULL;
    char *data = xmalloc((size_t)count + 1);
    take(reader, data, count);
    data[count] = '\0';
    *length = count;
    return data;
}

static char *take_string(struct reader *reader)
{
    size_t length;
    return take_blob(reader, &length);
}

static bool take_bool(struct reader *reader)
{
    char value;
    take(reader, &value, 1);
    return value != 0;
}

static void take_strings(struct reader *reader, struct strlist *list)
{
    uint32_t count = take_count(reader);
    if (count == COUNT_OF_NULL)
        return;
    strlist_give(list);
    for (uint32_t i = 0; i < count && !reader->is_broken; i++) {
        char *item = take_string(reader);
        if (item)
            strlist_take(list, item);
        else
            reader->is_broken = true;
    }
}

static void decode_record(const struct record_type *type, struct reader *reader, void *record);

static void take_list(const struct record_type *type, struct reader *reader, struct record_list *list)
{
    uint32_t count = take_count(reader);
    if (count == COUNT_OF_NULL)
        return;
    list->items = xcalloc(1, type->size);
    for (uint32_t i = 0; i < count && !reader->is_broken; i++)
        decode_record(type, reader, record_list_add(list, type));
}

static void take_record_map(const struct field *field, struct reader *reader, struct record_map *map)
{
    _cleanup_strlist_ struct strlist keys = {0};
    take_strings(reader, &keys);
    if (!strlist_is_given(&keys))
        return;
    strlist_give(&map->keys);
    for (size_t i = 0; i < keys.count && !reader->is_broken; i++)
        if (field->kind == FIELD_KIND_LISTS_MAP)
            take_list(field->type, reader, record_map_put(map, &record_list_type, keys.items[i]));
        else
            decode_record(field->type, reader, record_map_put(map, field->type, keys.items[i]));
}

static void decode_field(const struct field *field, struct reader *reader, void *place)
{
    switch (field->kind) {
    case FIELD_KIND_STRING:
    case FIELD_KIND_JSON:
        *(char **)place = take_string(reader);
        break;
    case FIELD_KIND_BOOL:
        *(bool *)place = take_bool(reader);
        break;
    case FIELD_KIND_INT32:
    case FIELD_KIND_UINT32:
        take(reader, place, sizeof(uint32_t));
        break;
    case FIELD_KIND_INT64:
    case FIELD_KIND_UINT64:
    case FIELD_KIND_DOUBLE:
        take(reader, place, sizeof(uint64_t));
        break;
    case FIELD_KIND_OPT_BOOL: {
        struct opt_bool *value = place;
        value->is_set = take_bool(reader);
        value->value = take_bool(reader);
        break;
    }
    case FIELD_KIND_OPT_INT64: {
        struct opt_int64 *value = place;
        value->is_set = take_bool(reader);
        take(reader, &value->value, sizeof(value->value));
        break;
    }
    case FIELD_KIND_STRINGS:
    case FIELD_KIND_SET:
        take_strings(reader, place);
        break;
    case FIELD_KIND_MAP: {
        uint32_t count = take_count(reader);
        if (count == COUNT_OF_NULL)
            break;
        strmap_give(place);
        for (uint32_t i = 0; i < count && !reader->is_broken; i++) {
            _cleanup_free_ char *key = take_string(reader), *value = take_string(reader);
            if (key && value)
                strmap_set(place, key, value);
            else
                reader->is_broken = true;
        }
        break;
    }
    case FIELD_KIND_RECORD:
        decode_record(field->type, reader, place);
        break;
    case FIELD_KIND_OPT_RECORD:
        if (take_bool(reader)) {
            *(void **)place = xcalloc(1, field->type->size);
            decode_record(field->type, reader, *(void **)place);
        }
        break;
    case FIELD_KIND_RECORDS:
        take_list(field->type, reader, place);
        break;
    case FIELD_KIND_RECORD_MAP:
    case FIELD_KIND_LISTS_MAP:
        take_record_map(field, reader, place);
        break;
    case FIELD_KIND_BYTES: {
        struct bytes *bytes = place;
        bytes->data = take_blob(reader, &bytes->length);
        break;
    }
    }
}

static void decode_record(const struct record_type *type, struct reader *reader, void *record)
{
    for (size_t i = 0; i < type->field_count && !reader->is_broken; i++)
        decode_field(&type->fields[i], reader, (char *)record + type->fields[i].offset);
}

bool wire_decode(const struct record_type *type, const void *data, size_t length, void *record, struct error *err)
{
    struct reader reader = {.data = data, .left = length};
    decode_record(type, &reader, record);
    if (!reader.is_broken && reader.left == 0)
        return true;
    record_release(type, record);
    return error_set(err, ERROR_INTERNAL, "malformed %s message of %zu bytes", type->name, length);
}
