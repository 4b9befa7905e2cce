/* What Docker checks of a container's limits, in its words and order (moby's verifyPlatformContainerResources). */
#include "engine/resources.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/host_limits.h"

#define MINIMUM_MEMORY (INT64_C(6) << 20)

#define NOT_SUPPORTED(what_, result_)                                                                                  \
    "Your kernel does not support " what_ " or the cgroup is not mounted. " result_ " discarded."

static bool check_memory(struct host_config *host, bool is_update, struct strlist *warnings, struct error *err)
{
    const struct host_limits *limits = host_limits();
    if (host->memory != 0 && host->memory < MINIMUM_MEMORY)
        return error_set(err, ERROR_INVALID, "Minimum memory limit allowed is 6MB");
    if (host->memory > 0 && !limits->has_memory) {
        strlist_add(warnings, NOT_SUPPORTED("memory limit capabilities", "Limitation"));
        host->memory = 0;
        host->memory_swap = -1;
    }
    if (host->memory > 0 && host->memory_swap != -1 && !limits->has_swap) {
        strlist_add(warnings, "Your kernel does not support swap limit capabilities or the cgroup is not mounted. "
                              "Memory limited without swap.");
        host->memory_swap = -1;
    }
    if (host->memory > 0 && host->memory_swap > 0 && host->memory_swap < host->memory)
        return error_set(err, ERROR_INVALID, "Minimum memoryswap limit should be larger than memory limit, see usage");
    if (host->memory == 0 && host->memory_swap > 0 && !is_update)
        return error_set(err, ERROR_INVALID,
                         "You should always set the Memory limit when using Memoryswap limit, see usage");
    if (host->memory_swappiness.is_set && host->memory_swappiness.value == -1)
        host->memory_swappiness.is_set = false;
    if (host->memory_swappiness.is_set && !limits->has_swappiness) {
        strlist_add(warnings, NOT_SUPPORTED("memory swappiness capabilities", "Memory swappiness"));
        host->memory_swappiness.is_set = false;
    }
    if (host->memory_swappiness.is_set && (host->memory_swappiness.value < 0 || host->memory_swappiness.value > 100))
        return error_set(err, ERROR_INVALID, "Invalid value: %lld, valid memory swappiness range is 0-100",
                         (long long)host->memory_swappiness.value);
    if (host->memory_reservation > 0 && !limits->has_memory_reservation) {
        strlist_add(warnings, NOT_SUPPORTED("memory soft limit capabilities", "Limitation"));
        host->memory_reservation = 0;
    }
    if (host->memory_reservation > 0 && host->memory_reservation < MINIMUM_MEMORY)
        return error_set(err, ERROR_INVALID, "Minimum memory reservation allowed is 6MB");
    if (host->memory > 0 && host->memory_reservation > 0 && host->memory < host->memory_reservation)
        return error_set(err, ERROR_INVALID,
                         "Minimum memory limit can not be less than memory reservation limit, see usage");
    if (!host->oom_kill_disable.is_set || !host->oom_kill_disable.value)
        return true;
    if (!limits->has_oom_kill_disable) {
        strlist_add(warnings, "Your kernel does not support OomKillDisable. OomKillDisable discarded.");
        host->oom_kill_disable = (struct opt_bool){0};
    } else if (host->memory == 0) {
        strlist_add(warnings, "OOM killer is disabled for the container, but no memory limit is set, this can result "
                              "in the system running out of resources.");
    }
    return true;
}

static void check_pids(struct host_config *host, struct strlist *warnings)
{
    if (!host->pids_limit.is_set || host_limits()->has_pids)
        return;
    if (host->pids_limit.value > 0)
        strlist_add(warnings, NOT_SUPPORTED("PIDs limit capabilities", "PIDs limit"));
    host->pids_limit = (struct opt_int64){0};
}

#define CPU_LIST_MAX 8192

/* "0-3,7" within the processors that exist; -1 invalid, -2 beyond what can be, 0 not there, 1 fine. */
static int check_cpu_list(const char *list, long highest)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(list, ',');
    bool is_there = true;
    for (size_t i = 0; i < parts.count; i++) {
        char *dash = strchr(parts.items[i], '-');
        int64_t first, last;
        if (dash)
            *dash = '\0';
        if (!parse_int64(parts.items[i], &first) || first < 0)
            return -1;
        last = first;
        if (dash && (!parse_int64(dash + 1, &last) || last < first))
            return -1;
        if (last > CPU_LIST_MAX)
            return -2;
        is_there = is_there && last <= highest;
    }
    return is_there;
}

static bool cpu_list_error(int answer, const char *kind, const char *list, struct error *err)
{
    if (answer == -2)
        return error_set(err, ERROR_INVALID, "Invalid value %s for cpuset %s: value of out range, maximum is %d", list,
                         kind, CPU_LIST_MAX);
    return error_set(err, ERROR_INVALID, "Invalid value %s for cpuset %s: invalid format: %s", list, kind, list);
}

