/* The engine's own struct, for the files of this room. */
#pragma once

#include <pthread.h>

#include "engine/container.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/log_watch.h"
#include "engine/metrics.h"

struct engine {
    struct engine_options options; /* strings owned */
    struct store *store;
    struct network_manager *network;
    struct registry *registry;
    struct event_hub *events;
    struct volume_table *volumes;

    pthread_mutex_t table_lock;    /* see container.h for the order of locks */
    struct container **containers; /* in order of creation */
    size_t container_count;
    bool is_serving;
    int *held_watches; /* of execs whose clients shall not ask before the API is there */
    size_t held_count;
    struct exec_session **execs;
    size_t exec_count;

    pthread_mutex_t deadline_lock; /* innermost, with the events' own */
    struct deadline_heap deadlines;
    struct health_probe *ended_probes; /* the supervisor's */

    int epoll; /* the supervisor's */
    int wake;  /* eventfd: there is a new deadline, or it is time to stop */
    pthread_t supervisor;
    bool has_supervisor;
    atomic_bool is_stopping;

    struct log_watches log_watches;

    pthread_mutex_t job_lock;
    pthread_cond_t job_ended;
    size_t job_count; /* background threads that still run */

    atomic_bool is_checking; /* check.c */
    atomic_bool is_pruning;  /* containers or networks */
    struct metrics metrics;
};

/* Runs function(container) in a thread of its own, with a reference held; engine_close waits for it. */
void engine_run_job(struct container *container, void (*function)(struct container *container));

bool supervisor_start(struct engine *engine, struct error *err);
void supervisor_stop(struct engine *engine);
/* The watch's owner stays referenced until its end was handled. Callable from every thread. */
void supervisor_watch(struct engine *engine, struct watch *watch);
/* There is a new first deadline. */
void supervisor_wake(struct engine *engine);

/* recover.c */
bool engine_recover(struct engine *engine, struct error *err);
