/* A sample in the words of Docker's API, which differ between cgroup v1 and v2. */
#include <string.h>

#include "base/memory.h"
#include "engine/stats.h"
#include "json/json_writer.h"

static void write_io(struct json_writer *writer, const char *key, const struct cgroup_io *io)
{
    json_writer_begin(writer, key, '[');
    for (size_t i = 0; i < io->count; i++) {
        const struct cgroup_io_entry *entry = &io->entries[i];
        json_writer_begin(writer, NULL, '{');
        json_writer_uint(writer, "major", entry->major);
        json_writer_uint(writer, "minor", entry->minor);
        json_writer_text(writer, "op", entry->operation);
        json_writer_uint(writer, "value", entry->value);
        json_writer_end(writer, '}');
    }
    json_writer_end(writer, ']');
}

static void write_all_io(struct json_writer *writer, const struct stats_sample *sample)
{
    static const char *const others[] = {"io_queue_recursive",  "io_service_time_recursive", "io_wait_time_recursive",
                                         "io_merged_recursive", "io_time_recursive",         "sectors_recursive"};
    static const struct cgroup_io none = {0};
    bool is_v1 = sample->cgroup.version == 1;
    json_writer_begin(writer, "blkio_stats", '{');
    if (is_v1 || sample->cgroup.bytes.count)
        write_io(writer, "io_service_bytes_recursive", &sample->cgroup.bytes);
    else
        json_writer_null(writer, "io_service_bytes_recursive");
    if (is_v1)
        write_io(writer, "io_serviced_recursive", &sample->cgroup.operations);
    else
        json_writer_null(writer, "io_serviced_recursive");
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (is_v1)
            write_io(writer, others[i], &none);
        else
            json_writer_null(writer, others[i]);
    json_writer_end(writer, '}');
}

static void write_cpu(struct json_writer *writer, const char *key, const struct stats_sample *sample)
{
    const struct cgroup_stats *cgroup = &sample->cgroup;
    json_writer_begin(writer, key, '{');
    json_writer_begin(writer, "cpu_usage", '{');
    json_writer_uint(writer, "total_usage", cgroup->cpu_total);
    if (cgroup->cpu_count) {
        json_writer_begin(writer, "percpu_usage", '[');
        for (size_t i = 0; i < cgroup->cpu_count; i++)
            json_writer_uint(writer, NULL, cgroup->cpu_each[i]);
        json_writer_end(writer, ']');
    }
    json_writer_uint(writer, "usage_in_kernelmode", cgroup->cpu_kernel);
    json_writer_uint(writer, "usage_in_usermode", cgroup->cpu_user);
    json_writer_end(writer, '}');
    if (sample->system_time)
        json_writer_uint(writer, "system_cpu_usage", sample->system_time);
    if (sample->processors)
        json_writer_uint(writer, "online_cpus", sample->processors);
    json_writer_begin(writer, "throttling_data", '{');
    json_writer_uint(writer, "periods", cgroup->periods);
    json_writer_uint(writer, "throttled_periods", cgroup->throttled_periods);
    json_writer_uint(writer, "throttled_time", cgroup->throttled_time);
    json_writer_end(writer, '}');
    json_writer_end(writer, '}');
}

/* Docker shows these and no others, by name. */
static const char *const keys_v1[] = {
    "active_anon",
    "active_file",
    "cache",
    "dirty",
    "hierarchical_memory_limit",
    "hierarchical_memsw_limit",
    "inactive_anon",
    "inactive_file",
    "mapped_file",
    "pgfault",
    "pgmajfault",
    "pgpgin",
    "pgpgout",
    "rss",
    "rss_huge",
    "total_active_anon",
    "total_active_file",
    "total_cache",
    "total_dirty",
    "total_inactive_anon",
    "total_inactive_file",
    "total_mapped_file",
    "total_pgfault",
    "total_pgmajfault",
    "total_pgpgin",
    "total_pgpgout",
    "total_rss",
    "total_rss_huge",
    "total_unevictable",
    "total_writeback",
    "unevictable",
    "writeback",
};
static const char *const keys_v2[] = {
    "active_anon",
    "active_file",
    "anon",
    "anon_thp",
    "file",
    "file_dirty",
    "file_mapped",
    "file_writeback",
    "inactive_anon",
    "inactive_file",
    "kernel_stack",
    "pgactivate",
    "pgdeactivate",
    "pgfault",
    "pglazyfree",
    "pglazyfreed",
    "pgmajfault",
    "pgrefill",
    "pgscan",
    "pgsteal",
    "shmem",
    "slab",
    "slab_reclaimable",
    "slab_unreclaimable",
    "sock",
    "thp_collapse_alloc",
    "thp_fault_alloc",
    "unevictable",
    "workingset_activate",
    "workingset_nodereclaim",
    "workingset_refault",
};

