/* What a running container uses, at one moment: its cgroup's counters, its network's, and the machine's processor time
   beside them. Nothing here enters a namespace. */
#pragma once

#include "engine/container.h"
#include "runtime/cgroup_stats.h"

struct interface_counters {
    char name[16];
    uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped, tx_bytes, tx_packets, tx_errors, tx_dropped;
};

struct stats_sample {
    unix_nano time; /* 0: the container did not run */
    struct cgroup_stats cgroup;
    uint64_t system_time; /* nanoseconds of all processors */
    unsigned processors;  /* online */
    struct interface_counters *interfaces;
    size_t interface_count;
};

/* Leaves *out zeroed where the container does not run. */
void stats_sample_take(struct container *container, struct stats_sample *out);
void stats_sample_release(struct stats_sample *sample);
/* The interfaces but `lo` in a text as /proc/<pid>/net/dev has it. The caller frees. */
struct interface_counters *interfaces_parse(const char *text, size_t *count);
/* One answer of GET /containers/{id}/stats, with a line feed. `previous` may be zeroed. */
void stats_write(struct container *container, const struct stats_sample *sample, const struct stats_sample *previous,
                 bool has_name, struct strbuf *out);
