#include "engine/metrics.h"

#include <inttypes.h>
#include <sys/utsname.h>

#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/stats.h"

/* The upper bounds that Prometheus' clients use by default. */
static const double bounds[METRIC_BUCKETS - 1] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

void metrics_count(struct metrics *metrics, enum metric_counter counter)
{
    atomic_fetch_add_explicit(&metrics->counters[counter], 1, memory_order_relaxed);
}

void metrics_observe(struct metrics *metrics, enum metric_action action, int64_t begin)
{
    int64_t took = clock_monotonic() - begin;
    size_t bucket = 0;
    while (bucket + 1 < METRIC_BUCKETS && (double)took > bounds[bucket] * (double)NANOSECONDS_PER_SECOND)
        bucket++;
    atomic_fetch_add_explicit(&metrics->actions[action].buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&metrics->actions[action].nanoseconds, (uint64_t)took, memory_order_relaxed);
}

static void add_head(struct strbuf *out, const char *name, const char *type, const char *help)
{
    strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_label_value(struct strbuf *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            strbuf_add_char(out, '\\');
        if (*value == '\n')
            strbuf_add_string(out, "\\n");
        else
            strbuf_add_char(out, *value);
    }
}

static void add_actions(struct metrics *metrics, struct strbuf *out)
{
    static const char name[] = "engine_daemon_container_actions_seconds";
    static const char *const actions[ACTION_COUNT] = {"create", "delete", "start"};
    add_head(out, name, "histogram", "The number of seconds it takes to process each container action");
    for (size_t i = 0; i < ACTION_COUNT; i++) {
        uint64_t count = 0;
        for (size_t k = 0; k < METRIC_BUCKETS; k++) {
            count += atomic_load(&metrics->actions[i].buckets[k]);
            if (k + 1 < METRIC_BUCKETS)
                strbuf_addf(out, "%s_bucket{action=\"%s\",le=\"%g\"} %" PRIu64 "\n", name, actions[i], bounds[k],
                            count);
            else
                strbuf_addf(out, "%s_bucket{action=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, actions[i], count);
        }
        strbuf_addf(out, "%s_sum{action=\"%s\"} %.9g\n%s_count{action=\"%s\"} %" PRIu64 "\n", name, actions[i],
                    (double)atomic_load(&metrics->actions[i].nanoseconds) / (double)NANOSECONDS_PER_SECOND, name,
                    actions[i], count);
    }
}

static void add_states(struct engine *engine, struct strbuf *out)
{
    static const char name[] = "engine_daemon_container_states_containers";
    struct engine_counts counts;
    engine_count(engine, &counts);
    add_head(out, name, "gauge", "The count of containers in various states");
    strbuf_addf(out, "%s{state=\"paused\"} %zu\n%s{state=\"running\"} %zu\n%s{state=\"stopped\"} %zu\n", name,
                counts.paused, name, counts.running, name, counts.stopped);
}

static void add_machine(struct strbuf *out)
{
    struct utsname host;
    uname(&host);
    add_head(out, "engine_daemon_engine_cpus_cpus", "gauge",
             "The number of cpus that the host system of the engine has");
    strbuf_addf(out, "engine_daemon_engine_cpus_cpus %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
    add_head(out, "engine_daemon_engine_info", "gauge",
             "The information related to the engine and the OS it is running on");
    strbuf_addf(
        out,
        "engine_daemon_engine_info{architecture=\"%s\",graphdriver=\"overlay2\",kernel=\"%s\",os_type=\"linux\","
        "version=\"" WHERRY_VERSION "\"} 1\n",
        host.machine, host.release);
    add_head(out, "engine_daemon_engine_memory_bytes", "gauge",
             "The number of bytes of memory that the host system of the engine has");
    strbuf_addf(out, "engine_daemon_engine_memory_bytes %" PRId64 "\n",
                (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
}

static void add_counters(struct engine *engine, struct strbuf *out)
{
    static const struct {
        const char *name, *help;
    } rows[METRIC_COUNTER_COUNT] = {
        {"engine_daemon_events_total", "The number of events logged"},
        {"engine_daemon_health_checks_total", "The total number of health checks"},
        {"engine_daemon_health_checks_failed_total", "The total number of failed health checks"},
    };
    add_head(out, "engine_daemon_events_subscribers_total", "gauge", "The number of current subscribers to events");
    strbuf_addf(out, "engine_daemon_events_subscribers_total %zu\n", events_subscriber_count(engine));
    for (size_t i = 0; i < METRIC_COUNTER_COUNT; i++) {
        add_head(out, rows[i].name, "counter", rows[i].help);
        strbuf_addf(out, "%s %" PRIuFAST64 "\n", rows[i].name, atomic_load(&engine->metrics.counters[i]));
    }
}

/* --- containers --- */

struct measured {
    char *labels; /* {id="…",name="…",image="…"} without its end */
    struct stats_sample sample;
    int64_t restarts, exit_code;
    char *cause, *ended_by; /* of the last exit, as inspect has them; cause NULL: it never ended */
};

static char *labels_of(const struct container_record *record)
{
    struct strbuf labels = STRBUF_INIT;
    strbuf_addf(&labels, "{id=\"%s\",name=\"", record->id);
    add_label_value(&labels, record->name);
    strbuf_add_string(&labels, "\",image=\"");
    add_label_value(&labels, string_or_empty(record->config.image));
    strbuf_add_char(&labels, '"');
    return strbuf_take(&labels);
}

static void measure(struct container *container, struct measured *out)
{
    container_lock(container);
    const struct container_record *record = &container->record;
    out->labels = labels_of(record);
    out->restarts = record->restart_count;
    out->exit_code = record->exit_code;
    if (record->finished_at && string_is_set(record->exit_reason)) {
        out->cause = xstrdup(record->exit_reason);
        out->ended_by = xstrdup(string_or_empty(record->exit_by));
    }
    container_unlock(container);
    stats_sample_take(container, &out->sample);
}

static double seconds_of_cpu(const struct stats_sample *sample)
{
    return (double)sample->cgroup.cpu_total / (double)NANOSECONDS_PER_SECOND;
}

static double memory_of(const struct stats_sample *sample)
{
    return (double)sample->cgroup.memory;
}

static double memory_limit_of(const struct stats_sample *sample)
{
    return sample->cgroup.memory_limit > INT64_MAX / 2 ? 0 : (double)sample->cgroup.memory_limit;
}

static double io_of(const struct stats_sample *sample, char letter)
{
    double total = 0;
    for (size_t i = 0; i < sample->cgroup.bytes.count; i++)
        if ((sample->cgroup.bytes.entries[i].operation[0] | 0x20) == letter)
            total += (double)sample->cgroup.bytes.entries[i].value;
    return total;
}

static double read_of(const struct stats_sample *sample)
{
    return io_of(sample, 'r');
}

static double written_of(const struct stats_sample *sample)
{
    return io_of(sample, 'w');
}

static double received_of(const struct stats_sample *sample)
{
    double total = 0;
    for (size_t i = 0; i < sample->interface_count; i++)
        total += (double)sample->interfaces[i].rx_bytes;
    return total;
}

static double sent_of(const struct stats_sample *sample)
{
    double total = 0;
    for (size_t i = 0; i < sample->interface_count; i++)
        total += (double)sample->interfaces[i].tx_bytes;
    return total;
}

static double pids_of(const struct stats_sample *sample)
{
    return (double)sample->cgroup.pids;
}

static void add_usage(const struct measured *all, size_t count, struct strbuf *out)
{
    static const struct {
        const char *name, *type, *help;
        double (*value)(const struct stats_sample *sample);
    } rows[] = {
        {"wherry_container_cpu_seconds_total", "counter", "Processor time used", seconds_of_cpu},
        {"wherry_container_memory_bytes", "gauge", "Memory in use, with the page cache", memory_of},
        {"wherry_container_memory_limit_bytes", "gauge", "The limit of memory; 0: none", memory_limit_of},
        {"wherry_container_processes", "gauge", "Processes and threads", pids_of},
        {"wherry_container_io_read_bytes_total", "counter", "Bytes read from block devices", read_of},
        {"wherry_container_io_written_bytes_total", "counter", "Bytes written to block devices", written_of},
        {"wherry_container_network_received_bytes_total", "counter", "Bytes received", received_of},
        {"wherry_container_network_sent_bytes_total", "counter", "Bytes sent", sent_of},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        add_head(out, rows[i].name, rows[i].type, rows[i].help);
        for (size_t k = 0; k < count; k++)
            if (all[k].sample.time)
                strbuf_addf(out, "%s%s} %.15g\n", rows[i].name, all[k].labels, rows[i].value(&all[k].sample));
    }
}

static void add_ends(const struct measured *all, size_t count, struct strbuf *out)
{
    add_head(out, "wherry_container_restarts_total", "counter", "Restarts by the restart policy");
    for (size_t i = 0; i < count; i++)
        strbuf_addf(out, "wherry_container_restarts_total%s} %" PRId64 "\n", all[i].labels, all[i].restarts);
    add_head(out, "wherry_container_last_exit_code", "gauge",
             "The last exit's code, its cause (exit, signal, oom or unknown), and who ended it");
    for (size_t i = 0; i < count; i++)
        if (all[i].cause)
            strbuf_addf(out, "wherry_container_last_exit_code%s,cause=\"%s\",by=\"%s\"} %" PRId64 "\n", all[i].labels,
                        all[i].cause, all[i].ended_by, all[i].exit_code);
}

void engine_metrics(struct engine *engine, struct strbuf *out)
{
    add_actions(&engine->metrics, out);
    add_states(engine, out);
    add_machine(out);
    add_counters(engine, out);
    size_t count;
    struct container **containers = container_snapshot(engine, &count);
    struct measured *all = xcalloc(count + 1, sizeof(*all));
    for (size_t i = 0; i < count; i++)
        measure(containers[i], &all[i]);
    add_usage(all, count, out);
    add_ends(all, count, out);
    for (size_t i = 0; i < count; i++) {
        stats_sample_release(&all[i].sample);
        free(all[i].labels);
        free(all[i].cause);
        free(all[i].ended_by);
    }
    free(all);
    container_snapshot_release(containers, count);
}
