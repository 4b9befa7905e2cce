/* Values as JSON text, the way Go's encoder writes the struct that the type describes. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/template/value.h"

/* Length of the UTF-8 sequence at text, or 0 where it is malformed. */
static size_t utf8_length(const unsigned char *text, size_t left)
{
    size_t length = text[0] < 0x80 ? 1 : text[0] >= 0xf0 && text[0] < 0xf5 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] >= 0xf5 || (text[0] >= 0x80 && text[0] < 0xc2) || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

void encode_go_string(const char *text, size_t length, bool escapes_html, struct strbuf *out)
{
    strbuf_add_char(out, '"');
    for (size_t i = 0; i < length;) {
        unsigned char byte = (unsigned char)text[i];
        size_t sequence = utf8_length((const unsigned char *)text + i, length - i);
        if (byte == '"' || byte == '\\')
            strbuf_addf(out, "\\%c", byte);
        else if (byte == '\n')
            strbuf_add_string(out, "\\n");
        else if (byte == '\r')
            strbuf_add_string(out, "\\r");
        else if (byte == '\t')
            strbuf_add_string(out, "\\t");
        else if (byte == '\b')
            strbuf_add_string(out, "\\b");
        else if (byte == '\f')
            strbuf_add_string(out, "\\f");
        else if (byte < 0x20 || (escapes_html && strchr("<>&", byte)))
            strbuf_addf(out, "\\u%04x", byte);
        else if (sequence == 0)
            strbuf_add_string(out, "\\ufffd");
        else if (sequence == 3 && memcmp(text + i, "\xe2\x80\xa8", 3) == 0)
            strbuf_add_string(out, "\\u2028");
        else if (sequence == 3 && memcmp(text + i, "\xe2\x80\xa9", 3) == 0)
            strbuf_add_string(out, "\\u2029");
        else
            strbuf_add(out, text + i, sequence);
        i += sequence ? sequence : 1;
    }
    strbuf_add_char(out, '"');
}

static bool is_empty(struct value value)
{
    switch (value.type->kind) {
    case VALUE_KIND_STRUCT:
    case VALUE_KIND_TIME:
    case VALUE_KIND_ROW:
        return false;
    case VALUE_KIND_ANY:
    case VALUE_KIND_POINTER:
        return value_is_nil(value);
    default:
        return !value_is_true(value);
    }
}

static void encode_fields(struct value value, bool *is_first, struct strbuf *out)
{
    for (size_t i = 0; i < value.type->field_count; i++) {
        const struct value_field *field = &value.type->fields[i];
        if (field->flags & VALUE_EMBEDDED) {
            bool is_pointer = field->type->kind == VALUE_KIND_POINTER;
            encode_fields((struct value){is_pointer ? field->type->element : field->type, value.json}, is_first, out);
            continue;
        }
        const char *key = field->key ? field->key : field->name;
        struct value member = {field->type, json_object_get(value.json, key)};
        if (field->flags & VALUE_HIDDEN || (field->flags & VALUE_OMIT_EMPTY && is_empty(member)))
            continue;
        strbuf_add_string(out, *is_first ? "" : ",");
        *is_first = false;
        encode_go_string(key, strlen(key), false, out);
        strbuf_add_char(out, ':');
        value_encode(member, out);
    }
}

static void encode_map(struct value value, struct strbuf *out)
{
    size_t count;
    bool is_row = value.type->kind == VALUE_KIND_ROW;
    _cleanup_free_ const char **keys = value_keys(value, &count);
    strbuf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        strbuf_add_string(out, i ? "," : "");
        encode_go_string(keys[i], strlen(keys[i]), is_row, out);
        strbuf_add_char(out, ':');
        json_t *json = json_object_get(value.json, keys[i]);
        if (is_row && json_is_string(json))
            encode_go_string(json_string_value(json), json_string_length(json), true, out);
        else
            value_encode((struct value){is_row ? &type_any : value.type->element, json}, out);
    }
    strbuf_add_char(out, '}');
}

static void encode_float(double real, struct strbuf *out)
{
    double size = fabs(real);
    bool is_scientific = size != 0 && (size < 1e-6 || size >= 1e21);
    char text[64];
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision - 1, real);
        if (strtod(text, NULL) == real) {
            int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
            if (!is_scientific)
                snprintf(text, sizeof(text), "%.*f", MAX(precision - 1 - exponent, 0), real);
            break;
        }
    }
    /* e-09 becomes e-9 */
    char *exponent = strchr(text, 'e');
    if (exponent && exponent[1] == '-' && exponent[2] == '0')
        memmove(exponent + 2, exponent + 3, strlen(exponent + 3) + 1);
    strbuf_add_string(out, text);
}

void value_encode(struct value value, struct strbuf *out)
{
    bool is_nil;
    char buffer[64];
    value = value_indirect(value, &is_nil);
    if (is_nil || !value.type) {
        strbuf_add_string(out, "null");
        return;
    }
    switch (value.type->kind) {
    case VALUE_KIND_BOOL:
        strbuf_add_string(out, json_is_true(value.json) ? "true" : "false");
        return;
    case VALUE_KIND_INT:
    case VALUE_KIND_DURATION:
        strbuf_addf(out, "%lld", (long long)value_int(value));
        return;
    case VALUE_KIND_UINT:
        strbuf_addf(out, "%llu", (unsigned long long)value_uint(value));
        return;
    case VALUE_KIND_FLOAT:
        encode_float(value_float(value), out);
        return;
    case VALUE_KIND_NUMBER:
        strbuf_add_string(out, value_text(value, buffer));
        return;
    case VALUE_KIND_TIME:
    case VALUE_KIND_STRING: {
        bool is_zero_time = value.type->kind == VALUE_KIND_TIME && !json_string_length(value.json);
        const char *text = is_zero_time ? "0001-01-01T00:00:00Z" : value_text(value, buffer);
        encode_go_string(text, is_zero_time ? strlen(text) : json_string_length(value.json), false, out);
        return;
    }
    case VALUE_KIND_LIST:
        if (value_is_nil(value)) {
            strbuf_add_string(out, "null");
            return;
        }
        strbuf_add_char(out, '[');
        for (size_t i = 0; i < json_array_size(value.json); i++) {
            strbuf_add_string(out, i ? "," : "");
            value_encode(value_element(value, i), out);
        }
        strbuf_add_char(out, ']');
        return;
    case VALUE_KIND_MAP:
    case VALUE_KIND_ROW:
        if (value_is_nil(value))
            strbuf_add_string(out, "null");
        else
            encode_map(value, out);
        return;
    case VALUE_KIND_STRUCT: {
        bool is_first = true;
        strbuf_add_char(out, '{');
        encode_fields(value, &is_first, out);
        strbuf_add_char(out, '}');
        return;
    }
    case VALUE_KIND_ANY:
    case VALUE_KIND_POINTER:
        return;
    }
}
