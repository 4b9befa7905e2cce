/* Health checks, as moby's daemon/health.go does them: a command that is run in the container every so often, and the
   state that its exit codes make. No thread waits for a check: deadlines start it and cut it short, the supervisor is
   told of its end. */
#pragma once

#include "engine/container.h"

/* Is there a check to be run? */
bool health_is_checked(const struct container_config *config);
/* "starting", "healthy", "unhealthy", or "none": with the lock held. */
const char *health_status(const struct container *container);
/* Docker's limits, in its words. */
bool health_validate(const struct health_config *health, struct error *err);
/* What the image has and the request leaves open. */
void health_merge(struct container_config *config, const struct container_config *image);

/* The container was started: its state begins anew. Without the lock, as all below. */
void health_start(struct container *container);
/* Checks go on after a pause or, with what is known of them, after a restart of the engine. */
void health_resume(struct container *container);
/* No more checks: the container was paused or has ended. One that runs is given up. */
void health_stop(struct container *container);

/* A deadline's function. */
void health_due(struct container *container);

/* --- for exec.c --- */
struct health_probe;
/* Takes what the check has written so far. */
void health_probe_read(struct health_probe *probe);
/* The check's process has ended; frees the probe. */
void health_probe_end(struct health_probe *probe, int exit_code);
/* The exec of the check runs, in a moment the supervisor watches it: false where the check was given up by now. */
bool health_probe_begin(struct health_probe *probe);
/* At the engine's end: nobody will be told how the check ended. */
void health_probe_drop(struct health_probe *probe);
/* The supervisor has looked at all of its events: nothing points at ended probes any more. */
void health_probes_release(struct engine *engine);
