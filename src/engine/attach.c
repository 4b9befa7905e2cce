#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/engine_state.h"

struct container_attach {
    struct container *container;
    bool is_begun; /* container_begin was called, and container_end is due */
};

struct container_attach *container_attach_begin(struct engine *engine, const char *reference, bool *is_terminal,
                                                struct error *err)
{
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    /* A start that is under way either takes the client along or is waited for. */
    if (!container || !container_begin(container, reference, err))
        return NULL;
    container_lock(container);
    bool is_possible =
        lifecycle_check(container->status, VERB_ATTACH, container->record.id, container->record.name, reference, err);
    container_unlock(container);
    if (!is_possible) {
        container_end(container);
        return NULL;
    }
    *is_terminal = container->record.config.tty;
    struct container_attach *attach = NEW(struct container_attach);
    attach->container = TAKE_PTR(container);
    attach->is_begun = true;
    return attach;
}

static void attach_free(struct container_attach *attach)
{
    if (attach->is_begun)
        container_end(attach->container);
    container_unref(attach->container);
    free(attach);
}
DEFINE_CLEANUP(struct container_attach *, attach_free)

static bool write_to_client(void *context, const void *data, size_t length)
{
    return write_full(*(const int *)context, data, length) == 0;
}

/* What was logged so far, on the attached client's stream. */
static bool replay_log(struct engine *engine, const char *reference, const struct shim_attachment *attachment,
                       const struct attach_replay *replay, struct error *err)
{
    const struct logs_options options = {.wants_stdout = attachment->wants_stdout,
                                         .wants_stderr = attachment->wants_stderr,
                                         .tail = -1,
                                         .is_raw = !attachment->is_framed};
    bool is_terminal;
    if (!options.wants_stdout && !options.wants_stderr)
        return true;
    struct container_logs *logs = container_logs_open(engine, reference, &options, &is_terminal, err);
    if (logs && replay->write)
        return container_logs_stream(logs, replay->write, replay->context, replay->client, err);
    int fd = attachment->fd;
    return logs && container_logs_stream(logs, write_to_client, &fd, attachment->fd, err);
}

/* A reader of the replay can be slow: no verb waits for it. */
static bool replay_between_verbs(struct container_attach *attach, const struct shim_attachment *attachment,
                                 const struct attach_replay *replay, struct error *err)
{
    struct container *container = attach->container;
    container_end(container);
    attach->is_begun = false;
    if (!replay_log(container->engine, container->record.id, attachment, replay, err) ||
        !container_begin(container, container->record.id, err))
        return false;
    return attach->is_begun = true;
}

/* Keeps the client for the start. */
static void wait_for_start(struct container *container, struct shim_attachment *attachment)
{
    struct shim_attachment *place = APPEND(container->attachments, container->attachment_count);
    *place = *attachment;
    place->fd = TAKE_FD(attachment->fd);
    place->detach_keys = xstrdup(attachment->detach_keys);
}

bool container_attach_finish(struct container_attach *attach_taken, struct shim_attachment *attachment,
                             const struct attach_replay *replay, bool wants_stream, struct error *err)
{
    _cleanup_(attach_freep) struct container_attach *attach = attach_taken;
    struct container *container = attach->container;
    if (!attachment)
        return true;
    bool is_replayed = !replay || replay_between_verbs(attach, attachment, replay, err);
    if (is_replayed)
        container_event(container, "attach", NULL);
    if (!is_replayed || !wants_stream) {
        attachment->fd = close_fd(attachment->fd);
        return is_replayed;
    }
    container_lock(container);
    bool is_running = status_has_process(container->status);
    if (!container->record.config.open_stdin)
        attachment->wants_stdin = false;
    if (!is_running)
        wait_for_start(container, attachment);
    container_unlock(container);
    if (!is_running)
        return true;
    _cleanup_free_ char *directory = container_run_path(container);
    bool is_attached = shim_attach(directory, attachment, err);
    attachment->fd = -1; /* shim_attach has closed it */
    return is_attached;
}