static uint64_t machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : CGROUP_NO_LIMIT;
}

static void write_unless_zero(struct json_writer *writer, const char *key, uint64_t value)
{
    if (value)
        json_writer_uint(writer, key, value);
}

static void write_memory(struct json_writer *writer, const struct cgroup_stats *cgroup)
{
    bool is_v1 = cgroup->version == 1;
    const char *const *keys = is_v1 ? keys_v1 : keys_v2;
    size_t count = is_v1 ? ARRAY_SIZE(keys_v1) : ARRAY_SIZE(keys_v2);
    json_writer_begin(writer, "memory_stats", '{');
    if (cgroup->has_memory) {
        write_unless_zero(writer, "usage", cgroup->memory);
        write_unless_zero(writer, "max_usage", cgroup->memory_peak);
        json_writer_begin(writer, "stats", '{');
        for (size_t i = 0; i < count; i++) {
            uint64_t value = 0;
            cgroup_stat_value(cgroup->memory_stat, keys[i], &value);
            json_writer_uint(writer, keys[i], value);
        }
        json_writer_end(writer, '}');
        write_unless_zero(writer, "failcnt", cgroup->memory_failures);
        json_writer_uint(writer, "limit", MIN(cgroup->memory_limit, machine_memory()));
    }
    json_writer_end(writer, '}');
}

static void write_networks(struct json_writer *writer, const struct stats_sample *sample)
{
    if (!sample->interface_count)
        return;
    json_writer_begin(writer, "networks", '{');
    for (size_t i = 0; i < sample->interface_count; i++) {
        const struct interface_counters *one = &sample->interfaces[i];
        json_writer_begin(writer, one->name, '{');
        json_writer_uint(writer, "rx_bytes", one->rx_bytes);
        json_writer_uint(writer, "rx_packets", one->rx_packets);
        json_writer_uint(writer, "rx_errors", one->rx_errors);
        json_writer_uint(writer, "rx_dropped", one->rx_dropped);
        json_writer_uint(writer, "tx_bytes", one->tx_bytes);
        json_writer_uint(writer, "tx_packets", one->tx_packets);
        json_writer_uint(writer, "tx_errors", one->tx_errors);
        json_writer_uint(writer, "tx_dropped", one->tx_dropped);
        json_writer_end(writer, '}');
    }
    json_writer_end(writer, '}');
}

static void write_pids(struct json_writer *writer, const struct cgroup_stats *cgroup)
{
    bool is_limited = cgroup->pids_limit && (cgroup->version == 2 || cgroup->pids_limit != CGROUP_NO_LIMIT);
    json_writer_begin(writer, "pids_stats", '{');
    write_unless_zero(writer, "current", cgroup->pids);
    if (is_limited)
        json_writer_uint(writer, "limit", cgroup->pids_limit);
    json_writer_end(writer, '}');
}

static void write_time(struct json_writer *writer, const char *key, unix_nano time)
{
    char text[TIME_TEXT_SIZE];
    json_writer_text(writer, key, time_format(time, text));
}

void stats_write(struct container *container, const struct stats_sample *sample, const struct stats_sample *previous,
                 bool has_name, struct strbuf *out)
{
    struct json_writer writer = {.out = out};
    json_writer_begin(&writer, NULL, '{');
    if (has_name) {
        container_lock(container);
        _cleanup_free_ char *name = xasprintf("/%s", container->record.name);
        container_unlock(container);
        json_writer_text(&writer, "name", name);
        json_writer_text(&writer, "id", container->record.id);
    }
    write_time(&writer, "read", sample->time);
    write_time(&writer, "preread", previous->time);
    write_pids(&writer, &sample->cgroup);
    write_all_io(&writer, sample);
    json_writer_int(&writer, "num_procs", 0);
    json_writer_begin(&writer, "storage_stats", '{');
    json_writer_end(&writer, '}');
    write_cpu(&writer, "cpu_stats", sample);
    write_cpu(&writer, "precpu_stats", previous);
    write_memory(&writer, &sample->cgroup);
    write_networks(&writer, sample);
    json_writer_end(&writer, '}');
    strbuf_add_char(out, '\n');
}
