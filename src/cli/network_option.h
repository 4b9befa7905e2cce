/* --network: "name", or "name=x,alias=y,ip=1.2.3.4,…"; and what the older flags (--ip, --link, …) add to the first. */
#pragma once

#include "cli/container_options.h"

bool check_network(void *place, const char *value, struct error *err);
/* The network mode and EndpointsConfig of the request: *mode is owned by the caller, *endpoints a new reference. */
bool network_options_apply(const struct container_options *options, char **mode, json_t **endpoints, struct error *err);
