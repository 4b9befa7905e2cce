/* Archives from before manifest.json (Docker 1.9 and older): `repositories` says name → tag → layer id, and <id>/json,
   <id>/layer.tar hold a layer, which names its parent. The image's configuration is made from the topmost layer's JSON
   in the way that Docker's migration made it, so that it gets the same id. */
#include <string.h>

#include "base/memory.h"
#include "store/load_internal.h"
#include "json/json_record.h"

#define MAX_LAYERS 1024

static json_t *read_json(struct load *load, const char *id, struct error *err)
{
    _cleanup_free_ char *name = xasprintf("%s/json", id);
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!is_hex_id(id)) {
        error_set(err, ERROR_INVALID, "invalid layer id \"%s\" in the archive", id);
        return NULL;
    }
    return spool_text(&load->spool, name, &text, err) ? json_parse(strbuf_text(&text), text.length, err) : NULL;
}

static void add_string(json_t *object, const char *key, const json_t *value)
{
    if (json_string_length(value) > 0)
        json_object_set(object, key, (json_t *)value);
}

/* One entry of `history` from a layer's JSON. */
static json_t *history_of(const json_t *layer)
{
    json_t *entry = json_object();
    add_string(entry, "created", json_object_get(layer, "created"));
    add_string(entry, "author", json_object_get(layer, "author"));
    const json_t *command = json_object_get(json_object_get(layer, "container_config"), "Cmd");
    _cleanup_strbuf_ struct strbuf words = STRBUF_INIT;
    size_t index;
    json_t *word;
    json_array_foreach(command, index, word)
        strbuf_addf(&words, "%s%s", index ? " " : "", string_or_empty(json_string_value(word)));
    if (words.length > 0)
        json_object_set_new(entry, "created_by", json_string(strbuf_text(&words)));
    add_string(entry, "comment", json_object_get(layer, "comment"));
    return entry;
}

/* The layer ids of an image, the base first. */
static bool read_chain(struct load *load, const char *top, struct strlist *ids, struct error *err)
{
    _cleanup_strlist_ struct strlist reversed = {0};
    _cleanup_free_ char *id = xstrdup(top);
    while (id) {
        if (reversed.count >= MAX_LAYERS || strlist_contains(&reversed, id))
            return error_set(err, ERROR_INVALID, "layer %s of the archive has a loop of parents", id);
        strlist_add(&reversed, id);
        _cleanup_json_ json_t *json = read_json(load, id, err);
        if (!json)
            return false;
        const char *parent = json_string_value(json_object_get(json, "parent"));
        free(id);
        id = string_is_set(parent) ? xstrdup(parent) : NULL;
    }
    for (size_t i = reversed.count; i > 0; i--)
        strlist_add(ids, reversed.items[i - 1]);
    return true;
}

static bool add_layer(struct load *load, const char *id, json_t *diff_ids, struct error *err)
{
    _cleanup_free_ char *name = xasprintf("%s/layer.tar", id);
    _cleanup_close_ int fd = spool_open(&load->spool, name, err);
    struct layer_info layer = {0};
    if (fd < 0 || !layer_add(load->store, read_descriptor, &fd, NULL, &layer, err))
        return false;
    json_array_append_new(diff_ids, json_string(layer.diff_id));
    layer_info_release(&layer);
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The top layer's JSON without what belongs to the layer, with rootfs and history, keys in order as Go writes a map. */
static char *make_config(json_t *top, json_t *diff_ids, json_t *history)
{
    static const char *const dropped[] = {"id", "parent", "Size", "parent_id", "layer_id", "throwaway"};
    for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
        json_object_del(top, dropped[i]);
    json_t *rootfs = json_object();
    json_object_set_new(rootfs, "type", json_string("layers"));
    json_object_set(rootfs, "diff_ids", diff_ids);
    json_object_set_new(top, "rootfs", rootfs);
    json_object_set(top, "history", history);

    size_t count = json_object_size(top), at = 0;
    const char **keys = xcalloc(count, sizeof(*keys));
    const char *key;
    json_t *value;
    json_object_foreach(top, key, value) keys[at++] = key;
    qsort(keys, count, sizeof(*keys), compare_keys);
    _cleanup_json_ json_t *sorted = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set(sorted, keys[i], json_object_get(top, keys[i]));
    free(keys);
    return json_format(sorted);
}

static bool add_image(struct load *load, const char *top, const char *tag, struct error *err)
{
    _cleanup_strlist_ struct strlist ids = {0};
    if (!read_chain(load, top, &ids, err))
        return false;
    _cleanup_json_ json_t *diff_ids = json_array();
    _cleanup_json_ json_t *history = json_array();
    _cleanup_json_ json_t *json = NULL;
    for (size_t i = 0; i < ids.count; i++) {
        json_decref(json);
        json = read_json(load, ids.items[i], err);
        if (!json || !add_layer(load, ids.items[i], diff_ids, err))
            return false;
        json_array_append_new(history, history_of(json));
    }
    _cleanup_free_ char *config = make_config(json, diff_ids, history);
    struct loaded_image *image = APPEND(load->images, load->count);
    strbuf_add_string(&image->config, config);
    strlist_add(&image->tags, tag);
    return loaded_image_parse(image, err);
}

bool load_legacy(struct load *load, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!spool_text(&load->spool, "repositories", &text, err))
        return false;
    _cleanup_json_ json_t *repositories = json_parse(strbuf_text(&text), text.length, err);
    if (!repositories)
        return false;
    const char *name, *tag;
    json_t *tags, *id;
    json_object_foreach(repositories, name, tags)
    {
        json_object_foreach(tags, tag, id)
        {
            _cleanup_reference_ struct reference reference = {0};
            if (!reference_parse_name(name, tag, &reference, err))
                return false;
            _cleanup_free_ char *full = reference_full(&reference);
            if (!add_image(load, string_or_empty(json_string_value(id)), full, err))
                return false;
        }
    }
    return true;
}
