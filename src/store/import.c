/* `import`: the tar of a root file system becomes an image of one layer. */
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "oci/manifest.h"
#include "store/changes.h"
#include "store/image_internal.h"
#include "json/json_record.h"

struct import {
    struct image_config config;
    struct strlist references;
};

static void import_release(struct import *import)
{
    record_release(&image_config_type, &import->config);
    strlist_release(&import->references);
}

/* Everything that can be wrong with the request, before the first byte of the stream is read. */
static bool prepare(const struct import_options *options, struct import *import, struct error *err)
{
    struct platform platform = {0};
    if (string_is_set(options->platform)) {
        if (!platform_parse(options->platform, &platform, err))
            return false;
    } else {
        platform_host(&platform);
    }
    import->config.os = TAKE_PTR(platform.os);
    import->config.architecture = TAKE_PTR(platform.architecture);
    import->config.variant = TAKE_PTR(platform.variant);
    record_release(&platform_type, &platform);
    if (strcmp(import->config.os, "linux") != 0)
        return error_set(err, ERROR_INVALID, "operating system is not supported");

    if (string_is_set(options->repository)) {
        _cleanup_reference_ struct reference reference = {0};
        if (!reference_parse_name(options->repository, options->tag, &reference, err))
            return false;
        strlist_take(&import->references, reference_full(&reference));
    }
    return changes_apply(&options->changes, &import->config.config, err);
}

static char *make_config(struct import *import, const char *diff_id, const char *message)
{
    char now[TIME_TEXT_SIZE];
    time_format(clock_now(), now);
    import->config.created = xstrdup(now);
    struct image_history *history = record_list_add(&import->config.history, &image_history_type);
    history->created = xstrdup(now);
    history->comment = xstrdup(message);
    import->config.rootfs.type = xstrdup("layers");
    strlist_add(&import->config.rootfs.diff_ids, diff_id);
    return record_format(&image_config_type, &import->config);
}

bool store_import(struct store *store, stream_read read, void *context, const struct import_options *options,
                  char **image_id, struct error *err)
{
    struct import import = {0};
    struct layer_info layer = {0};
    const char *message = string_is_set(options->message) ? options->message : "Imported from -";
    if (!prepare(options, &import, err)) {
        import_release(&import);
        return false;
    }
    store_hold(store);
    bool is_done = layer_add(store, read, context, NULL, &layer, err);
    if (is_done) {
        _cleanup_free_ char *config = make_config(&import, layer.diff_id, message);
        struct image_creation creation = {
            .config = config, .config_length = strlen(config), .references = import.references};
        is_done = image_create(store, &creation, 1, image_id, NULL, err);
    }
    store_release(store);
    if (!is_done)
        layer_collect(store, NULL);
    layer_info_release(&layer);
    import_release(&import);
    return is_done;
}
