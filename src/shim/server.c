#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup.h"
#include "shim/shim.h"

/* Connections beyond these wait in the kernel's queue. */
#define BACKLOG 64

static void free_connection(struct connection *connection)
{
    struct connection **place = &connection->shim->connections;
    while (*place != connection)
        place = &(*place)->next;
    *place = connection->next;
    source_close(&connection->source);
    free(connection);
}

static bool kill_container(struct shim *shim, const struct message_kill *request, struct error *err)
{
    int signal_number = (int)request->signal_number;
    if (shim->container.phase != PROCESS_RUNNING)
        return error_set(err, ERROR_NOT_FOUND, "container %s is not running", shim->options.id);
    if (request->is_all && shim->cgroups_path)
        return cgroup_kill_all(shim->cgroups_path, signal_number) ||
               error_errno(err, "send signal %d to all processes of %s", signal_number, shim->options.id);
    /* Not reaped yet, so the number is still the container's. */
    return kill(shim->container.pid, signal_number) == 0 || error_errno(err, "send signal %d", signal_number);
}

static bool resize(struct shim *shim, const struct message_resize *request, struct error *err)
{
    struct session *session = &shim->container.session;
    if (string_is_set(request->exec_id)) {
        struct exec *exec = exec_find(shim, request->exec_id);
        if (!exec)
            return error_set(err, ERROR_NOT_FOUND, "No such exec instance: %s", request->exec_id);
        session = &exec->process.session;
    }
    session_resize(session, request->rows, request->columns);
    return true;
}

/* It is reaped by this process alone, so the number is its own for as long as it runs here. */
static bool kill_exec(struct shim *shim, const struct message_exec_signal *request, struct error *err)
{
    struct exec *exec = exec_find(shim, request->exec_id);
    if (!exec || exec->process.phase != PROCESS_RUNNING)
        return error_set(err, ERROR_NOT_FOUND, "No such exec instance: %s", request->exec_id);
    return kill(exec->process.pid, (int)request->signal_number) == 0 ||
           error_errno(err, "send signal %d", (int)request->signal_number);
}

static bool attach(struct shim *shim, struct message *message, struct error *err)
{
    struct shim_attachment attachment = {0};
    if (shim->container.phase != PROCESS_RUNNING)
        return error_set(err, ERROR_CONFLICT, "Container %s is not running", shim->options.id);
    if (!message_expect(message, MESSAGE_ATTACH, &message_attach_type, &attachment, err))
        return false;
    bool is_attached = message->fd_count == 1 || error_set(err, ERROR_INTERNAL, "no descriptor came with an attach");
    if (is_attached) {
        attachment.fd = TAKE_FD(message->fds[0]);
        is_attached = attachment_add(&shim->container.session, &attachment, err);
        close_fd(attachment.fd);
    }
    record_release(&message_attach_type, &attachment);
    return is_attached;
}

/* The requests that are answered with DONE or FAILED. */
static bool carry_out(struct shim *shim, struct message *message, struct error *err)
{
    bool is_done = false;
    switch (message->type) {
    case MESSAGE_ATTACH:
        return attach(shim, message, err);
    case MESSAGE_KILL: {
        struct message_kill request = {0};
        is_done = message_expect(message, MESSAGE_KILL, &message_kill_type, &request, err) &&
                  kill_container(shim, &request, err);
        break;
    }
    case MESSAGE_KILL_EXEC: {
        struct message_exec_signal request = {0};
        is_done = message_expect(message, MESSAGE_KILL_EXEC, &message_exec_signal_type, &request, err) &&
                  kill_exec(shim, &request, err);
        record_release(&message_exec_signal_type, &request);
        break;
    }
    case MESSAGE_RESIZE: {
        struct message_resize request = {0};
        is_done =
            message_expect(message, MESSAGE_RESIZE, &message_resize_type, &request, err) && resize(shim, &request, err);
        record_release(&message_resize_type, &request);
        break;
    }
    case MESSAGE_NETWORK:
        return network_take_change(shim, message, err);
    default:
        error_set(err, ERROR_UNSUPPORTED, "the shim of this container does not know request %d", (int)message->type);
        break;
    }
    return is_done;
}

static void list_execs(struct shim *shim, int connection)
{
    struct error err = ERROR_INIT;
    _cleanup_close_ int payload = exec_list(shim, &err);
    if (payload >= 0)
        message_send(connection, MESSAGE_EXECS, NULL, NULL, &payload, 1, NULL);
    else
        message_send_failure(connection, &err);
}

