/* commit: what changed in a container becomes a layer of a new image. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "archive/pack.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/changes.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/files.h"
#include "oci/reference.h"
#include "store/changes.h"

#define WHITEOUT_PREFIX ".wh."
#define PIPE_SIZE       (1 << 20)

/* The tar of the layer, written by a thread of its own into a pipe that the store reads. */
struct layer_source {
    const struct change_list *changes;
    int upper;
    int pipe[2];
    struct error err; /* of the thread */
};

static bool write_pipe(void *context, const void *data, size_t length)
{
    const struct layer_source *source = context;
    return write_full(source->pipe[1], data, length) == 0;
}

static bool add_change(struct pack *pack, struct tar_writer *tar, int upper, const struct change *change,
                       struct error *err)
{
    const char *path = change->path + 1;
    if (change->kind != CHANGE_DELETED)
        return pack_add_entry(pack, upper, path, path, err);
    const char *base = path_base(path);
    _cleanup_free_ char *name = xasprintf("%.*s" WHITEOUT_PREFIX "%s", (int)(base - path), path, base);
    return tar_writer_file(tar, name, 0, clock_now() / NANOSECONDS_PER_SECOND, err);
}

static void *write_layer(void *context)
{
    struct layer_source *source = context;
    struct tar_writer tar = {.write = write_pipe, .context = source};
    struct pack *pack = pack_new(&tar);
    bool is_good = true;
    for (size_t i = 0; is_good && i < source->changes->count; i++)
        is_good = add_change(pack, &tar, source->upper, &source->changes->items[i], &source->err);
    if (is_good)
        tar_writer_finish(&tar, &source->err);
    pack_free(pack);
    source->pipe[1] = close_fd(source->pipe[1]);
    return NULL;
}

static ssize_t read_pipe(void *context, void *data, size_t length)
{
    const struct layer_source *source = context;
    return read(source->pipe[0], data, length);
}

static bool commit_layer(struct container *container, const struct change_list *changes,
                         const struct commit_options *options, char **id, struct error *err)
{
    struct store *store = container->engine->store;
    if (!changes->count)
        return store_commit(store, NULL, NULL, options, id, err);
    _cleanup_free_ char *upper = container_path(container, "upper");
    struct layer_source source = {.changes = changes, .upper = open(upper, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    _cleanup_close_ int folder = source.upper;
    if (folder < 0)
        return error_errno(err, "open %s", upper);
    if (pipe2(source.pipe, O_CLOEXEC) < 0)
        return error_errno(err, "pipe");
    (void)fcntl(source.pipe[0], F_SETPIPE_SZ, PIPE_SIZE);
    pthread_t thread;
    int code = pthread_create(&thread, NULL, write_layer, &source);
    if (code) {
        close_fd(source.pipe[0]);
        close_fd(source.pipe[1]);
        return error_errno_value(err, code, "start a thread");
    }
    struct error why = ERROR_INIT;
    bool is_done = store_commit(store, read_pipe, &source, options, id, &why);
    close_fd(source.pipe[0]); /* the thread gives up where the store did */
    pthread_join(thread, NULL);
    /* A broken pipe is only the other side of the store's own error. */
    if (!is_done && source.err.kind && source.err.errno_value != EPIPE) {
        error_release(&why);
        return error_move(err, &source.err);
    }
    error_release(&source.err);
    return is_done || error_move(err, &why);
}

static bool make_config(const struct container *container, const struct commit_request *request,
                        struct container_config *config, struct error *err)
{
    record_copy(&container_config_type, config, request->config ? request->config : &container->record.config);
    if (!changes_apply(&request->changes, config, err))
        return false;
    config_merge(config, &container->record.config);
    strmap_give(&config->labels);
    return true;
}

static bool commit(struct container *container, const struct commit_request *request,
                   const struct commit_options *given, char **id, struct error *err)
{
    struct change_list changes = {0};
    struct container_config config = {0};
    struct commit_options options = *given;
    options.config = &config;
    bool is_done = make_config(container, request, &config, err) && changes_find(container, &changes, err) &&
                   commit_layer(container, &changes, &options, id, err);
    change_list_release(&changes);
    record_release(&container_config_type, &config);
    return is_done;
}

bool container_commit(struct engine *engine, const struct commit_request *request, char **id, struct error *err)
{
    _cleanup_reference_ struct reference reference = {0};
    _cleanup_free_ char *full = NULL;
    if (string_is_set(request->repository)) {
        if (!reference_parse_name(request->repository, request->tag, &reference, err))
            return false;
        full = reference_full(&reference);
    }
    if (!string_is_set(request->container))
        return error_set(err, ERROR_INVALID, "invalid name or ID supplied: \"\"");
    _cleanup_container_ struct container *container = container_find(engine, request->container, err);
    if (!container)
        return false;
    _cleanup_free_ char *command = strlist_join(&container->record.config.cmd, " ");
    struct commit_options options = {
        .parent = container->record.image_id,
        .container = container->record.id,
        .created_by = command,
        .author = string_is_set(request->author) ? request->author : NULL,
        .comment = string_is_set(request->comment) ? request->comment : NULL,
        .reference = full,
    };
    /* A container that does not run, or is paused already, needs no pause. */
    bool is_paused = request->pauses && container_pause(engine, container->record.id, true, NULL);
    bool is_done = commit(container, request, &options, id, err);
    if (is_done) {
        _cleanup_free_ char *shown = full ? reference_familiar(&reference) : xstrdup("");
        if (full)
            image_event(engine, "tag", *id, shown);
        container_event(container, "commit", "comment", string_or_empty(request->comment), "imageID", *id, "imageRef",
                        shown, NULL);
    }
    if (is_paused)
        container_pause(engine, container->record.id, false, NULL);
    return is_done;
}
