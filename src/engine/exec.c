/* Exec sessions: one more process in a running container. They live in this process; the shim remembers those that run
   and the last that have ended, with the request as their description, for an engine that is started again. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/exec.h"
#include "engine/health.h"
#include "engine/links.h"
#include "engine/security.h"
#include "engine/spec.h"
#include "engine/start_error.h"
#include "json/json_record.h"

enum exec_state { EXEC_CREATED, EXEC_STARTING, EXEC_RUNNING, EXEC_ENDED };

/* Everything but what is [fixed] is below the container's lock; the table below engine->table_lock. */
struct exec_session {
    char id[ID_LENGTH + 1]; /* [fixed] */
    atomic_int references;
    struct container *container; /* [fixed] referenced */
    struct exec_request request; /* [fixed] */
    enum exec_state state;
    pid_t pid;
    int exit_code;
    bool has_exit_code;
    int64_t ended_at; /* CLOCK_MONOTONIC */
    struct watch watch;
    struct health_probe *probe; /* [fixed] whose check it is, or NULL */
};

/* A session that has ended can be asked about for five minutes, as with Docker. */
#define KEPT_FOR (300 * NANOSECONDS_PER_SECOND)

static struct exec_session *session_ref(struct exec_session *session)
{
    atomic_fetch_add(&session->references, 1);
    return session;
}

static void session_unref(struct exec_session *session)
{
    if (!session || atomic_fetch_sub(&session->references, 1) > 1)
        return;
    close_fd(session->watch.fd);
    record_release(&exec_request_type, &session->request);
    container_unref(session->container);
    free(session);
}
DEFINE_CLEANUP(struct exec_session *, session_unref)
#define _cleanup_session_ _cleanup_(session_unrefp)

static struct exec_session *find(struct engine *engine, const char *id, struct error *err)
{
    struct exec_session *found = NULL;
    pthread_mutex_lock(&engine->table_lock);
    for (size_t i = 0; i < engine->exec_count && !found; i++)
        if (string_equal(engine->execs[i]->id, id))
            found = session_ref(engine->execs[i]);
    pthread_mutex_unlock(&engine->table_lock);
    if (!found)
        error_set(err, ERROR_NOT_FOUND, "No such exec instance: %s", string_or_empty(id));
    return found;
}

struct container *exec_container(struct engine *engine, const char *exec_id)
{
    _cleanup_session_ struct exec_session *session = find(engine, exec_id, NULL);
    return session ? container_ref(session->container) : NULL;
}

/* Takes the sessions that `is_old` names out of the table. */
static void purge(struct engine *engine, bool (*is_old)(const struct exec_session *, const void *), const void *context)
{
    struct exec_session **gone = NULL;
    size_t gone_count = 0, kept = 0;
    pthread_mutex_lock(&engine->table_lock);
    for (size_t i = 0; i < engine->exec_count; i++) {
        if (is_old(engine->execs[i], context)) {
            struct exec_session **place = APPEND(gone, gone_count);
            *place = engine->execs[i];
        } else {
            engine->execs[kept++] = engine->execs[i];
        }
    }
    engine->exec_count = kept;
    pthread_mutex_unlock(&engine->table_lock);
    for (size_t i = 0; i < gone_count; i++)
        session_unref(gone[i]);
    free(gone);
}

static bool has_ended_long_ago(const struct exec_session *session, const void *context)
{
    return session->state == EXEC_ENDED && session->ended_at < *(const int64_t *)context - KEPT_FOR;
}

static bool belongs_to(const struct exec_session *session, const void *context)
{
    return session->container == context;
}

void exec_forget_container(struct engine *engine, const struct container *container)
{
    /* Sessions that still run end with the container; their watch keeps them until then. */
    purge(engine, belongs_to, container);
}

static bool all_of_them(const struct exec_session *session, const void *context)
{
    (void)session;
    (void)context;
    return true;
}

void exec_table_release(struct engine *engine)
{
    for (size_t i = 0; i < engine->exec_count; i++) {
        struct exec_session *session = engine->execs[i];
        if (session->watch.fd < 0)
            continue;
        /* The supervisor's reference: it has gone, the process goes on. */
        session->watch.fd = close_fd(session->watch.fd);
        if (session->probe)
            health_probe_drop(session->probe);
        session_unref(session);
    }
    engine_serve(engine);
    purge(engine, all_of_them, NULL);
    free(TAKE_PTR(engine->execs));
}

