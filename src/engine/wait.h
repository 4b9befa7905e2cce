/* Those who wait for a container's exit: a list below the container's lock, woken through eventfds. */
#pragma once

#include "engine/container.h"

struct container_wait {
    struct container *container; /* referenced */
    enum wait_condition condition;
    int event; /* eventfd: readable once is_over */
    bool is_over;
    struct container_exit exit;
    struct container_wait *next; /* in the container's list, under its lock, until is_over */
};

/* With the container's lock held: subscribes. `condition` may already hold. */
struct container_wait *container_wait_add(struct container *container, enum wait_condition condition,
                                          struct error *err);
void container_wait_free(struct container_wait *wait);
