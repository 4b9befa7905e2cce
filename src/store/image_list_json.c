/* GET /images/json: Docker's rules of which images and names are shown (daemon/images/images.go). */
#include <string.h>

#include "base/clock.h"
#include "base/glob.h"
#include "base/memory.h"
#include "base/options.h"
#include "store/image_internal.h"
#include "store/image_json.h"
#include "json/json_record.h"

#define VERSION_NO_NONE         143
#define VERSION_NO_VIRTUAL_SIZE 144

struct filters {
    struct strlist labels, references, before, since, until;
    struct strlist dangling;
    bool only_dangling;
    bool has_before, has_since;
    unix_nano before_time; /* created earlier than this */
    unix_nano since_time;  /* created later than this */
};

static void filters_release(struct filters *filters)
{
    struct strlist *lists[] = {&filters->labels, &filters->references, &filters->before,
                               &filters->since,  &filters->until,      &filters->dangling};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        strlist_release(lists[i]);
}

static struct strlist *filter_list(struct filters *filters, const char *name)
{
    const struct {
        const char *name;
        struct strlist *list;
    } known[] = {{"label", &filters->labels}, {"reference", &filters->references}, {"before", &filters->before},
                 {"since", &filters->since},  {"until", &filters->until},          {"dangling", &filters->dangling}};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].list;
    return NULL;
}

/* {"name": {"value": true}} as clients since 1.10 send it, or {"name": ["value"]}. */
static bool read_values(const json_t *values, struct strlist *list)
{
    if (json_is_array(values)) {
        size_t index;
        json_t *value;
        json_array_foreach(values, index, value)
        {
            if (!json_is_string(value))
                return false;
            strlist_add(list, json_string_value(value));
        }
        return true;
    }
    if (!json_is_object(values))
        return false;
    const char *text;
    json_t *is_set;
    json_object_foreach((json_t *)values, text, is_set) if (json_is_true(is_set)) strlist_add(list, text);
    return true;
}

static bool earliest(struct filters *filters, unix_nano time)
{
    if (!filters->has_before || time < filters->before_time)
        filters->before_time = time;
    return filters->has_before = true;
}

/* A time stamp, seconds since 1970, or a duration before now. */
static bool read_until(const char *text, unix_nano *time, struct error *err)
{
    int64_t seconds, duration;
    if (parse_duration(text, &duration, NULL)) {
        *time = clock_now() - duration;
        return true;
    }
    if (parse_int64(text, &seconds) && seconds >= 0 && seconds < INT64_MAX / NANOSECONDS_PER_SECOND) {
        *time = seconds * NANOSECONDS_PER_SECOND;
        return true;
    }
    _cleanup_free_ char *with_zone = xasprintf("%sZ", text);
    _cleanup_free_ char *with_time = xasprintf("%sT00:00:00Z", text);
    if (time_parse(text, time) || time_parse(with_zone, time) || time_parse(with_time, time))
        return true;
    return error_set(err, ERROR_INTERNAL, "failed to parse value as time or duration: \"%s\"", text);
}

static bool resolve_times(struct store *store, struct filters *filters, struct error *err)
{
    for (size_t i = 0; i < filters->before.count; i++) {
        _cleanup_image_ struct image image = {0};
        if (!image_get(store, filters->before.items[i], &image, err))
            return false;
        earliest(filters, image.created);
    }
    for (size_t i = 0; i < filters->until.count; i++) {
        unix_nano time;
        if (!read_until(filters->until.items[i], &time, err))
            return false;
        earliest(filters, time);
    }
    for (size_t i = 0; i < filters->since.count; i++) {
        _cleanup_image_ struct image image = {0};
        if (!image_get(store, filters->since.items[i], &image, err))
            return false;
        if (!filters->has_since || image.created > filters->since_time)
            filters->since_time = image.created;
        filters->has_since = true;
    }
    return true;
}

static bool read_dangling(struct filters *filters, struct error *err)
{
    if (filters->dangling.count == 0)
        return true;
    const char *text = filters->dangling.items[0];
    bool is_true = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    bool is_false = strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
    if (filters->dangling.count != 1 || is_true == is_false) {
        _cleanup_free_ char *all = strlist_join(&filters->dangling, " ");
        return error_set(err, ERROR_INVALID, "invalid filter 'dangling=[%s]'", all);
    }
    filters->only_dangling = is_true;
    return true;
}

