#include "cli/template/value.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define SIMPLE(symbol, kind_, name_) const struct value_type symbol = {.kind = (kind_), .name = (name_)}
SIMPLE(type_any, VALUE_KIND_ANY, "interface {}");
SIMPLE(type_bool, VALUE_KIND_BOOL, "bool");
SIMPLE(type_int, VALUE_KIND_INT, "int");
SIMPLE(type_int64, VALUE_KIND_INT, "int64");
SIMPLE(type_uint64, VALUE_KIND_UINT, "uint64");
SIMPLE(type_byte, VALUE_KIND_UINT, "uint8");
SIMPLE(type_float64, VALUE_KIND_FLOAT, "float64");
SIMPLE(type_string, VALUE_KIND_STRING, "string");
SIMPLE(type_number, VALUE_KIND_NUMBER, "json.Number");
SIMPLE(type_time, VALUE_KIND_TIME, "time.Time");
SIMPLE(type_duration, VALUE_KIND_DURATION, "time.Duration");
const struct value_type type_empty_struct = {.kind = VALUE_KIND_STRUCT, .name = "struct {}"};
const struct value_type type_strings = VALUE_LIST("[]string", &type_string);
const struct value_type type_list_any = VALUE_LIST("[]interface {}", &type_any);
const struct value_type type_map_any = VALUE_MAP("map[string]interface {}", &type_any);
const struct value_type type_map_string = VALUE_MAP("map[string]string", &type_string);
const struct value_type type_set = VALUE_MAP("map[string]struct {}", &type_empty_struct);

struct value value_of_json(json_t *json)
{
    if (!json)
        return VALUE_INVALID;
    const struct value_type *type = NULL;
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        type = &type_map_any;
        break;
    case JSON_ARRAY:
        type = &type_list_any;
        break;
    case JSON_STRING:
        type = &type_string;
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        type = &type_number;
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        type = &type_bool;
        break;
    case JSON_NULL:
        return VALUE_INVALID;
    }
    return (struct value){type, json};
}

static bool has_json(struct value value)
{
    return value.json && !json_is_null(value.json);
}

struct value value_of_interface(struct value value)
{
    if (value.type && value.type->kind == VALUE_KIND_ANY)
        return value_of_json(value.json);
    return value;
}

struct value value_indirect(struct value value, bool *is_nil)
{
    *is_nil = false;
    while (value.type && (value.type->kind == VALUE_KIND_ANY || value.type->kind == VALUE_KIND_POINTER)) {
        if (!has_json(value)) {
            *is_nil = true;
            return value;
        }
        if (value.type->kind == VALUE_KIND_ANY)
            value = value_of_json(value.json);
        else
            value.type = value.type->element;
    }
    return value;
}

bool value_is_nil(struct value value)
{
    if (!value.type)
        return true;
    switch (value.type->kind) {
    case VALUE_KIND_ANY:
    case VALUE_KIND_POINTER:
    case VALUE_KIND_LIST:
    case VALUE_KIND_MAP:
        return !has_json(value);
    default:
        return false;
    }
}

bool value_is_text(struct value value)
{
    return value.type && (value.type->kind == VALUE_KIND_STRING || value.type->kind == VALUE_KIND_NUMBER);
}

int64_t value_length(struct value value)
{
    if (!value.type)
        return -1;
    char buffer[64];
    switch (value.type->kind) {
    case VALUE_KIND_STRING:
        return (int64_t)json_string_length(value.json);
    case VALUE_KIND_NUMBER:
        return (int64_t)strlen(value_text(value, buffer));
    case VALUE_KIND_LIST:
        return (int64_t)json_array_size(value.json);
    case VALUE_KIND_MAP:
        return (int64_t)json_object_size(value.json);
    default:
        return -1;
    }
}

bool value_is_true(struct value value)
{
    value = value_of_interface(value);
    if (!value.type)
        return false;
    switch (value.type->kind) {
    case VALUE_KIND_BOOL:
        return json_is_true(value.json);
    case VALUE_KIND_INT:
    case VALUE_KIND_UINT:
    case VALUE_KIND_DURATION:
    case VALUE_KIND_FLOAT:
        return json_number_value(value.json) != 0;
    case VALUE_KIND_STRING:
    case VALUE_KIND_NUMBER:
    case VALUE_KIND_LIST:
    case VALUE_KIND_MAP:
        return value_length(value) > 0;
    case VALUE_KIND_POINTER:
    case VALUE_KIND_ANY:
        return has_json(value);
    case VALUE_KIND_STRUCT:
    case VALUE_KIND_TIME:
    case VALUE_KIND_ROW:
        break;
    }
    return true;
}

struct value value_element(struct value list, size_t index)
{
    return (struct value){list.type->element, json_array_get(list.json, index)};
}

struct value value_member(struct value map, const char *key)
{
    json_t *json = json_object_get(map.json, key);
    return json ? (struct value){map.type->element, json} : VALUE_INVALID;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **value_keys(struct value map, size_t *count)
{
    size_t i = 0;
    *count = json_object_size(map.json);
    const char **keys = xcalloc(*count + 1, sizeof(char *)), *key;
    json_t *value;
    json_object_foreach(map.json, key, value)
    {
        keys[i++] = key;
    }
    qsort(keys, *count, sizeof(char *), compare_keys);
    return keys;
}

bool value_field(struct value structure, const char *name, struct value *out)
{
    const struct value_type *type = structure.type;
    for (size_t i = 0; i < type->field_count; i++) {
        const struct value_field *field = &type->fields[i];
        if (strcmp(field->name, name) == 0) {
            bool is_embedded = field->flags & VALUE_EMBEDDED;
            const char *key = field->key ? field->key : field->name;
            *out = (struct value){field->type, is_embedded ? structure.json : json_object_get(structure.json, key)};
            return true;
        }
        if (field->flags & VALUE_EMBEDDED) {
            /* The fields of an embedded struct lie in the same JSON object. */
            bool is_pointer = field->type->kind == VALUE_KIND_POINTER;
            struct value inner = {is_pointer ? field->type->element : field->type, structure.json};
            if (value_field(inner, name, out))
                return true;
        }
    }
    return false;
}

int64_t value_int(struct value value)
{
    return json_is_real(value.json) ? (int64_t)json_real_value(value.json) : json_integer_value(value.json);
}

uint64_t value_uint(struct value value)
{
    if (!json_is_real(value.json))
        return (uint64_t)json_integer_value(value.json);
    double real = json_real_value(value.json);
    return real >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)real;
}

double value_float(struct value value)
{
    return json_number_value(value.json);
}

const char *value_text(struct value value, char buffer[64])
{
    if (value.type && value.type->kind == VALUE_KIND_NUMBER) {
        if (json_is_integer(value.json))
            snprintf(buffer, 64, "%" JSON_INTEGER_FORMAT, json_integer_value(value.json));
        else if (json_real_value(value.json) >= 9223372036854775808.0)
            snprintf(buffer, 64, "%llu", (unsigned long long)value_uint(value));
        else
            snprintf(buffer, 64, "%.17g", json_real_value(value.json));
        return buffer;
    }
    return string_or_empty(json_string_value(value.json));
}
