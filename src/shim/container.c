#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup.h"
#include "shim/exit_record.h"
#include "shim/shim.h"

#define DRAIN_NANOSECONDS  (2 * NANOSECONDS_PER_SECOND)
#define REPORT_NANOSECONDS NANOSECONDS_PER_SECOND
/* So long the client of an exec that ended while there was no engine waits for the next one, which it will ask. */
#define ORPHAN_NANOSECONDS (10 * NANOSECONDS_PER_SECOND)

/* --- start --- */

static bool has_own_pids(const struct runtime_config *config)
{
    for (size_t i = 0; i < config->linux_.namespaces.count; i++) {
        const struct oci_namespace *namespace = RECORD_AT(config->linux_.namespaces, struct oci_namespace, i);
        if (string_equal(namespace->type, "pid"))
            return !string_is_set(namespace->path);
    }
    return false;
}

/* Makes the folder, or clears it of what a killed shim left; what the engine has put there stays. */
static bool make_directory(const char *directory, struct error *err)
{
    if (mkdir(directory, 0700) == 0)
        return true;
    if (errno != EEXIST)
        return directory_make(directory, 0700, err);
    _cleanup_free_ char *socket_path = path_join(directory, SHIM_SOCKET_NAME);
    exit_record_remove(directory);
    if (unlink(socket_path) < 0 && errno != ENOENT)
        return error_errno(err, "unlink %s", socket_path);
    return true;
}

/* The name of the cgroup is left where whoever finds this shim killed can clean up after it: as a symbolic link, which
   is made by one system call. */
static void note_cgroup(const char *directory, const char *cgroups_path)
{
    _cleanup_free_ char *path = path_join(directory, "cgroup");
    if (symlink(cgroups_path, path) < 0 && errno == EEXIST && unlink(path) == 0)
        (void)!symlink(cgroups_path, path);
}

static void forget_cgroup(const char *directory)
{
    _cleanup_free_ char *path = path_join(directory, "cgroup");
    unlink(path);
}

/* The log has room again. */
static void resume_output(void *session)
{
    session_update_flow(session);
}

static bool open_session(struct shim *shim, struct shim_start *start, struct message *message,
                         struct runtime_stdio *stdio, struct error *err)
{
    const struct shim_options *options = &shim->options;
    struct session *session = &shim->container.session;
    struct session_plan plan = {.is_terminal = options->is_terminal,
                                .wants_stdin = options->has_stdin,
                                .wants_output = true,
                                .closes_stdin = options->stdin_once};
    if (!session_open(session, &shim->loop, &plan, stdio, err))
        return false;
    if (!output_log_open(&options->log, &shim->loop, resume_output, session, &session->log, err))
        return error_prefix(err, "failed to initialize logging driver");
    if (message->fd_count != start->attachments.count + 1)
        return error_set(err, ERROR_INTERNAL, "%zu descriptors came for %zu clients", message->fd_count - 1,
                         start->attachments.count);
    for (size_t i = 0; i < start->attachments.count; i++) {
        struct shim_attachment *attachment = RECORD_AT(start->attachments, struct shim_attachment, i);
        attachment->fd = message->fds[i + 1];
        if (!attachment_add(session, attachment, err))
            return false;
        message->fds[i + 1] = -1;
    }
    return true;
}

static bool run(struct shim *shim, const struct launch *launch, struct runtime_stdio *stdio, struct strlist *warnings,
                struct error *err)
{
    struct runtime_container container = RUNTIME_CONTAINER_INIT;
    if (!runtime_create(launch, stdio, &container, err))
        return false;
    shim->interface_count = launch->interfaces.count;
    if (launch->wants_resolver && !network_open_resolver(shim, container.pid, err)) {
        kill(container.pid, SIGKILL);
        waitpid(container.pid, NULL, 0);
        runtime_destroy(container.cgroups_path);
        runtime_container_release(&container);
        return false;
    }
    if (container.cgroups_path && !string_equal(container.cgroups_path, shim->cgroups_path)) {
        string_replace(&shim->cgroups_path, container.cgroups_path);
        note_cgroup(shim->options.directory, shim->cgroups_path);
    }
    bool is_started = runtime_start(&container, err);
    if (is_started) {
        shim->started_at = clock_now();
        shim->container.pid = container.pid;
        *warnings = container.warnings;
        container.warnings = (struct strlist){0};
    }
    runtime_container_release(&container);
    return is_started;
}