static bool filters_read(struct store *store, const char *text, struct filters *filters, struct error *err)
{
    if (!string_is_set(text))
        return true;
    _cleanup_json_ json_t *json = json_parse(text, strlen(text), NULL);
    if (!json_is_object(json))
        return error_set(err, ERROR_INVALID, "invalid filter");
    const char *name;
    json_t *values;
    json_object_foreach(json, name, values)
    {
        struct strlist *list = filter_list(filters, name);
        if (!list)
            return error_set(err, ERROR_INVALID, "invalid filter '%s'", name);
        if (!read_values(values, list))
            return error_set(err, ERROR_INVALID, "invalid filter");
    }
    return read_dangling(filters, err) && resolve_times(store, filters, err);
}

static bool labels_match(const struct filters *filters, const struct image *image)
{
    for (size_t i = 0; i < filters->labels.count; i++) {
        const char *wanted = filters->labels.items[i];
        const char *equals = strchr(wanted, '=');
        _cleanup_free_ char *key = equals ? xstrndup(wanted, (size_t)(equals - wanted)) : xstrdup(wanted);
        const char *value = strmap_get(&image->parsed.config.labels, key);
        if (!value || (equals && strcmp(value, equals + 1) != 0))
            return false;
    }
    return true;
}

/* A pattern is held against the familiar name with and without tag or digest. */
static bool reference_matches(const struct filters *filters, const char *familiar, bool *matches, struct error *err)
{
    *matches = filters->references.count == 0;
    _cleanup_reference_ struct reference reference = {0};
    _cleanup_free_ char *name =
        reference_parse(familiar, &reference, NULL) ? reference_familiar_name(&reference) : xstrdup(familiar);
    for (size_t i = 0; !*matches && i < filters->references.count; i++) {
        const char *pattern = filters->references.items[i];
        if (!glob_match(pattern, familiar, matches) || (!*matches && !glob_match(pattern, name, matches)))
            return error_set(err, ERROR_INTERNAL, "syntax error in pattern");
    }
    return true;
}

static bool matching_names(const struct filters *filters, const struct strlist *names, struct strlist *out,
                           struct error *err)
{
    for (size_t i = 0; i < names->count; i++) {
        bool matches;
        if (!reference_matches(filters, names->items[i], &matches, err))
            return false;
        if (matches)
            strlist_add(out, names->items[i]);
    }
    return true;
}

/* What of an image's size other images have too: layers count together with all below them. */
static int64_t shared_size(struct store *store, const struct image *images, size_t count, size_t own)
{
    const struct strlist *layers = &images[own].parsed.rootfs.diff_ids;
    size_t shared = 0;
    for (size_t i = 0; i < count; i++) {
        const struct strlist *others = &images[i].parsed.rootfs.diff_ids;
        size_t common = 0;
        while (i != own && common < layers->count && common < others->count &&
               strcmp(layers->items[common], others->items[common]) == 0)
            common++;
        shared = MAX(shared, common);
    }
    int64_t size = 0;
    for (size_t i = 0; i < shared; i++) {
        struct layer_info layer = {0};
        if (layer_get(store, layers->items[i], &layer, NULL))
            size += layer.size;
        layer_info_release(&layer);
    }
    return size;
}

static json_t *names_json(const struct strlist *names, const char *none, int version, bool has_any)
{
    if (version < VERSION_NO_NONE && names->count == 0 && has_any)
        return json_null();
    json_t *array = json_array();
    for (size_t i = 0; i < names->count; i++)
        json_array_append_new(array, json_string(names->items[i]));
    if (version < VERSION_NO_NONE && names->count == 0)
        json_array_append_new(array, json_string(none));
    return array;
}

static bool has_child(const struct image *images, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (string_equal(images[i].parent, id))
            return true;
    return false;
}

struct listing {
    struct store *store;
    const struct image_list_options *options;
    struct filters filters;
    struct image *images;
    size_t count;
};

