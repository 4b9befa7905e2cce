/* What attach and start -a have in common: the streams of one container until it ends. */
#pragma once

#include "cli/command.h"

struct attachment_request {
    const char *container; /* as the user named it */
    const char *detach_keys;
    bool has_stdin;
    bool is_tty;
    bool forwards_signals;
    bool starts;           /* start it once the streams are attached */
    const char *condition; /* of wait: "next-exit", "removed", or NULL: until it does not run */
};
/* Sets call->exit_code to the container's. Detaching is an error that says so, as docker puts it. */
bool attachment_run(struct command_call *call, const struct attachment_request *request, struct error *err);
/* The container's inspect object: a new reference, or NULL. */
json_t *container_inspect(struct command_call *call, const char *name, struct error *err);
