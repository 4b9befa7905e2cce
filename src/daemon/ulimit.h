/* Limits of processes as flags have them: "nofile=1024", "nofile=1024:2048". */
#pragma once

#include "model/container.h"

/* out->name is the caller's to free. Docker's messages. */
bool ulimit_parse(const char *text, struct ulimit *out, struct error *err);
