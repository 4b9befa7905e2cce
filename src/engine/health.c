#include "engine/health.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/exec.h"
#include "engine/unhealthy.h"

#define DEFAULT_INTERVAL       (30 * NANOSECONDS_PER_SECOND)
#define DEFAULT_START_INTERVAL (5 * NANOSECONDS_PER_SECOND)
#define DEFAULT_TIMEOUT        (30 * NANOSECONDS_PER_SECOND)
#define DEFAULT_RETRIES        3
#define OUTPUT_LIMIT           4096
#define LOG_LENGTH             5

/* A check that runs. It is the container's `probe` until it has ended or was given up. */
struct health_probe {
    struct container *container; /* referenced */
    char exec_id[ID_LENGTH + 1];
    unix_nano started;
    struct watch watch; /* our end of the check's output */
    struct strbuf output;
    bool is_truncated, is_timed_out, is_given_up, is_running; /* the last three below the container's lock */
    struct health_probe *next;
};

bool health_is_checked(const struct container_config *config)
{
    const struct health_config *health = config->healthcheck;
    return health && health->test.count > 0 &&
           (string_equal(health->test.items[0], "CMD") || string_equal(health->test.items[0], "CMD-SHELL"));
}

const char *health_status(const struct container *container)
{
    const struct health *health = container->record.health;
    return health ? health->status : "none";
}

bool health_validate(const struct health_config *health, struct error *err)
{
    if (!health)
        return true;
    const struct {
        const char *name;
        int64_t value;
    } durations[] = {{"Interval", health->interval},
                     {"Timeout", health->timeout},
                     {"StartPeriod", health->start_period},
                     {"StartInterval", health->start_interval}};
    for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
        if (i == 2 && health->retries < 0)
            return error_set(err, ERROR_INVALID, "Retries in Healthcheck cannot be negative");
        if (durations[i].value != 0 && durations[i].value < NANOSECONDS_PER_SECOND / 1000)
            return error_set(err, ERROR_INVALID, "%s in Healthcheck cannot be less than 1ms", durations[i].name);
    }
    return true;
}

void health_merge(struct container_config *config, const struct container_config *image)
{
    const struct health_config *theirs = image->healthcheck;
    if (!theirs)
        return;
    bool is_own = config->healthcheck != NULL;
    struct health_config *own = is_own ? config->healthcheck : (config->healthcheck = NEW(struct health_config));
    if (own->test.count == 0)
        strlist_copy(&own->test, &theirs->test);
    own->interval = own->interval ? own->interval : theirs->interval;
    own->timeout = own->timeout ? own->timeout : theirs->timeout;
    own->start_period = own->start_period ? own->start_period : theirs->start_period;
    own->start_interval = own->start_interval ? own->start_interval : theirs->start_interval;
    own->retries = own->retries ? own->retries : theirs->retries;
}

static int64_t or_default(int64_t value, int64_t when_missing)
{
    return value > 0 ? value : when_missing;
}

/* Until the next check: more often while the container starts. With the lock held. */
static int64_t interval_of(const struct container *container)
{
    const struct health_config *config = container->record.config.healthcheck;
    bool is_starting = clock_now() - container->record.started_at < config->start_period &&
                       string_equal(health_status(container), "starting");
    return is_starting ? or_default(config->start_interval, DEFAULT_START_INTERVAL)
                       : or_default(config->interval, DEFAULT_INTERVAL);
}

static void schedule(struct container *container, int64_t delay)
{
    deadline_set(container->engine, &container->health_deadline, clock_monotonic() + MAX(delay, INT64_C(1)));
}

/* --- the state --- */

void health_start(struct container *container)
{
    if (!health_is_checked(&container->record.config))
        return;
    container_lock(container);
    if (!container->record.health)
        container->record.health = NEW(struct health);
    struct health *health = container->record.health;
    string_replace(&health->status, "starting");
    health->failing_streak = 0;
    container->is_health_watched = true;
    int64_t delay = interval_of(container);
    container_unlock(container);
    schedule(container, delay);
}

void health_resume(struct container *container)
{
    container_lock(container);
    const struct health *health = container->record.health;
    bool is_watched = health && health_is_checked(&container->record.config) && container->status == STATUS_RUNNING;
    int64_t delay = 0;
    if (is_watched) {
        container->is_health_watched = true;
        delay = interval_of(container);
    }
    container_unlock(container);
    if (is_watched)
        schedule(container, delay);
}

static void kill_probe(struct container *container, const char *exec_id)
{
    _cleanup_free_ char *directory = container_run_path(container);
    struct error err = ERROR_INIT;
    if (!shim_kill_exec(directory, exec_id, SIGKILL, &err) && err.kind != ERROR_NOT_FOUND)
        log_and_release(LOG_LEVEL_WARNING, &err, "the health check of container %s cannot be killed",
                        container->record.id);
    error_release(&err);
}

