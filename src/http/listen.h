/* Sockets to listen on. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* Is this tcp://[HOST][:PORT]? */
bool listen_is_tcp_address(const char *address);
/* Listens there; without a host on 127.0.0.1. *name is HOST:PORT (caller frees). -1 with err. */
int listen_tcp(const char *address, const char *default_port, char **name, struct error *err);
/* systemd's socket activation, sd_listen_fds(3): the descriptors *first, *first + 1, … ERROR_INVALID where there are
   none. Only the first call gets them. */
bool listen_take_activated(int *first, size_t *count, struct error *err);
