#include "engine/container_events.h"

#include "base/memory.h"
#include "engine/engine_state.h"

void container_event_networks(struct container *container, const struct record_map *endpoints, const char *action)
{
    struct engine *engine = container->engine;
    for (size_t i = 0; i < endpoints->keys.count; i++) {
        struct network_record network = {0};
        if (network_get(engine->network, endpoints->keys.items[i], &network, NULL))
            event_emit_pairs(engine, "network", action, network.id, "container", container->record.id, "name",
                             network.name, "type", network.driver, NULL);
        record_release(&network_record_type, &network);
    }
}

void container_event_volume(struct container *container, const struct mount_point *point, bool is_mount)
{
    if (!string_equal(point->type, "volume") || !point->name)
        return;
    const char *driver = string_is_set(point->driver) ? point->driver : "local";
    if (is_mount)
        event_emit_pairs(container->engine, "volume", "mount", point->name, "driver", driver, "container",
                         container->record.id, "destination", point->destination, "read/write",
                         point->is_writable ? "true" : "false", "propagation", string_or_empty(point->propagation),
                         NULL);
    else
        event_emit_pairs(container->engine, "volume", "unmount", point->name, "driver", driver, "container",
                         container->record.id, NULL);
}

void container_event_volumes(struct container *container, bool is_start)
{
    const struct record_list *mounts = &container->record.mounts;
    for (size_t i = 0; i < mounts->count; i++)
        container_event_volume(container, &RECORD_AT(*mounts, struct container_mount, i)->point, is_start);
}

void container_event_exit(struct container *container, const struct shim_exit *exit, bool is_stopped)
{
    const struct container_record *record = &container->record;
    char code[16], seconds[32];
    snprintf(code, sizeof(code), "%d", exit->exit_code);
    int64_t run_time = record->finished_at - record->started_at;
    snprintf(seconds, sizeof(seconds), "%lld", (long long)(MAX(run_time, INT64_C(0)) / NANOSECONDS_PER_SECOND));
    if (exit->is_oom_killed)
        container_event(container, "oom", NULL);
    container_event_networks(container, &record->endpoints, "disconnect");
    container_event_volumes(container, false);
    /* Docker's stop is awake before its exit handler has come to the end. */
    if (is_stopped)
        container_event(container, "stop", NULL);
    container_event(container, "die", "exitCode", code, "execDuration", seconds, NULL);
}

void container_event_kill(struct container *container, int signal_number)
{
    char number[16];
    snprintf(number, sizeof(number), "%d", signal_number);
    container_event(container, "kill", "signal", number, NULL);
}
