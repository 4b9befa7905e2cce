/* cgroup v1 and hybrid: one hierarchy a controller (or a group of them). cgroup.h is the interface. */
#pragma once

#include "runtime/cgroup.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

struct cgroup_hierarchy {
    char *directory;   /* below CGROUP_ROOT: "cpu,cpuacct", "systemd" */
    char *controllers; /* as mount options: "cpu,cpuacct", "name=systemd" */
};

/* The mounted hierarchies, read once; they belong to the module. */
const struct cgroup_hierarchy *cgroup_v1_hierarchies(size_t *count);
/* The same from the text of /proc/self/cgroup, without looking whether they are mounted. Pure; the caller frees. */
struct cgroup_hierarchy *cgroup_v1_parse(const char *proc_self_cgroup, size_t *count);
/* The directory of the hierarchy that has the controller, or NULL. */
const char *cgroup_v1_directory(const char *controller);
/* "c 1:3 rwm" of a rule; size is at least 64. Pure. */
void cgroup_v1_format_rule(const struct oci_device_rule *rule, char *text, size_t size);

bool cgroup_v1_create(const char *path, const struct oci_resources *resources, struct strlist *warnings,
                      struct error *err);
bool cgroup_v1_update(const char *path, const struct oci_resources *resources, struct strlist *warnings,
                      struct error *err);
