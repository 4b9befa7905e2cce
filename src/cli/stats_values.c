#include "cli/stats_values.h"

#include "base/memory.h"
#include "base/text.h"
#include "cli/human.h"
#include "cli/listing.h"

static const json_t *at(const json_t *json, const char *outer, const char *inner)
{
    return json_object_get(json_object_get(json, outer), inner);
}

static double number(const json_t *json, const char *key)
{
    return json_number_value(json_object_get(json, key));
}

static double cpu_percent(const json_t *answer)
{
    const json_t *now = json_object_get(answer, "cpu_stats"), *before = json_object_get(answer, "precpu_stats");
    double used = number(json_object_get(now, "cpu_usage"), "total_usage") -
                  number(json_object_get(before, "cpu_usage"), "total_usage");
    double passed = number(now, "system_cpu_usage") - number(before, "system_cpu_usage");
    double processors = number(now, "online_cpus");
    if (processors == 0)
        processors = (double)json_array_size(at(now, "cpu_usage", "percpu_usage"));
    return used > 0 && passed > 0 ? used / passed * processors * 100 : 0;
}

/* cgroup v1 calls it total_inactive_file, v2 inactive_file. */
static double memory_without_cache(const json_t *memory)
{
    const json_t *stats = json_object_get(memory, "stats");
    const json_t *cache = json_object_get(stats, "total_inactive_file");
    double used = number(memory, "usage"), freeable = json_number_value(cache);
    if (!cache || freeable >= used)
        freeable = number(stats, "inactive_file");
    return freeable < used ? used - freeable : used;
}

static void add_io(const json_t *answer, struct stats_values *values)
{
    size_t i;
    json_t *entry;
    json_array_foreach(at(answer, "blkio_stats", "io_service_bytes_recursive"), i, entry)
    {
        char operation = string_or_empty(json_string_value(json_object_get(entry, "op")))[0];
        if (operation == 'r' || operation == 'R')
            values->read += number(entry, "value");
        else if (operation == 'w' || operation == 'W')
            values->written += number(entry, "value");
    }
}

void stats_values_read(struct stats_values *values, const json_t *answer)
{
    const json_t *memory = json_object_get(answer, "memory_stats");
    const char *name = json_string_value(json_object_get(answer, "name"));
    struct stats_values fresh = {
        .id = xstrdup(string_or_empty(json_string_value(json_object_get(answer, "id")))),
        .name = xstrdup(string_or_empty(name)),
        .is_running = number(json_object_get(answer, "cpu_stats"), "system_cpu_usage") > 0,
        .cpu_percent = cpu_percent(answer),
        .memory = memory_without_cache(memory),
        .memory_limit = number(memory, "limit"),
        .pids = json_integer_value(at(answer, "pids_stats", "current")),
    };
    add_io(answer, &fresh);
    const char *key;
    json_t *interface;
    json_object_foreach(json_object_get(answer, "networks"), key, interface)
    {
        fresh.received += number(interface, "rx_bytes");
        fresh.sent += number(interface, "tx_bytes");
    }
    stats_values_release(values);
    *values = fresh;
}

void stats_values_release(struct stats_values *values)
{
    free(values->id);
    free(values->name);
    *values = (struct stats_values){0};
}

/* "1.2kB / 3MB" */
static char *pair(double left, double right)
{
    _cleanup_free_ char *a = human_size(left, 3), *b = human_size(right, 3);
    return xasprintf("%s / %s", a, b);
}

json_t *stats_values_row(const struct stats_values *values, const char *container, bool is_not_truncated,
                         bool is_invalid)
{
    json_t *row = json_object();
    const char *id = string_or_empty(values->id), *name = string_or_empty(values->name);
    _cleanup_free_ char *used = human_bytes(values->memory), *limit = human_bytes(values->memory_limit);
    double percent = values->memory_limit > 0 ? values->memory / values->memory_limit * 100 : 0;
    row_take(row, "BlockIO", is_invalid ? xstrdup("--") : pair(values->read, values->written));
    row_take(row, "CPUPerc", is_invalid ? xstrdup("--") : xasprintf("%.2f%%", values->cpu_percent));
    row_take(row, "Container", xstrdup(container));
    row_take(row, "ID", is_not_truncated ? xstrdup(id) : short_id(id));
    row_take(row, "MemPerc", is_invalid ? xstrdup("--") : xasprintf("%.2f%%", percent));
    row_take(row, "MemUsage", is_invalid ? xstrdup("-- / --") : xasprintf("%s / %s", used, limit));
    row_take(row, "Name", xstrdup(*name ? name + (*name == '/') : "--"));
    row_take(row, "NetIO", is_invalid ? xstrdup("--") : pair(values->received, values->sent));
    row_take(row, "PIDs", is_invalid ? xstrdup("--") : xasprintf("%lld", (long long)values->pids));
    return row;
}
