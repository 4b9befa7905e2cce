/* A container's life as a state machine without I/O: what each verb may do in each state, in Docker's words, and when a
   container that has ended is started again.

       created ──start──▶ running ◀──▶ paused
                            │  ▲
                       exit │  │ restart policy (after a delay: restarting)
                            ▼  │
                          exited ──remove──▶ removing ──▶ (gone; dead where removal failed) */
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

enum container_status {
    STATUS_CREATED,
    STATUS_RUNNING,
    STATUS_PAUSED,
    STATUS_RESTARTING, /* has ended and waits for its next start */
    STATUS_REMOVING,
    STATUS_EXITED,
    STATUS_DEAD,
    STATUS_COUNT,
};
/* "created" …; status_from_text gives STATUS_COUNT for what is none of them. */
const char *status_text(enum container_status status);
enum container_status status_from_text(const char *text);
/* Does Docker call this state Running? (A restarting container is.) */
bool status_is_running(enum container_status status);
/* Is there a process? */
bool status_has_process(enum container_status status);

enum container_verb {
    VERB_START,
    VERB_STOP,
    VERB_KILL,
    VERB_PAUSE,
    VERB_UNPAUSE,
    VERB_REMOVE,
    VERB_REMOVE_FORCED,
    VERB_RENAME,
    VERB_RESIZE,
    VERB_ATTACH,
    VERB_EXEC,
};
/* True where the verb may go on. ERROR_NOT_MODIFIED where there is nothing to do. `reference` is what the user wrote.
 */
bool lifecycle_check(enum container_status status, enum container_verb verb, const char *id, const char *name,
                     const char *reference, struct error *err);

enum restart_kind { RESTART_NO, RESTART_ALWAYS, RESTART_UNLESS_STOPPED, RESTART_ON_FAILURE };
/* "" is "no". False for an unknown name. */
bool restart_kind_parse(const char *name, enum restart_kind *out);

struct restart_state {
    enum restart_kind kind;
    int64_t maximum_retries; /* of on-failure; 0: no end */
    int64_t count;           /* restarts so far */
    int64_t delay;           /* the last delay in nanoseconds; 0: none yet */
    bool is_stopped_by_user;
};
/* After a process that ran for `run_time` nanoseconds ended: shall it be started again, and after which delay (100 ms,
   doubling up to one minute, from the start again after a run of ten seconds)? Updates delay and count. */
bool restart_after_exit(struct restart_state *state, int exit_code, int64_t run_time);
/* The same delay for a start that no policy asks for. */
void restart_anyway(struct restart_state *state, int64_t run_time);
/* At the engine's start: shall a container in this state, which ended with this code, be started? As Docker has it,
   `on-failure` means also one that the user had stopped. */
bool restart_at_boot(const struct restart_state *state, enum container_status status, int exit_code);
