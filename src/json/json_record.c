#include "json/json_record.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/memory.h"
#include "json/json_syntax.h"

/* A number without a fraction, small enough to be exact in both forms. */
static bool is_whole(double value)
{
    return value > -9e15 && value < 9e15 && value == (double)(json_int_t)value;
}

/* --- decoding --- */

/* The place of the quote that ends the string which begins at `start`; `length` where none does. */
static size_t string_end(const char *text, size_t length, size_t start)
{
    for (size_t i = start + 1; i < length; i++) {
        if (text[i] == '\\')
            i++;
        else if (text[i] == '"')
            return i;
    }
    return length;
}

static bool depth_is_fine(const char *text, size_t length)
{
    unsigned depth = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"') {
            i = string_end(text, length, i);
        } else if (text[i] == '{' || text[i] == '[') {
            if (++depth > JSON_MAX_DEPTH)
                return false;
        } else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
            depth--;
        }
    }
    return true;
}

/* jansson refuses integers above INT64_MAX, which Docker's statistics have: here they become reals ("….0"). */
static json_t *parse_large_integers(const char *text, size_t length)
{
    _cleanup_strbuf_ struct strbuf copy = STRBUF_INIT;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        strbuf_add_char(&copy, text[i]);
        if (in_string) {
            if (text[i] == '\\' && i + 1 < length)
                strbuf_add_char(&copy, text[++i]);
            else if (text[i] == '"')
                in_string = false;
        } else if (text[i] == '"') {
            in_string = true;
        } else if (isdigit((unsigned char)text[i])) {
            size_t start = i;
            for (; i + 1 < length && isdigit((unsigned char)text[i + 1]); i++)
                strbuf_add_char(&copy, text[i + 1]);
            bool is_real =
                (i + 1 < length && strchr(".eE", text[i + 1])) || (start > 0 && strchr(".eE+", text[start - 1]));
            if (!is_real && i - start + 1 >= 19)
                strbuf_add_string(&copy, ".0");
        }
    }
    return json_loadb(strbuf_text(&copy), copy.length, JSON_DECODE_ANY, NULL);
}

json_t *json_parse(const char *text, size_t length, struct error *err)
{
    if (!depth_is_fine(text, length)) {
        error_set(err, ERROR_INVALID, "invalid JSON: exceeded max depth of %d", JSON_MAX_DEPTH);
        return NULL;
    }
    json_error_t why;
    json_t *json = json_loadb(text, length, JSON_DECODE_ANY, &why);
    if (json)
        return json;
    if (json_error_code(&why) == json_error_numeric_overflow && (json = parse_large_integers(text, length)))
        return json;
    _cleanup_free_ char *problem = json_syntax_problem(text, length);
    if (problem)
        error_set(err, ERROR_INVALID, "invalid JSON: %s", problem);
    else
        error_set(err, ERROR_INVALID, "invalid JSON: %s at offset %d", why.text, why.position);
    return NULL;
}

/* The length of the value at `text`, up to the comma or bracket that ends it; `length` where none does. */
static size_t element_length(const char *text, size_t length)
{
    unsigned depth = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            i = string_end(text, length, i);
        else if (text[i] == '{' || text[i] == '[')
            depth++;
        else if (depth == 0 && (text[i] == ',' || text[i] == ']' || text[i] == '}'))
            return i;
        else if (text[i] == '}' || text[i] == ']')
            depth--;
    }
    return length;
}

static size_t skip_space(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length && strchr(" \t\r\n", text[i]) && text[i])
        i++;
    return i;
}

bool json_parse_elements(const char *text, size_t length, void (*take)(void *context, const json_t *element),
                         void *context, struct error *err)
{
    size_t at = skip_space(text, length);
    if (at == length || text[at] != '[')
        return error_set(err, ERROR_INVALID, "invalid JSON: an array was expected");
    at++;
    at += skip_space(text + at, length - at);
    bool is_first = true;
    while (at < length && !(is_first && text[at] == ']')) {
        size_t size = element_length(text + at, length - at);
        _cleanup_json_ json_t *element = json_parse(text + at, size, err);
        if (!element)
            return false;
        take(context, element);
        is_first = false;
        at += size;
        if (at < length && text[at] == ']')
            return true;
        if (at < length && text[at] != ',')
            return error_set(err, ERROR_INVALID, "invalid JSON: invalid character '%c' after array element", text[at]);
        at++;
    }
    return at < length || error_set(err, ERROR_INVALID, "invalid JSON: unexpected EOF");
}

