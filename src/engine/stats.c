#include "engine/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/engine_state.h"

#define FILE_LIMIT ((size_t)1 << 20)

struct interface_counters *interfaces_parse(const char *text, size_t *count)
{
    struct interface_counters *list = NULL;
    *count = 0;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *colon = strchr(line, ':');
        const char *end = strchr(line, '\n');
        if (!colon || (end && colon > end))
            continue;
        const char *name = line + strspn(line, " ");
        struct interface_counters one = {0};
        if ((size_t)(colon - name) >= sizeof(one.name) || (colon - name == 2 && strncmp(name, "lo", 2) == 0))
            continue;
        memcpy(one.name, name, (size_t)(colon - name));
        /* bytes packets errs drop fifo frame compressed multicast, and the same for what was sent */
        if (sscanf(colon + 1,
                   "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64
                   " %" SCNu64,
                   &one.rx_bytes, &one.rx_packets, &one.rx_errors, &one.rx_dropped, &one.tx_bytes, &one.tx_packets,
                   &one.tx_errors, &one.tx_dropped) == 8)
            *APPEND(list, *count) = one;
    }
    return list;
}

/* The processor time of the machine as Docker counts it: user, nice, system, idle, iowait, irq and softirq. */
static void read_system(struct stats_sample *out)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    uint64_t v[7] = {0};
    if (!file_read(AT_FDCWD, "/proc/stat", FILE_LIMIT, &text, NULL))
        return;
    const char *line = strbuf_text(&text);
    if (sscanf(line, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &v[0],
               &v[1], &v[2], &v[3], &v[4], &v[5], &v[6]) != 7)
        return;
    uint64_t ticks = 0;
    for (size_t i = 0; i < ARRAY_SIZE(v); i++)
        ticks += v[i];
    out->system_time = ticks * ((uint64_t)NANOSECONDS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK));
    while ((line = strstr(line, "\ncpu"))) {
        line += strlen("\ncpu");
        out->processors++;
    }
}

static void read_interfaces(pid_t pid, struct stats_sample *out)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)pid);
    if (file_read(AT_FDCWD, path, FILE_LIMIT, &text, NULL))
        out->interfaces = interfaces_parse(strbuf_text(&text), &out->interface_count);
}

void stats_sample_take(struct container *container, struct stats_sample *out)
{
    *out = (struct stats_sample){0};
    container_lock(container);
    bool has_process = status_has_process(container->status);
    pid_t pid = (pid_t)container->record.pid;
    _cleanup_free_ char *cgroup = has_process ? xstrdup(container->record.cgroups_path) : NULL;
    bool has_network = !string_equal(container->record.host_config.network_mode, "host");
    container_unlock(container);
    /* It may have ended meanwhile: then there is no cgroup. */
    if (!has_process || !cgroup_stats_read(cgroup, &out->cgroup, NULL))
        return;
    out->time = clock_now();
    read_system(out);
    if (has_network)
        read_interfaces(pid, out);
}

void stats_sample_release(struct stats_sample *sample)
{
    cgroup_stats_release(&sample->cgroup);
    free(sample->interfaces);
    *sample = (struct stats_sample){0};
}

/* Waits for the time of the next sample; false where the client has left first. */
static bool wait_until(int64_t deadline, int client)
{
    for (;;) {
        int64_t left = deadline - clock_monotonic();
        if (left <= 0)
            return true;
        struct pollfd poll_fd = {.fd = client, .events = POLLRDHUP};
        int count = poll(&poll_fd, 1, (int)(left / 1000000) + 1);
        if (count > 0 && poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR))
            return false;
        if (count < 0 && errno != EINTR)
            return false;
    }
}

static bool is_gone(struct container *container)
{
    container_lock(container);
    bool is_removed = container->is_removed;
    container_unlock(container);
    return is_removed;
}

static bool send_sample(struct container *container, const struct stats_sample *sample,
                        const struct stats_sample *previous, bool has_name, stream_write write, void *context)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    stats_write(container, sample, previous, has_name, &text);
    return write(context, text.data, text.length);
}

struct container_stats {
    struct container *container;
};

struct container_stats *container_stats_open(struct engine *engine, const char *reference, struct error *err)
{
    struct container *container = container_find(engine, reference, err);
    if (!container)
        return NULL;
    struct container_stats *stats = NEW(struct container_stats);
    stats->container = container;
    return stats;
}

void container_stats_run(struct container_stats *stats, enum stats_mode mode, stream_write write, void *context,
                         int client)
{
    struct container *container = stats->container;
    struct stats_sample previous = {0};
    int64_t next = clock_monotonic();
    bool goes_on = true;
    for (bool is_first = true; goes_on; is_first = false) {
        struct stats_sample sample;
        stats_sample_take(container, &sample);
        /* A single answer waits for its second sample, unless there is nothing to measure. */
        bool is_shown = mode != STATS_SINGLE || !is_first || !sample.time;
        goes_on = !is_shown ||
                  (send_sample(container, &sample, &previous, mode != STATS_ONE_SHOT || !sample.time, write, context) &&
                   mode == STATS_STREAM);
        stats_sample_release(&previous);
        previous = sample;
        next += NANOSECONDS_PER_SECOND;
        goes_on = goes_on && wait_until(next, client) && !is_gone(container);
    }
    stats_sample_release(&previous);
    container_unref(container);
    free(stats);
}
