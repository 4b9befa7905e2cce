/* Which namespaces are new, which are joined, and which are the host's. */
#pragma once

#include <stdint.h>

#include "oci/runtime_config.h"

struct namespaces {
    uint64_t new_flags;   /* CLONE_NEW… for clone3; the cgroup namespace is not among them */
    bool has_new_cgroup;  /* unshared by the child once it is in its cgroup, which becomes its root */
    bool has_own_mounts;  /* a mount namespace that is new */
    bool has_own_network; /* a network namespace that is new: its loopback has to be brought up */
    bool has_own_uts;
    int joined[8]; /* descriptors of namespaces to join, -1 where none; without the pid namespace */
    size_t joined_count;
    int pid_namespace; /* descriptor of a pid namespace to be born in, or -1 */
};
#define NAMESPACES_INIT ((struct namespaces){.pid_namespace = -1})

/* Opens the paths. User namespaces are refused. */
bool namespaces_prepare(const struct oci_linux *config, struct namespaces *out, struct error *err);
void namespaces_release(struct namespaces *namespaces);
/* In the child: enters those that were given by path. */
bool namespaces_join(const struct namespaces *namespaces, struct error *err);
