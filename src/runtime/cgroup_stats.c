#include "runtime/cgroup_stats.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_v1.h"

#define NANOSECONDS UINT64_C(1000000000)

bool cgroup_stat_value(const char *text, const char *key, uint64_t *out)
{
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) != 0 || line[length] != ' ')
            continue;
        *out = strtoull(line + length + 1, NULL, 10);
        return true;
    }
    return false;
}

static bool read_text(int folder, const char *file, struct strbuf *out)
{
    return folder >= 0 && file_read(folder, file, 1u << 20, out, NULL);
}

/* "max" is CGROUP_NO_LIMIT; 0 where the file is missing. */
static uint64_t read_number(int folder, const char *file)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!read_text(folder, file, &text))
        return 0;
    return strncmp(strbuf_text(&text), "max", 3) == 0 ? CGROUP_NO_LIMIT : strtoull(strbuf_text(&text), NULL, 10);
}

static char *take_text(int folder, const char *file)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    return read_text(folder, file, &text) ? strbuf_take(&text) : xstrdup("");
}

static uint64_t number_of(const char *text, const char *key)
{
    uint64_t value = 0;
    cgroup_stat_value(text, key, &value);
    return value;
}

static struct cgroup_io_entry *add_entry(struct cgroup_io *io, uint64_t major, uint64_t minor, const char *operation,
                                         uint64_t value)
{
    struct cgroup_io_entry *entry = APPEND(io->entries, io->count);
    *entry = (struct cgroup_io_entry){.major = major, .minor = minor, .value = value};
    snprintf(entry->operation, sizeof(entry->operation), "%s", operation);
    return entry;
}

/* --- v1 --- */

/* Opened by whoever has the controller; -1 where it is not mounted. */
static int open_v1(const char *controller, const char *path)
{
    const char *directory = cgroup_v1_directory(controller);
    if (!directory)
        return -1;
    _cleanup_free_ char *folder = xasprintf(CGROUP_ROOT "/%s/%s", directory, path + (*path == '/'));
    return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* "8:0 Read 4096" lines; the last line is "Total n". */
static void read_io_v1(int folder, const char *file, struct cgroup_io *io)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!read_text(folder, file, &text))
        return;
    _cleanup_strlist_ struct strlist lines = strlist_split(strbuf_text(&text), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        uint64_t major, minor, value;
        char operation[12];
        if (sscanf(lines.items[i], "%" SCNu64 ":%" SCNu64 " %11s %" SCNu64, &major, &minor, operation, &value) == 4)
            add_entry(io, major, minor, operation, value);
    }
}

static void read_cpu_v1(const char *path, struct cgroup_stats *out)
{
    _cleanup_close_ int account = open_v1("cpuacct", path), cpu = open_v1("cpu", path);
    _cleanup_free_ char *stat = take_text(account, "cpuacct.stat"), *throttling = take_text(cpu, "cpu.stat");
    _cleanup_strbuf_ struct strbuf each = STRBUF_INIT;
    uint64_t tick = NANOSECONDS / (uint64_t)sysconf(_SC_CLK_TCK);
    out->cpu_total = read_number(account, "cpuacct.usage");
    out->cpu_kernel = number_of(stat, "system") * tick;
    out->cpu_user = number_of(stat, "user") * tick;
    out->periods = number_of(throttling, "nr_periods");
    out->throttled_periods = number_of(throttling, "nr_throttled");
    out->throttled_time = number_of(throttling, "throttled_time");
    read_text(account, "cpuacct.usage_percpu", &each);
    char *end;
    for (const char *at = strbuf_text(&each);; at = end) {
        uint64_t value = strtoull(at, &end, 10);
        if (end == at)
            break;
        *APPEND(out->cpu_each, out->cpu_count) = value;
    }
}

