#include "shim/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"
#include "runtime/container.h"
#include "shim/exit_record.h"
#include "shim/protocol.h"

/* A shim that has reported its container's exit ends at once; longer than this none is waited for. */
#define REAP_MILLISECONDS 1000

/* --- the shims that are children of this process, and must be reaped by it --- */

struct child {
    struct child *next;
    char *directory;
    pid_t pid;
};
static struct child *children;
static pthread_mutex_t children_lock = PTHREAD_MUTEX_INITIALIZER;

static void child_add(const char *directory, pid_t pid)
{
    struct child *child = NEW(struct child);
    child->directory = xstrdup(directory);
    child->pid = pid;
    pthread_mutex_lock(&children_lock);
    child->next = children;
    children = child;
    pthread_mutex_unlock(&children_lock);
}

/* Takes the child out of the list; -1 where the shim is another process's child. */
static pid_t child_take(const char *directory)
{
    pid_t pid = -1;
    pthread_mutex_lock(&children_lock);
    for (struct child **place = &children; *place; place = &(*place)->next) {
        struct child *child = *place;
        if (strcmp(child->directory, directory) != 0)
            continue;
        pid = child->pid;
        *place = child->next;
        free(child->directory);
        free(child);
        break;
    }
    pthread_mutex_unlock(&children_lock);
    return pid;
}

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void reap_soon(const char *directory, pid_t pid)
{
    if (waitpid(pid, NULL, WNOHANG) != 0)
        return;
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd polled = {pidfd, POLLIN, 0};
    if (pidfd < 0 || poll(&polled, 1, REAP_MILLISECONDS) > 0)
        reap(pid);
    else
        child_add(directory, pid); /* stuck, in a debugger perhaps: the next forget of this container reaps it */
}

/* --- launch --- */

static pid_t spawn_shim(const char *program, const char *directory, int channel, struct error *err)
{
    /* The folder is there for who reads `ps`; the environment for gzip. A process group and not a session: a new
       session is a new scheduling group too, which on a busy machine waits for its turn, and the container is about to
       get one. */
    const char *argv[] = {program, directory, NULL};
    _cleanup_free_ char *path = xasprintf("PATH=%s", getenv("PATH") ?: "/usr/sbin:/usr/bin:/sbin:/bin");
    const char *envp[] = {path, NULL};
    return spawn(&(struct spawn_options){.argv = argv,
                                         .envp = envp,
                                         .fds = (int[]){-1, -1, -1, channel},
                                         .fd_count = SHIM_CHANNEL + 1,
                                         .wants_group = true},
                 err);
}

static bool send_start(int channel, const struct shim_options *options, const struct launch *launch,
                       struct shim_attachment *attachments, size_t count, struct error *err)
{
    if (count > MAX_INITIAL_ATTACHMENTS)
        return error_set(err, ERROR_INVALID, "more than %d clients wait for the start of a container",
                         MAX_INITIAL_ATTACHMENTS);
    struct shim_start start = {*options, *launch, {attachments, count}};
    struct message_start head = {record_fingerprint(&shim_start_type)};
    _cleanup_close_ int payload = payload_write(&shim_start_type, &start, err);
    if (payload < 0)
        return false;
    int fds[MESSAGE_FD_COUNT] = {payload};
    for (size_t i = 0; i < count; i++)
        fds[i + 1] = attachments[i].fd;
    return message_send(channel, MESSAGE_START, &message_start_type, &head, fds, count + 1, err);
}

static bool launch_on(int channel, const struct shim_options *options, const struct launch *launch,
                      struct shim_attachment *attachments, size_t count, struct message_started *started,
                      struct error *err)
{
    _cleanup_message_ struct message message;
    message.fd_count = 0;
    if (!send_start(channel, options, launch, attachments, count, err))
        return false;
    struct error why = ERROR_INIT;
    if (message_receive(channel, &message, &why))
        return message_expect(&message, MESSAGE_STARTED, &message_started_type, started, err);
    error_release(&why);
    return error_set(err, ERROR_INTERNAL, "the shim of container %s ended before it had started the container",
                     options->id);
}