static const char *json_kind(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "bool";
    case JSON_NULL:
        break;
    }
    return "null";
}

/* Go's name of a field's type: the whole of it, or one item of a list or map. */
static char *go_type(const struct field *field, bool is_item)
{
    const char *name = field->type ? field->type->name : NULL;
    switch (field->kind) {
    case FIELD_KIND_STRING:
    case FIELD_KIND_JSON:
    case FIELD_KIND_BYTES:
        return xstrdup("string");
    case FIELD_KIND_BOOL:
    case FIELD_KIND_OPT_BOOL:
        return xstrdup("bool");
    case FIELD_KIND_INT64:
    case FIELD_KIND_OPT_INT64:
        return xstrdup(field->flags & GO_INT ? "int" : "int64");
    case FIELD_KIND_UINT64:
        return xstrdup("uint64");
    case FIELD_KIND_INT32:
        return xstrdup("int");
    case FIELD_KIND_UINT32:
        return xstrdup("uint32");
    case FIELD_KIND_DOUBLE:
        return xstrdup("float64");
    case FIELD_KIND_STRINGS:
        return xstrdup(is_item || field->flags & STRING_OR_LIST ? "string" : "[]string");
    case FIELD_KIND_MAP:
        return xstrdup(is_item ? "string" : "map[string]string");
    case FIELD_KIND_SET:
        return xstrdup(is_item ? "struct {}" : "map[string]struct {}");
    case FIELD_KIND_RECORDS:
        return is_item ? xstrdup(name) : xasprintf("[]%s", name);
    case FIELD_KIND_LISTS_MAP:
        return is_item ? xasprintf("[]%s", name) : xasprintf("map[string][]%s", name);
    case FIELD_KIND_RECORD_MAP:
        return is_item ? xstrdup(name) : xasprintf("map[string]%s", name);
    case FIELD_KIND_RECORD:
    case FIELD_KIND_OPT_RECORD:
        return xstrdup(name);
    }
    return xstrdup("value");
}

static const char into_field[] = " into Go struct field ";

/* As Go words it: the struct that has the field without its package, the path to the field, and the type. */
static bool field_error(struct error *err, const struct record_type *owner, const struct field *field, bool is_item,
                        const char *what)
{
    _cleanup_free_ char *type = go_type(field, is_item);
    const char *package_end = strrchr(owner->name, '.');
    bool is_embedded = field->flags & EMBEDDED && owner->embedded;
    return error_set(err, ERROR_INVALID, "json: cannot unmarshal %s%s%s.%s%s%s of type %s", what, into_field,
                     package_end ? package_end + 1 : owner->name, is_embedded ? owner->embedded : "",
                     is_embedded ? "." : "", field->name, type);
}

static bool type_error(struct error *err, const struct record_type *owner, const struct field *field,
                       const json_t *json)
{
    return field_error(err, owner, field, false, json_kind(json));
}

static bool item_error(struct error *err, const struct record_type *owner, const struct field *field,
                       const json_t *json)
{
    return field_error(err, owner, field, true, json_kind(json));
}

static bool range_error(struct error *err, const struct record_type *owner, const struct field *field,
                        const json_t *json)
{
    _cleanup_free_ char *text = json_dumps(json, JSON_ENCODE_ANY);
    _cleanup_free_ char *what = xasprintf("number %s", string_or_empty(text));
    return field_error(err, owner, field, false, what);
}

static bool decode_members(const struct record_type *type, const json_t *json, void *record, struct error *err);

/* A record in a field of another: an error in it gets the field into its path. */
static bool decode_nested(const struct field *field, const struct record_type *owner, const json_t *json, void *record,
                          struct error *err)
{
    struct error why = ERROR_INIT;
    if (decode_members(field->type, json, record, &why))
        return true;
    const char *message = error_message(&why), *at = strstr(message, into_field);
    const char *dot = at ? strchr(at + strlen(into_field), '.') : NULL;
    if (!dot)
        return error_move(err, &why);
    bool is_embedded = field->flags & EMBEDDED && owner->embedded;
    error_set(err, why.kind, "%.*s.%s%s%s%s", (int)(dot - message), message, is_embedded ? owner->embedded : "",
              is_embedded ? "." : "", field->name, dot);
    error_release(&why);
    return false;
}

