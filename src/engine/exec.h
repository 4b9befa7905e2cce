/* Exec sessions, for the files of this room. */
#pragma once

#include "engine/container.h"

struct health_probe;

/* Runs a health check's command as an exec that nobody can ask for: told of as any other, and reported to the probe
   (health_probe_begin, health_probe_end). The request is taken, the attachment's descriptor too. `id` is filled in
   before the start. */
bool exec_start_probe(struct container *container, struct health_probe *probe, struct exec_request *request,
                      struct shim_attachment *attachment, char id[ID_LENGTH + 1], struct error *err);
/* After a restart of the engine: takes over what the container's shim knows of its execs. Those that run are watched
   again, the exit codes of those that have ended are there to be asked for, a health check that was under way is ended.
 */
void exec_adopt(struct container *container);

/* By the supervisor: the watch of a session has become readable. */
void exec_record_exit(struct exec_session *session);
void exec_forget_container(struct engine *engine, const struct container *container);
/* Ids of the running sessions of a container, or NULL; a new reference. */
json_t *exec_ids(struct engine *engine, const struct container *container);
void exec_table_release(struct engine *engine);
/* The container that an exec is in: a new reference, or NULL where there is no such exec. */
struct container *exec_container(struct engine *engine, const char *exec_id);
