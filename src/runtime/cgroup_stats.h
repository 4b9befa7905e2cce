/* What a cgroup has used, read from the kernel's files: the same struct for v1 and v2. libc only. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

#define CGROUP_NO_LIMIT UINT64_MAX

struct cgroup_io_entry {
    uint64_t major, minor;
    char operation[12]; /* "Read", "Write", …; v2: "read", "write" */
    uint64_t value;
};

struct cgroup_io {
    struct cgroup_io_entry *entries;
    size_t count;
};

struct cgroup_stats {
    int version;
    uint64_t cpu_total, cpu_kernel, cpu_user; /* nanoseconds */
    uint64_t *cpu_each;                       /* by processor; v1 alone */
    size_t cpu_count;
    uint64_t periods, throttled_periods, throttled_time; /* the last in nanoseconds */
    bool has_memory;
    uint64_t memory, memory_peak, memory_failures, memory_limit; /* bytes; CGROUP_NO_LIMIT */
    char *memory_stat;                                           /* the text of memory.stat */
    uint64_t pids, pids_limit;                                   /* CGROUP_NO_LIMIT */
    struct cgroup_io bytes, operations;
};

/* ERROR_NOT_FOUND where there is no such cgroup. */
bool cgroup_stats_read(const char *path, struct cgroup_stats *out, struct error *err);
void cgroup_stats_release(struct cgroup_stats *stats);
/* The number after `key` in a text of "key number" lines; false where it is not there. */
bool cgroup_stat_value(const char *text, const char *key, uint64_t *out);