/* "exec_create: sh -c date": the arguments follow after a space even where there are none. */
static void tell(const struct exec_session *session, const char *what)
{
    const struct strlist *command = &session->request.cmd;
    _cleanup_strbuf_ struct strbuf action = STRBUF_INIT;
    strbuf_addf(&action, "%s: %s ", what, command->items[0]);
    for (size_t i = 1; i < command->count; i++)
        strbuf_addf(&action, "%s%s", i > 1 ? " " : "", command->items[i]);
    container_event(session->container, strbuf_text(&action), "execID", session->id, NULL);
}

/* Takes the request. A new reference beside the table's. */
static struct exec_session *session_new(struct container *container, const char *id, struct exec_request *request)
{
    struct engine *engine = container->engine;
    struct exec_session *session = NEW(struct exec_session);
    if (id)
        snprintf(session->id, sizeof(session->id), "%s", id);
    else
        id_generate(session->id);
    session->references = 1;
    session->container = container_ref(container);
    session->request = *request;
    *request = (struct exec_request){0};
    session->watch = (struct watch){.kind = WATCH_EXEC, .fd = -1, .owner = session};
    pthread_mutex_lock(&engine->table_lock);
    struct exec_session **place = APPEND(engine->execs, engine->exec_count);
    *place = session_ref(session);
    pthread_mutex_unlock(&engine->table_lock);
    return session;
}

bool exec_create(struct engine *engine, const char *reference, struct exec_request *request, char **id,
                 struct error *err)
{
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container)
        return false;
    container_lock(container);
    bool is_possible =
        lifecycle_check(container->status, VERB_EXEC, container->record.id, container->record.name, reference, err);
    container_unlock(container);
    if (!is_possible)
        return false;
    if (request->cmd.count == 0)
        return error_set(err, ERROR_INVALID, "No exec command specified");
    if (!links_environment(container, NULL, err))
        return false;
    int64_t now = clock_monotonic();
    purge(engine, has_ended_long_ago, &now);

    _cleanup_session_ struct exec_session *session = session_new(container, NULL, request);
    *id = xstrdup(session->id);
    tell(session, "exec_create");
    return true;
}

static bool check_start(const struct exec_session *session, struct error *err)
{
    const struct container *container = session->container;
    if (session->state == EXEC_ENDED)
        return error_set(err, ERROR_CONFLICT, "Error: Exec command %s has already run", session->id);
    if (session->state != EXEC_CREATED)
        return error_set(err, ERROR_CONFLICT, "Error: Exec command %s is already running", session->id);
    return lifecycle_check(container->status, VERB_EXEC, container->record.id, container->record.name,
                           container->record.id, err);
}

bool exec_check_start(struct engine *engine, const char *exec_id, bool *is_terminal, char **detach_keys,
                      struct error *err)
{
    _cleanup_session_ struct exec_session *session = find(engine, exec_id, err);
    if (!session)
        return false;
    container_lock(session->container);
    bool is_possible = check_start(session, err);
    container_unlock(session->container);
    if (is_possible) {
        *is_terminal = session->request.tty;
        *detach_keys = xstrdup(string_or_empty(session->request.detach_keys));
    }
    return is_possible;
}

static bool build_launch(const struct exec_session *session, struct launch_exec *launch, struct error *err)
{
    const struct exec_request *request = &session->request;
    const struct container *container = session->container;
    const struct container_config *config = &container->record.config;
    const struct host_config *host = &container->record.host_config;
    struct security_options options;
    if (!security_parse(host, &options, err))
        return false;
    struct oci_process *process = &launch->process;
    process->terminal = request->tty;
    strlist_copy(&process->args, &request->cmd);
    if (!spec_environment(session->container, request->tty, &process->env, err))
        return false;
    for (size_t i = 0; i < request->env.count; i++)
        env_put(&process->env, request->env.items[i]);
    const char *cwd = string_is_set(request->working_dir) ? request->working_dir : config->working_dir;
    process->cwd = xstrdup(string_is_set(cwd) ? cwd : "/");
    process->no_new_privileges = options.no_new_privileges;
    process->capabilities = NEW(struct oci_capabilities);
    if (request->privileged)
        security_capabilities(&(struct host_config){.privileged = true}, &process->capabilities->bounding);
    else
        security_capabilities(host, &process->capabilities->bounding);
    strlist_copy(&process->capabilities->effective, &process->capabilities->bounding);
    strlist_copy(&process->capabilities->permitted, &process->capabilities->bounding);
    launch->user.user = xstrdup(string_is_set(request->user) ? request->user : string_or_empty(config->user));
    if (!string_is_set(request->user))
        strlist_copy(&launch->user.extra_groups, &host->group_add);
    launch->sets_home = true;
    container_lock(session->container);
    launch->cgroups_path = xstrdup(container->record.cgroups_path);
    container_unlock(session->container);
    return spec_seccomp(host, container->engine->options.seccomp_profile, &process->capabilities->bounding,
                        &launch->seccomp, err);
}