static bool is_shown(const struct listing *listing, const struct image *image, const struct strlist *tags,
                     const struct strlist *digests)
{
    const struct filters *filters = &listing->filters;
    bool has_child_images = has_child(listing->images, listing->count, image->id);
    if (filters->only_dangling && has_child_images)
        return false;
    if (tags->count > 0 || digests->count > 0)
        return !filters->only_dangling || tags->count == 0;
    if (!listing->options->shows_all && has_child_images)
        return false;
    return (filters->dangling.count == 0 || filters->only_dangling) && filters->references.count == 0;
}

static json_t *summary_json(const struct listing *listing, size_t index, const struct strlist *tags,
                            const struct strlist *digests)
{
    const struct image_list_options *options = listing->options;
    const struct image *image = &listing->images[index];
    bool has_any = tags->count > 0 || digests->count > 0;
    int64_t seconds = image->created / NANOSECONDS_PER_SECOND;
    int64_t containers = options->count_containers ? options->count_containers(options->context, image->id) : -1;
    int64_t shared =
        options->wants_shared_size ? shared_size(listing->store, listing->images, listing->count, index) : -1;
    json_t *labels = json_null();
    if (image->parsed.config.labels.items) {
        labels = json_object();
        for (size_t i = 0; i < image->parsed.config.labels.count; i++)
            json_object_set_new(labels, image->parsed.config.labels.items[i].key,
                                json_string(image->parsed.config.labels.items[i].value));
    }
    json_t *summary = json_object();
    json_object_set_new(summary, "Containers", json_integer(containers));
    json_object_set_new(summary, "Created", json_integer(seconds));
    json_object_set_new(summary, "Id", json_string(image->id));
    json_object_set_new(summary, "Labels", labels);
    json_object_set_new(summary, "ParentId", json_string(string_or_empty(image->parent)));
    json_object_set_new(summary, "RepoDigests", names_json(digests, "<none>@<none>", options->version, has_any));
    json_object_set_new(summary, "RepoTags", names_json(tags, "<none>:<none>", options->version, has_any));
    json_object_set_new(summary, "SharedSize", json_integer(shared));
    json_object_set_new(summary, "Size", json_integer(image->size));
    if (options->version < VERSION_NO_VIRTUAL_SIZE)
        json_object_set_new(summary, "VirtualSize", json_integer(image->size));
    return summary;
}

static bool add_summary(const struct listing *listing, size_t index, json_t *out, struct error *err)
{
    const struct filters *filters = &listing->filters;
    const struct image *image = &listing->images[index];
    if ((filters->has_before && image->created >= filters->before_time) ||
        (filters->has_since && image->created <= filters->since_time) || !labels_match(filters, image))
        return true;
    _cleanup_strlist_ struct strlist tags = {0}, digests = {0};
    if (!matching_names(filters, &image->repo_tags, &tags, err) ||
        !matching_names(filters, &image->repo_digests, &digests, err))
        return false;
    if (is_shown(listing, image, &tags, &digests))
        json_array_append_new(out, summary_json(listing, index, &tags, &digests));
    return true;
}

/* A malformed pattern is refused even where no image has a name to hold against it. */
static bool check_patterns(const struct filters *filters, struct error *err)
{
    bool ignored;
    for (size_t i = 0; i < filters->references.count; i++)
        if (!glob_match(filters->references.items[i], "", &ignored))
            return error_set(err, ERROR_INTERNAL, "syntax error in pattern");
    return true;
}

json_t *image_list_json(struct store *store, const struct image_list_options *options, struct error *err)
{
    struct listing listing = {.store = store, .options = options};
    json_t *out = json_array();
    bool is_done = filters_read(store, options->filters, &listing.filters, err) &&
                   check_patterns(&listing.filters, err) && image_list(store, &listing.images, &listing.count, err);
    for (size_t i = 0; is_done && i < listing.count; i++)
        is_done = add_summary(&listing, i, out, err);
    for (size_t i = 0; i < listing.count; i++)
        image_release(&listing.images[i]);
    free(listing.images);
    filters_release(&listing.filters);
    if (is_done)
        return out;
    json_decref(out);
    return NULL;
}
