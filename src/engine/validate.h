/* What Docker refuses in a request to create a container, in its words; and its defaults. No I/O but looking at the
   host's number of processors. */
#pragma once

#include "base/clock.h"
#include "engine/engine.h"
#include "model/container.h"

/* Checks config and host_config; adds warnings for what is ignored (and clears it). */
bool validate_request(struct create_request *request, struct strlist *warnings, struct error *err);
bool restart_policy_check(const struct host_config *host, struct error *err);
/* Fills in what was left out. */
void request_defaults(const struct engine_options *options, struct create_request *request);
/* "80/tcp" and the host's ports of a map of struct port_binding. */
bool port_bindings_check(const struct record_map *bindings, struct error *err);