bool shim_launch(const char *program, const struct shim_options *options, const struct launch *launch,
                 struct shim_attachment *attachments, size_t count, pid_t *pid, int *watch, struct strlist *warnings,
                 struct error *err)
{
    int ends[2] = {-1, -1};
    struct message_started started = {0};
    pid_t shim = -1;
    bool is_started = false;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        error_errno(err, "socketpair");
    else
        shim = spawn_shim(program, options->directory, ends[1], err);
    _cleanup_close_ int channel = ends[0];
    close_fd(ends[1]);
    if (shim > 0)
        is_started = launch_on(channel, options, launch, attachments, count, &started, err);
    for (size_t i = 0; i < count; i++)
        attachments[i].fd = close_fd(attachments[i].fd);
    if (is_started) {
        child_add(options->directory, shim);
        *pid = (pid_t)started.pid;
        *watch = TAKE_FD(channel);
        strlist_release(warnings);
        *warnings = started.warnings;
        return true;
    }
    channel = close_fd(channel);
    if (shim > 0) {
        reap(shim);
        shim_forget(options->directory); /* it did so itself, unless it was killed */
    }
    return false;
}

/* --- requests --- */

static int connect_to(const char *directory, struct error *err)
{
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        error_errno(err, "socket");
        return -1;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_close_ int folder = -1;
    size_t length = (size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/" SHIM_SOCKET_NAME, directory);
    bool is_found = true;
    if (length >= sizeof(address.sun_path)) {
        folder = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SHIM_SOCKET_NAME, folder);
        is_found = folder >= 0;
    }
    if (!is_found || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        bool is_gone = errno == ENOENT || errno == ECONNREFUSED;
        error_errno(err, "connect to the shim in %s", directory);
        if (is_gone && err)
            err->kind = ERROR_NOT_FOUND;
        return -1;
    }
    return TAKE_FD(fd);
}

/* Sends a request and receives the answer to it; returns the connection, or -1. */
static int request(const char *directory, enum message_type type, const struct record_type *record_type,
                   const void *record, const int *fds, size_t fd_count, struct message *reply, struct error *err)
{
    _cleanup_close_ int connection = connect_to(directory, err);
    if (connection < 0)
        return -1;
    struct error why = ERROR_INIT;
    if (message_send(connection, type, record_type, record, fds, fd_count, &why) &&
        message_receive(connection, reply, &why))
        return TAKE_FD(connection);
    /* The shim was about to end: its container has exited. */
    if (why.kind == ERROR_UNAVAILABLE || why.errno_value == ECONNRESET || why.errno_value == EPIPE)
        error_set(&why, ERROR_NOT_FOUND, "the container of %s is not running", directory);
    error_move(err, &why);
    return -1;
}

static bool request_done(const char *directory, enum message_type type, const struct record_type *record_type,
                         const void *record, const int *fds, size_t fd_count, struct error *err)
{
    _cleanup_message_ struct message reply;
    reply.fd_count = 0;
    _cleanup_close_ int connection = request(directory, type, record_type, record, fds, fd_count, &reply, err);
    return connection >= 0 && message_expect(&reply, MESSAGE_DONE, NULL, NULL, err);
}

bool shim_reconnect(const char *directory, struct shim_status *status, int *watch, struct error *err)
{
    _cleanup_message_ struct message reply;
    reply.fd_count = 0;
    struct error why = ERROR_INIT;
    struct shim_status found = {0};
    _cleanup_close_ int connection = request(directory, MESSAGE_WATCH, NULL, NULL, NULL, 0, &reply, &why);
    if (connection >= 0) {
        if (!message_expect(&reply, MESSAGE_STATE, &message_state_type, &found, err))
            return false;
        *status = found;
        *watch = TAKE_FD(connection);
        return true;
    }
    if (why.kind != ERROR_NOT_FOUND)
        return error_move(err, &why);
    error_release(&why);
    if (!exit_record_read(directory, &found, err))
        return false;
    *status = found;
    *watch = -1;
    return true;
}

bool shim_take_detached(int watch)
{
    uint32_t type = 0;
    bool is_detach =
        recv(watch, &type, sizeof(type), MSG_PEEK | MSG_DONTWAIT) == (ssize_t)sizeof(type) && type == MESSAGE_DETACHED;
    return is_detach && recv(watch, &type, sizeof(type), MSG_DONTWAIT) > 0;
}

/* EXITED from a watch; false at its end without one. */
static bool receive_exit(int watch, struct shim_exit *out, struct error *err)
{
    while (shim_take_detached(watch))
        continue;
    _cleanup_message_ struct message message;
    message.fd_count = 0;
    return message_receive(watch, &message, err) &&
           message_expect(&message, MESSAGE_EXITED, &message_exited_type, out, err);
}

