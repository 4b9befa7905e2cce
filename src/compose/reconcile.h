/* Makes the engine have what a project says, and only changes what differs. */
#pragma once

#include <pthread.h>

#include "compose/project.h"
#include "compose/state.h"
#include "compose/tasks.h"

/* What is told of each resource: "Container", "x-web-1", "Creating". Called by several threads, one at a time. */
struct reporter {
    void (*report)(void *report_context, const char *kind, const char *name, const char *status, bool is_end);
    /* A line of its own (warnings). */
    void (*say)(void *report_context, const char *text);
    void *report_context;
};

struct up_options {
    bool forces_recreate, never_recreates, recreates_dependencies, renews_volumes, removes_orphans, never_builds;
    bool ignores_orphans, is_quiet_pull;
    const char *pull;             /* "always", "missing", "never" or NULL: what services say */
    int64_t timeout;              /* seconds to stop; negative: each container's own */
    const struct strmap *scale;   /* service to number; may be NULL */
    const struct strlist *direct; /* services that were named: the others are dependencies. NULL or empty: all are */
    /* Builds the image of a service. NULL: builds are refused. */
    bool (*build)(void *build_context, struct client *client, const char *service, struct error *err);
    void *build_context;
    bool builds_always;
    /* Adds what a request about images of a registry's domain has to say who the user is. Called by several threads.
       NULL: nothing is said. */
    bool (*authenticate)(const void *authenticate_context, const char *domain, struct strmap *headers,
                         struct error *err);
    const void *authenticate_context;
};

struct reconciler {
    const struct project *project;
    const struct up_options *options;
    const struct workers *workers;
    const struct reporter *reporter;
    pthread_mutex_t lock; /* guards state and images */
    struct compose_state state;
    json_t *images; /* image name to its inspection */
};
void reconciler_release(struct reconciler *reconciler);
#define _cleanup_reconciler_ _cleanup_(reconciler_release)
#define RECONCILER_INIT(project_, options_, workers_, reporter_)                                                       \
    ((struct reconciler){.project = (project_),                                                                        \
                         .options = (options_),                                                                        \
                         .workers = (workers_),                                                                        \
                         .reporter = (reporter_),                                                                      \
                         .lock = PTHREAD_MUTEX_INITIALIZER})

void reconciler_report(struct reconciler *reconciler, const char *kind, const char *name, const char *status,
                       bool is_end);

/* What is to be done for one service. */
struct service_job {
    struct reconciler *reconciler;
    const char *name;
    const json_t *service;
    size_t task;
    struct client *client; /* of the thread that works on it, where the function keeps it */
};
/* converge.c: runs a function for each service, those that it depends on first; `subject` is its struct service_job. */
bool services_run(struct reconciler *reconciler,
                  bool (*run)(void *context, void *subject, struct client *client, struct error *err),
                  struct error *err);

/* images.c: every image is there afterwards. */
bool ensure_images(struct reconciler *reconciler, struct error *err);
/* resources.c */
bool ensure_networks(struct reconciler *reconciler, struct client *client, struct error *err);
bool ensure_volumes(struct reconciler *reconciler, struct client *client, struct error *err);
/* converge.c: containers are created, replaced and removed until they are as they should be. */
bool ensure_containers(struct reconciler *reconciler, struct error *err);
/* Creates one container (of `run`), and returns its id; caller frees. */
char *create_oneoff(struct reconciler *reconciler, struct client *client, const char *service_name,
                    const json_t *service, const char *name, bool with_ports, bool with_aliases, struct error *err);
/* begin.c: starts what does not run, each service after what it depends on is as it asked. */
bool start_containers(struct reconciler *reconciler, struct error *err);
/* Waits until all are healthy, where they have a check, and running. `limit` seconds; 0: without end. */
bool wait_healthy(struct reconciler *reconciler, int64_t limit, struct error *err);

/* All of it: images, networks, volumes, containers; and starts them with `starts`. */
bool project_up(struct reconciler *reconciler, bool starts, struct error *err);

struct down_options {
    bool removes_volumes, removes_orphans;
    const char *images; /* --rmi: NULL, "local", "all" */
    int64_t timeout;
};
/* down.c: removes what the project has. Without files (model NULL) all is found by its labels. */
bool project_down(struct reconciler *reconciler, const struct down_options *options, char *const *services,
                  size_t count, struct error *err);
enum container_verb { VERB_STOP, VERB_KILL, VERB_RESTART, VERB_PAUSE, VERB_UNPAUSE, VERB_REMOVE, VERB_STOP_REMOVE };
/* Does it to the containers of state, dependents first; `argument`: a signal. */
bool containers_each(struct reconciler *reconciler, enum container_verb verb, int64_t timeout, const char *signal,
                     bool with_volumes, struct error *err);
/* stop?t= where a timeout was given. */
char *stop_path(const char *id, const char *verb, int64_t timeout);