/* As Docker, a container whose checks have ended is unhealthy. */
void health_stop(struct container *container)
{
    char running[ID_LENGTH + 1] = "";
    container_lock(container);
    bool was_watched = container->is_health_watched;
    container->is_health_watched = false;
    struct health_probe *probe = TAKE_PTR(container->probe);
    if (probe) {
        probe->is_given_up = true;
        if (probe->is_running)
            memcpy(running, probe->exec_id, sizeof(running));
    }
    if (was_watched && container->record.health)
        string_replace(&container->record.health->status, "unhealthy");
    bool has_process = status_has_process(container->status);
    container_unlock(container);
    deadline_clear(container->engine, &container->health_deadline);
    if (*running && has_process)
        kill_probe(container, running);
}

static char *time_text(unix_nano time)
{
    char text[TIME_TEXT_SIZE];
    return xstrdup(time_format(time, text));
}

/* With the lock held. True where the state has changed. */
static bool take_result(struct container *container, const struct health_probe *probe, int64_t exit_code,
                        const char *output, bool *is_worth_keeping)
{
    struct health *health = container->record.health;
    const struct health_config *config = container->record.config.healthcheck;
    _cleanup_free_ char *old_status = xstrdup(health->status);
    metrics_count(&container->engine->metrics, METRIC_HEALTH_CHECKS);
    if (exit_code != 0)
        metrics_count(&container->engine->metrics, METRIC_HEALTH_CHECKS_FAILED);
    while (health->log.count >= LOG_LENGTH)
        record_list_remove(&health->log, &health_result_type, 0);
    struct health_result *result = record_list_add(&health->log, &health_result_type);
    *result = (struct health_result){.start = time_text(probe->started),
                                     .end = time_text(clock_now()),
                                     .exit_code = exit_code,
                                     .output = text_to_utf8(output)};
    *is_worth_keeping = exit_code != 0 || health->failing_streak > 0;
    if (exit_code == 0) {
        health->failing_streak = 0;
        string_replace(&health->status, "healthy");
    } else if (!string_equal(health->status, "starting") ||
               probe->started - container->record.started_at >= config->start_period) {
        health->failing_streak++;
        if (health->failing_streak >= or_default(config->retries, DEFAULT_RETRIES))
            string_replace(&health->status, "unhealthy");
    }
    return !string_equal(old_status, health->status);
}

