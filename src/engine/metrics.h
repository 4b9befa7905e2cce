/* Numbers for Prometheus, with the names of Docker's where they mean the same. */
#pragma once

#include <stdatomic.h>

#include "base/strbuf.h"
#include "engine/engine.h"

/* The text form 0.0.4 of everything: the engine's numbers, and what each running container uses. */
void engine_metrics(struct engine *engine, struct strbuf *out);

/* --- for the engine's files --- */

enum metric_action { ACTION_CREATE, ACTION_DELETE, ACTION_START, ACTION_COUNT };
enum metric_counter { METRIC_EVENTS, METRIC_HEALTH_CHECKS, METRIC_HEALTH_CHECKS_FAILED, METRIC_COUNTER_COUNT };
#define METRIC_BUCKETS 12 /* the last one has no bound */

struct metrics {
    atomic_uint_fast64_t counters[METRIC_COUNTER_COUNT];
    struct {
        atomic_uint_fast64_t buckets[METRIC_BUCKETS];
        atomic_uint_fast64_t nanoseconds;
    } actions[ACTION_COUNT];
};
void metrics_count(struct metrics *metrics, enum metric_counter counter);
/* An action that began at `begin` of clock_monotonic has ended. */
void metrics_observe(struct metrics *metrics, enum metric_action action, int64_t begin);
