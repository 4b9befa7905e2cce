/* A runtime without isolation: the process simply runs on the host, in no cgroup. It lets the shim be tested without
   root, and under the sanitizers. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup.h"
#include "runtime/container.h"

static bool open_terminal(const struct oci_process *process, struct runtime_stdio *stdio, int *slave, struct error *err)
{
    *slave = -1;
    stdio->console = -1;
    if (!process->terminal)
        return true;
    stdio->console = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (stdio->console < 0 || grantpt(stdio->console) < 0 || unlockpt(stdio->console) < 0)
        return error_errno(err, "open a terminal");
    *slave = ioctl(stdio->console, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct winsize size = {.ws_row = (unsigned short)stdio->initial_rows,
                           .ws_col = (unsigned short)stdio->initial_columns};
    ioctl(stdio->console, TIOCSWINSZ, &size);
    return true;
}

static void run_process(const struct oci_process *process, const struct runtime_stdio *stdio, int slave, int start,
                        int failure)
{
    char go = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    if (slave >= 0)
        ioctl(slave, TIOCSCTTY, 0);
    for (int i = 0; i < 3; i++)
        dup2(slave >= 0 ? slave : stdio->fds[i], i);
    if (start >= 0 && read(start, &go, 1) != 1)
        _exit(1);
    execve(process->args.items[0], process->args.items, process->env.items);
    (void)!write(failure, &errno, sizeof(errno));
    _exit(1);
}

static bool await_exec(int failure, const struct oci_process *process, pid_t pid, struct error *err)
{
    int why;
    if (read(failure, &why, sizeof(why)) != sizeof(why))
        return true;
    waitpid(pid, NULL, 0);
    return error_set(err, ERROR_INVALID, "exec: \"%s\": stat %s: %s", process->args.items[0], process->args.items[0],
                     errno_text(why));
}

/* Where the one container of this process says why it could not start. */
static int failure_fd = -1;

bool runtime_create(const struct launch *launch, struct runtime_stdio *stdio, struct runtime_container *out,
                    struct error *err)
{
    int start[2], failure[2], slave;
    if (!open_terminal(launch->config.process, stdio, &slave, err))
        return false;
    if (pipe2(start, O_CLOEXEC) < 0 || pipe2(failure, O_CLOEXEC) < 0)
        return error_errno(err, "pipe");
    *out = RUNTIME_CONTAINER_INIT;
    out->pid = fork();
    if (out->pid == 0) {
        close(start[1]);
        run_process(launch->config.process, stdio, slave, start[0], failure[1]);
    }
    close_fd(slave);
    close(start[0]);
    close(failure[1]);
    out->start_fd = start[1];
    failure_fd = failure[0];
    out->cgroups_path = xstrdup(launch->config.process->args.items[0]);
    strlist_add(&out->warnings, "a warning");
    return true;
}

bool runtime_start(struct runtime_container *container, struct error *err)
{
    struct oci_process process = {.args = {(char *[]){container->cgroups_path, NULL}, 1}};
    (void)!write(container->start_fd, "", 1);
    bool is_started = await_exec(failure_fd, &process, container->pid, err);
    string_replace(&container->cgroups_path, NULL);
    return is_started;
}

bool runtime_exec(pid_t pid, const struct launch_exec *exec, struct runtime_stdio *stdio, pid_t *out_pid,
                  struct error *err)
{
    int failure[2], slave;
    if (!open_terminal(&exec->process, stdio, &slave, err))
        return false;
    if (pipe2(failure, O_CLOEXEC) < 0)
        return error_errno(err, "pipe");
    *out_pid = fork();
    if (*out_pid == 0)
        run_process(&exec->process, stdio, slave, -1, failure[1]);
    close_fd(slave);
    close(failure[1]);
    bool is_started = await_exec(failure[0], &exec->process, *out_pid, err);
    close(failure[0]);
    return is_started;
}

void runtime_container_release(struct runtime_container *container)
{
    close_fd(container->start_fd);
    failure_fd = close_fd(failure_fd);
    free(container->cgroups_path);
    strlist_release(&container->warnings);
}

void runtime_destroy(const char *cgroups_path)
{
}

bool cgroup_kill_all(const char *path, int signal_number)
{
    errno = ENOSYS;
    return false;
}

bool cgroup_had_oom_kill(const char *path)
{
    return false;
}

int cgroup_version(void)
{
    return 2;
}
