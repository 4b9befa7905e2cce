#include "base/record.h"

#include <string.h>

#include "base/memory.h"

const struct record_type record_list_type = {.name = "list", .size = sizeof(struct record_list)};

static void *member(const struct field *field, const void *record)
{
    return (char *)(uintptr_t)record + field->offset;
}

static void *element(void *items, const struct record_type *type, size_t index)
{
    return (char *)items + type->size * index;
}

static void release_map(const struct field *field, struct record_map *map)
{
    bool has_lists = field->kind == FIELD_KIND_LISTS_MAP;
    for (size_t i = 0; i < map->keys.count; i++)
        if (has_lists)
            record_list_release(element(map->items, &record_list_type, i), field->type);
        else
            record_release(field->type, element(map->items, field->type, i));
    free(map->items);
    strlist_release(&map->keys);
}

static void release_field(const struct field *field, void *place)
{
    switch (field->kind) {
    case FIELD_KIND_STRING:
    case FIELD_KIND_JSON:
        free(*(char **)place);
        break;
    case FIELD_KIND_STRINGS:
    case FIELD_KIND_SET:
        strlist_release(place);
        break;
    case FIELD_KIND_MAP:
        strmap_release(place);
        break;
    case FIELD_KIND_RECORD:
        record_release(field->type, place);
        break;
    case FIELD_KIND_OPT_RECORD:
        if (*(void **)place)
            record_release(field->type, *(void **)place);
        free(*(void **)place);
        break;
    case FIELD_KIND_RECORDS:
        record_list_release(place, field->type);
        break;
    case FIELD_KIND_RECORD_MAP:
    case FIELD_KIND_LISTS_MAP:
        release_map(field, place);
        break;
    case FIELD_KIND_BYTES:
        free(((struct bytes *)place)->data);
        break;
    case FIELD_KIND_BOOL:
    case FIELD_KIND_INT64:
    case FIELD_KIND_UINT64:
    case FIELD_KIND_INT32:
    case FIELD_KIND_UINT32:
    case FIELD_KIND_DOUBLE:
    case FIELD_KIND_OPT_BOOL:
    case FIELD_KIND_OPT_INT64:
        break;
    }
}

void record_release(const struct record_type *type, void *record)
{
    for (size_t i = 0; i < type->field_count; i++)
        release_field(&type->fields[i], member(&type->fields[i], record));
    memset(record, 0, type->size);
}

static void copy_list(const struct record_type *type, struct record_list *to, const struct record_list *from)
{
    if (!from->items)
        return;
    to->items = xcalloc(from->count, type->size);
    for (size_t i = 0; i < from->count; i++)
        record_copy(type, record_list_add(to, type), element(from->items, type, i));
}

static void copy_map(const struct field *field, struct record_map *to, const struct record_map *from)
{
    bool has_lists = field->kind == FIELD_KIND_LISTS_MAP;
    const struct record_type *type = has_lists ? &record_list_type : field->type;
    if (strlist_is_given(&from->keys))
        strlist_give(&to->keys);
    for (size_t i = 0; i < from->keys.count; i++) {
        void *place = record_map_put(to, type, from->keys.items[i]);
        if (has_lists)
            copy_list(field->type, place, element(from->items, type, i));
        else
            record_copy(type, place, element(from->items, type, i));
    }
}

static void copy_field(const struct field *field, void *to, const void *from)
{
    switch (field->kind) {
    case FIELD_KIND_STRING:
    case FIELD_KIND_JSON:
        *(char **)to = xstrdup(*(char *const *)from);
        break;
    case FIELD_KIND_STRINGS:
    case FIELD_KIND_SET:
        strlist_copy(to, from);
        break;
    case FIELD_KIND_MAP:
        strmap_copy(to, from);
        break;
    case FIELD_KIND_RECORD:
        record_copy(field->type, to, from);
        break;
    case FIELD_KIND_OPT_RECORD:
        if (*(void *const *)from) {
            *(void **)to = xcalloc(1, field->type->size);
            record_copy(field->type, *(void **)to, *(void *const *)from);
        }
        break;
    case FIELD_KIND_RECORDS:
        copy_list(field->type, to, from);
        break;
    case FIELD_KIND_RECORD_MAP:
    case FIELD_KIND_LISTS_MAP:
        copy_map(field, to, from);
        break;
    case FIELD_KIND_BYTES: {
        const struct bytes *bytes = from;
        if (bytes->data)
            *(struct bytes *)to = (struct bytes){xmemdup(bytes->data, bytes->length), bytes->length};
        break;
    }
    case FIELD_KIND_BOOL:
        *(bool *)to = *(const bool *)from;
        break;
    case FIELD_KIND_INT32:
    case FIELD_KIND_UINT32:
        memcpy(to, from, sizeof(uint32_t));
        break;
    case FIELD_KIND_INT64:
    case FIELD_KIND_UINT64:
    case FIELD_KIND_DOUBLE:
        memcpy(to, from, sizeof(uint64_t));
        break;
    case FIELD_KIND_OPT_BOOL:
        *(struct opt_bool *)to = *(const struct opt_bool *)from;
        break;
    case FIELD_KIND_OPT_INT64:
        *(struct opt_int64 *)to = *(const struct opt_int64 *)from;
        break;
    }
}

