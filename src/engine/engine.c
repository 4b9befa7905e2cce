#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/exec.h"
#include "engine/health.h"
#include "engine/stop.h"
#include "engine/storage.h"
#include "engine/volume.h"
#include "runtime/cgroup.h"
#include "runtime/defaults.h"
#include "runtime/seccomp.h"

/* In seconds. */
#define JOB_GRACE            10        /* for starts and checks that are under way at the end */
#define STOP_GRACE           5         /* beyond a container's own stop timeout */
#define SHUTDOWN_TIMEOUT_MAX 315360000 /* ten years: what is longer overflows nowhere */

static void copy_options(struct engine_options *to, const struct engine_options *from)
{
    *to = *from;
    to->data_root = xstrdup(from->data_root);
    to->exec_root = xstrdup(from->exec_root);
    to->shim_program = xstrdup(from->shim_program);
    to->init_program = xstrdup(from->init_program);
    to->logger_program = xstrdup(from->logger_program);
    to->cgroup_parent = xstrdup(from->cgroup_parent);
    to->network.bridge_name = xstrdup(from->network.bridge_name);
    to->network.bridge_address = xstrdup(from->network.bridge_address);
    to->default_log = (struct log_config){.type = xstrdup(from->default_log.type)};
    strmap_copy(&to->default_log.config, &from->default_log.config);
    to->registry.insecure = to->registry.mirrors = (struct strlist){0};
    strlist_copy(&to->registry.insecure, &from->registry.insecure);
    strlist_copy(&to->registry.mirrors, &from->registry.mirrors);
}

static void release_options(struct engine_options *options)
{
    const char *const owned[] = {
        options->data_root,       options->exec_root,     options->shim_program,        options->init_program,
        options->logger_program,  options->cgroup_parent, options->network.bridge_name, options->network.bridge_address,
        options->default_log.type};
    for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
        free((void *)(uintptr_t)owned[i]);
    strmap_release(&options->default_log.config);
    strlist_release(&options->registry.insecure);
    strlist_release(&options->registry.mirrors);
}

/* The first container need not wait for the compiler of the default policy. */
static void *warm_seccomp(void *context)
{
    struct engine *engine = context;
    _cleanup_strlist_ struct strlist capabilities = {0};
    struct bytes filter;
    defaults_capabilities(&capabilities);
    struct error err = ERROR_INIT;
    if (!seccomp_default_filter(&capabilities, &filter, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "cannot compile the default seccomp policy");
    pthread_mutex_lock(&engine->job_lock);
    engine->job_count--;
    pthread_cond_broadcast(&engine->job_ended);
    pthread_mutex_unlock(&engine->job_lock);
    return NULL;
}

static bool start_thread(struct engine *engine, void *(*function)(void *), void *context)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 512 << 10);
    pthread_mutex_lock(&engine->job_lock);
    bool is_started = pthread_create(&thread, &attributes, function, context) == 0;
    if (is_started)
        engine->job_count++;
    pthread_mutex_unlock(&engine->job_lock);
    pthread_attr_destroy(&attributes);
    return is_started;
}

struct job {
    struct container *container;
    void (*function)(struct container *container);
};

static void *run_job(void *context)
{
    struct job *job = context;
    struct engine *engine = job->container->engine;
    job->function(job->container);
    container_unref(job->container);
    free(job);
    pthread_mutex_lock(&engine->job_lock);
    engine->job_count--;
    pthread_cond_broadcast(&engine->job_ended);
    pthread_mutex_unlock(&engine->job_lock);
    return NULL;
}

void engine_run_job(struct container *container, void (*function)(struct container *container))
{
    struct job *job = NEW(struct job);
    *job = (struct job){.container = container_ref(container), .function = function};
    if (start_thread(container->engine, run_job, job))
        return;
    /* No thread to be had: the work must be done all the same. */
    function(container);
    container_unref(container);
    free(job);
}

static bool open_parts(struct engine *engine, struct error *err)
{
    const struct engine_options *options = &engine->options;
    if (!directory_make(options->data_root, 0711, err) || !directory_make(options->exec_root, 0711, err))
        return false;
    engine->store = store_open(options->data_root, err);
    if (!engine->store)
        return false;
    storage_begin(engine);
    engine->network = network_open(store_database(engine->store), &options->network, err);
    if (!engine->network)
        return false;
    engine->registry = registry_new(engine->store, &options->registry);
    engine->volumes = volume_table_open(engine, err);
    if (!engine->volumes)
        return false;
    engine->epoll = epoll_create1(EPOLL_CLOEXEC);
    engine->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (engine->epoll < 0 || engine->wake < 0 || epoll_ctl(engine->epoll, EPOLL_CTL_ADD, engine->wake, &event) < 0)
        return error_errno(err, "cannot make the supervisor's epoll set");
    return engine_recover(engine, err) && network_begin(engine->network, err) && supervisor_start(engine, err);
}

