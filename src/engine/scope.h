/* The containers that carry a label, for whom nothing else is to be known of. */
#pragma once

#include "engine/engine.h"

/* `label` is "key" or "key=value". *id (caller frees) is the full id of the container; ERROR_NOT_FOUND, as of one that
   is not there, where it does not have the label. */
bool scope_container(struct engine *engine, const char *label, const char *reference, char **id, struct error *err);
/* Is the exec one of such a container? Else ERROR_NOT_FOUND in the same way. */
bool scope_exec(struct engine *engine, const char *label, const char *exec_id, struct error *err);
