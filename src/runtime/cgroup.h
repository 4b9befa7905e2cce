/* Control groups behind one interface: v1, hybrid, v2. A container's cgroup is named by one path ("/docker/<id>"),
   below the root of every hierarchy in use. libc only. */
#pragma once

#include <sys/types.h>

#include "oci/runtime_config.h"

/* Makes the cgroup in every hierarchy and sets the limits. What the kernel cannot do is put in *warnings. */
bool cgroup_create(const char *path, const struct oci_resources *resources, struct strlist *warnings,
                   struct error *err);
/* Sets limits of a cgroup that is there: what is given in *resources, and nothing else. */
bool cgroup_update(const char *path, const struct oci_resources *resources, struct strlist *warnings,
                   struct error *err);
/* The calling process, which has one thread, becomes a member. */
bool cgroup_join(const char *path, struct error *err);
/* An O_PATH-like descriptor for CLONE_INTO_CGROUP on pure v2; -1 elsewhere. */
int cgroup_open(const char *path);
bool cgroup_freeze(const char *path, bool is_frozen, struct error *err);
/* The names of the cgroups right below it, in any hierarchy. */
void cgroup_children(const char *path, struct strlist *out);
/* Every pid in it and below. */
bool cgroup_processes(const char *path, pid_t **pids, size_t *count, struct error *err);
bool cgroup_kill_all(const char *path, int signal_number);
/* Was a process of it killed for memory? */
bool cgroup_had_oom_kill(const char *path);
/* Kills what is left, waits for it, removes the folders. */
void cgroup_destroy(const char *path);
/* 1 (v1 or hybrid) or 2. */
int cgroup_version(void);
