/* Network interfaces of a container over raw rtnetlink: one batch on the host's side, one inside. */
#pragma once

#include <sys/types.h>

#include "runtime/launch.h"

/* In the host's namespace: makes every veth pair with the peer already in the network namespace of `child`, under its
   final name, address and MTU, the host's end up and a port of the bridge. The pairs go with that namespace. */
bool interfaces_create(const struct record_list *interfaces, pid_t child, struct error *err);
/* In the container's: loopback and interfaces up, addresses, default routes. */
bool interfaces_configure(const struct record_list *interfaces, struct error *err);
/* In the namespace we are in: the default route leads through this gateway, or with "" or NULL there is none. */
bool interfaces_set_gateway(const char *gateway, struct error *err);
/* Of the namespace we are in; a link that is not there is fine. */
void interface_remove(const char *name);
