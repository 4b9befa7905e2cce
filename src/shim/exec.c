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
    free(exec);
}

/* The engine has recorded the exit, or has died. */
static void watch_closed(struct source *source, uint32_t events)
{
    source_close(source);
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
    session_begin(session, &stdio);
    return true;
}

static bool start(struct shim *shim, struct message *message, struct exec *exec, struct error *err)
{
    struct message_exec request = {0};
    struct launch_exec launch = {0};
    if (!message_expect(message, MESSAGE_EXEC, &message_exec_type, &request, err))
        return false;
    bool is_started = false;
    if (request.fingerprint != record_fingerprint(&launch_exec_type))
        error_set(err, ERROR_UNSUPPORTED,
                  "the container was started by another version of wherryd: restart it to run exec in it");
    else if (shim->container.phase != PROCESS_RUNNING)
        error_set(err, ERROR_CONFLICT, "Container %s is not running", shim->options.id);
    else if (message->fd_count != 1U + request.has_attachment)
        error_set(err, ERROR_INTERNAL, "%zu descriptors came with an exec", message->fd_count);
    else if (exec_find(shim, request.exec_id))
        error_set(err, ERROR_CONFLICT, "exec %s is running already", request.exec_id);
    else if (payload_read(message->fds[0], &launch_exec_type, &launch, err)) {
        request.attachment.fd = request.has_attachment ? TAKE_FD(message->fds[1]) : -1;
        is_started = run(shim, exec, &launch, &request, err);
        close_fd(request.attachment.fd);
    }
    if (is_started)
        exec->id = TAKE_PTR(request.exec_id);
    record_release(&launch_exec_type, &launch);
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