static void tell_of_detach(struct session *session)
{
    struct shim *shim = CONTAINER_OF(session, struct shim, container.session);
    for (struct connection *one = shim->connections; one; one = one->next)
        if (one->is_watch)
            message_send(one->source.fd, MESSAGE_DETACHED, NULL, NULL, NULL, 0, NULL);
}

bool shim_start(struct shim *shim, struct shim_start *start, struct message *message, struct strlist *warnings,
                struct error *err)
{
    shim->options = start->options;
    start->options = (struct shim_options){0};
    shim->container.session = SESSION_INIT;
    shim->resolver[0] = shim->resolver[1] = -1;
    shim->has_own_pids = has_own_pids(&start->launch.config);
    string_replace(&shim->cgroups_path, start->launch.config.linux_.cgroups_path);
    if (start->launch.config.process && start->launch.config.process->oom_score_adj.is_set)
        shim->oom_score_adj = start->launch.config.process->oom_score_adj.value;
    const char *directory = shim->options.directory;
    if (!loop_open(&shim->loop, err) || !shim_watch_children(shim, err) || !make_directory(directory, err))
        return false;
    if (string_is_set(shim->cgroups_path))
        note_cgroup(directory, shim->cgroups_path);
    struct runtime_stdio stdio = {.fds = {-1, -1, -1},
                                  .console = -1,
                                  .initial_rows = (int)shim->options.initial_rows,
                                  .initial_columns = (int)shim->options.initial_columns};
    if (server_open(shim, err) && open_session(shim, start, message, &stdio, err) &&
        run(shim, &start->launch, &stdio, warnings, err)) {
        shim->container.session.detached = tell_of_detach;
        session_begin(&shim->container.session, &stdio);
        return true;
    }
    session_release(&shim->container.session, &stdio);
    server_close(shim, false);
    tree_remove(AT_FDCWD, directory, NULL);
    return false;
}

/* --- end --- */

/* The only thing that a signal handler can reach. */
static int child_event_fd = -1;

static void child_ended(int signal_number)
{
    int saved = errno;
    uint64_t one = 1;
    (void)!write(child_event_fd, &one, sizeof(one));
    errno = saved;
}

static int exit_code_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void container_ended(struct shim *shim, int status)
{
    struct process *container = &shim->container;
    container->exit = (struct shim_exit){.exit_code = exit_code_of(status),
                                         .finished_at = clock_now(),
                                         .signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
    if (shim->cgroups_path) {
        container->exit.is_oom_killed = cgroup_had_oom_kill(shim->cgroups_path);
        /* Without a PID namespace of its own this is what ends the other processes, and with them the output. */
        runtime_destroy(shim->cgroups_path);
        forget_cgroup(shim->options.directory);
    }
    container->phase = PROCESS_DRAINING;
    container->deadline = clock_monotonic();
    session_process_ended(&container->session);
    if (!shim->has_own_pids)
        container->deadline += DRAIN_NANOSECONDS;
}

static void exec_ended(struct exec *exec, int status)
{
    struct process *process = &exec->process;
    process->exit = (struct shim_exit){.exit_code = exit_code_of(status), .finished_at = clock_now()};
    process->phase = PROCESS_DRAINING;
    process->deadline = clock_monotonic() + DRAIN_NANOSECONDS;
    session_process_ended(&process->session);
}

static void reap(struct source *source, uint32_t events)
{
    struct shim *shim = CONTAINER_OF(source, struct shim, children);
    uint64_t count;
    (void)!read(source->fd, &count, sizeof(count));
    pid_t pid;
    int status;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        output_log_child_ended(shim->container.session.log, pid);
        if (pid == shim->container.pid && shim->container.phase == PROCESS_RUNNING) {
            container_ended(shim, status);
            continue;
        }
        for (struct exec *exec = shim->execs; exec; exec = exec->next)
            if (pid == exec->process.pid && exec->process.phase == PROCESS_RUNNING) {
                exec_ended(exec, status);
                break;
            }
    }
}