/* The text of a JSON string, or NULL where it holds a NUL that C could not carry. */
static const char *string_value(const json_t *json)
{
    const char *text = json_string_value(json);
    return text && strlen(text) == json_string_length(json) ? text : NULL;
}

static bool decode_integer(const struct field *field, const struct record_type *owner, const json_t *json, void *place,
                           struct error *err)
{
    if (!json_is_number(json))
        return type_error(err, owner, field, json);
    json_int_t value = json_integer_value(json);
    if (!json_is_integer(json)) {
        double real = json_real_value(json);
        if (field->kind == FIELD_KIND_UINT64 && real >= 9223372036854775808.0 && real <= 18446744073709551616.0) {
            *(uint64_t *)place = real >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)real;
            return true;
        }
        if (!is_whole(real))
            return range_error(err, owner, field, json);
        value = (json_int_t)real;
    }
    switch (field->kind) {
    case FIELD_KIND_INT32:
        if (value < INT32_MIN || value > INT32_MAX)
            return range_error(err, owner, field, json);
        *(int32_t *)place = (int32_t)value;
        return true;
    case FIELD_KIND_UINT32:
        if (value < 0 || value > UINT32_MAX)
            return range_error(err, owner, field, json);
        *(uint32_t *)place = (uint32_t)value;
        return true;
    case FIELD_KIND_UINT64:
        if (value < 0)
            return range_error(err, owner, field, json);
        *(uint64_t *)place = (uint64_t)value;
        return true;
    case FIELD_KIND_OPT_INT64:
        *(struct opt_int64 *)place = (struct opt_int64){true, value};
        return true;
    default:
        *(int64_t *)place = value;
        return true;
    }
}

static bool decode_strings(const struct field *field, const struct record_type *owner, const json_t *json,
                           struct strlist *list, struct error *err)
{
    if (json_is_string(json) && field->flags & STRING_OR_LIST && string_value(json)) {
        strlist_add(list, string_value(json));
        return true;
    }
    if (!json_is_array(json))
        return type_error(err, owner, field, json);
    strlist_give(list);
    size_t i;
    json_t *item;
    json_array_foreach(json, i, item)
    {
        const char *text = json_is_null(item) ? "" : string_value(item);
        if (!text) /* docker's own type for both forms tries the string last */
            return item_error(err, owner, field, field->flags & STRING_OR_LIST ? json : item);
        strlist_add(list, text);
    }
    return true;
}

static bool decode_map(const struct field *field, const struct record_type *owner, const json_t *json, void *place,
                       struct error *err)
{
    if (!json_is_object(json))
        return type_error(err, owner, field, json);
    bool is_set = field->kind == FIELD_KIND_SET;
    if (is_set)
        strlist_give(place);
    else
        strmap_give(place);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        if (is_set) {
            if (!json_is_object(value) && !json_is_null(value))
                return item_error(err, owner, field, value);
            strlist_add(place, key);
            continue;
        }
        const char *text = json_is_null(value) ? "" : string_value(value);
        if (!text)
            return item_error(err, owner, field, value);
        strmap_set(place, key, text);
    }
    return true;
}

static bool decode_bytes(const struct field *field, const struct record_type *owner, const json_t *json,
                         struct bytes *bytes, struct error *err)
{
    const char *text = string_value(json);
    if (!text)
        return type_error(err, owner, field, json);
    bytes->data = xmalloc(strlen(text) / 4 * 3 + 1);
    long decoded = base64_decode(text, bytes->data);
    if (decoded < 0)
        return error_set(err, ERROR_INVALID, "illegal base64 data in %s.%s", owner->name, field->name);
    bytes->length = (size_t)decoded;
    return true;
}

