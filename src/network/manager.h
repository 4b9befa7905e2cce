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
    uint32_t address;     /* host byte order */
    struct strlist names; /* by which others of the network find it */
    struct strlist links; /* "name:alias": what its container alone calls others */
};

struct network {
    struct network_record record;
    /* What follows is of the bridge driver. */
    char *bridge;
    struct ipv4_prefix gateway; /* the bridge's own address */
    struct address_pool pool;
    bool is_planned; /* gateway and pool are set */
    bool is_ready;   /* the bridge is there with its rules */
    bool has_icc;
    bool has_nat;
    int64_t mtu;
    struct endpoint *endpoints;
    size_t endpoint_count;
};

struct network_manager {
    pthread_mutex_t mutex;
    struct database *database;
    char *bridge_address; /* of the default bridge as configured, or NULL */
    bool is_bridge_disabled;
    bool is_begun;
    struct firewall *firewall;
    struct network **networks;
    size_t count;
    struct port_book *ports;
    struct dns_server *dns;
};

/* With the mutex held, as all below. */
struct network *manager_find(struct network_manager *manager, const char *reference, struct error *err);
struct network *manager_find_id(struct network_manager *manager, const char *id);
void network_free(struct network *network);

/* bridge.c */
bool network_is_bridge(const struct network *network);
/* Reads the driver's options of the record. Docker's messages for those that are wrong. */
bool bridge_configure(struct network *network, const char *default_name, struct error *err);
/* Decides subnet, gateway and pool; writes the choice into the record. */
bool bridge_plan(struct network_manager *manager, struct network *network, struct error *err);
/* The bridge, its rules, once; one that is there (of the user's, or of our own earlier run) is used. */
bool bridge_make(struct network_manager *manager, struct network *network, struct error *err);
void bridge_remove(struct network_manager *manager, struct network *network);

/* subnet.c */
/* The first of Docker's default pools that overlaps neither a network nor a route of the host. */
bool subnet_choose(struct network_manager *manager, struct ipv4_prefix *out, struct error *err);
/* Does any other network of ours have a part of it? */
bool subnet_is_used(struct network_manager *manager, struct ipv4_prefix subnet);
/* Docker's checks of an IPAM config; all problems at once. */
bool subnet_check(const struct record_list *config, struct error *err);

/* ports.c */
struct port_book *port_book_new(void);
void port_book_free(struct port_book *book);