/* A client that is already hijacked reads the reason on its stream, as with Docker. */
static void write_failure(int client, bool is_framed, const char *message)
{
    size_t length = strlen(message) + 2;
    const unsigned char head[8] = {1,
                                   0,
                                   0,
                                   0,
                                   (unsigned char)(length >> 24),
                                   (unsigned char)(length >> 16),
                                   (unsigned char)(length >> 8),
                                   (unsigned char)length};
    _cleanup_free_ char *line = xasprintf("%s\r\n", message);
    if ((!is_framed || write_full(client, head, sizeof(head)) == 0) && write_full(client, line, length) == 0)
        shutdown(client, SHUT_WR);
}

static void record_failure(struct exec_session *session, int exit_code)
{
    container_lock(session->container);
    session->state = EXEC_ENDED;
    session->ended_at = clock_monotonic();
    session->exit_code = exit_code;
    session->has_exit_code = true;
    pthread_cond_broadcast(&session->container->operation_ended);
    container_unlock(session->container);
}

static bool run_session(struct exec_session *session, int64_t rows, int64_t columns, struct shim_attachment *attachment,
                        int *exit_code, struct error *err)
{
    struct launch_exec launch = {0};
    _cleanup_free_ char *directory = container_run_path(session->container);
    pid_t pid = -1;
    int watch = -1;
    const char *folder = session->request.working_dir;
    bool is_built = !string_is_set(folder) || folder[0] == '/' ? build_launch(session, &launch, err)
                                                               : error_set(err, ERROR_INVALID, EXEC_RELATIVE_FOLDER);
    if (!is_built)
        attachment->fd = close_fd(attachment->fd);
    _cleanup_free_ char *description =
        is_built && !session->probe ? record_format(&exec_request_type, &session->request) : NULL;
    bool is_running = is_built && shim_exec(directory, session->id, &launch, description, session->request.tty, rows,
                                            columns, attachment, &pid, &watch, err);
    attachment->fd = -1; /* shim_exec has closed it */
    record_release(&launch_exec_type, &launch);
    if (!is_running) {
        *exit_code = exec_error_translate(err);
        return false;
    }
    container_lock(session->container);
    session->state = EXEC_RUNNING;
    session->pid = pid;
    session->watch.fd = watch;
    pthread_cond_broadcast(&session->container->operation_ended);
    container_unlock(session->container);
    session_ref(session); /* the watch's */
    bool is_wanted = !session->probe || health_probe_begin(session->probe);
    supervisor_watch(session->container->engine, &session->watch);
    if (!is_wanted)
        (void)shim_kill_exec(directory, session->id, SIGKILL, NULL);
    return true;
}

bool exec_start(struct engine *engine, const char *exec_id, bool is_detached, int64_t rows, int64_t columns,
                struct shim_attachment *attachment, struct error *err)
{
    struct shim_attachment none = {.fd = -1};
    if (is_detached && attachment)
        attachment->fd = close_fd(attachment->fd);
    if (is_detached || !attachment)
        attachment = &none;
    _cleanup_session_ struct exec_session *session = find(engine, exec_id, err);
    if (!session) {
        attachment->fd = close_fd(attachment->fd);
        return false;
    }
    container_lock(session->container);
    bool is_possible = check_start(session, err);
    if (is_possible)
        session->state = EXEC_STARTING;
    container_unlock(session->container);
    if (!is_possible) {
        attachment->fd = close_fd(attachment->fd);
        return false;
    }
    attachment->wants_stdin = session->request.attach_stdin;
    attachment->wants_stdout = session->request.attach_stdout;
    attachment->wants_stderr = session->request.attach_stderr;
    bool is_framed = attachment->is_framed;
    _cleanup_close_ int client = attachment->fd < 0 ? -1 : fcntl(attachment->fd, F_DUPFD_CLOEXEC, 3);
    _cleanup_error_ struct error why = ERROR_INIT;
    int exit_code = 126;
    tell(session, "exec_start");
    if (run_session(session, rows, columns, attachment, &exit_code, &why))
        return true;
    record_failure(session, exit_code);
    if (client >= 0)
        write_failure(client, is_framed, error_message(&why));
    return error_move(err, &why);
}

