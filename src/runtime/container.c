#include "runtime/container.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "runtime/cgroup.h"
#include "runtime/channel.h"
#include "runtime/child.h"
#include "runtime/clone.h"
#include "runtime/interface.h"
#include "runtime/namespaces.h"

static bool check(const struct launch *launch, struct error *err)
{
    const struct runtime_config *config = &launch->config;
    if (!config->process)
        return error_set(err, ERROR_INVALID, "config.json has no process");
    if (string_is_set(config->hooks))
        return error_set(err, ERROR_UNSUPPORTED, "hooks are not supported");
    if (string_is_set(config->linux_.mount_label))
        return error_set(err, ERROR_UNSUPPORTED, "SELinux mount labels are not supported");
    if (!string_is_set(config->linux_.cgroups_path))
        return error_set(err, ERROR_INVALID, "cgroupsPath is not set");
    if (launch->wants_init && !string_is_set(launch->init_path))
        return error_set(err, ERROR_INVALID, "the path of the init process is not set");
    return true;
}

static void end_child(struct runtime_container *container)
{
    kill(container->pid, SIGKILL);
    while (waitpid(container->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* Takes in what the child reports until it is ready or has failed. */
static bool await_ready(struct runtime_container *container, int *console, struct error *err)
{
    struct channel_message message;
    for (;;) {
        channel_receive(container->start_fd, &message);
        switch (message.kind) {
        case CHANNEL_READY:
            return true;
        case CHANNEL_WARNING:
            strlist_add(&container->warnings, message.text);
            break;
        case CHANNEL_CONSOLE:
            close_fd(*console);
            *console = message.fd;
            break;
        case CHANNEL_ERROR:
            error_set(err, (enum error_kind)message.error_kind, "%s", message.text);
            if (err)
                err->errno_value = message.errno_value;
            return false;
        default:
            return error_set(err, ERROR_INTERNAL, "the container's first process died while it was set up");
        }
    }
}

/* With v1 the child's cgroup is made while it mounts, and it joins by itself; with v2 it was born there. */
static bool equip(struct runtime_container *container, const struct launch *launch, bool is_in_cgroup,
                  struct error *err)
{
    const struct oci_linux *config = &launch->config.linux_;
    if (!is_in_cgroup && !cgroup_create(container->cgroups_path, config->resources, &container->warnings, err))
        return false;
    /* A child that is gone has left its reason in the channel: that is the one to report. */
    struct error why = ERROR_INIT;
    if (!interfaces_create(&launch->interfaces, container->pid, &why)) {
        if (why.errno_value != ESRCH)
            return error_move(err, &why);
        error_release(&why);
        return true;
    }
    channel_send(container->start_fd, CHANNEL_EQUIPPED, NULL, -1);
    return true;
}

static bool clone_child(const struct launch *launch, const struct runtime_stdio *stdio,
                        const struct namespaces *namespaces, int start_fifo, struct runtime_container *out,
                        struct error *err)
{
    bool is_unified = cgroup_version() == 2;
    _cleanup_close_ int cgroup = -1;
    if (is_unified) {
        if (!cgroup_create(out->cgroups_path, launch->config.linux_.resources, &out->warnings, err))
            return false;
        cgroup = cgroup_open(out->cgroups_path);
    }
    int ends[2];
    if (!channel_open(ends, err))
        return false;
    out->pid = clone_process(namespaces->new_flags, cgroup, namespaces->pid_namespace, &out->pidfd);
    if (out->pid == 0) {
        close(ends[0]);
        child_run(&(struct child_plan){.launch = launch,
                                       .namespaces = namespaces,
                                       .cgroups_path = out->cgroups_path,
                                       .stdio = stdio->fds,
                                       .rows = stdio->initial_rows,
                                       .columns = stdio->initial_columns,
                                       .channel = ends[1],
                                       .wants_join = cgroup < 0,
                                       .start_fifo = start_fifo});
    }
    int why = errno;
    close(ends[1]);
    out->start_fd = ends[0];
    if (out->pid < 0)
        return error_errno_value(err, why, "clone3");
    return equip(out, launch, cgroup >= 0, err);
}

bool runtime_create(const struct launch *launch, struct runtime_stdio *stdio, struct runtime_container *out,
                    struct error *err)
{
    _cleanup_(namespaces_release) struct namespaces namespaces = NAMESPACES_INIT;
    _cleanup_(runtime_container_release) struct runtime_container made = RUNTIME_CONTAINER_INIT;
    _cleanup_close_ int console = -1, fifo = -1;
    if (!check(launch, err) || !namespaces_prepare(&launch->config.linux_, &namespaces, err))
        return false;
    if (launch->interfaces.count && !namespaces.has_own_network)
        return error_set(err, ERROR_INVALID, "interfaces need a network namespace of their own");
    /* Opened for both, so that reading waits for a byte and never meets an end of file. */
    if (launch->start_fifo && (fifo = open(launch->start_fifo, O_RDWR | O_CLOEXEC)) < 0)
        return error_errno(err, "open %s", launch->start_fifo);
    made.cgroups_path = xstrdup(launch->config.linux_.cgroups_path);
    if (!clone_child(launch, stdio, &namespaces, fifo, &made, err) || !await_ready(&made, &console, err)) {
        if (made.pid > 0)
            end_child(&made);
        cgroup_destroy(made.cgroups_path);
        return false;
    }
    stdio->console = TAKE_FD(console);
    *out = made;
    made = RUNTIME_CONTAINER_INIT;
    return true;
}

bool runtime_start(struct runtime_container *container, struct error *err)
{
    struct channel_message message;
    if (!channel_send(container->start_fd, CHANNEL_START, NULL, -1))
        return error_set(err, ERROR_INTERNAL, "the container's first process is gone");
    channel_receive(container->start_fd, &message);
    container->start_fd = close_fd(container->start_fd);
    if (message.kind == CHANNEL_ERROR)
        return error_set(err, (enum error_kind)message.error_kind, "%s", message.text);
    return true;
}

void runtime_destroy(const char *cgroups_path)
{
    cgroup_destroy(cgroups_path);
}

void runtime_container_release(struct runtime_container *container)
{
    close_fd(container->pidfd);
    close_fd(container->start_fd);
    free(container->cgroups_path);
    strlist_release(&container->warnings);
    *container = RUNTIME_CONTAINER_INIT;
}
