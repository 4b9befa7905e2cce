/* The events that go along with a container's runs: what it joins and mounts, and how it ends. */
#pragma once

#include "engine/container.h"

/* "connect" or "disconnect" for each network of the map (of struct endpoint_settings). Without the lock. */
void container_event_networks(struct container *container, const struct record_map *endpoints, const char *action);
/* Every volume is mounted at the start, and unmounted at the end. */
void container_event_volumes(struct container *container, bool is_start);
/* The same of one mount, which may be of another kind: then there is none. */
void container_event_volume(struct container *container, const struct mount_point *point, bool is_mount);
/* The end of a run: oom, the networks, the volumes, then (asked for by a stop) stop, and die. */
void container_event_exit(struct container *container, const struct shim_exit *exit, bool is_stopped);
/* kill, with the signal's number. */
void container_event_kill(struct container *container, int signal_number);
