/* <directory>/exit: what became of a container, left behind for an engine that was not there. Text, one "name value" a
   line, because the engine that reads it may be a newer one. */
#pragma once

#include "shim/client.h"

/* Written under another name and renamed: a reader sees all of it or nothing. */
bool exit_record_write(const char *directory, const struct shim_status *status, struct error *err);
/* ERROR_NOT_FOUND where there is none. */
bool exit_record_read(const char *directory, struct shim_status *out, struct error *err);
void exit_record_remove(const char *directory);
