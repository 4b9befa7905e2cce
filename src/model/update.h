/* The body of POST /containers/{id}/update: Docker's resources and restart policy, and what is ours. */
#pragma once

#include "model/container.h"

struct update_request {
    struct host_config host_config; /* of it, only what the table names */
    struct record_map publish_add;  /* as HostConfig.PortBindings */
    struct record_map publish_remove;
    struct record_list mount_add; /* of struct mount_request, as HostConfig.Mounts */
    struct strlist mount_remove;  /* paths in the container */
};
extern const struct record_type update_request_type;
