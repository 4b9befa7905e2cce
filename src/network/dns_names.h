/* The names of the networks, as a container may know them. */
#pragma once

#include "network/ip.h"
#include "network/network.h"

#define DNS_ADDRESSES_MAXIMUM 64

/* The addresses of a name in the networks of a container, of both families, the container's links first; 0: unknown. */
size_t network_resolve(struct network_manager *manager, const char *container_id, const char *name,
                       struct ip_address addresses[DNS_ADDRESSES_MAXIMUM]);
/* "name.network" of an address in one of its networks, or NULL; the caller frees. */
char *network_reverse(struct network_manager *manager, const char *container_id, struct ip_address address);
/* Is the address in a subnet of one of its networks? Nobody else knows who has it. */
bool network_owns_address(struct network_manager *manager, const char *container_id, struct ip_address address);
/* May the container ask the outside? Not with internal networks alone. */
bool network_has_way_out(struct network_manager *manager, const char *container_id);
