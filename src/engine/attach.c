#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/engine_state.h"

bool container_check_attach(struct engine *engine, const char *reference, bool *is_terminal, struct error *err)
{
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container)
        return false;
    container_lock(container);
    bool is_possible =
        lifecycle_check(container->status, VERB_ATTACH, container->record.id, container->record.name, reference, err);
    container_unlock(container);
    if (is_possible)
        *is_terminal = container->record.config.tty;
    return is_possible;
}

static bool write_to_client(void *context, const void *data, size_t length)
{
    return write_full(*(const int *)context, data, length) == 0;
}

/* What was logged so far, on the attached client's stream. */
static bool replay_log(struct engine *engine, const char *reference, const struct shim_attachment *attachment,
                       struct error *err)
{
    const struct logs_options options = {
        .wants_stdout = attachment->wants_stdout, .wants_stderr = attachment->wants_stderr, .tail = -1};
    bool is_terminal;
    if (!options.wants_stdout && !options.wants_stderr)
        return true;
    struct container_logs *logs = container_logs_open(engine, reference, &options, &is_terminal, err);
    int fd = attachment->fd;
    return logs && container_logs_stream(logs, write_to_client, &fd, attachment->fd, err);
}

bool container_attach(struct engine *engine, const char *reference, struct shim_attachment *attachment, bool wants_logs,
                      bool wants_stream, struct error *err)
{
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    bool is_replayed = container && (!wants_logs || replay_log(engine, reference, attachment, err));
    if (!is_replayed || !wants_stream) {
        attachment->fd = close_fd(attachment->fd);
        return is_replayed;
    }
    /* A start that is under way either takes the client along or is waited for. */
    if (!container_begin(container, reference, err)) {
        attachment->fd = close_fd(attachment->fd);
        return false;
    }
    container_lock(container);
    bool is_running = status_has_process(container->status);
    if (!container->record.config.open_stdin)
        attachment->wants_stdin = false;
    if (!is_running) {
        struct shim_attachment *place = APPEND(container->attachments, container->attachment_count);
        *place = *attachment;
        place->fd = TAKE_FD(attachment->fd);
        place->detach_keys = xstrdup(attachment->detach_keys);
    }
    container_unlock(container);
    bool is_attached = true;
    if (is_running) {
        _cleanup_free_ char *directory = container_run_path(container);
        is_attached = shim_attach(directory, attachment, err);
        attachment->fd = -1; /* shim_attach has closed it */
    }
    container_end(container);
    return is_attached;
}
