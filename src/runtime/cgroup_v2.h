/* cgroup v2, the unified hierarchy alone. cgroup.h is the interface. */
#pragma once

#include "runtime/cgroup.h"

bool cgroup_v2_create(const char *path, const struct oci_resources *resources, struct strlist *warnings,
                      struct error *err);
bool cgroup_v2_update(const char *path, const struct oci_resources *resources, struct strlist *warnings,
                      struct error *err);
/* io.weight (1-10000) of v1's blkio.weight (10-1000), as runc converts. Pure. */
uint64_t cgroup_v2_io_weight(int64_t weight);
/* cpu.weight (1-10000) of v1's cpu.shares (2-262144), as runc converts. Pure. */
uint64_t cgroup_v2_weight(int64_t shares);
/* "50000 100000" of cpu.max; a quota of 0 or less is "max". Pure. */
void cgroup_v2_format_cpu_max(int64_t quota, int64_t period, char *text, size_t size);

/* A device policy as an eBPF program attached to the cgroup folder. In cgroup_bpf.c. */
bool cgroup_bpf_attach(int cgroup, const struct record_list *rules, struct error *err);
