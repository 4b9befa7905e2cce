#include <string.h>

#include "base/memory.h"
#include "shim/shim.h"

struct exec *exec_find(struct shim *shim, const char *id)
{
    for (struct exec *exec = shim->execs; exec; exec = exec->next)
        if (string_equal(exec->id, id))
            return exec;
    return NULL;
}

void exec_free(struct exec *exec)
{
    struct exec **place = &exec->shim->execs;
    while (*place && *place != exec)
        place = &(*place)->next;
    if (*place)
        *place = exec->next;
    source_close(&exec->watch);
    session_release(&exec->process.session, NULL);
    free(exec->id);
    free(exec->description);
    free(exec);
}

static void mark_told(struct exec *exec)
{
    exec->is_told = true;
    for (size_t i = 0; i < exec->shim->ended_execs.execs.count; i++) {
        struct shim_exec_status *ended = RECORD_AT(exec->shim->ended_execs.execs, struct shim_exec_status, i);
        if (string_equal(ended->id, exec->id))
            ended->is_told = true;
    }
}

/* The engine has recorded the exit, or has died. */
static void watch_closed(struct source *source, uint32_t events)
{
    struct exec *exec = CONTAINER_OF(source, struct exec, watch);
    source_close(source);
    if (exec->process.phase == PROCESS_REPORTED)
        mark_told(exec);
}

static void fill_status(const struct exec *exec, struct shim_exec_status *status)
{
    *status = (struct shim_exec_status){.id = xstrdup(exec->id),
                                        .description = xstrdup(exec->description),
                                        .pid = exec->process.pid,
                                        .has_exited = exec->process.phase >= PROCESS_REPORTED,
                                        .is_told = exec->is_told,
                                        .exit = exec->process.exit};
}

void exec_remember(struct exec *exec)
{
    struct record_list *ended = &exec->shim->ended_execs.execs;
    if (!string_is_set(exec->description))
        return;
    if (ended->count >= ENDED_EXECS)
        record_list_remove(ended, &shim_exec_status_type, 0);
    fill_status(exec, record_list_add(ended, &shim_exec_status_type));
}

bool exec_watch(struct shim *shim, const char *id, int connection, struct error *err)
{
    struct exec *exec = exec_find(shim, id);
    if (!exec || (exec->process.phase >= PROCESS_REPORTED && !exec->is_orphan))
        return error_set(err, ERROR_NOT_FOUND, "No such exec instance: %s", id);
    source_close(&exec->watch);
    exec->watch = (struct source){.fd = connection, .handle = watch_closed};
    source_watch(&exec->watch, &shim->loop, EPOLLIN);
    message_send(connection, MESSAGE_DONE, NULL, NULL, NULL, 0, NULL);
    if (exec->process.phase == PROCESS_REPORTED)
        message_send(connection, MESSAGE_EXITED, &message_exited_type, &exec->process.exit, NULL, 0, NULL);
    return true;
}

/* Of an orphan the next engine is told through its watch, so that the client's stream ends when it knows. */
static bool is_listed_as_running(const struct exec *exec)
{
    return exec->process.phase < PROCESS_REPORTED || (exec->is_orphan && exec->process.phase == PROCESS_REPORTED);
}

int exec_list(struct shim *shim, struct error *err)
{
    struct shim_exec_list list = {0};
    const struct record_list *ended = &shim->ended_execs.execs;
    for (size_t i = 0; i < ended->count; i++) {
        const struct shim_exec_status *status = RECORD_AT(*ended, struct shim_exec_status, i);
        const struct exec *exec = exec_find(shim, status->id);
        if (!exec || !is_listed_as_running(exec))
            record_copy(&shim_exec_status_type, record_list_add(&list.execs, &shim_exec_status_type), status);
    }
    for (struct exec *exec = shim->execs; exec; exec = exec->next)
        if (is_listed_as_running(exec)) {
            struct shim_exec_status *place = record_list_add(&list.execs, &shim_exec_status_type);
            fill_status(exec, place);
            place->has_exited = false;
        }
    int payload = payload_write(&shim_exec_list_type, &list, err);
    record_release(&shim_exec_list_type, &list);
    for (size_t i = 0; payload >= 0 && i < ended->count; i++)
        RECORD_AT(*ended, struct shim_exec_status, i)->is_told = true;
    return payload;
}

