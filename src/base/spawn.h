/* The one way to start another program. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "base/strbuf.h"

struct spawn_options {
    const char *const *argv; /* argv[0] is looked up in PATH unless it has a '/' */
    const char *const *envp; /* NULL: our own */
    const int *fds;          /* fds[i] becomes descriptor i of the child; -1: /dev/null. NULL: 0, 1, 2 are inherited */
    size_t fd_count;
    bool wants_session; /* a session of its own: no terminal */
    bool wants_group;   /* a process group of its own: a terminal's signals to ours do not reach it */
};

/* posix_spawn: cheap whatever the size of the parent. The child has default signals and an empty mask. Returns the
   pid, or -1 with err. */
pid_t spawn(const struct spawn_options *options, struct error *err);

/* Runs to the end with `input` (may be NULL) on its standard input; standard output, at most `limit` bytes, is put in
 *output (may be NULL). A non-zero exit is ERROR_INTERNAL with the first line that it wrote to standard error. */
bool run(const char *const *argv, const char *input, size_t limit, struct strbuf *output, struct error *err);
