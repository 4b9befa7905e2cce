/* What the runtime says of a failed start, in the words and with the codes that Docker's clients know. */
#pragma once

#include "base/error.h"

/* Rewrites the error and returns the exit code that the container gets: 127 (no such command), 126 (cannot be
   executed) or 128. */
int start_error_translate(struct error *err);
/* A failure of an exec that comes without the prefix of those that the process itself met. */
#define EXEC_RELATIVE_FOLDER "Cwd must be an absolute path"
/* The same for an exec, "OCI runtime exec failed: …"; always 126, as with Docker. */
int exec_error_translate(struct error *err);