void shim_read_exit(int watch, const char *directory, struct shim_exit *out)
{
    struct shim_exit exit = {0};
    struct shim_status status = {0};
    bool is_told = watch >= 0 && receive_exit(watch, &exit, NULL);
    bool is_recorded = exit_record_read(directory, &status, NULL);
    if (is_told) {
        *out = exit;
        out->signal_number = is_recorded ? status.exit.signal_number : -1; /* the message has none */
    } else if (is_recorded) {
        *out = status.exit;
    } else {
        *out = (struct shim_exit){.exit_code = 137, .finished_at = clock_now(), .signal_number = SIGKILL};
    }
}

/* Of a shim that was killed: a folder that a shim leaves itself has no note of a cgroup any more. */
static void destroy_noted_cgroup(const char *directory)
{
    char cgroup[4096];
    _cleanup_free_ char *note = path_join(directory, "cgroup");
    ssize_t length = readlink(note, cgroup, sizeof(cgroup) - 1);
    if (length <= 0)
        return;
    cgroup[length] = '\0';
    runtime_destroy(cgroup);
}

void shim_forget(const char *directory)
{
    pid_t pid = child_take(directory);
    if (pid > 0)
        reap_soon(directory, pid);
    destroy_noted_cgroup(directory);
    tree_remove(AT_FDCWD, directory, NULL);
}

bool shim_attach(const char *directory, const struct shim_attachment *attachment, struct error *err)
{
    bool is_done = request_done(directory, MESSAGE_ATTACH, &message_attach_type, attachment, &attachment->fd, 1, err);
    close_fd(attachment->fd);
    return is_done;
}

bool shim_resize(const char *directory, const char *exec_id, int64_t rows, int64_t columns, struct error *err)
{
    struct message_resize resize = {(char *)(uintptr_t)exec_id, rows, columns};
    return request_done(directory, MESSAGE_RESIZE, &message_resize_type, &resize, NULL, 0, err);
}

bool shim_kill(const char *directory, int signal_number, bool is_all, struct error *err)
{
    struct message_kill order = {signal_number, is_all};
    return request_done(directory, MESSAGE_KILL, &message_kill_type, &order, NULL, 0, err);
}

bool shim_change_network(const char *directory, const struct network_change *change, struct error *err)
{
    struct message_network head = {record_fingerprint(&network_change_type)};
    _cleanup_close_ int payload = payload_write(&network_change_type, change, err);
    return payload >= 0 && request_done(directory, MESSAGE_NETWORK, &message_network_type, &head, &payload, 1, err);
}

bool shim_resolver(const char *directory, int sockets[2], struct error *err)
{
    _cleanup_message_ struct message reply;
    reply.fd_count = 0;
    _cleanup_close_ int connection = request(directory, MESSAGE_RESOLVER, NULL, NULL, NULL, 0, &reply, err);
    if (connection < 0 || !message_expect(&reply, MESSAGE_DONE, NULL, NULL, err))
        return false;
    sockets[0] = reply.fd_count == 2 ? TAKE_FD(reply.fds[0]) : -1;
    sockets[1] = reply.fd_count == 2 ? TAKE_FD(reply.fds[1]) : -1;
    return true;
}

/* --- exec --- */

bool shim_exec(const char *directory, const char *exec_id, const struct launch_exec *exec, const char *description,
               bool is_terminal, int64_t rows, int64_t columns, const struct shim_attachment *attachment, pid_t *pid,
               int *watch, struct error *err)
{
    /* Borrowed for the writing. */
    const struct shim_exec_start start = {.launch = *exec, .description = (char *)(uintptr_t)description};
    struct message_exec order = {.fingerprint = record_fingerprint(&shim_exec_start_type),
                                 .exec_id = (char *)(uintptr_t)exec_id,
                                 .is_terminal = is_terminal,
                                 .rows = rows,
                                 .columns = columns,
                                 .has_attachment = attachment && attachment->fd >= 0};
    if (order.has_attachment)
        order.attachment = *attachment;
    _cleanup_close_ int client = order.has_attachment ? attachment->fd : -1;
    _cleanup_close_ int payload = payload_write(&shim_exec_start_type, &start, err);
    if (payload < 0)
        return false;
    _cleanup_message_ struct message reply;
    reply.fd_count = 0;
    int fds[] = {payload, client};
    _cleanup_close_ int connection =
        request(directory, MESSAGE_EXEC, &message_exec_type, &order, fds, 1U + order.has_attachment, &reply, err);
    struct message_started started = {0};
    if (connection < 0 || !message_expect(&reply, MESSAGE_STARTED, &message_started_type, &started, err))
        return false;
    *pid = (pid_t)started.pid;
    *watch = TAKE_FD(connection);
    record_release(&message_started_type, &started);
    return true;
}

