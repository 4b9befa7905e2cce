/* The build cache as its user sees it: rows, and what a prune takes. */
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/moment.h"
#include "base/tree_size.h"
#include "build/internal.h"
#include "engine/prune.h"
#include "store/layer.h"

static const char *const known_filters[] = {"until",       "unused-for", "id",     "parent",  "type",
                                            "description", "inuse",      "shared", "private", NULL};

/* What others have too: a layer of an image is not freed with its record. */
static bool layers_in_images(struct store *store, struct strlist *out, struct error *err)
{
    struct image *images = NULL;
    size_t count = 0;
    if (!image_list(store, &images, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < images[i].parsed.rootfs.diff_ids.count; j++)
            strlist_add(out, images[i].parsed.rootfs.diff_ids.items[j]);
        image_release(&images[i]);
    }
    free(images);
    strlist_sort(out);
    return true;
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool is_among(const struct strlist *sorted, const char *text)
{
    return text && sorted->count &&
           bsearch(&text, sorted->items, sorted->count, sizeof(*sorted->items), compare) != NULL;
}

static bool is_cache_mount(const struct build_record *record)
{
    return string_equal(record->kind, "exec.cachemount");
}

/* The id of a cache mount's record. */
static const char *mount_id(const struct build_record *record)
{
    return record->key + strlen("cache:");
}

static int64_t size_of(struct engine *engine, const struct build_record *record)
{
    if (!is_cache_mount(record))
        return record->size;
    _cleanup_free_ char *path = cache_mount_path(engine, mount_id(record));
    return tree_size(AT_FDCWD, path);
}

/* Docker's ids are short and without an algorithm. */
static char *shown_id(const char *key)
{
    const char *colon = strchr(key, ':');
    if (!string_starts_with(key, "sha256:")) {
        _cleanup_key_ struct key *digest = key_new();
        key_add(digest, key);
        _cleanup_free_ char *text = key_finish(digest);
        return xasprintf("%.25s", strchr(text, ':') + 1);
    }
    return xasprintf("%.25s", colon + 1);
}

json_t *build_cache_json(struct engine *engine, struct error *err)
{
    struct build_record *records = NULL;
    size_t count = 0;
    _cleanup_strlist_ struct strlist shared = {0};
    if (!build_cache_list(engine_store(engine), &records, &count, err))
        return NULL;
    bool is_good = layers_in_images(engine_store(engine), &shared, err);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        struct build_record *record = &records[i];
        char created[TIME_TEXT_SIZE], used[TIME_TEXT_SIZE];
        _cleanup_free_ char *id = shown_id(record->key);
        _cleanup_free_ char *clean = text_to_utf8(record->description);
        json_t *row =
            json_pack("{s:s, s:s, s:s, s:b, s:b, s:I, s:s, s:s, s:I}", "ID", id, "Type", record->kind, "Description",
                      clean, "InUse", 0, "Shared", is_among(&shared, record->diff_id), "Size",
                      (json_int_t)size_of(engine, record), "CreatedAt", time_format(record->created, created),
                      "LastUsedAt", time_format(record->last_used, used), "UsageCount", (json_int_t)record->uses);
        if (string_is_set(record->parent)) {
            _cleanup_free_ char *parent = shown_id(record->parent);
            json_object_set_new(row, "Parents", json_pack("[s]", parent));
        }
        json_array_append_new(list, row);
        build_record_release(record);
    }
    free(records);
    if (!is_good) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* --- prune --- */

struct pruning {
    const struct build_prune_options *options;
    unix_nano until; /* what was used later stays; 0: nothing does */
    struct strlist ids, types, descriptions, shared, private;
    struct strlist images; /* layers of images */
};

static void pruning_release(struct pruning *pruning)
{
    strlist_release(&pruning->ids);
    strlist_release(&pruning->types);
    strlist_release(&pruning->descriptions);
    strlist_release(&pruning->shared);
    strlist_release(&pruning->private);
    strlist_release(&pruning->images);
}

static bool read_filters(struct pruning *pruning, struct error *err)
{
    const json_t *filters = pruning->options->filters;
    _cleanup_strlist_ struct strlist until = {0}, in_use = {0}, parents = {0};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)filters, name, value)
    {
        bool is_known = false;
        for (size_t i = 0; known_filters[i] && !is_known; i++)
            is_known = strcmp(name, known_filters[i]) == 0;
        if (!is_known)
            return error_set(err, ERROR_INVALID, "invalid filter '%s'", name);
    }
    filter_values(filters, "until", &until);
    filter_values(filters, "unused-for", &until);
    if (until.count > 1)
        return error_set(err, ERROR_INVALID, "filters expect only one value");
    if (until.count && !moment_parse(until.items[0], clock_now(), &pruning->until, err))
        return false;
    filter_values(filters, "parent", &parents);
    filter_values(filters, "inuse", &in_use);
    if (parents.count || in_use.count)
        return error_set(err, ERROR_UNSUPPORTED, "the filter '%s' is not supported",
                         parents.count ? "parent" : "inuse");
    filter_values(filters, "id", &pruning->ids);
    filter_values(filters, "type", &pruning->types);
    filter_values(filters, "description", &pruning->descriptions);
    filter_values(filters, "shared", &pruning->shared);
    filter_values(filters, "private", &pruning->private);
    return true;
}