/* Records the result of a check that was not given up, and plans the next. */
static void finish(struct health_probe *probe, int64_t exit_code, const char *output)
{
    struct container *container = probe->container;
    container_lock(container);
    bool counts = container->probe == probe && container->is_health_watched;
    if (container->probe == probe)
        container->probe = NULL;
    bool has_changed = false, is_worth_keeping = false, is_to_restart = false;
    _cleanup_free_ char *event = NULL;
    int64_t delay = 0;
    if (counts) {
        has_changed = take_result(container, probe, exit_code, output, &is_worth_keeping);
        event = xasprintf("health_status: %s", health_status(container));
        is_to_restart = unhealthy_wants_restart(container);
        delay = interval_of(container);
    }
    container_unlock(container);
    if (!counts)
        return;
    if (has_changed)
        container_event(container, event, NULL);
    struct error err = ERROR_INIT;
    if ((has_changed || is_worth_keeping) && !container_save(container, NOT_DURABLE, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "cannot save container %s", container->record.id);
    if (is_to_restart)
        unhealthy_restart(container);
    else
        schedule(container, delay);
}

/* --- one check --- */

static void probe_free(struct health_probe *probe)
{
    close_fd(probe->watch.fd);
    strbuf_release(&probe->output);
    container_unref(probe->container);
    free(probe);
}

void health_probe_read(struct health_probe *probe)
{
    char piece[4096];
    ssize_t count;
    while ((count = read(probe->watch.fd, piece, sizeof(piece))) > 0) {
        size_t room = OUTPUT_LIMIT - probe->output.length;
        strbuf_add(&probe->output, piece, MIN((size_t)count, room));
        probe->is_truncated = probe->is_truncated || (size_t)count > room;
    }
    /* At the end of the stream it would be told of for ever. */
    if (count == 0 || errno != EAGAIN)
        epoll_ctl(probe->container->engine->epoll, EPOLL_CTL_DEL, probe->watch.fd, NULL);
}

void health_probe_end(struct health_probe *probe, int exit_code)
{
    struct container *container = probe->container;
    struct engine *engine = container->engine;
    health_probe_read(probe);
    epoll_ctl(engine->epoll, EPOLL_CTL_DEL, probe->watch.fd, NULL);
    container_lock(container);
    bool is_timed_out = probe->is_timed_out;
    container_unlock(container);
    if (probe->is_truncated)
        strbuf_add_string(&probe->output, "...");
    const char *output = strbuf_text(&probe->output);
    if (is_timed_out) {
        int64_t timeout = or_default(container->record.config.healthcheck->timeout, DEFAULT_TIMEOUT);
        _cleanup_free_ char *duration = duration_text(timeout);
        _cleanup_free_ char *message =
            xasprintf("Health check exceeded timeout (%s)%s%s", duration, *output ? ": " : "", output);
        finish(probe, -1, message);
    } else {
        finish(probe, exit_code, output);
    }
    probe->next = engine->ended_probes;
    engine->ended_probes = probe;
}

void health_probes_release(struct engine *engine)
{
    while (engine->ended_probes) {
        struct health_probe *probe = engine->ended_probes;
        engine->ended_probes = probe->next;
        probe_free(probe);
    }
}

void health_probe_drop(struct health_probe *probe)
{
    struct container *container = probe->container;
    container_lock(container);
    if (container->probe == probe)
        container->probe = NULL;
    container_unlock(container);
    probe_free(probe);
}

static void fill_request(const struct container *container, struct exec_request *request)
{
    const struct container_config *config = &container->record.config;
    const struct strlist *test = &config->healthcheck->test;
    request->attach_stdout = request->attach_stderr = true;
    if (string_equal(test->items[0], "CMD-SHELL")) {
        if (config->shell.count) {
            strlist_copy(&request->cmd, &config->shell);
        } else {
            strlist_add(&request->cmd, "/bin/sh");
            strlist_add(&request->cmd, "-c");
        }
    }
    for (size_t i = 1; i < test->count; i++)
        strlist_add(&request->cmd, test->items[i]);
    request->working_dir = xstrdup(config->working_dir);
}

static bool start_probe(struct health_probe *probe, struct error *err)
{
    struct container *container = probe->container;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return error_errno(err, "socketpair");
    probe->watch.fd = ends[0];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    shutdown(ends[0], SHUT_WR);
    struct shim_attachment attachment = {.fd = ends[1], .wants_stdout = true, .wants_stderr = true};
    struct exec_request request = {0};
    fill_request(container, &request);
    return exec_start_probe(container, probe, &request, &attachment, probe->exec_id, err);
}

/* A thread of its own, for as long as the start takes. */
static void job_probe(struct container *container)
{
    struct engine *engine = container->engine;
    struct health_probe *probe = NEW(struct health_probe);
    probe->container = container_ref(container);
    probe->watch = (struct watch){.kind = WATCH_HEALTH, .fd = -1, .owner = probe};
    probe->started = clock_now();
    container_lock(container);
    bool is_wanted = container->is_health_watched && !container->probe && container->status == STATUS_RUNNING;
    uint64_t number = is_wanted ? ++container->probe_number : 0;
    if (is_wanted)
        container->probe = probe;
    container_unlock(container);
    if (!is_wanted) {
        probe_free(probe);
        return;
    }
    struct error err = ERROR_INIT;
    if (!start_probe(probe, &err)) {
        finish(probe, -1, error_message(&err));
        error_release(&err);
        probe_free(probe);
        return;
    }
    /* From here on the supervisor may end it, and free it, at any time. */
    container_lock(container);
    bool is_running = container->probe && container->probe_number == number;
    if (is_running)
        deadline_set(engine, &container->health_deadline,
                     clock_monotonic() + or_default(container->record.config.healthcheck->timeout, DEFAULT_TIMEOUT));
    container_unlock(container);
}

bool health_probe_begin(struct health_probe *probe)
{
    container_lock(probe->container);
    bool is_wanted = !probe->is_given_up;
    probe->is_running = true;
    container_unlock(probe->container);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &probe->watch};
    epoll_ctl(probe->container->engine->epoll, EPOLL_CTL_ADD, probe->watch.fd, &event);
    return is_wanted;
}

/* Its probe has run for too long. */
static void job_kill(struct container *container)
{
    char exec_id[ID_LENGTH + 1] = "";
    container_lock(container);
    if (container->probe && container->probe->is_timed_out)
        memcpy(exec_id, container->probe->exec_id, sizeof(exec_id));
    container_unlock(container);
    if (*exec_id)
        kill_probe(container, exec_id);
}

void health_due(struct container *container)
{
    container_lock(container);
    bool is_watched = container->is_health_watched, is_running = container->probe != NULL;
    if (is_running)
        container->probe->is_timed_out = true;
    container_unlock(container);
    if (is_watched)
        engine_run_job(container, is_running ? job_kill : job_probe);
}
