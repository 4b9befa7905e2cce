/* The manager's own structs, for the files of this room. */
#pragma once

#include <pthread.h>

#include "base/id.h"
#include "network/address_pool.h"
#include "network/firewall.h"
#include "network/network.h"

/* A container's place in a network. */
struct endpoint {
    char container_id[ID_LENGTH + 1];
    char id[ID_LENGTH + 1];
    struct ip_address addresses[2]; /* IPv4, IPv6; without a family where it has none */
    struct strlist names;           /* by which others of the network find it */
    struct strlist links;           /* "name:alias": what its container alone calls others */
};

struct network_subnet {
    struct ip_prefix gateway; /* its address has no family where there is none; the length is the subnet's */
    struct address_pool pool;
};

/* How others reach a bridge's containers, of one family. */
enum gateway_mode { GATEWAY_NAT, GATEWAY_NAT_UNPROTECTED, GATEWAY_ROUTED, GATEWAY_ISOLATED };

struct network {
    struct network_record record;
    /* What follows is of the drivers that give addresses: bridge, macvlan, ipvlan. */
    char *link; /* the bridge, or the parent */
    struct network_subnet *subnets;
    size_t subnet_count;
    bool is_planned; /* the subnets are set */
    bool is_ready;   /* the link is there with its rules */
    bool is_closed;  /* it leads nowhere: internal, or on a parent of its own */
    int64_t mtu;
    char *interface_prefix; /* "eth" */
    /* of a bridge */
    bool has_icc;
    bool has_nat;
    bool inhibits_ipv4; /* the bridge has no IPv4 address */
    bool has_closed_ports;
    enum gateway_mode modes[2];    /* IPv4, IPv6 */
    struct ip_address outgoing[2]; /* what its packets have as their source outside; without a family: the host's */
    struct strlist trusted;        /* links whose packets reach its containers directly */
    /* of macvlan and ipvlan */
    char *mode, *flag;
    struct endpoint *endpoints;
    size_t endpoint_count;
};

static inline int family_index(enum ip_family family)
{
    return family == IP_V6;
}

/* Where subnets come from that nobody named: each `size`d part of `base`. */
struct default_pool {
    struct ip_prefix base;
    unsigned size;
};

struct network_manager {
    pthread_mutex_t mutex;
    struct database *database;
    char *bridge_address; /* of the default bridge as configured, or NULL */
    bool is_bridge_disabled;
    bool has_closed_ports;
    bool is_begun;
    struct firewall *firewall;
    struct network **networks;
    size_t count;
    struct default_pool *pools;
    size_t pool_count;
    struct port_book *ports;
    struct dns_server *dns;
};

/* With the mutex held, as all below. */
struct network *manager_find(struct network_manager *manager, const char *reference, struct error *err);
struct network *manager_find_id(struct network_manager *manager, const char *id);
void network_free(struct network *network);

bool network_is_bridge(const struct network *network);
bool network_is_macvlan(const struct network *network); /* or ipvlan */
/* The first subnet of a family, or NULL; the one that an address is in. */
struct network_subnet *network_subnet(const struct network *network, enum ip_family family);
struct network_subnet *network_subnet_of(const struct network *network, struct ip_address address);

/* bridge_options.c: reads the driver's options of the record. Docker's messages for those that are wrong. */
bool bridge_configure(const struct network_manager *manager, struct network *network, const char *default_name,
                      struct error *err);
/* "eth", or what the network's option says. */
const char *bridge_interface_prefix(const struct network *network);
/* com.docker.network.driver.mtu, for every driver. */
bool network_read_mtu(struct network *network, struct error *err);

/* bridge.c: the bridge and its rules; one that is there (of the user's, or of our own earlier run) is used. What has
   gone since it was last made is made again. */
bool bridge_make(struct network_manager *manager, struct network *network, struct error *err);
void bridge_remove(struct network_manager *manager, struct network *network);

/* macvlan.c */
bool macvlan_configure(struct network_manager *manager, struct network *network, struct error *err);
/* The parent: VLAN links and dummies are made. */
bool macvlan_make(struct network_manager *manager, struct network *network, struct error *err);
void macvlan_remove(struct network_manager *manager, struct network *network);

/* default_pool.c: "base=10.10.0.0/16,size=24" */
bool default_pool_parse(const char *text, struct default_pool *out, struct error *err);

/* subnet.c */
/* The pools that were configured, or Docker's. */
bool subnet_set_pools(struct network_manager *manager, const struct strlist *configured, struct error *err);
/* IPv6 without a pool of its own: /64s of a network that is this engine's alone (RFC 4193), drawn from `seed`. */
void subnet_add_local_pool(struct network_manager *manager, const char *seed);
/* Decides subnets and gateways, and writes the choice into the record. */
bool subnet_plan(struct network_manager *manager, struct network *network, struct error *err);
/* Does any other network of ours have a part of it? */
bool subnet_is_used(const struct network_manager *manager, struct ip_prefix subnet);
/* Docker's checks of an IPAM config; all problems at once. */
bool subnet_check(const struct record_list *config, struct error *err);

/* ports.c */
struct port_book *port_book_new(void);
void port_book_free(struct port_book *book);