static void tell_of_detach(struct session *session)
{
    struct exec *exec = CONTAINER_OF(session, struct exec, process.session);
    if (exec->watch.fd >= 0)
        message_send(exec->watch.fd, MESSAGE_DETACHED, NULL, NULL, NULL, 0, NULL);
}

static bool run(struct shim *shim, struct exec *exec, struct launch_exec *launch, struct message_exec *request,
                struct error *err)
{
    bool has_client = request->has_attachment;
    struct shim_attachment *client = &request->attachment;
    struct session_plan plan = {.is_terminal = request->is_terminal,
                                .wants_stdin = has_client && client->wants_stdin,
                                .wants_output = has_client && (client->wants_stdout || client->wants_stderr),
                                .closes_stdin = true};
    struct runtime_stdio stdio = {.initial_rows = (int)request->rows, .initial_columns = (int)request->columns};
    struct session *session = &exec->process.session;
    /* Else it would inherit the shim's own, which keeps the shim alive. */
    if (!launch->process.oom_score_adj.is_set)
        launch->process.oom_score_adj = (struct opt_int64){true, shim->oom_score_adj};
    if (!session_open(session, &shim->loop, &plan, &stdio, err))
        return false;
    if ((has_client && !attachment_add(session, client, err)) ||
        !runtime_exec(shim->container.pid, launch, &stdio, &exec->process.pid, err)) {
        session_release(session, &stdio);
        return false;
    }
    session->detached = tell_of_detach;
    session_begin(session, &stdio);
    return true;
}

static bool start(struct shim *shim, struct message *message, struct exec *exec, struct error *err)
{
    struct message_exec request = {0};
    struct shim_exec_start content = {0};
    if (!message_expect(message, MESSAGE_EXEC, &message_exec_type, &request, err))
        return false;
    bool is_started = false;
    if (request.fingerprint != record_fingerprint(&shim_exec_start_type))
        error_set(err, ERROR_UNSUPPORTED,
                  "the container was started by another version of wherryd: restart it to run exec in it");
    else if (shim->container.phase != PROCESS_RUNNING)
        error_set(err, ERROR_CONFLICT, "Container %s is not running", shim->options.id);
    else if (message->fd_count != 1U + request.has_attachment)
        error_set(err, ERROR_INTERNAL, "%zu descriptors came with an exec", message->fd_count);
    else if (exec_find(shim, request.exec_id))
        error_set(err, ERROR_CONFLICT, "exec %s is running already", request.exec_id);
    else if (payload_read(message->fds[0], &shim_exec_start_type, &content, err)) {
        request.attachment.fd = request.has_attachment ? TAKE_FD(message->fds[1]) : -1;
        is_started = run(shim, exec, &content.launch, &request, err);
        close_fd(request.attachment.fd);
    }
    if (is_started) {
        exec->id = TAKE_PTR(request.exec_id);
        exec->description = TAKE_PTR(content.description);
    }
    record_release(&shim_exec_start_type, &content);
    record_release(&message_exec_type, &request);
    return is_started;
}

void exec_begin(struct shim *shim, struct message *message, int connection)
{
    struct exec *exec = NEW(struct exec);
    struct error err = ERROR_INIT;
    exec->shim = shim;
    exec->process.session = SESSION_INIT;
    exec->watch = (struct source){.fd = connection, .handle = watch_closed};
    if (!start(shim, message, exec, &err)) {
        message_send_failure(connection, &err);
        exec_free(exec);
        return;
    }
    struct message_started started = {.pid = exec->process.pid, .started_at = clock_now()};
    message_send(connection, MESSAGE_STARTED, &message_started_type, &started, NULL, 0, NULL);
    exec->next = shim->execs;
    shim->execs = exec;
    source_watch(&exec->watch, &shim->loop, EPOLLIN);
}
