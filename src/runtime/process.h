/* The last steps of a process inside its container, the same for the first and for every further one: user,
   capabilities, seccomp, working folder, the program itself. */
#pragma once

#include "runtime/capabilities.h"
#include "runtime/launch.h"

struct process_plan {
    const struct oci_process *process;
    const struct launch_user *user;
    const struct bytes *seccomp;
    const char *init_path; /* put before the args; NULL: none */
    bool sets_home;
    int channel;                                /* of channel.h, for warnings */
    const struct capability_sets *capabilities; /* instead of process->capabilities; NULL: those */
};
/* What is left to do once the process may start. */
struct prepared_process {
    char *path;
    struct strlist args;
    struct strlist env;
};

/* Called inside the container, with 0, 1, 2 in place. */
bool process_prepare(const struct process_plan *plan, struct prepared_process *out, struct error *err);
/* Puts `fds` at 0, 1, 2 whatever their numbers are. */
bool process_take_stdio(const int fds[3], struct error *err);
/* Default signal actions and an empty mask; descriptors from 3 on close at execve. */
void process_clean(void);
