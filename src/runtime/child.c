#include "runtime/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup.h"
#include "runtime/channel.h"
#include "runtime/command.h"
#include "runtime/console.h"
#include "runtime/devices.h"
#include "runtime/interface.h"
#include "runtime/limits.h"
#include "runtime/mounts.h"
#include "runtime/process.h"
#include "runtime/root.h"

#define INIT_IN_CONTAINER "/sbin/docker-init"

struct child {
    const struct child_plan *plan;
    const struct runtime_config *config;
    bool is_equipped; /* we are in our cgroup, and have our interfaces */
    bool is_in_cgroup_namespace;
};

_Noreturn void child_fail(int channel, struct error *err)
{
    channel_send_error(channel, err);
    _exit(1);
}

/* The parent works on cgroup and interfaces while we mount: wait for it as late as possible. */
static bool wait_for_equipment(struct child *child, struct error *err)
{
    struct channel_message message;
    if (child->is_equipped)
        return true;
    channel_receive(child->plan->channel, &message);
    if (message.kind != CHANNEL_EQUIPPED)
        _exit(1);
    child->is_equipped = true;
    return !child->plan->wants_join || cgroup_join(child->plan->cgroups_path, err);
}

static void wait_for_start(const struct child_plan *plan)
{
    struct channel_message message;
    char byte;
    if (plan->start_fifo >= 0) {
        ssize_t n;
        do
            n = read(plan->start_fifo, &byte, 1);
        while (n < 0 && errno == EINTR);
        if (n != 1)
            _exit(1);
        return;
    }
    channel_receive(plan->channel, &message);
    if (message.kind != CHANNEL_START)
        _exit(1);
}

static bool is_cgroup_mount(const struct oci_mount *mount)
{
    return string_starts_with(string_or_empty(mount->type), "cgroup");
}

/* Its root is the cgroup that we are in, so we have to be in ours by then. */
static bool enter_cgroup_namespace(struct child *child, struct error *err)
{
    if (!wait_for_equipment(child, err))
        return false;
    if (!child->plan->namespaces->has_new_cgroup || child->is_in_cgroup_namespace)
        return true;
    if (unshare(CLONE_NEWCGROUP) < 0)
        return error_errno(err, "unshare the cgroup namespace");
    child->is_in_cgroup_namespace = true;
    return true;
}

static bool make_mounts(struct child *child, int root, struct error *err)
{
    bool has_new_cgroup = child->plan->namespaces->has_new_cgroup;
    struct cgroup_view view = {child->plan->cgroups_path, has_new_cgroup};
    for (size_t i = 0; i < child->config->mounts.count; i++) {
        const struct oci_mount *mount = RECORD_AT(child->config->mounts, struct oci_mount, i);
        if (is_cgroup_mount(mount) && !enter_cgroup_namespace(child, err))
            return false;
        if (!mount_one(root, mount, &view, err))
            return false;
    }
    return enter_cgroup_namespace(child, err); /* the host's /sys/fs/cgroup is out of reach soon */
}

static bool mount_init(const struct launch *launch, int root, struct error *err)
{
    if (!launch->wants_init)
        return true;
    struct oci_mount mount = {.destination = xstrdup(INIT_IN_CONTAINER),
                              .type = xstrdup("bind"),
                              .source = xstrdup(string_or_empty(launch->init_path))};
    strlist_add(&mount.options, "bind");
    strlist_add(&mount.options, "ro");
    bool is_done = mount_one(root, &mount, NULL, err);
    record_release(&oci_mount_type, &mount);
    return is_done;
}

static bool make_root(struct child *child, struct error *err)
{
    const struct child_plan *plan = child->plan;
    _cleanup_close_ int root = root_mount(plan->launch, err);
    if (root >= 0 && string_is_set(plan->launch->overlay.upper))
        root_mark(root);
    return root >= 0 && make_mounts(child, root, err) && mount_init(plan->launch, root, err) &&
           devices_create(root, child->config, err) && root_enter(root, child->config->linux_.rootfs_propagation, err);
}

/* With a terminal: a new pty whose master goes to the parent. */
static bool take_stdio(const struct child_plan *plan, const struct oci_process *process, struct error *err)
{
    if (!process->terminal)
        return process_take_stdio(plan->stdio, err);
    _cleanup_close_ int master = -1, slave = -1;
    if (!console_open(plan->rows, plan->columns, &master, &slave, err) || !console_bind(slave, err) ||
        !console_take(slave, err))
        return false;
    return channel_send(plan->channel, CHANNEL_CONSOLE, NULL, master) || error_errno(err, "send the terminal");
}

static bool set_names(const struct runtime_config *config, struct error *err)
{
    const char *host = string_or_empty(config->hostname), *domain = string_or_empty(config->domainname);
    if (*host && sethostname(host, strlen(host)) < 0)
        return error_errno(err, "sethostname");
    if (*domain && setdomainname(domain, strlen(domain)) < 0)
        return error_errno(err, "setdomainname");
    return true;
}

static bool make_working_folder(const char *cwd, struct error *err)
{
    if (!string_is_set(cwd))
        return true;
    _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int made = root < 0 ? -1 : make_directories_in_root(root, cwd, 0755);
    if (made >= 0)
        return true;
    if (errno == ENOTDIR)
        return error_set(err, ERROR_INVALID, "Cannot mkdir: %s is not a directory", cwd);
    return error_errno(err, "mkdir %s", cwd);
}

static bool set_up(struct child *child, struct error *err)
{
    const struct child_plan *plan = child->plan;
    const struct runtime_config *config = child->config;
    if (!namespaces_join(plan->namespaces, err) || !make_root(child, err))
        return false;
    if (plan->namespaces->has_own_network && !interfaces_configure(&plan->launch->interfaces, err))
        return false;
    return set_names(config, err) && limits_set_sysctls(&config->linux_.sysctl, err) &&
           take_stdio(plan, config->process, err);
}

_Noreturn void child_run(const struct child_plan *plan)
{
    const struct launch *launch = plan->launch;
    struct child child = {.plan = plan, .config = &launch->config};
    struct error err = ERROR_INIT;
    struct prepared_process process;
    bool follows_parent = plan->start_fifo < 0;
    process_clean();
    setsid();
    umask(0022);
    if (follows_parent)
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (!set_up(&child, &err)) {
        error_prefix(&err, "error during container init");
        child_fail(plan->channel, &err);
    }
    /* The working folder comes before the root is closed to writing. */
    if (launch->wants_cwd_made && !make_working_folder(child.config->process->cwd, &err))
        child_fail(plan->channel, &err);
    if (!root_protect(&child.config->linux_, child.config->root.readonly, &err)) {
        error_prefix(&err, "error during container init");
        child_fail(plan->channel, &err);
    }
    const struct process_plan last = {
        .process = child.config->process,
        .user = &launch->user,
        .seccomp = &launch->seccomp,
        .init_path = launch->wants_init ? INIT_IN_CONTAINER : NULL,
        .sets_home = launch->sets_home,
        .channel = plan->channel,
    };
    if (!process_prepare(&last, &process, &err))
        child_fail(plan->channel, &err);
    /* Becoming another user has cleared it. */
    if (follows_parent)
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (!channel_send(plan->channel, CHANNEL_READY, NULL, -1))
        _exit(1);
    wait_for_start(plan);
    command_execute(process.path, &process.args, &process.env);
}
