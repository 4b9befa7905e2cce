/* `commit`: an image, one more layer, and another configuration. */
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/extract.h"
#include "store/image_internal.h"
#include "store/scratch.h"
#include "json/json_record.h"

#define PIECE_SIZE ((size_t)256 << 10)

static void add_history(const struct commit_options *options, const char *now, bool is_empty,
                        struct image_config *image)
{
    struct image_history *history = record_list_add(&image->history, &image_history_type);
    history->created = xstrdup(now);
    history->created_by = xstrdup(options->created_by);
    history->author = xstrdup(options->author);
    history->comment = xstrdup(options->comment);
    history->empty_layer = is_empty;
}

static bool create(struct store *store, const struct commit_options *options, const char *diff_id, char **id,
                   struct error *err)
{
    _cleanup_image_ struct image parent = {0};
    if (!image_get(store, options->parent, &parent, err))
        return false;
    struct image_config *image = &parent.parsed;
    char now[TIME_TEXT_SIZE];
    time_format(clock_now(), now);
    string_replace(&image->created, now);
    string_replace(&image->author, options->author);
    string_replace(&image->container, options->container);
    string_replace(&image->docker_version, NULL);
    record_copy(&container_config_type, &image->config, options->config);
    if (diff_id)
        strlist_add(&image->rootfs.diff_ids, diff_id);
    add_history(options, now, !diff_id, image);
    _cleanup_free_ char *config = record_format(&image_config_type, image);
    struct image_creation creation = {.config = config, .config_length = strlen(config), .parent = parent.id};
    _cleanup_strlist_ struct strlist references = {0};
    if (string_is_set(options->reference)) {
        strlist_add(&references, options->reference);
        creation.references = references;
    }
    return image_create(store, &creation, 1, id, NULL, err);
}

struct piece_reader {
    stream_read read;
    void *context;
    char *buffer;
};

static ssize_t next_piece(void *context, const void **data)
{
    struct piece_reader *reader = context;
    *data = reader->buffer;
    return reader->read(reader->context, reader->buffer, PIECE_SIZE);
}

/* The tar becomes the layer's folder, the only copy of the files that is made. */
static bool add_layer(struct store *store, stream_read read, void *context, struct layer_info *layer, struct error *err)
{
    _cleanup_free_ char *folder = scratch_make(store, "commit", err);
    if (!folder)
        return false;
    _cleanup_free_ char *path = scratch_path(store, folder);
    _cleanup_free_ char *buffer = xmalloc(PIECE_SIZE);
    struct piece_reader reader = {read, context, buffer};
    int64_t size;
    int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool is_done = root >= 0 ? extract_tar(root, next_piece, &reader, &size, err) : error_errno(err, "open %s", path);
    close_fd(root);
    is_done = is_done && layer_adopt(store, path, layer, err);
    scratch_remove(store, folder);
    return is_done;
}

bool store_commit(struct store *store, stream_read read, void *context, const struct commit_options *options, char **id,
                  struct error *err)
{
    struct layer_info layer = {0};
    store_hold(store);
    bool is_done =
        (!read || add_layer(store, read, context, &layer, err)) && create(store, options, layer.diff_id, id, err);
    store_release(store);
    if (!is_done)
        layer_collect(store, NULL);
    layer_info_release(&layer);
    return is_done;
}