static bool read_v1(const char *path, struct cgroup_stats *out)
{
    _cleanup_close_ int memory = open_v1("memory", path), pids = open_v1("pids", path), io = open_v1("blkio", path);
    if (memory < 0 && pids < 0 && io < 0)
        return false;
    read_cpu_v1(path, out);
    out->has_memory = memory >= 0;
    out->memory = read_number(memory, "memory.usage_in_bytes");
    out->memory_peak = read_number(memory, "memory.max_usage_in_bytes");
    out->memory_failures = read_number(memory, "memory.failcnt");
    out->memory_limit = read_number(memory, "memory.limit_in_bytes");
    out->memory_stat = take_text(memory, "memory.stat");
    out->pids = read_number(pids, "pids.current");
    out->pids_limit = read_number(pids, "pids.max");
    read_io_v1(io, "blkio.throttle.io_service_bytes", &out->bytes);
    read_io_v1(io, "blkio.throttle.io_serviced", &out->operations);
    return true;
}

/* --- v2 --- */

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0" lines. */
static void read_io_v2(int folder, struct cgroup_stats *out)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!read_text(folder, "io.stat", &text))
        return;
    static const struct {
        const char *key, *operation;
        bool is_bytes;
    } fields[] = {
        {" rbytes=", "read", true}, {" wbytes=", "write", true}, {" rios=", "read", false}, {" wios=", "write", false}};
    _cleanup_strlist_ struct strlist lines = strlist_split(strbuf_text(&text), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        uint64_t major, minor;
        if (sscanf(lines.items[i], "%" SCNu64 ":%" SCNu64, &major, &minor) != 2)
            continue;
        for (size_t k = 0; k < ARRAY_SIZE(fields); k++) {
            const char *at = strstr(lines.items[i], fields[k].key);
            if (at)
                add_entry(fields[k].is_bytes ? &out->bytes : &out->operations, major, minor, fields[k].operation,
                          strtoull(at + strlen(fields[k].key), NULL, 10));
        }
    }
}

static bool read_v2(const char *path, struct cgroup_stats *out)
{
    _cleanup_free_ char *whole = xasprintf(CGROUP_ROOT "/%s", path + (*path == '/'));
    _cleanup_close_ int folder = open(whole, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return false;
    _cleanup_free_ char *cpu = take_text(folder, "cpu.stat"), *events = take_text(folder, "memory.events");
    out->cpu_total = number_of(cpu, "usage_usec") * 1000;
    out->cpu_kernel = number_of(cpu, "system_usec") * 1000;
    out->cpu_user = number_of(cpu, "user_usec") * 1000;
    out->periods = number_of(cpu, "nr_periods");
    out->throttled_periods = number_of(cpu, "nr_throttled");
    out->throttled_time = number_of(cpu, "throttled_usec") * 1000;
    out->has_memory = faccessat(folder, "memory.current", F_OK, 0) == 0;
    out->memory = read_number(folder, "memory.current");
    out->memory_limit = read_number(folder, "memory.max");
    out->memory_failures = number_of(events, "oom");
    out->memory_stat = take_text(folder, "memory.stat");
    out->pids = read_number(folder, "pids.current");
    out->pids_limit = read_number(folder, "pids.max");
    read_io_v2(folder, out);
    return true;
}

bool cgroup_stats_read(const char *path, struct cgroup_stats *out, struct error *err)
{
    struct cgroup_stats stats = {.version = cgroup_version()};
    bool is_there = string_is_set(path) && (stats.version == 2 ? read_v2(path, &stats) : read_v1(path, &stats));
    if (!is_there)
        return error_set(err, ERROR_NOT_FOUND, "cgroup %s: no such file or directory", string_or_empty(path));
    *out = stats;
    return true;
}

void cgroup_stats_release(struct cgroup_stats *stats)
{
    free(stats->cpu_each);
    free(stats->memory_stat);
    free(stats->bytes.entries);
    free(stats->operations.entries);
    *stats = (struct cgroup_stats){0};
}