static bool decode_list(const struct field *field, const struct record_type *owner, const json_t *json,
                        struct record_list *list, struct error *err)
{
    if (!json_is_array(json))
        return field_error(err, owner, field, field->kind == FIELD_KIND_LISTS_MAP, json_kind(json));
    if (!list->items)
        list->items = xcalloc(1, field->type->size);
    size_t i;
    json_t *item;
    json_array_foreach(json, i, item)
    {
        void *place = record_list_add(list, field->type);
        if (json_is_null(item))
            continue;
        if (!json_is_object(item)) {
            struct field one = {
                .name = field->name, .kind = FIELD_KIND_RECORD, .flags = field->flags, .type = field->type};
            return type_error(err, owner, &one, item);
        }
        if (!decode_nested(field, owner, item, place, err))
            return false;
    }
    return true;
}

static bool decode_record_map(const struct field *field, const struct record_type *owner, const json_t *json,
                              struct record_map *map, struct error *err)
{
    if (!json_is_object(json))
        return type_error(err, owner, field, json);
    bool has_lists = field->kind == FIELD_KIND_LISTS_MAP;
    strlist_give(&map->keys);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        void *place = record_map_put(map, has_lists ? &record_list_type : field->type, key);
        if (json_is_null(value))
            continue;
        if (has_lists) {
            if (!decode_list(field, owner, value, place, err))
                return false;
        } else {
            if (!json_is_object(value))
                return item_error(err, owner, field, value);
            if (!decode_nested(field, owner, value, place, err))
                return false;
        }
    }
    return true;
}

static bool decode_field(const struct field *field, const struct record_type *owner, const json_t *json, void *place,
                         struct error *err)
{
    switch (field->kind) {
    case FIELD_KIND_STRING:
        if (!string_value(json))
            return type_error(err, owner, field, json);
        string_replace(place, string_value(json));
        return true;
    case FIELD_KIND_BOOL:
        if (!json_is_boolean(json))
            return type_error(err, owner, field, json);
        *(bool *)place = json_is_true(json);
        return true;
    case FIELD_KIND_OPT_BOOL:
        if (!json_is_boolean(json))
            return type_error(err, owner, field, json);
        *(struct opt_bool *)place = (struct opt_bool){true, json_is_true(json)};
        return true;
    case FIELD_KIND_INT64:
    case FIELD_KIND_UINT64:
    case FIELD_KIND_INT32:
    case FIELD_KIND_UINT32:
    case FIELD_KIND_OPT_INT64:
        return decode_integer(field, owner, json, place, err);
    case FIELD_KIND_DOUBLE:
        if (!json_is_number(json))
            return type_error(err, owner, field, json);
        *(double *)place = json_number_value(json);
        return true;
    case FIELD_KIND_STRINGS:
        return decode_strings(field, owner, json, place, err);
    case FIELD_KIND_MAP:
    case FIELD_KIND_SET:
        return decode_map(field, owner, json, place, err);
    case FIELD_KIND_RECORD:
    case FIELD_KIND_OPT_RECORD:
        if (!json_is_object(json))
            return type_error(err, owner, field, json);
        if (field->kind == FIELD_KIND_OPT_RECORD) {
            if (!*(void **)place)
                *(void **)place = xcalloc(1, field->type->size);
            place = *(void **)place;
        }
        return decode_nested(field, owner, json, place, err);
    case FIELD_KIND_RECORDS:
        return decode_list(field, owner, json, place, err);
    case FIELD_KIND_RECORD_MAP:
    case FIELD_KIND_LISTS_MAP:
        return decode_record_map(field, owner, json, place, err);
    case FIELD_KIND_BYTES:
        return decode_bytes(field, owner, json, place, err);
    case FIELD_KIND_JSON:
        free(*(char **)place);
        *(char **)place = json_format(json);
        return true;
    }
    return false;
}

static const struct field *find_field(const struct record_type *type, const char *key)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (!(type->fields[i].flags & WIRE_ONLY) && strcmp(type->fields[i].name, key) == 0)
            return &type->fields[i];
    for (size_t i = 0; i < type->field_count; i++)
        if (!(type->fields[i].flags & (WIRE_ONLY | CASE_EXACT)) && strcasecmp(type->fields[i].name, key) == 0)
            return &type->fields[i];
    return NULL;
}

