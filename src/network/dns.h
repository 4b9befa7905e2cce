/* The DNS server of all containers on networks of users' own: it answers at 127.0.0.11 of each, from one thread. Names
   of the networks are answered from the manager's book, everything else is asked of the host's servers (or those of
   --dns), over the protocol that the question came by. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct dns_server;
struct network_manager;

struct dns_server *dns_server_new(struct network_manager *manager);
void dns_server_free(struct dns_server *server);

struct dns_client {
    const char *container_id;
    int udp, tcp; /* in the container's namespace; taken */
    const struct strlist *servers;
    bool has_ndots; /* names without a dot are then not asked of others: the client tries its search domains */
};
/* One that is there already is replaced. */
void dns_server_add(struct dns_server *server, const struct dns_client *client);
void dns_server_remove(struct dns_server *server, const char *container_id);
