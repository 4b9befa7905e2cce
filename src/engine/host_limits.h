/* Which limits the kernel of this machine can enforce. */
#pragma once

#include <stdbool.h>

struct host_limits {
    int cgroup_version;
    bool has_memory, has_memory_reservation, has_swap, has_swappiness, has_kernel_memory_tcp, has_oom_kill_disable;
    bool has_cpu_period, has_cpu_quota, has_cpu_shares, has_cpu_realtime, has_cpuset, has_pids;
    bool has_io_weight, has_io_weight_device, has_io_read_bps, has_io_write_bps, has_io_read_iops, has_io_write_iops;
};
/* Looked up once; belongs to the module. */
const struct host_limits *host_limits(void);
