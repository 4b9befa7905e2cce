/* Ends of containers that the engine itself decides. */
#pragma once

#include "engine/container.h"

/* Seconds between the stop signal and SIGKILL; negative: for ever. */
int64_t container_stop_timeout(const struct container *container);
/* As a stop, but the container is started again whatever its policy says. Waits for the end. */
bool container_end_unhealthy(struct container *container, struct error *err);
/* As a stop, at the engine's end: restart policies go on with the next engine. */
bool container_end_at_shutdown(struct container *container, struct error *err);
