#include "runtime/namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "base/text.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const struct {
    const char *type;
    int flag;
} kinds[] = {
    {"mount", CLONE_NEWNS}, {"network", CLONE_NEWNET},   {"pid", CLONE_NEWPID},   {"ipc", CLONE_NEWIPC},
    {"uts", CLONE_NEWUTS},  {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME},
};

static int flag_of(const char *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i].type, type) == 0)
            return kinds[i].flag;
    return 0;
}

static bool prepare_one(const struct oci_namespace *wanted, struct namespaces *out, struct error *err)
{
    const char *type = string_or_empty(wanted->type);
    int flag = flag_of(type);
    if (strcmp(type, "user") == 0)
        return error_set(err, ERROR_UNSUPPORTED, "user namespaces are not supported");
    if (!flag)
        return error_set(err, ERROR_INVALID, "unknown namespace type \"%s\"", type);
    if (!string_is_set(wanted->path)) {
        if (flag == CLONE_NEWCGROUP)
            out->has_new_cgroup = true;
        else
            out->new_flags |= (uint64_t)flag;
        out->has_own_mounts |= flag == CLONE_NEWNS;
        out->has_own_network |= flag == CLONE_NEWNET;
        out->has_own_uts |= flag == CLONE_NEWUTS;
        return true;
    }
    if (flag == CLONE_NEWNS)
        return error_set(err, ERROR_UNSUPPORTED, "joining a mount namespace by path is not supported");
    int fd = open(wanted->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "open %s namespace %s", type, wanted->path);
    if (flag == CLONE_NEWPID) {
        close_fd(out->pid_namespace);
        out->pid_namespace = fd;
        return true;
    }
    if (out->joined_count == ARRAY_SIZE(out->joined)) {
        close_fd(fd);
        return error_set(err, ERROR_INVALID, "too many namespaces");
    }
    out->joined[out->joined_count++] = fd;
    return true;
}

bool namespaces_prepare(const struct oci_linux *config, struct namespaces *out, struct error *err)
{
    struct namespaces made = NAMESPACES_INIT;
    for (size_t i = 0; i < config->namespaces.count; i++)
        if (!prepare_one(RECORD_AT(config->namespaces, struct oci_namespace, i), &made, err)) {
            namespaces_release(&made);
            return false;
        }
    if (!made.has_own_mounts) {
        namespaces_release(&made);
        return error_set(err, ERROR_INVALID, "the container needs a mount namespace of its own");
    }
    *out = made;
    return true;
}

void namespaces_release(struct namespaces *namespaces)
{
    for (size_t i = 0; i < namespaces->joined_count; i++)
        close_fd(namespaces->joined[i]);
    close_fd(namespaces->pid_namespace);
    *namespaces = NAMESPACES_INIT;
}

bool namespaces_join(const struct namespaces *namespaces, struct error *err)
{
    for (size_t i = 0; i < namespaces->joined_count; i++)
        if (setns(namespaces->joined[i], 0) < 0)
            return error_errno(err, "setns");
    return true;
}
