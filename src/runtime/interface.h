/* Network interfaces of a container over raw rtnetlink: one batch on the host's side, one inside. */
#pragma once

#include <sys/types.h>

#include "runtime/launch.h"

/* In the host's namespace: makes every interface in the network namespace of `child`, under its final name, address and
   MTU; of a veth the host's end, up, is a port of the bridge. They go with that namespace. */
bool interfaces_create(const struct record_list *interfaces, pid_t child, struct error *err);
/* In the container's: loopback and interfaces up, addresses, default routes, sysctls. */
bool interfaces_configure(const struct record_list *interfaces, struct error *err);
/* In the namespace we are in: the default routes lead through these gateways; with "" or NULL there is none. */
bool interfaces_set_gateways(const char *gateway, const char *gateway6, struct error *err);
/* Of the namespace we are in; a link that is not there is fine. */
void interface_remove(const char *name);
void interface_remove_with_address(const char *address);
