/* Docker's rules of what a prune of images takes (daemon/images/image_prune.go). */
#include <string.h>

#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/images.h"
#include "engine/prune.h"

static bool read_dangling(const json_t *filters, bool *is_dangling_only, struct error *err)
{
    _cleanup_strlist_ struct strlist values = {0};
    filter_values(filters, "dangling", &values);
    *is_dangling_only = true;
    if (values.count == 0)
        return true;
    bool is_true = string_equal(values.items[0], "true") || string_equal(values.items[0], "1");
    bool is_false = string_equal(values.items[0], "false") || string_equal(values.items[0], "0");
    if (values.count > 1 || is_true == is_false) {
        _cleanup_free_ char *all = strlist_join(&values, " ");
        return error_set(err, ERROR_INVALID, "invalid filter 'dangling=[%s]'", all);
    }
    *is_dangling_only = is_true;
    return true;
}

static bool has_child(const struct image *images, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (string_equal(images[i].parent, id))
            return true;
    return false;
}

/* What cannot go stays, without a word. */
static void remove_reference(struct engine *engine, const char *reference, struct image_prune_report *report)
{
    struct image_removal *removals = NULL;
    size_t count = 0;
    struct error ignored = ERROR_INIT;
    if (!engine_image_remove(engine, reference, false, false, &removals, &count, &ignored)) {
        error_release(&ignored);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        report->space += removals[i].size;
        *APPEND(report->removals, report->count) = removals[i];
    }
    free(removals);
}

static void prune_image(struct engine *engine, const struct image *image, bool is_dangling_only,
                        struct image_prune_report *report)
{
    size_t digests = image->repo_digests.count, tags = image->repo_tags.count;
    if (digests + tags == 0) {
        remove_reference(engine, image->id, report);
        return;
    }
    if (is_dangling_only && tags > 0)
        return;
    /* In the order of Docker's reference store: by full name. */
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < tags; i++)
        strlist_add(&names, image->repo_tags.items[i]);
    for (size_t i = 0; i < digests; i++)
        strlist_add(&names, image->repo_digests.items[i]);
    strlist_sort(&names);
    for (size_t i = 0; i < names.count; i++)
        remove_reference(engine, names.items[i], report);
}

bool engine_image_prune(struct engine *engine, const json_t *filters, struct image_prune_report *report,
                        struct error *err)
{
    static const char *const known[] = {"dangling", "label", "label!", "until", NULL};
    static atomic_bool is_running;
    _cleanup_prune_filter_ struct prune_filter filter = {0};
    bool is_dangling_only;
    struct image *images = NULL;
    size_t count = 0;
    if (!prune_begin(&is_running, err))
        return false;
    bool is_done = prune_filter_parse(filters, known, &filter, err) && read_dangling(filters, &is_dangling_only, err) &&
                   image_list(engine->store, &images, &count, err);
    if (!is_done && err && string_starts_with(error_message(err), "failed to parse value"))
        err->kind = ERROR_INTERNAL; /* as Docker answers it for images alone */
    for (size_t i = 0; is_done && i < count; i++) {
        bool is_named = images[i].repo_tags.count + images[i].repo_digests.count > 0;
        bool is_parent = has_child(images, count, images[i].id);
        if ((is_dangling_only && is_parent) || (!is_named && is_parent) ||
            !prune_filter_matches(&filter, images[i].created, &images[i].parsed.config.labels))
            continue;
        prune_image(engine, &images[i], is_dangling_only, report);
    }
    for (size_t i = 0; i < count; i++)
        image_release(&images[i]);
    free(images);
    if (is_done) {
        _cleanup_free_ char *space = xasprintf("%lld", (long long)report->space);
        event_emit_pairs(engine, "image", "prune", "", "reclaimed", space, NULL);
    }
    prune_end(&is_running);
    return is_done;
}
