/* One more process in a running container. Its child is cloned straight into the container's pid namespace, and enters
   the other namespaces by itself, all in one setns of the first process's pidfd. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "runtime/cgroup.h"
#include "runtime/channel.h"
#include "runtime/child.h"
#include "runtime/clone.h"
#include "runtime/command.h"
#include "runtime/console.h"
#include "runtime/container.h"
#include "runtime/process.h"

#define JOINED_NAMESPACES (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

struct exec_plan {
    const struct launch_exec *exec;
    const struct runtime_stdio *stdio;
    int target; /* pidfd of the first process */
    int channel;
    bool wants_join; /* it was not born in its cgroup */
    const struct capability_sets *capabilities;
};

static bool enter(const struct exec_plan *plan, struct error *err)
{
    const struct oci_process *process = &plan->exec->process;
    /* The cgroup first: a namespace that is joined shows it, and it may have limits that the rest has to obey. */
    if (plan->wants_join && !cgroup_join(plan->exec->cgroups_path, err))
        return false;
    if (setns(plan->target, JOINED_NAMESPACES) < 0)
        return error_errno(err, "setns");
    if (!process->terminal)
        return process_take_stdio(plan->stdio->fds, err);
    _cleanup_close_ int master = -1, slave = -1;
    if (!console_open(plan->stdio->initial_rows, plan->stdio->initial_columns, &master, &slave, err) ||
        !console_take(slave, err))
        return false;
    return channel_send(plan->channel, CHANNEL_CONSOLE, NULL, master) || error_errno(err, "send the terminal");
}

static _Noreturn void run_exec(const struct exec_plan *plan)
{
    struct error err = ERROR_INIT;
    struct prepared_process process;
    const struct process_plan last = {
        .process = &plan->exec->process,
        .user = &plan->exec->user,
        .seccomp = &plan->exec->seccomp,
        .sets_home = plan->exec->sets_home,
        .channel = plan->channel,
        .capabilities = plan->capabilities,
    };
    process_clean();
    setsid();
    umask(0022);
    if (!enter(plan, &err) || !process_prepare(&last, &process, &err))
        child_fail(plan->channel, &err);
    command_execute(process.path, &process.args, &process.env);
}

/* Until execve closes the channel. Warnings have nowhere to go: the first process has had them. */
static bool await_exec(int channel, int *console, struct error *err)
{
    struct channel_message message;
    for (;;) {
        channel_receive(channel, &message);
        if (message.kind == CHANNEL_END)
            return true;
        if (message.kind == CHANNEL_CONSOLE) {
            close_fd(*console);
            *console = message.fd;
        }
        if (message.kind == CHANNEL_ERROR) {
            error_set(err, (enum error_kind)message.error_kind, "%s", message.text);
            if (err)
                err->errno_value = message.errno_value;
            return false;
        }
    }
}

static int open_pid_namespace(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

bool runtime_exec(pid_t pid, const struct launch_exec *exec, struct runtime_stdio *stdio, pid_t *out_pid,
                  struct error *err)
{
    _cleanup_close_ int target = (int)syscall(SYS_pidfd_open, pid, 0);
    _cleanup_close_ int pid_namespace = open_pid_namespace(pid);
    if (target < 0 || pid_namespace < 0)
        return error_errno(err, "open the container's first process %d", pid);
    struct capability_sets of_container;
    bool has_own_list = exec->process.capabilities != NULL;
    if (!has_own_list && !capabilities_of_process(pid, &of_container, err))
        return false;

    _cleanup_close_ int cgroup = string_is_set(exec->cgroups_path) ? cgroup_open(exec->cgroups_path) : -1;
    _cleanup_close_ int console = -1, channel = -1, pidfd = -1;
    int ends[2];
    if (!channel_open(ends, err))
        return false;
    pid_t child = clone_process(0, cgroup, pid_namespace, &pidfd);
    if (child == 0) {
        close(ends[0]);
        run_exec(&(struct exec_plan){.exec = exec,
                                     .stdio = stdio,
                                     .target = target,
                                     .channel = ends[1],
                                     .wants_join = cgroup < 0 && string_is_set(exec->cgroups_path),
                                     .capabilities = has_own_list ? NULL : &of_container});
    }
    int why = errno;
    close(ends[1]);
    channel = ends[0];
    if (child < 0)
        return error_errno_value(err, why, "clone3");
    if (!await_exec(channel, &console, err)) {
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
        return false;
    }
    stdio->console = TAKE_FD(console);
    *out_pid = child;
    return true;
}