static long highest_memory_node(void)
{
    long highest = 0;
    char path[64];
    for (long node = 1; node < 1024; node++) {
        snprintf(path, sizeof(path), "/sys/devices/system/node/node%ld", node);
        if (access(path, F_OK) == 0)
            highest = node;
    }
    return highest;
}

static bool check_cpuset(struct host_config *host, struct strlist *warnings, struct error *err)
{
    if ((string_is_set(host->cpuset_cpus) || string_is_set(host->cpuset_mems)) && !host_limits()->has_cpuset) {
        strlist_add(warnings, NOT_SUPPORTED("cpuset", "Cpuset"));
        string_replace(&host->cpuset_cpus, NULL);
        string_replace(&host->cpuset_mems, NULL);
    }
    long processors = sysconf(_SC_NPROCESSORS_CONF);
    if (string_is_set(host->cpuset_cpus)) {
        int answer = check_cpu_list(host->cpuset_cpus, processors - 1);
        if (answer < 0)
            return cpu_list_error(answer, "cpus", host->cpuset_cpus, err);
        if (answer == 0)
            return error_set(err, ERROR_INVALID, "Requested CPUs are not available - requested %s, available: 0-%ld",
                             host->cpuset_cpus, processors - 1);
    }
    if (string_is_set(host->cpuset_mems)) {
        long highest = highest_memory_node();
        int answer = check_cpu_list(host->cpuset_mems, highest);
        if (answer < 0)
            return cpu_list_error(answer, "mems", host->cpuset_mems, err);
        if (answer == 0)
            return error_set(err, ERROR_INVALID,
                             "Requested memory nodes are not available - requested %s, available: %s%ld",
                             host->cpuset_mems, highest ? "0-" : "", highest);
    }
    return true;
}

static bool check_cpu(struct host_config *host, struct strlist *warnings, struct error *err)
{
    const struct host_limits *limits = host_limits();
    if (host->nano_cpus > 0 && host->cpu_period > 0)
        return error_set(err, ERROR_INVALID, "Conflicting options: Nano CPUs and CPU Period cannot both be set");
    if (host->nano_cpus > 0 && host->cpu_quota > 0)
        return error_set(err, ERROR_INVALID, "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
    if (host->nano_cpus > 0 && !limits->has_cpu_quota)
        return error_set(err, ERROR_INVALID,
                         "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is "
                         "not mounted");
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (host->nano_cpus < 0 || host->nano_cpus > processors * NANOSECONDS_PER_SECOND)
        return error_set(err, ERROR_INVALID,
                         "Range of CPUs is from 0.01 to %ld.00, as there are only %ld CPUs available", processors,
                         processors);
    if (host->cpu_shares < 0)
        return error_set(err, ERROR_INVALID, "shares: invalid argument");
    if (host->cpu_shares > 0 && !limits->has_cpu_shares) {
        strlist_add(warnings, NOT_SUPPORTED("CPU shares", "Shares"));
        host->cpu_shares = 0;
    }
    if ((host->cpu_period != 0 || host->cpu_quota != 0) && !limits->has_cpu_quota) {
        strlist_add(warnings, "Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.");
        host->cpu_period = host->cpu_quota = 0;
    }
    if (host->cpu_period != 0 && (host->cpu_period < 1000 || host->cpu_period > 1000000))
        return error_set(err, ERROR_INVALID,
                         "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
    if (host->cpu_quota > 0 && host->cpu_quota < 1000)
        return error_set(err, ERROR_INVALID, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
    if (host->cpu_realtime_period != 0 || host->cpu_realtime_runtime != 0)
        return error_set(err, ERROR_INVALID, "Your kernel does not support CPU real-time scheduler");
    if (host->cpu_percent > 0) {
        strlist_add(warnings, "linux does not support CPU percent. Percent discarded.");
        host->cpu_percent = 0;
    }
    if (host->cpu_count != 0)
        return error_set(err, ERROR_INVALID, "invalid option: CPU count is for Windows only");
    return check_cpuset(host, warnings, err);
}

static bool check_io(struct host_config *host, struct strlist *warnings, struct error *err)
{
    if (host->blkio_weight > 0 && !host_limits()->has_io_weight) {
        strlist_add(warnings, NOT_SUPPORTED("Block I/O weight", "Weight"));
        host->blkio_weight = 0;
    }
    if (host->blkio_weight != 0 && (host->blkio_weight < 10 || host->blkio_weight > 1000))
        return error_set(err, ERROR_INVALID, "Range of blkio weight is from 10 to 1000");
    return true;
}

bool resources_check(struct host_config *host, bool is_update, struct strlist *warnings, struct error *err)
{
    if (!check_memory(host, is_update, warnings, err))
        return false;
    check_pids(host, warnings);
    return check_cpu(host, warnings, err) && check_io(host, warnings, err);
}