static bool decode_members(const struct record_type *type, const json_t *json, void *record, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        const struct field *field = find_field(type, key);
        if (!field || json_is_null(value))
            continue;
        if (!decode_field(field, type, value, (char *)record + field->offset, err))
            return false;
    }
    return true;
}

bool record_from_json(const struct record_type *type, const json_t *json, void *record, struct error *err)
{
    if (json_is_null(json))
        return true;
    if (!json_is_object(json))
        return error_set(err, ERROR_INVALID, "json: cannot unmarshal %s into Go value of type %s", json_kind(json),
                         type->name);
    if (decode_members(type, json, record, err))
        return true;
    record_release(type, record);
    return false;
}

bool record_parse(const struct record_type *type, const char *text, size_t length, void *record, struct error *err)
{
    _cleanup_json_ json_t *json = json_parse(text, length, err);
    return json && record_from_json(type, json, record, err);
}

bool record_list_from_json(const struct record_type *type, const json_t *json, struct record_list *list,
                           struct error *err)
{
    if (!json_is_array(json))
        return error_set(err, ERROR_INVALID, "json: cannot unmarshal %s into Go value of type []%s", json_kind(json),
                         type->name);
    struct field field = {.name = "[]", .kind = FIELD_KIND_RECORDS, .type = type};
    if (decode_list(&field, type, json, list, err))
        return true;
    record_list_release(list, type);
    return false;
}

/* --- encoding --- */

static json_t *encode_strings(const struct field *field, const struct strlist *list)
{
    if (!strlist_is_given(list) && !(field->flags & EMPTY_NOT_NULL))
        return json_null();
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_stringn_nocheck(list->items[i], strlen(list->items[i])));
    return array;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Go writes the keys of a map in order: rebuilds an object so. */
static json_t *sorted(json_t *object)
{
    size_t count = json_object_size(object), i = 0;
    if (count < 2)
        return object;
    _cleanup_free_ const char **keys = xcalloc(count, sizeof(char *));
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        keys[i++] = key;
    }
    qsort(keys, count, sizeof(char *), compare_keys);
    json_t *result = json_object();
    for (i = 0; i < count; i++)
        json_object_set_nocheck(result, keys[i], json_object_get(object, keys[i]));
    json_decref(object);
    return result;
}

static json_t *encode_map(const struct field *field, const void *place)
{
    const struct strmap *map = place;
    const struct strlist *set = place;
    bool is_set = field->kind == FIELD_KIND_SET;
    if (!(is_set ? (void *)set->items : (void *)map->items) && !(field->flags & EMPTY_NOT_NULL))
        return json_null();
    json_t *object = json_object();
    if (is_set)
        for (size_t i = 0; i < set->count; i++)
            json_object_set_new_nocheck(object, set->items[i], json_object());
    else
        for (size_t i = 0; i < map->count; i++)
            json_object_set_new_nocheck(object, map->items[i].key, json_string_nocheck(map->items[i].value));
    return sorted(object);
}

static json_t *encode_list(const struct record_type *type, const struct record_list *list, unsigned flags)
{
    if (!list->items && !(flags & EMPTY_NOT_NULL))
        return json_null();
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, record_to_json(type, (const char *)list->items + type->size * i));
    return array;
}

static json_t *encode_record_map(const struct field *field, const struct record_map *map)
{
    if (!strlist_is_given(&map->keys) && !(field->flags & EMPTY_NOT_NULL))
        return json_null();
    json_t *object = json_object();
    for (size_t i = 0; i < map->keys.count; i++)
        json_object_set_new_nocheck(
            object, map->keys.items[i],
            field->kind == FIELD_KIND_LISTS_MAP
                ? encode_list(field->type, RECORD_AT(*map, const struct record_list, i), 0)
                : record_to_json(field->type, (const char *)map->items + field->type->size * i));
    return sorted(object);
}

static json_t *encode_bytes(const struct bytes *bytes)
{
    if (!bytes->data)
        return json_null();
    _cleanup_free_ char *text = base64_encode(bytes->data, bytes->length);
    return json_string_nocheck(text);
}

