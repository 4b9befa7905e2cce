/* Limits in a request: what is refused, and what this kernel cannot do and is discarded with a warning. */
#pragma once

#include "base/error.h"
#include "model/container.h"

/* Changes *host where something is discarded. An update may name a swap limit alone. */
bool resources_check(struct host_config *host, bool is_update, struct strlist *warnings, struct error *err);
