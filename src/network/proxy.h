/* Carries what reaches the socket of a published port to the container: connections and datagrams of another
   family than the container's address, those of the host's own to ::1, and all while the firewall's rule is missing.
   One thread for all of them. */
#pragma once

#include <stdint.h>

#include "base/macros.h"
#include "network/ip.h"

struct proxy;

/* NULL where no thread is to be had. */
struct proxy *proxy_new(void);
void proxy_free(struct proxy *proxy);
/* The socket (listening, or of datagrams; non-blocking) stays the caller's; proxy_remove comes before its end.
   `protocol` is IPPROTO_TCP or IPPROTO_UDP. */
void proxy_add(struct proxy *proxy, int socket, uint8_t protocol, struct ip_address address, uint16_t port);
void proxy_remove(struct proxy *proxy, int socket);
