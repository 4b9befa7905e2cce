/* What the runtime says of a failed start, in the words and with the codes that Docker's clients know. */
#pragma once

#include "base/error.h"

/* Rewrites the error and returns the exit code that the container gets: 127 (no such command), 126 (cannot be
   executed) or 128. */
int start_error_translate(struct error *err);
/* The same for an exec, "OCI runtime exec failed: …"; always 126, as with Docker. */
int exec_error_translate(struct error *err);