static bool is_any(const struct strlist *wanted, const char *text, bool is_part)
{
    if (!wanted->count)
        return true;
    for (size_t i = 0; i < wanted->count; i++)
        if (is_part ? strstr(text, wanted->items[i]) != NULL : string_starts_with(text, wanted->items[i]))
            return true;
    return false;
}

static bool is_wanted(const struct pruning *pruning, const struct build_record *record)
{
    _cleanup_free_ char *id = shown_id(record->key);
    bool is_shared = is_among(&pruning->images, record->diff_id);
    /* Without --all, what an image has besides stays: Docker's dangling build cache. */
    if (!pruning->options->is_all && is_shared && !pruning->shared.count)
        return false;
    if ((pruning->shared.count && !is_shared) || (pruning->private.count && is_shared))
        return false;
    return (!pruning->until || record->last_used <= pruning->until) && is_any(&pruning->ids, id, false) &&
           is_any(&pruning->types, record->kind, false) && is_any(&pruning->descriptions, record->description, true);
}

static void remove_cache_mount(struct engine *engine, const struct build_record *record)
{
    _cleanup_free_ char *path = cache_mount_path(engine, mount_id(record));
    tree_remove(AT_FDCWD, path, NULL);
}

/* Two records may have the same layer, which counts once. */
static bool prune_records(struct builder *builder, struct pruning *pruning, struct build_record *records, size_t count,
                          struct strlist *deleted, int64_t *space, struct error *err)
{
    _cleanup_strlist_ struct strlist keys = {0}, layers = {0};
    int64_t total = 0, freed = 0;
    for (size_t i = 0; i < count; i++)
        total += size_of(builder->engine, &records[i]);
    for (size_t i = 0; i < count; i++) {
        const struct build_record *record = &records[i];
        if (!is_wanted(pruning, record) || (pruning->options->keep > 0 && total <= pruning->options->keep))
            continue;
        int64_t size = size_of(builder->engine, record);
        total -= size;
        strlist_add(&keys, record->key);
        strlist_take(deleted, shown_id(record->key));
        if (is_cache_mount(record)) {
            remove_cache_mount(builder->engine, record);
            freed += size;
        } else if (record->diff_id && !is_among(&pruning->images, record->diff_id) &&
                   !strlist_contains(&layers, record->diff_id)) {
            strlist_add(&layers, record->diff_id);
            freed += size;
        }
    }
    if (!build_cache_remove(engine_store(builder->engine), &keys, err))
        return false;
    *space = freed;
    return !keys.count || layer_collect(engine_store(builder->engine), err);
}

bool build_prune(struct builder *builder, const struct build_prune_options *options, struct strlist *deleted,
                 int64_t *space, struct error *err)
{
    struct pruning pruning = {.options = options};
    struct build_record *records = NULL;
    size_t count = 0;
    if (!prune_begin(&builder->is_pruning, err))
        return false;
    bool is_done = read_filters(&pruning, err) &&
                   layers_in_images(engine_store(builder->engine), &pruning.images, err) &&
                   build_cache_list(engine_store(builder->engine), &records, &count, err) &&
                   prune_records(builder, &pruning, records, count, deleted, space, err);
    for (size_t i = 0; i < count; i++)
        build_record_release(&records[i]);
    free(records);
    pruning_release(&pruning);
    if (is_done)
        prune_event(builder->engine, "builder", *space);
    prune_end(&builder->is_pruning);
    return is_done;
}