void record_copy(const struct record_type *type, void *to, const void *from)
{
    if (to == from)
        return;
    record_release(type, to);
    for (size_t i = 0; i < type->field_count; i++)
        copy_field(&type->fields[i], member(&type->fields[i], to), member(&type->fields[i], from));
}

bool record_field_is_empty(const struct field *field, const void *record)
{
    const void *place = member(field, record);
    switch (field->kind) {
    case FIELD_KIND_STRING:
    case FIELD_KIND_JSON:
        return !string_is_set(*(char *const *)place);
    case FIELD_KIND_BOOL:
        return !*(const bool *)place;
    case FIELD_KIND_INT64:
    case FIELD_KIND_UINT64:
        return *(const uint64_t *)place == 0;
    case FIELD_KIND_INT32:
    case FIELD_KIND_UINT32:
        return *(const uint32_t *)place == 0;
    case FIELD_KIND_DOUBLE:
        return *(const double *)place == 0;
    case FIELD_KIND_OPT_BOOL:
        return !((const struct opt_bool *)place)->is_set;
    case FIELD_KIND_OPT_INT64:
        return !((const struct opt_int64 *)place)->is_set;
    case FIELD_KIND_STRINGS:
    case FIELD_KIND_SET:
        return ((const struct strlist *)place)->count == 0;
    case FIELD_KIND_MAP:
        return ((const struct strmap *)place)->count == 0;
    case FIELD_KIND_RECORD:
        return record_is_empty(field->type, place);
    case FIELD_KIND_OPT_RECORD:
        return !*(void *const *)place;
    case FIELD_KIND_RECORDS:
        return ((const struct record_list *)place)->count == 0;
    case FIELD_KIND_RECORD_MAP:
    case FIELD_KIND_LISTS_MAP:
        return ((const struct record_map *)place)->keys.count == 0;
    case FIELD_KIND_BYTES:
        return ((const struct bytes *)place)->length == 0;
    }
    return true;
}

bool record_is_empty(const struct record_type *type, const void *record)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (!record_field_is_empty(&type->fields[i], record))
            return false;
    return true;
}

/* The array has room for the power of two that is at least count. */
static void *append(void **items, size_t *count, size_t size)
{
    if ((*count & (*count - 1)) == 0)
        *items = xrealloc(*items, *count ? *count * 2 : 1, size);
    void *place = (char *)*items + size * (*count)++;
    memset(place, 0, size);
    return place;
}

void *record_list_add(struct record_list *list, const struct record_type *type)
{
    return append(&list->items, &list->count, type->size);
}

void record_list_remove(struct record_list *list, const struct record_type *type, size_t index)
{
    char *place = element(list->items, type, index);
    record_release(type, place);
    memmove(place, place + type->size, (list->count - index - 1) * type->size);
    list->count--;
}

void record_list_release(struct record_list *list, const struct record_type *type)
{
    for (size_t i = 0; i < list->count; i++)
        record_release(type, element(list->items, type, i));
    free(list->items);
    *list = (struct record_list){0};
}

static bool find_key(const struct record_map *map, const char *key, size_t *index)
{
    for (size_t i = 0; i < map->keys.count; i++)
        if (strcmp(map->keys.items[i], key) == 0) {
            *index = i;
            return true;
        }
    return false;
}

void *record_map_get(const struct record_map *map, const struct record_type *type, const char *key)
{
    size_t index;
    return find_key(map, key, &index) ? element(map->items, type, index) : NULL;
}

void *record_map_put(struct record_map *map, const struct record_type *type, const char *key)
{
    size_t index;
    if (find_key(map, key, &index))
        return element(map->items, type, index);
    size_t count = map->keys.count;
    void *place = append(&map->items, &count, type->size);
    strlist_add(&map->keys, key);
    return place;
}

void record_map_remove(struct record_map *map, const struct record_type *type, const char *key)
{
    size_t index;
    if (!find_key(map, key, &index))
        return;
    char *place = element(map->items, type, index);
    record_release(type, place);
    memmove(place, place + type->size, (map->keys.count - index - 1) * type->size);
    strlist_remove(&map->keys, index);
}
