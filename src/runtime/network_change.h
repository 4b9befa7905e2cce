/* Changes in the network namespace of a container that runs, made by a child that enters it. */
#pragma once

#include <sys/types.h>

#include "runtime/launch.h"

struct network_change {
    struct record_list interfaces; /* of struct launch_interface, to be added */
    bool sets_gateway;
    char *gateway; /* of the default route; "": there is none any more */
    char *gateway6;
    char *removes;       /* "172.17.0.2": the interface that has this address, before the routes are set */
    bool opens_resolver; /* 127.0.0.11 listens for DNS */
};
extern const struct record_type network_change_type;

/* resolver[0] gets the UDP and resolver[1] the TCP socket where they were asked for. What was made before a failure
   goes again. */
bool network_change_apply(pid_t container, const struct network_change *change, int resolver[2], struct error *err);