/* The connection becomes the watch where that is possible, and is closed where it is not. */
static void watch_exec(struct connection *connection, struct message *message)
{
    struct shim *shim = connection->shim;
    struct error err = ERROR_INIT;
    struct message_exec_signal request = {0};
    int fd = connection->source.fd;
    source_ignore(&connection->source);
    if (message_expect(message, MESSAGE_WATCH_EXEC, &message_exec_signal_type, &request, &err) &&
        exec_watch(shim, request.exec_id, fd, &err)) {
        connection->source.fd = -1;
    } else {
        message_send_failure(fd, &err);
    }
    record_release(&message_exec_signal_type, &request);
}

static void answer(struct connection *connection, struct message *message)
{
    struct shim *shim = connection->shim;
    struct error err = ERROR_INIT;
    int fd = connection->source.fd;
    switch (message->type) {
    case MESSAGE_WATCH:
    case MESSAGE_STATUS: {
        struct shim_status status = shim_current_status(shim);
        message_send(fd, MESSAGE_STATE, &message_state_type, &status, NULL, 0, NULL);
        connection->is_watch = message->type == MESSAGE_WATCH;
        break;
    }
    case MESSAGE_RESOLVER:
        network_send_resolver(shim, fd);
        break;
    case MESSAGE_EXEC:
        source_ignore(&connection->source);
        exec_begin(shim, message, TAKE_FD(connection->source.fd));
        break;
    case MESSAGE_EXECS:
        list_execs(shim, fd);
        break;
    case MESSAGE_WATCH_EXEC:
        watch_exec(connection, message);
        break;
    default:
        if (carry_out(shim, message, &err))
            message_send(fd, MESSAGE_DONE, NULL, NULL, NULL, 0, NULL);
        else
            message_send_failure(fd, &err);
        break;
    }
}

static void handle_connection(struct source *source, uint32_t events)
{
    struct connection *connection = CONTAINER_OF(source, struct connection, source);
    _cleanup_message_ struct message message;
    /* A watch says nothing more: what comes is its end. */
    if (message_receive(source->fd, &message, NULL) && !connection->is_watch)
        answer(connection, &message);
    else
        connection->is_watch = false;
    if (!connection->is_watch)
        free_connection(connection);
}

void server_add(struct shim *shim, int fd, bool is_watch)
{
    struct connection *connection = NEW(struct connection);
    connection->shim = shim;
    connection->source = (struct source){.fd = fd, .handle = handle_connection};
    connection->is_watch = is_watch;
    connection->next = shim->connections;
    shim->connections = connection;
    source_watch(&connection->source, &shim->loop, EPOLLIN);
}

static void accept_connection(struct source *source, uint32_t events)
{
    struct shim *shim = CONTAINER_OF(source, struct shim, listener);
    int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        server_add(shim, fd, false);
}

/* By its short name from inside the folder, because an address holds 107 bytes. */
static int bind_in(const char *directory, int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SHIM_SOCKET_NAME};
    if (chdir(directory) < 0)
        return -1;
    mode_t mask = umask(0177);
    int result = bind(fd, (struct sockaddr *)&address, sizeof(address));
    umask(mask);
    (void)!chdir("/");
    return result;
}

bool server_open(struct shim *shim, struct error *err)
{
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    shim->listener = (struct source){.fd = -1, .handle = accept_connection};
    if (fd < 0 || bind_in(shim->options.directory, fd) < 0 || listen(fd, BACKLOG) < 0)
        return error_errno(err, "listen on %s/%s", shim->options.directory, SHIM_SOCKET_NAME);
    shim->listener.fd = TAKE_FD(fd);
    source_watch(&shim->listener, &shim->loop, EPOLLIN);
    return true;
}

void server_close(struct shim *shim, bool has_exited)
{
    while (shim->connections) {
        struct connection *connection = shim->connections;
        if (connection->is_watch && has_exited)
            message_send(connection->source.fd, MESSAGE_EXITED, &message_exited_type, &shim->container.exit, NULL, 0,
                         NULL);
        free_connection(connection);
    }
    _cleanup_free_ char *path = path_join(shim->options.directory, SHIM_SOCKET_NAME);
    unlink(path);
    source_close(&shim->listener);
}
