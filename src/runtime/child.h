/* What the first process of a container does between clone3 and execve. A sequence; the steps are elsewhere. */
#pragma once

#include "runtime/container.h"
#include "runtime/namespaces.h"

struct child_plan {
    const struct launch *launch;
    const struct namespaces *namespaces;
    const char *cgroups_path;
    const int *stdio; /* three descriptors; unused with a terminal */
    int rows, columns;
    int channel;     /* the child's end */
    int start_fifo;  /* to wait on instead of the channel, or -1 */
    bool wants_join; /* it was not born in its cgroup */
};

_Noreturn void child_run(const struct child_plan *plan);
/* Ends a child with this error told to its parent. */
_Noreturn void child_fail(int channel, struct error *err);
