/* The program that args[0] means, by runc's rules and in its words. */
#pragma once

#include "base/error.h"
#include "base/text.h"

/* Searched for in the PATH of `env` unless it has a '/'. Returns an owned path, or NULL with ERROR_INVALID, for which
   Docker's exit code is 127, or 126 when the message says "permission denied" or "is a directory". */
char *command_find(const char *name, const struct strlist *env, struct error *err);
/* execve; where even that fails (no interpreter, no executable format) says so on standard error and exits with 1, as
   runc does, because by then the container counts as started. */
_Noreturn void command_execute(const char *path, const struct strlist *args, const struct strlist *env);