static json_t *encode_field(const struct field *field, const void *place)
{
    switch (field->kind) {
    case FIELD_KIND_STRING: {
        const char *text = *(char *const *)place;
        if (field->flags & NULL_WHEN_EMPTY && !string_is_set(text))
            return json_null();
        return json_string_nocheck(string_or_empty(text));
    }
    case FIELD_KIND_BOOL:
        return json_boolean(*(const bool *)place);
    case FIELD_KIND_INT64:
        return json_integer(*(const int64_t *)place);
    case FIELD_KIND_UINT64:
        return json_integer((json_int_t) * (const uint64_t *)place);
    case FIELD_KIND_INT32:
        return json_integer(*(const int32_t *)place);
    case FIELD_KIND_UINT32:
        return json_integer(*(const uint32_t *)place);
    case FIELD_KIND_DOUBLE: {
        double value = *(const double *)place;
        return is_whole(value) ? json_integer((json_int_t)value) : json_real(value);
    }
    case FIELD_KIND_OPT_BOOL: {
        const struct opt_bool *value = place;
        return value->is_set ? json_boolean(value->value) : json_null();
    }
    case FIELD_KIND_OPT_INT64: {
        const struct opt_int64 *value = place;
        return value->is_set ? json_integer(value->value) : json_null();
    }
    case FIELD_KIND_STRINGS:
        return encode_strings(field, place);
    case FIELD_KIND_MAP:
    case FIELD_KIND_SET:
        return encode_map(field, place);
    case FIELD_KIND_RECORD:
        return record_to_json(field->type, place);
    case FIELD_KIND_OPT_RECORD:
        return *(void *const *)place ? record_to_json(field->type, *(void *const *)place) : json_null();
    case FIELD_KIND_RECORDS:
        return encode_list(field->type, place, field->flags);
    case FIELD_KIND_RECORD_MAP:
    case FIELD_KIND_LISTS_MAP:
        return encode_record_map(field, place);
    case FIELD_KIND_BYTES:
        return encode_bytes(place);
    case FIELD_KIND_JSON: {
        const char *text = *(char *const *)place;
        json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
        return json ? json : json_null();
    }
    }
    return json_null();
}

json_t *record_to_json(const struct record_type *type, const void *record)
{
    json_t *object = json_object();
    for (size_t i = 0; i < type->field_count; i++) {
        const struct field *field = &type->fields[i];
        if (field->flags & WIRE_ONLY || (field->flags & OMIT_EMPTY && record_field_is_empty(field, record)))
            continue;
        json_object_set_new_nocheck(object, field->name, encode_field(field, (const char *)record + field->offset));
    }
    return object;
}

char *record_format(const struct record_type *type, const void *record)
{
    _cleanup_json_ json_t *json = record_to_json(type, record);
    return json_format(json);
}

json_t *record_list_to_json(const struct record_type *type, const struct record_list *list)
{
    return encode_list(type, list, EMPTY_NOT_NULL);
}

/* --- text --- */

static int add_chunk(const char *data, size_t length, void *context)
{
    return strbuf_add(context, data, length) ? 0 : -1;
}

char *json_format_plain(const json_t *json)
{
    struct strbuf plain = STRBUF_INIT;
    json_dump_callback(json, add_chunk, &plain, JSON_COMPACT | JSON_ENCODE_ANY);
    return strbuf_take(&plain);
}

char *json_format(const json_t *json)
{
    struct strbuf plain = STRBUF_INIT, text = STRBUF_INIT;
    json_dump_callback(json, add_chunk, &plain, JSON_COMPACT | JSON_ENCODE_ANY);
    size_t special = 0;
    for (size_t i = 0; i < plain.length; i++)
        special += plain.data[i] == '<' || plain.data[i] == '>' || plain.data[i] == '&';
    if (!special)
        return strbuf_take(&plain);
    for (size_t i = 0; i < plain.length; i++)
        if (plain.data[i] == '<' || plain.data[i] == '>' || plain.data[i] == '&')
            strbuf_addf(&text, "\\u%04x", plain.data[i]);
        else
            strbuf_add_char(&text, plain.data[i]);
    strbuf_release(&plain);
    return strbuf_take(&text);
}

char *json_format_indented(const json_t *json)
{
    struct strbuf text = STRBUF_INIT;
    json_dump_callback(json, add_chunk, &text, JSON_INDENT(4) | JSON_ENCODE_ANY);
    return strbuf_take(&text);
}
