/* Carries what reaches the socket of a published port to the container: connections and datagrams over IPv6, and over
   IPv4 while the firewall's rule is missing. One thread for all of them. */
#pragma once

#include <stdint.h>

#include "base/macros.h"

struct proxy;

/* NULL where no thread is to be had. */
struct proxy *proxy_new(void);
void proxy_free(struct proxy *proxy);
/* The socket (listening, or of datagrams; non-blocking) stays the caller's; proxy_remove comes before its end.
   `protocol` is IPPROTO_TCP or IPPROTO_UDP, `address` in host byte order. */
void proxy_add(struct proxy *proxy, int socket, uint8_t protocol, uint32_t address, uint16_t port);
void proxy_remove(struct proxy *proxy, int socket);