bool shim_kill_exec(const char *directory, const char *exec_id, int signal_number, struct error *err)
{
    struct message_exec_signal order = {(char *)(uintptr_t)exec_id, signal_number};
    return request_done(directory, MESSAGE_KILL_EXEC, &message_exec_signal_type, &order, NULL, 0, err);
}

bool shim_list_execs(const char *directory, struct shim_exec_list *out, struct error *err)
{
    _cleanup_message_ struct message reply;
    reply.fd_count = 0;
    _cleanup_close_ int connection = request(directory, MESSAGE_EXECS, NULL, NULL, NULL, 0, &reply, err);
    if (connection < 0 || !message_expect(&reply, MESSAGE_EXECS, NULL, NULL, err))
        return false;
    if (reply.fd_count != 1)
        return error_set(err, ERROR_INTERNAL, "no descriptor came with a list of execs");
    return payload_read(reply.fds[0], &shim_exec_list_type, out, err);
}

void shim_exec_list_release(struct shim_exec_list *list)
{
    record_release(&shim_exec_list_type, list);
}

bool shim_watch_exec(const char *directory, const char *exec_id, int *watch, struct error *err)
{
    struct message_exec_signal order = {.exec_id = (char *)(uintptr_t)exec_id};
    _cleanup_message_ struct message reply;
    reply.fd_count = 0;
    _cleanup_close_ int connection =
        request(directory, MESSAGE_WATCH_EXEC, &message_exec_signal_type, &order, NULL, 0, &reply, err);
    if (connection < 0 || !message_expect(&reply, MESSAGE_DONE, NULL, NULL, err))
        return false;
    *watch = TAKE_FD(connection);
    return true;
}

bool shim_read_exec_exit(int watch, struct shim_exit *out, struct error *err)
{
    struct shim_exit exit = {0};
    bool is_read = receive_exit(watch, &exit, err);
    if (is_read)
        *out = exit;
    return is_read;
}

/* --- views and mounts: by a shim that holds no container and ends at once --- */

/* Sends one message with a record in a memfd, and the namespace where there is one; the answer is put in *reply. */
static bool ask_short(const char *program, const char *name, enum message_type type, const struct record_type *record,
                      const void *content, int namespace, struct message *reply, struct error *err)
{
    int ends[2] = {-1, -1};
    struct message_start head = {record_fingerprint(record)};
    _cleanup_close_ int payload = payload_write(record, content, err);
    if (payload < 0)
        return false;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_errno(err, "socketpair");
    pid_t shim = spawn_shim(program, name, ends[1], err);
    close_fd(ends[1]);
    int fds[] = {payload, namespace};
    bool is_answered = shim > 0 &&
                       message_send(ends[0], type, &message_start_type, &head, fds, namespace < 0 ? 1 : 2, err) &&
                       message_receive(ends[0], reply, err);
    close_fd(ends[0]);
    if (shim > 0)
        reap(shim);
    return is_answered;
}

bool shim_view(const char *program, const struct launch *launch, int namespace, struct shim_view *out,
               struct error *err)
{
    _cleanup_message_ struct message reply;
    reply.fd_count = 0;
    if (!ask_short(program, "view", MESSAGE_VIEW, &launch_type, launch, namespace, &reply, err) ||
        !message_expect(&reply, MESSAGE_VIEWED, NULL, NULL, err))
        return false;
    if (reply.fd_count != 2)
        return error_set(err, ERROR_INTERNAL, "%zu descriptors came with a view", reply.fd_count);
    out->root = TAKE_FD(reply.fds[0]);
    out->namespace = TAKE_FD(reply.fds[1]);
    return true;
}

void shim_view_close(struct shim_view *view)
{
    view->root = close_fd(view->root);
    view->namespace = close_fd(view->namespace);
}

bool shim_change_mounts(const char *program, const struct mount_change *change, int namespace, struct error *err)
{
    _cleanup_message_ struct message reply;
    reply.fd_count = 0;
    return ask_short(program, "mounts", MESSAGE_MOUNTS, &mount_change_type, change, namespace, &reply, err) &&
           message_expect(&reply, MESSAGE_DONE, NULL, NULL, err);
}
