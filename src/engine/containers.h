/* The verbs on containers. `reference` is a name (with or without its leading '/'), an id, or a unique prefix of one;
   unknown: ERROR_NOT_FOUND "No such container: x". Docker's statuses and wording throughout. */
#pragma once

#include <jansson.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "engine/engine.h"
#include "engine/prune.h"
#include "model/container.h"
#include "model/update.h"
#include "shim/client.h"

/* `name` may be NULL or "": one is generated. The request is taken over (emptied). *id is the caller's to free. */
bool container_create(struct engine *engine, const char *name, struct create_request *request, char **id,
                      struct strlist *warnings, struct error *err);
bool container_start(struct engine *engine, const char *reference,
                     struct error *err); /* ERROR_NOT_MODIFIED: runs already */
/* timeout in seconds: -1 forever; INT64_MIN: the container's own, else 10. `signal` may be NULL. */
bool container_stop(struct engine *engine, const char *reference, const char *signal, int64_t timeout,
                    struct error *err);
bool container_restart(struct engine *engine, const char *reference, const char *signal, int64_t timeout,
                       struct error *err);
bool container_kill(struct engine *engine, const char *reference, const char *signal, struct error *err);
bool container_pause(struct engine *engine, const char *reference, bool is_paused, struct error *err);
bool container_rename(struct engine *engine, const char *reference, const char *name, struct error *err);
struct container_remove_options {
    bool is_forced, removes_volumes, removes_link;
};
bool container_remove(struct engine *engine, const char *reference, const struct container_remove_options *options,
                      struct error *err);
/* Removes every container that has no process and that the filters (until, label, label!) mean. */
bool containers_prune(struct engine *engine, const json_t *filters, struct prune_report *report, struct error *err);
/* Changes limits and restart policy, of a running container at once. What the request leaves zero stays as it is.
   Nothing is changed where the kernel refuses. */
bool container_update(struct engine *engine, const char *reference, struct update_request *request,
                      struct strlist *warnings, struct error *err);
bool container_resize(struct engine *engine, const char *reference, int64_t rows, int64_t columns, struct error *err);

enum wait_condition { WAIT_NOT_RUNNING, WAIT_NEXT_EXIT, WAIT_REMOVED };
struct container_exit {
    int64_t exit_code;
    char *error; /* NULL where none */
};
/* A wait in two steps, so that the API can send its head between them: begin subscribes; finish blocks until the
   condition holds, or `client` (a socket, or -1) hangs up: ERROR_CANCELLED. finish frees the wait. */
struct container_wait *container_wait_begin(struct engine *engine, const char *reference, enum wait_condition condition,
                                            struct error *err);
bool container_wait_finish(struct container_wait *wait, int client, struct container_exit *out, struct error *err);

/* Attach, in two steps with the answer to the client between them: begin checks, and holds off every other verb on the
   container, so that a start that the client asks for as soon as it has the answer does not overtake its attach. finish
   takes the descriptor of `attachment` in every case (NULL: the client could not be answered) and frees `attach`. With
   the container not yet started the client waits for its start. `replay` (NULL: none) takes the log first; without
   `wants_stream` it ends there. *is_terminal decides the content type. */
struct attach_replay {
    stream_write write; /* NULL: to the attachment's descriptor */
    void *context;
    int client; /* whose hang-up ends it; unused without `write` */
};
struct container_attach *container_attach_begin(struct engine *engine, const char *reference, bool *is_terminal,
                                                struct error *err);
bool container_attach_finish(struct container_attach *attach, struct shim_attachment *attachment,
                             const struct attach_replay *replay, bool wants_stream, struct error *err);

struct logs_options {
    bool wants_stdout, wants_stderr, wants_timestamps, wants_details, follows;
    unix_nano since, until; /* 0: none */
    int64_t tail;           /* lines; -1: all */
    bool is_raw;            /* never framed */
};
/* Opens the log (errors before the first byte); then streams it to fd, framed unless the container has a tty, until its
   end, the container's exit (with follows), or `client` hangs up. Writing goes through `write`, so that the API can
   chunk it. */
struct container_logs *container_logs_open(struct engine *engine, const char *reference,
                                           const struct logs_options *options, bool *is_terminal, struct error *err);
bool container_logs_stream(struct container_logs *logs, stream_write write, void *context, int client,
                           struct error *err); /* frees logs */

/* GET /containers/{id}/json of API 1.50; a new reference. version is 100*major+minor (150). */
json_t *container_inspect(struct engine *engine, const char *reference, bool wants_size, int version,
                          struct error *err);
/* GET /containers/json. `filters` is the decoded filters parameter: map of lists as JSON ({"status":["running"]}). */
#define LIST_OMITS_HOST_CONFIG 1u
#define LIST_OMITS_NETWORKS    2u
#define LIST_OMITS_MOUNTS      4u
struct list_options {
    bool is_all, wants_size;
    unsigned omitted; /* members left out: LIST_OMITS_… */
    int64_t limit;
    const json_t *filters;
};
bool container_list_write(struct engine *engine, const struct list_options *options, int version, struct strbuf *out,
                          struct error *err);
/* The same as a tree. */
json_t *container_list(struct engine *engine, const struct list_options *options, int version, struct error *err);

/* GET /containers/{id}/top: the host's ps with these arguments (NULL: "-ef"), reduced to the container's processes. */
json_t *container_top(struct engine *engine, const char *reference, const char *ps_arguments, struct error *err);

/* What a container uses, once a second, a JSON object a line. A stream goes on, with empty values while the container
   does not run, until it is removed or `client` hangs up; a single answer takes two samples, so that it can be
   compared; a one-shot does not wait and has nothing to compare with. run frees the stats. */
enum stats_mode { STATS_STREAM, STATS_SINGLE, STATS_ONE_SHOT };
struct container_stats *container_stats_open(struct engine *engine, const char *reference, struct error *err);
void container_stats_run(struct container_stats *stats, enum stats_mode mode, stream_write write, void *context,
                         int client);

/* --- exec --- */
bool exec_create(struct engine *engine, const char *container, struct exec_request *request, char **id,
                 struct error *err);
/* Starts it. With attachment->fd >= 0 the stream is handed over (taken in every case). */
bool exec_start(struct engine *engine, const char *exec_id, bool is_detached, int64_t rows, int64_t columns,
                struct shim_attachment *attachment, struct error *err);
/* Could it be started? The detach keys are as they were asked for, or "" (caller frees). */
bool exec_check_start(struct engine *engine, const char *exec_id, bool *is_terminal, char **detach_keys,
                      struct error *err);
json_t *exec_inspect(struct engine *engine, const char *exec_id, struct error *err);
bool exec_resize(struct engine *engine, const char *exec_id, int64_t rows, int64_t columns, struct error *err);
