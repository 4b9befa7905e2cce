#include "runtime/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/macros.h"

static pid_t clone_here(uint64_t flags, int cgroup, int *pidfd)
{
    struct clone_args arguments = {
        .flags = flags | CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
    };
    return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

pid_t clone_process(uint64_t flags, int cgroup, int pid_namespace, int *pidfd)
{
    if (pid_namespace < 0)
        return clone_here(flags, cgroup, pidfd);
    /* setns to a pid namespace moves only children to come; ours come back after this one. */
    _cleanup_close_ int own = open("/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC);
    if (own < 0 || setns(pid_namespace, CLONE_NEWPID) < 0)
        return -1;
    pid_t pid = clone_here(flags, cgroup, pidfd);
    if (pid == 0)
        return 0;
    int saved = errno;
    setns(own, CLONE_NEWPID);
    errno = saved;
    return pid;
}
