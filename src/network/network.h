/* Networks of one engine, as far as the spine needs them: `none`, `host`, and the default bridge with addresses and
   outgoing NAT. Thread-safe. */
#pragma once

#include "model/container.h"
#include "runtime/launch.h"
#include "store/database.h"

struct network_manager;

struct network_options {
    const char *bridge_name; /* "wherry0" */
    const char
        *bridge_address;     /* "172.17.0.1/16", or NULL: the first of Docker's default pools that no route overlaps */
    bool is_bridge_disabled; /* --bridge none */
    bool has_nat;            /* --ip-masq */
    int64_t mtu;             /* 0: 1500 */
};

/* Reads the endpoints of containers from the database; makes nothing on the host yet. */
struct network_manager *network_open(struct database *database, const struct network_options *options,
                                     struct error *err);
/* Removes the bridge and the nftables table where no endpoint is left, then frees. */
void network_close(struct network_manager *manager);

struct network_summary {
    const char *id;     /* 64 hex digits, stable over restarts */
    const char *name;   /* "bridge", "host", "none" */
    const char *driver; /* "bridge", "host", "null" */
};
/* By name or id (or unique prefix); NULL where there is none. Owned by the manager. */
const struct network_summary *network_find(struct network_manager *manager, const char *name);
const struct network_summary *network_at(struct network_manager *manager, size_t index); /* NULL past the last */

/* Joins a container to the bridge: makes the bridge and its NAT rules where they are missing, takes an address
   (requested->ipam_config or mac_address may ask for one), and fills in what the runtime needs and what inspect shows.
   Not durable: the address belongs to a running container. */
bool network_join(struct network_manager *manager, const char *container_id, const struct endpoint_settings *requested,
                  struct launch_interface *interface, struct endpoint_settings *shown, struct error *err);
/* Gives the address back. The interface went with its namespace. */
void network_leave(struct network_manager *manager, const char *container_id);
/* After a restart of the engine: the container still runs with this endpoint. */
void network_readopt(struct network_manager *manager, const char *container_id, const struct endpoint_settings *shown);

/* The text of a container's files. `addresses` may be empty. */
char *network_hosts_file(const char *hostname, const char *domainname, const struct strlist *addresses,
                         const struct strlist *extra_hosts, const char *gateway);
/* From the host's /etc/resolv.conf, Docker's rules: loopback servers are left out unless is_host_network, the options
   given replace. */
char *network_resolv_conf(bool is_host_network, const struct strlist *dns, const struct strlist *search,
                          const struct strlist *options);
