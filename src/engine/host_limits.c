#include "engine/host_limits.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup.h"

#define ROOT "/sys/fs/cgroup/"

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* The root of v2 has no files of its limits: the controllers have them all, but for io.weight, which an I/O scheduler
   or the cost model must bring along; a cgroup below the root tells. */
static bool has_below_root(const char *file)
{
    static const char *const places[] = {ROOT "system.slice/", ROOT "init.scope/", ROOT "user.slice/"};
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        _cleanup_free_ char *path = xasprintf("%s%s", places[i], file);
        if (exists(path))
            return true;
    }
    return false;
}

static void look_at_v2(struct host_limits *out)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, ROOT "cgroup.controllers", 4096, &text, NULL))
        return;
    if (text.length)
        strbuf_truncate(&text, strcspn(text.data, "\n"));
    _cleanup_strlist_ struct strlist controllers = strlist_split(strbuf_text(&text), ' ');
    out->has_memory = out->has_memory_reservation = strlist_contains(&controllers, "memory");
    /* The kernel counts swap unless it was told not to. */
    out->has_swap = out->has_memory && exists("/proc/swaps");
    out->has_cpu_period = out->has_cpu_quota = out->has_cpu_shares = strlist_contains(&controllers, "cpu");
    out->has_cpuset = strlist_contains(&controllers, "cpuset");
    out->has_pids = strlist_contains(&controllers, "pids");
    bool has_io = strlist_contains(&controllers, "io");
    out->has_io_read_bps = out->has_io_write_bps = out->has_io_read_iops = out->has_io_write_iops = has_io;
    out->has_io_weight = out->has_io_weight_device =
        has_io && (has_below_root("io.weight") || has_below_root("io.bfq.weight"));
}

static void look_at_v1(struct host_limits *out)
{
    const struct {
        bool *place;
        const char *path;
    } rows[] = {
        {&out->has_memory, "memory/memory.limit_in_bytes"},
        {&out->has_memory_reservation, "memory/memory.soft_limit_in_bytes"},
        {&out->has_swap, "memory/memory.memsw.limit_in_bytes"},
        {&out->has_swappiness, "memory/memory.swappiness"},
        {&out->has_kernel_memory_tcp, "memory/memory.kmem.tcp.limit_in_bytes"},
        {&out->has_oom_kill_disable, "memory/memory.oom_control"},
        {&out->has_cpu_period, "cpu/cpu.cfs_period_us"},
        {&out->has_cpu_quota, "cpu/cpu.cfs_quota_us"},
        {&out->has_cpu_shares, "cpu/cpu.shares"},
        {&out->has_cpu_realtime, "cpu/cpu.rt_period_us"},
        {&out->has_cpuset, "cpuset/cpuset.cpus"},
        {&out->has_pids, "pids"},
        {&out->has_io_weight, "blkio/blkio.weight"},
        {&out->has_io_weight_device, "blkio/blkio.weight_device"},
        {&out->has_io_read_bps, "blkio/blkio.throttle.read_bps_device"},
        {&out->has_io_write_bps, "blkio/blkio.throttle.write_bps_device"},
        {&out->has_io_read_iops, "blkio/blkio.throttle.read_iops_device"},
        {&out->has_io_write_iops, "blkio/blkio.throttle.write_iops_device"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_free_ char *path = path_join(ROOT, rows[i].path);
        *rows[i].place = exists(path);
    }
}

static struct host_limits limits;

static void look(void)
{
    limits.cgroup_version = cgroup_version();
    if (limits.cgroup_version == 2)
        look_at_v2(&limits);
    else
        look_at_v1(&limits);
}

const struct host_limits *host_limits(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, look);
    return &limits;
}
