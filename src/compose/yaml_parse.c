#include <string.h>
#include <yaml.h>

#include "base/memory.h"
#include "base/text.h"
#include "compose/yaml_document.h"

#define NODES_MAXIMUM 200000
#define DEPTH_MAXIMUM 64

struct anchor {
    char *name;
    struct element *copy;
};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    bool has_event;
    const char *file;
    struct anchor *anchors;
    size_t anchor_count;
    size_t made; /* nodes, copies of aliases included */
    struct error *err;
};

static bool fail(struct reader *reader, size_t line, const char *what)
{
    return error_set(reader->err, ERROR_INVALID, "%s:%zu: %s", reader->file, line + 1, what);
}

static bool next_event(struct reader *reader)
{
    if (reader->has_event)
        yaml_event_delete(&reader->event);
    reader->has_event = yaml_parser_parse(&reader->parser, &reader->event) != 0;
    if (reader->has_event)
        return true;
    const char *problem = reader->parser.problem ? reader->parser.problem : "cannot be read";
    size_t line = reader->parser.problem_mark.line ? reader->parser.problem_mark.line : reader->parser.mark.line;
    _cleanup_free_ char *what =
        xasprintf("yaml: %s%s%s", problem, reader->parser.context ? " " : "", string_or_empty(reader->parser.context));
    return fail(reader, line, what);
}

static size_t tree_size(const struct element *node)
{
    size_t size = 1;
    for (size_t i = 0; i < node->count; i++)
        size += tree_size(node->items[i]);
    return size;
}

static bool count_nodes(struct reader *reader, size_t count, size_t line)
{
    reader->made += count;
    return reader->made <= NODES_MAXIMUM ||
           fail(reader, line, "yaml: document is too large, or its aliases make it so");
}

static struct element *alias(struct reader *reader)
{
    const char *name = (const char *)reader->event.data.alias.anchor;
    size_t line = reader->event.start_mark.line;
    for (size_t i = reader->anchor_count; i-- > 0;) {
        const struct anchor *anchor = &reader->anchors[i];
        if (!string_equal(anchor->name, name))
            continue;
        if (!anchor->copy) {
            _cleanup_free_ char *what = xasprintf("yaml: anchor '%s' value contains itself", name);
            fail(reader, line, what);
            return NULL;
        }
        return count_nodes(reader, tree_size(anchor->copy), line) ? element_copy(anchor->copy) : NULL;
    }
    _cleanup_free_ char *what = xasprintf("yaml: unknown anchor '%s' referenced", name);
    fail(reader, line, what);
    return NULL;
}

/* What "<<" brings: a map or a list of maps; keys that are there already win. */
static bool merge_into(struct reader *reader, struct element *map, const struct element *from)
{
    if (from->kind == ELEMENT_LIST) {
        for (size_t i = 0; i < from->count; i++)
            if (from->items[i]->kind != ELEMENT_MAP || !merge_into(reader, map, from->items[i]))
                return fail(reader, (size_t)from->line - 1,
                            "yaml: map merge requires map or sequence of maps as the value");
        return true;
    }
    if (from->kind != ELEMENT_MAP)
        return fail(reader, (size_t)from->line - 1, "yaml: map merge requires map or sequence of maps as the value");
    for (size_t i = 0; i < from->count; i++)
        if (!element_get(map, from->keys[i]))
            element_put(map, from->keys[i], element_copy(from->items[i]));
    return true;
}

static struct element *value(struct reader *reader, int depth);

static bool read_map(struct reader *reader, struct element *map, int depth)
{
    _cleanup_element_ struct element *merges = element_new(ELEMENT_LIST, map);
    while (next_event(reader) && reader->event.type != YAML_MAPPING_END_EVENT) {
        size_t line = reader->event.start_mark.line;
        bool is_plain =
            reader->event.type == YAML_SCALAR_EVENT && reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        _cleanup_element_ struct element *key = value(reader, depth + 1);
        if (!key)
            return false;
        if (!key->text)
            return fail(reader, line, "yaml: a key must be a single value");
        if (!next_event(reader))
            return false;
        struct element *item = value(reader, depth + 1);
        if (!item)
            return false;
        if (is_plain && string_equal(key->text, "<<")) {
            element_append(merges, item);
            continue;
        }
        if (element_get(map, key->text)) {
            _cleanup_free_ char *what = xasprintf("yaml: mapping key \"%s\" already defined at line %d", key->text,
                                                  element_get(map, key->text)->line);
            element_free(item);
            return fail(reader, line, what);
        }
        /* The place of a null is its key's. */
        if (item->kind == ELEMENT_NULL)
            item->line = (int)line + 1;
        element_put(map, key->text, item);
    }
    for (size_t i = 0; reader->has_event && i < merges->count; i++)
        if (!merge_into(reader, map, merges->items[i]))
            return false;
    return reader->has_event;
}

