/* Times at which the supervisor has something to do for a container, as one heap for the whole engine: setting one
   costs the logarithm of their number, and nothing is looked at before its time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct engine;
struct container;

struct deadline {
    int64_t at;                               /* CLOCK_MONOTONIC nanoseconds */
    size_t place;                             /* in the heap, counted from 1; 0: not set */
    struct container *container;              /* [fixed]; referenced while it is set */
    void (*due)(struct container *container); /* [fixed]; on the supervisor's thread, which must not be held up */
};

struct deadline_heap {
    struct deadline **items;
    size_t count;
};

/* Sets it, or moves it. Callable with any lock of the engine held; so is the next. */
void deadline_set(struct engine *engine, struct deadline *deadline, int64_t at);
void deadline_clear(struct engine *engine, struct deadline *deadline);
/* Calls what is due; returns the milliseconds until the next one is, or -1. */
int deadline_run(struct engine *engine);
/* At the engine's end, when no thread runs any more. */
void deadline_release(struct engine *engine);