static bool is_same(const struct exec_session *session, const void *context)
{
    return session == context;
}

bool exec_start_probe(struct container *container, struct health_probe *probe, struct exec_request *request,
                      struct shim_attachment *attachment, char id[ID_LENGTH + 1], struct error *err)
{
    struct engine *engine = container->engine;
    _cleanup_session_ struct exec_session *session = session_new(container, NULL, request);
    session->probe = probe;
    session->state = EXEC_STARTING;
    memcpy(id, session->id, sizeof(session->id));
    tell(session, "exec_create");
    tell(session, "exec_start");
    int exit_code;
    if (run_session(session, 0, 0, attachment, &exit_code, err))
        return true;
    purge(engine, is_same, session);
    return false;
}

static void tell_of_exit(const struct exec_session *session, int exit_code)
{
    char code[16];
    snprintf(code, sizeof(code), "%d", exit_code);
    container_event(session->container, "exec_die", "execID", session->id, "exitCode", code, NULL);
}

/* The client's stream ends when the watch is closed: by then all is told and recorded. */
void exec_record_exit(struct exec_session *session)
{
    struct engine *engine = session->container->engine;
    container_lock(session->container);
    bool is_detach = session->watch.fd >= 0 && shim_take_detached(session->watch.fd);
    _cleanup_close_ int watch = is_detach ? -1 : TAKE_FD(session->watch.fd);
    container_unlock(session->container);
    if (is_detach)
        container_event(session->container, "exec_detach", "execID", session->id, NULL);
    if (watch < 0)
        return;
    epoll_ctl(engine->epoll, EPOLL_CTL_DEL, watch, NULL);
    struct shim_exit exit = {.exit_code = 137};
    (void)shim_read_exec_exit(watch, &exit, NULL);
    record_failure(session, exit.exit_code);
    tell_of_exit(session, exit.exit_code);
    if (session->probe) {
        health_probe_end(session->probe, exit.exit_code);
        purge(engine, is_same, session);
    }
    pthread_mutex_lock(&engine->table_lock);
    if (!engine->is_serving) {
        int *place = APPEND(engine->held_watches, engine->held_count);
        *place = TAKE_FD(watch);
    }
    pthread_mutex_unlock(&engine->table_lock);
    session_unref(session);
}

void engine_serve(struct engine *engine)
{
    pthread_mutex_lock(&engine->table_lock);
    engine->is_serving = true;
    for (size_t i = 0; i < engine->held_count; i++)
        close_fd(engine->held_watches[i]);
    free(TAKE_PTR(engine->held_watches));
    engine->held_count = 0;
    pthread_mutex_unlock(&engine->table_lock);
}

static void adopt_one(struct container *container, const char *directory, const struct shim_exec_status *found)
{
    struct error err = ERROR_INIT;
    struct exec_request request = {0};
    if (!string_is_set(found->description)) {
        if (!found->has_exited && !shim_kill_exec(directory, found->id, SIGKILL, &err) && err.kind != ERROR_NOT_FOUND)
            log_and_release(LOG_LEVEL_WARNING, &err, "a health check of container %s goes on", container->record.id);
        error_release(&err);
        return;
    }
    if (!record_parse(&exec_request_type, found->description, strlen(found->description), &request, &err)) {
        log_and_release(LOG_LEVEL_WARNING, &err, "exec %s of container %s is forgotten", found->id,
                        container->record.id);
        return;
    }
    _cleanup_session_ struct exec_session *session = session_new(container, found->id, &request);
    session->pid = found->pid;
    int watch = -1;
    if (!found->has_exited && shim_watch_exec(directory, found->id, &watch, NULL)) {
        session->state = EXEC_RUNNING;
        session->watch.fd = watch;
        session_ref(session); /* the watch's */
        supervisor_watch(container->engine, &session->watch);
        return;
    }
    record_failure(session, found->has_exited ? found->exit.exit_code : 137);
    if (!found->is_told)
        tell_of_exit(session, session->exit_code);
}

void exec_adopt(struct container *container)
{
    _cleanup_free_ char *directory = container_run_path(container);
    struct shim_exec_list list = {0};
    struct error err = ERROR_INIT;
    if (!shim_list_execs(directory, &list, &err)) {
        if (err.kind != ERROR_NOT_FOUND)
            log_and_release(LOG_LEVEL_WARNING, &err, "the execs of container %s are not known", container->record.id);
        error_release(&err);
        return;
    }
    for (size_t i = 0; i < list.execs.count; i++)
        adopt_one(container, directory, RECORD_AT(list.execs, struct shim_exec_status, i));
    shim_exec_list_release(&list);
}