struct engine *engine_open(const struct engine_options *options, struct error *err)
{
    struct engine *engine = NEW(struct engine);
    engine->epoll = engine->wake = -1;
    engine->events = event_hub_new();
    copy_options(&engine->options, options);
    pthread_mutex_init(&engine->table_lock, NULL);
    log_watches_init(&engine->log_watches);
    pthread_mutex_init(&engine->job_lock, NULL);
    pthread_mutex_init(&engine->deadline_lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&engine->job_ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (!open_parts(engine, err)) {
        (void)engine_close(engine);
        return NULL;
    }
    start_thread(engine, warm_seccomp, engine);
    return engine;
}

static void job_stop(struct container *container)
{
    struct error err = ERROR_INIT;
    if (!container_end_at_shutdown(container, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "container %s could not be stopped", container->record.id);
}

/* Until `seconds` are over; negative: for ever. False where jobs still run then. */
static bool wait_for_jobs(struct engine *engine, int64_t seconds)
{
    int64_t now = clock_monotonic();
    const struct timespec until = {now / NANOSECONDS_PER_SECOND + seconds, now % NANOSECONDS_PER_SECOND};
    int failure = 0;
    pthread_mutex_lock(&engine->job_lock);
    while (engine->job_count > 0 && !failure)
        failure = seconds < 0 ? pthread_cond_wait(&engine->job_ended, &engine->job_lock)
                              : pthread_cond_timedwait(&engine->job_ended, &engine->job_lock, &until);
    pthread_mutex_unlock(&engine->job_lock);
    return !failure;
}

/* As Docker: the shutdown timeout, or the longest that a container may take to stop, with some grace. */
static int64_t time_to_stop(const struct container *container, int64_t longest)
{
    int64_t own = container_stop_timeout(container);
    if (longest < 0 || own < 0)
        return -1;
    own = MIN(own, SHUTDOWN_TIMEOUT_MAX) + STOP_GRACE;
    return MAX(longest, own);
}

/* All at once, each with its own stop signal and timeout. Their policies start them again with the next engine. False
   where some did not stop in time. */
static bool stop_all(struct engine *engine)
{
    int64_t limit = MIN(engine->options.shutdown_timeout, SHUTDOWN_TIMEOUT_MAX);
    size_t count;
    struct container **all = container_snapshot(engine, &count);
    for (size_t i = 0; i < count; i++) {
        container_lock(all[i]);
        bool is_running = status_is_running(all[i]->status);
        if (is_running)
            limit = time_to_stop(all[i], limit);
        container_unlock(all[i]);
        if (is_running)
            engine_run_job(all[i], job_stop);
    }
    container_snapshot_release(all, count);
    return wait_for_jobs(engine, limit);
}

/* The cgroup that holds the containers' own goes when it is empty: other engines may share it. */
static void remove_cgroup_parent(const struct engine *engine)
{
    _cleanup_free_ pid_t *pids = NULL;
    size_t count = 0;
    const char *parent = engine->options.cgroup_parent;
    if (string_is_set(parent) && parent[0] == '/' && parent[1] && cgroup_processes(parent, &pids, &count, NULL) &&
        count == 0)
        cgroup_destroy(parent);
}

bool engine_close(struct engine *engine)
{
    if (!engine)
        return true;
    if (engine->options.stops_containers_at_shutdown && engine->has_supervisor && !stop_all(engine))
        return false;
    supervisor_stop(engine);
    if (!wait_for_jobs(engine, JOB_GRACE))
        return false;
    exec_table_release(engine);
    deadline_release(engine);
    remove_cgroup_parent(engine);
    for (size_t i = 0; i < engine->container_count; i++) {
        struct container *container = engine->containers[i];
        bool is_watched = container->watch.fd >= 0;
        container_unref(container);
        if (is_watched) /* the supervisor's reference */
            container_unref(container);
    }
    free(engine->containers);
    close_fd(engine->epoll);
    close_fd(engine->wake);
    registry_free(engine->registry);
    volume_table_free(engine->volumes);
    if (engine->network)
        network_close(engine->network);
    if (engine->store)
        store_close(engine->store);
    event_hub_free(engine->events);
    release_options(&engine->options);
    log_watches_release(&engine->log_watches);
    pthread_cond_destroy(&engine->job_ended);
    pthread_mutex_destroy(&engine->job_lock);
    pthread_mutex_destroy(&engine->table_lock);
    pthread_mutex_destroy(&engine->deadline_lock);
    free(engine);
    return true;
}

struct store *engine_store(struct engine *engine)
{
    return engine->store;
}

struct registry *engine_registry(struct engine *engine)
{
    return engine->registry;
}

struct network_manager *engine_network(struct engine *engine)
{
    return engine->network;
}

const struct engine_options *engine_options(const struct engine *engine)
{
    return &engine->options;
}

void engine_set_shutdown(struct engine *engine, bool stops_containers, int64_t timeout)
{
    engine->options.stops_containers_at_shutdown = stops_containers;
    engine->options.shutdown_timeout = timeout;
}

void engine_count(struct engine *engine, struct engine_counts *out)
{
    struct engine_counts counts = {0};
    size_t count;
    struct container **all = container_snapshot(engine, &count);
    counts.containers = count;
    for (size_t i = 0; i < count; i++) {
        container_lock(all[i]);
        enum container_status status = all[i]->status;
        container_unlock(all[i]);
        if (status == STATUS_PAUSED)
            counts.paused++;
        else if (status == STATUS_RUNNING || status == STATUS_RESTARTING)
            counts.running++;
        else
            counts.stopped++;
    }
    container_snapshot_release(all, count);
    struct image *images = NULL;
    if (image_list(engine->store, &images, &counts.images, NULL)) {
        for (size_t i = 0; i < counts.images; i++)
            image_release(&images[i]);
        free(images);
    }
    *out = counts;
}