bool shim_watch_children(struct shim *shim, struct error *err)
{
    child_event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (child_event_fd < 0)
        return error_errno(err, "eventfd");
    shim->children = (struct source){.fd = child_event_fd, .handle = reap};
    source_watch(&shim->children, &shim->loop, EPOLLIN);
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = child_ended, .sa_flags = SA_RESTART | SA_NOCLDSTOP}, NULL);
    return true;
}

bool shim_is_over(const struct shim *shim)
{
    return shim->container.phase == PROCESS_OVER;
}

struct shim_status shim_current_status(const struct shim *shim)
{
    return (struct shim_status){.pid = shim->container.pid,
                                .started_at = shim->started_at,
                                .has_exited = shim->container.phase >= PROCESS_REPORTED,
                                .exit = shim->container.exit};
}

static bool has_running_exec(const struct shim *shim)
{
    for (const struct exec *exec = shim->execs; exec; exec = exec->next)
        if (exec->process.phase == PROCESS_RUNNING)
            return true;
    return false;
}

/* The order matters: an engine that is told reads a complete log, and one that finds the socket dead finds the record.
 */
static void report_container(struct shim *shim)
{
    struct process *container = &shim->container;
    container->phase = PROCESS_OVER;
    /* One that even SIGKILL did not end in time: it is told of as killed. */
    for (struct exec *exec = shim->execs; exec; exec = exec->next)
        if (exec->process.phase == PROCESS_RUNNING)
            exec_ended(exec, SIGKILL);
        else if (exec->process.phase == PROCESS_REPORTED)
            exec->process.deadline = 0;
    session_finish(&container->session);
    struct shim_status status = shim_current_status(shim);
    exit_record_write(shim->options.directory, &status, NULL);
    server_close(shim, true);
}

/* True when the exec was freed. */
static bool advance_exec(struct exec *exec, int64_t now)
{
    struct process *process = &exec->process;
    if (process->phase == PROCESS_DRAINING && (session_is_drained(&process->session) || now >= process->deadline)) {
        session_cut(&process->session);
        process->phase = PROCESS_REPORTED;
        exec->is_orphan =
            exec->watch.fd < 0 && process->session.attachments && exec->shim->container.phase == PROCESS_RUNNING;
        process->deadline = now + (exec->watch.fd >= 0 ? REPORT_NANOSECONDS : exec->is_orphan ? ORPHAN_NANOSECONDS : 0);
        if (exec->watch.fd >= 0)
            message_send(exec->watch.fd, MESSAGE_EXITED, &message_exited_type, &process->exit, NULL, 0, NULL);
        exec_remember(exec);
    }
    if (process->phase == PROCESS_REPORTED && (exec->is_told || now >= process->deadline)) {
        process->phase = PROCESS_OVER;
        source_close(&exec->watch);
        session_finish(&process->session);
    }
    if (process->phase != PROCESS_OVER || process->session.attachments)
        return false;
    exec_free(exec);
    return true;
}

int shim_advance(struct shim *shim)
{
    int64_t now = clock_monotonic(), next = INT64_MAX;
    for (struct exec *exec = shim->execs, *following; exec; exec = following) {
        following = exec->next;
        bool is_ending = !advance_exec(exec, now) &&
                         (exec->process.phase == PROCESS_DRAINING || exec->process.phase == PROCESS_REPORTED);
        if (is_ending)
            next = MIN(next, exec->process.deadline);
    }
    struct process *container = &shim->container;
    if (container->phase == PROCESS_DRAINING) {
        if ((session_is_drained(&container->session) && !has_running_exec(shim)) || now >= container->deadline)
            report_container(shim);
        else
            next = MIN(next, container->deadline);
    }
    return next == INT64_MAX ? -1 : (int)(MAX(next - now, INT64_C(0)) / 1000000) + 1;
}