/* A client that has read the end of the stream asks at once for the exit code: where the watch says that it is there,
   the supervisor is about to record it. */
static void settle(struct exec_session *session)
{
    for (unsigned tries = 0; tries < 200; tries++) {
        container_lock(session->container);
        struct pollfd event = {.fd = session->state == EXEC_RUNNING ? session->watch.fd : -1, .events = POLLIN};
        bool is_recording = session->state == EXEC_RUNNING && (event.fd < 0 || poll(&event, 1, 0) > 0);
        container_unlock(session->container);
        if (!is_recording)
            return;
        poll(NULL, 0, 1);
    }
}

json_t *exec_inspect(struct engine *engine, const char *exec_id, struct error *err)
{
    _cleanup_session_ struct exec_session *session = find(engine, exec_id, err);
    if (!session)
        return NULL;
    settle(session);
    const struct exec_request *request = &session->request;
    container_lock(session->container);
    bool is_running = session->state == EXEC_RUNNING;
    json_t *exit_code = session->has_exit_code ? json_integer(session->exit_code) : json_null();
    pid_t pid = session->pid;
    container_unlock(session->container);

    json_t *arguments = json_array();
    for (size_t i = 1; i < request->cmd.count; i++)
        json_array_append_new(arguments, json_string(request->cmd.items[i]));
    json_t *process = json_pack("{s:b, s:s, s:o, s:b}", "tty", request->tty, "entrypoint", request->cmd.items[0],
                                "arguments", arguments, "privileged", request->privileged);
    if (string_is_set(request->user))
        json_object_set_new(process, "user", json_string(request->user));
    return json_pack("{s:s, s:b, s:o, s:o, s:b, s:b, s:b, s:b, s:s, s:s, s:i}", "ID", session->id, "Running",
                     is_running, "ExitCode", exit_code, "ProcessConfig", process, "OpenStdin", request->attach_stdin,
                     "OpenStderr", request->attach_stderr, "OpenStdout", request->attach_stdout, "CanRemove", false,
                     "ContainerID", session->container->record.id, "DetachKeys", string_or_empty(request->detach_keys),
                     "Pid", (int)pid);
}

/* A client resizes as soon as it has its stream, which may be before there is a process. False after Docker's ten
   seconds without one. */
static bool await_start(struct exec_session *session, enum exec_state *state)
{
    int64_t deadline = clock_monotonic() + 10 * NANOSECONDS_PER_SECOND;
    const struct timespec until = {deadline / NANOSECONDS_PER_SECOND, deadline % NANOSECONDS_PER_SECOND};
    struct container *container = session->container;
    int failure = 0;
    container_lock(container);
    while ((session->state == EXEC_CREATED || session->state == EXEC_STARTING) && !failure)
        failure = pthread_cond_timedwait(&container->operation_ended, &container->lock, &until);
    *state = session->state;
    container_unlock(container);
    return !failure;
}

bool exec_resize(struct engine *engine, const char *exec_id, int64_t rows, int64_t columns, struct error *err)
{
    _cleanup_session_ struct exec_session *session = find(engine, exec_id, err);
    if (!session)
        return false;
    enum exec_state state = EXEC_CREATED;
    if (!await_start(session, &state))
        return error_set(err, ERROR_INTERNAL, "timeout waiting for exec session ready");
    if (state == EXEC_ENDED && session->pid)
        return error_set(err, ERROR_NOT_FOUND, "process does not exist %s: not found", session->id);
    if (state != EXEC_RUNNING)
        return error_set(err, ERROR_INVALID, "exec process is not started");
    _cleanup_free_ char *directory = container_run_path(session->container);
    return shim_resize(directory, session->id, rows, columns, err);
}

json_t *exec_ids(struct engine *engine, const struct container *container)
{
    json_t *ids = NULL;
    pthread_mutex_lock(&engine->table_lock);
    for (size_t i = 0; i < engine->exec_count; i++)
        if (engine->execs[i]->container == container && engine->execs[i]->state != EXEC_ENDED) {
            ids = ids ? ids : json_array();
            json_array_append_new(ids, json_string(engine->execs[i]->id));
        }
    pthread_mutex_unlock(&engine->table_lock);
    return ids;
}