static bool read_list(struct reader *reader, struct element *list, int depth)
{
    while (next_event(reader) && reader->event.type != YAML_SEQUENCE_END_EVENT) {
        struct element *item = value(reader, depth + 1);
        if (!item)
            return false;
        element_append(list, item);
    }
    return reader->has_event;
}

static void take_tag(struct element *node, const char *tag)
{
    if (string_equal(tag, "!reset"))
        node->merge = MERGE_RESET;
    if (string_equal(tag, "!override"))
        node->merge = MERGE_OVERRIDE;
}

static struct element *scalar(struct reader *reader, const struct element *at)
{
    const char *tag = (const char *)reader->event.data.scalar.tag;
    size_t length = reader->event.data.scalar.length;
    const char *text = (const char *)reader->event.data.scalar.value;
    if (strlen(text) != length) {
        fail(reader, reader->event.start_mark.line, "yaml: control characters are not allowed");
        return NULL;
    }
    struct element *node = element_take_string(xstrndup(text, length), at);
    bool is_ours = string_equal(tag, "!reset") || string_equal(tag, "!override");
    if (reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (!tag || is_ours))
        element_resolve(node);
    take_tag(node, tag);
    return node;
}

/* Of the current event, up to its last one. */
static struct element *value(struct reader *reader, int depth)
{
    struct element at = {.file = reader->file, .line = (int)reader->event.start_mark.line + 1};
    const yaml_event_t *event = &reader->event;
    if (depth > DEPTH_MAXIMUM) {
        fail(reader, event->start_mark.line, "yaml: nested too deeply");
        return NULL;
    }
    if (event->type == YAML_ALIAS_EVENT)
        return alias(reader);
    if (!count_nodes(reader, 1, event->start_mark.line))
        return NULL;
    const yaml_char_t *anchor = event->type == YAML_SCALAR_EVENT           ? event->data.scalar.anchor
                                : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
                                                                           : event->data.mapping_start.anchor;
    size_t slot = reader->anchor_count;
    if (anchor)
        APPEND(reader->anchors, reader->anchor_count)->name = xstrdup((const char *)anchor);
    bool has_anchor = anchor != NULL;
    _cleanup_element_ struct element *node = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        node = scalar(reader, &at);
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        node = element_new(ELEMENT_LIST, &at);
        take_tag(node, (const char *)event->data.sequence_start.tag);
        if (!read_list(reader, node, depth))
            return NULL;
    } else {
        node = element_new(ELEMENT_MAP, &at);
        take_tag(node, (const char *)event->data.mapping_start.tag);
        if (!read_map(reader, node, depth))
            return NULL;
    }
    if (node && has_anchor)
        reader->anchors[slot].copy = element_copy(node);
    return TAKE_PTR(node);
}

static struct element *document(struct reader *reader)
{
    /* Stream start, then a document's start or the stream's end. */
    if (!next_event(reader) || !next_event(reader))
        return NULL;
    struct element at = {.file = reader->file, .line = 1};
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return element_new(ELEMENT_MAP, &at);
    if (!next_event(reader))
        return NULL;
    _cleanup_element_ struct element *root = value(reader, 0);
    if (!root || !next_event(reader))
        return NULL;
    if (root->kind == ELEMENT_NULL)
        return element_new(ELEMENT_MAP, &at);
    if (root->kind != ELEMENT_MAP) {
        fail(reader, 0, "Top-level object must be a mapping");
        return NULL;
    }
    return TAKE_PTR(root);
}

struct element *yaml_parse(const char *file, const char *text, size_t length, struct error *err)
{
    struct reader reader = {.file = file, .err = err};
    if (!yaml_parser_initialize(&reader.parser)) {
        error_set(err, ERROR_INTERNAL, "libyaml cannot be used");
        return NULL;
    }
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
    struct element *root = document(&reader);
    if (reader.has_event)
        yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    for (size_t i = 0; i < reader.anchor_count; i++) {
        free(reader.anchors[i].name);
        element_free(reader.anchors[i].copy);
    }
    free(reader.anchors);
    return root;
}
