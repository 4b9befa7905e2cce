#include "json/json_writer.h"

#include <inttypes.h>
#include <string.h>

#include "base/json_escape.h"
#include "base/memory.h"
#include "json/json_record.h"

static void add_quoted(const char *text, struct strbuf *out)
{
    strbuf_add_char(out, '"');
    json_escape(out, text, strlen(text), JSON_LETTERS_ALL);
    strbuf_add_char(out, '"');
}

static void add_key(struct json_writer *writer, const char *key)
{
    if (writer->needs_comma)
        strbuf_add_char(writer->out, ',');
    writer->needs_comma = true;
    if (!key)
        return;
    add_quoted(key, writer->out);
    strbuf_add_char(writer->out, ':');
}

void json_writer_begin(struct json_writer *writer, const char *key, char bracket)
{
    add_key(writer, key);
    strbuf_add_char(writer->out, bracket);
    writer->needs_comma = false;
}

void json_writer_end(struct json_writer *writer, char bracket)
{
    strbuf_add_char(writer->out, bracket);
    writer->needs_comma = true;
}

void json_writer_text(struct json_writer *writer, const char *key, const char *text)
{
    add_key(writer, key);
    add_quoted(string_or_empty(text), writer->out);
}

void json_writer_int(struct json_writer *writer, const char *key, int64_t value)
{
    char text[24];
    add_key(writer, key);
    strbuf_add(writer->out, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, value));
}

void json_writer_uint(struct json_writer *writer, const char *key, uint64_t value)
{
    char text[24];
    add_key(writer, key);
    strbuf_add(writer->out, text, (size_t)snprintf(text, sizeof(text), "%" PRIu64, value));
}

void json_writer_bool(struct json_writer *writer, const char *key, bool value)
{
    json_writer_raw(writer, key, value ? "true" : "false");
}

void json_writer_null(struct json_writer *writer, const char *key)
{
    json_writer_raw(writer, key, "null");
}

void json_writer_raw(struct json_writer *writer, const char *key, const char *json)
{
    add_key(writer, key);
    strbuf_add_string(writer->out, json);
}

static int compare_pairs(const void *left, const void *right)
{
    const struct strpair *const *a = left, *const *b = right;
    return strcmp((*a)->key, (*b)->key);
}

void json_writer_map(struct json_writer *writer, const char *key, const struct strmap *map)
{
    const struct strpair **pairs = xcalloc(map->count + 1, sizeof(*pairs));
    for (size_t i = 0; i < map->count; i++)
        pairs[i] = &map->items[i];
    qsort(pairs, map->count, sizeof(*pairs), compare_pairs);
    json_writer_begin(writer, key, '{');
    for (size_t i = 0; i < map->count; i++)
        json_writer_text(writer, pairs[i]->key, pairs[i]->value);
    json_writer_end(writer, '}');
    free(pairs);
}

static void add_strings(struct json_writer *writer, const struct field *field, const struct strlist *list)
{
    if (!strlist_is_given(list) && !(field->flags & EMPTY_NOT_NULL)) {
        json_writer_null(writer, field->name);
        return;
    }
    json_writer_begin(writer, field->name, '[');
    for (size_t i = 0; i < list->count; i++)
        json_writer_text(writer, NULL, list->items[i]);
    json_writer_end(writer, ']');
}

static void add_field(struct json_writer *writer, const struct field *field, const void *place)
{
    switch (field->kind) {
    case FIELD_KIND_STRING:
        if (!(field->flags & NULL_WHEN_EMPTY) || string_is_set(*(char *const *)place))
            json_writer_text(writer, field->name, *(char *const *)place);
        else
            json_writer_null(writer, field->name);
        return;
    case FIELD_KIND_BOOL:
        json_writer_bool(writer, field->name, *(const bool *)place);
        return;
    case FIELD_KIND_INT64:
        json_writer_int(writer, field->name, *(const int64_t *)place);
        return;
    case FIELD_KIND_STRINGS:
        add_strings(writer, field, place);
        return;
    case FIELD_KIND_MAP:
        if (((const struct strmap *)place)->items || field->flags & EMPTY_NOT_NULL)
            json_writer_map(writer, field->name, place);
        else
            json_writer_null(writer, field->name);
        return;
    case FIELD_KIND_RECORD:
        json_writer_record(writer, field->name, field->type, place);
        return;
    case FIELD_KIND_OPT_RECORD:
        if (*(void *const *)place)
            json_writer_record(writer, field->name, field->type, *(void *const *)place);
        else
            json_writer_null(writer, field->name);
        return;
    default: {
        /* The rarer kinds by way of a tree. */
        struct field alone = *field;
        alone.offset = 0;
        alone.flags &= ~(unsigned)OMIT_EMPTY;
        const struct record_type holder = {"", 0, &alone, 1};
        _cleanup_json_ json_t *json = record_to_json(&holder, place);
        _cleanup_free_ char *text = json_format(json_object_get(json, field->name));
        json_writer_raw(writer, field->name, text);
    }
    }
}

void json_writer_record(struct json_writer *writer, const char *key, const struct record_type *type, const void *record)
{
    json_writer_begin(writer, key, '{');
    for (size_t i = 0; i < type->field_count; i++) {
        const struct field *field = &type->fields[i];
        if (field->flags & WIRE_ONLY || (field->flags & OMIT_EMPTY && record_field_is_empty(field, record)))
            continue;
        add_field(writer, field, (const char *)record + field->offset);
    }
    json_writer_end(writer, '}');
}
