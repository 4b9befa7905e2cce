/* The networks of one engine: `bridge`, `host`, `none`, and those that users make. They are kept in the database; their
   links and rules on the host are made from that. Thread-safe.

   A container's place in a network is an endpoint. Endpoints live as long as the container runs: the engine tells of
   those that it finds running after a restart (network_readopt), then calls network_begin. */
#pragma once

#include "model/network.h"
#include "runtime/launch.h"
#include "store/database.h"

struct network_manager;

struct network_options {
    const char *bridge_name; /* "wherry0" */
    const char
        *bridge_address;     /* "172.17.0.1/16", or NULL: the first of Docker's default pools that no route overlaps */
    bool is_bridge_disabled; /* --bridge none */
    bool has_nat;            /* --ip-masq */
    bool has_no_icc;         /* --icc=false: of the default bridge */
    bool has_ipv6;           /* --ipv6: of the default bridge */
    const char *ipv6_subnet; /* --fixed-cidr-v6, or NULL: the next of the pools */
    bool has_no_firewall;    /* --iptables=false */
    bool has_closed_ports;   /* published ports are closed to other hosts until an administrator's set allows them */
    int64_t mtu;             /* 0: 1500 */
    const struct strlist *address_pools; /* "base=10.0.0.0/8,size=24"; NULL or empty: Docker's */
};

/* Driver options of an endpoint. */
#define NETWORK_ENDPOINT_SYSCTLS "com.docker.network.endpoint.sysctls"
#define NETWORK_ENDPOINT_IFNAME  "com.docker.network.endpoint.ifname"

/* Is it in the form of --default-address-pool? */
bool network_check_pool(const char *text, struct error *err);

/* Reads the networks; makes nothing on the host yet. */
struct network_manager *network_open(struct database *database, const struct network_options *options,
                                     struct error *err);
/* The engine has told of all endpoints: links and rules become what they are to be. */
bool network_begin(struct network_manager *manager, struct error *err);
/* Removes the bridges that no endpoint uses, and the nftables table where none is left, then frees. */
void network_close(struct network_manager *manager);

/* --- networks --- */

/* By name, id or unique prefix of one: a copy, which the caller releases. "network x not found". */
bool network_get(struct network_manager *manager, const char *reference, struct network_record *out, struct error *err);
/* All, as struct network_record; the caller releases the list. */
void network_list(struct network_manager *manager, struct record_list *out);
/* The name of "" and "default"; else what is given. */
const char *network_name(const char *reference);
static inline bool network_is_predefined(const char *name)
{
    return string_equal(name, "bridge") || string_equal(name, "host") || string_equal(name, "none");
}
/* A network of the user's own, with DNS, aliases and addresses? */
bool network_is_user_defined(struct network_manager *manager, const char *reference);

/* With Docker's checks. *id is the caller's to free. */
bool network_create(struct network_manager *manager, struct network_create_request *request, char **id,
                    struct error *err);
/* Not while it has endpoints. */
bool network_remove(struct network_manager *manager, const char *reference, struct error *err);
/* Docker's checks of what an endpoint asks for, all problems at once, without the line that introduces them. NULL where
   there is none; the caller frees. */
char *network_endpoint_problems(struct network_manager *manager, const char *reference,
                                const struct endpoint_settings *asked);

/* --- for a check of what the host has --- */

/* The links that are ports of some network's bridge. */
void network_ports(struct network_manager *manager, struct strlist *out);
/* Removes a port of one of them that belongs to no container. */
bool network_remove_port(const char *link, struct error *err);
/* Is the nftables table there, where there has to be one? *table is its name, which the caller frees. */
bool network_rules_are_there(struct network_manager *manager, char **table);
bool network_load_rules(struct network_manager *manager, struct error *err);

/* --- endpoints --- */

/* Joins a container: makes the bridge and its rules where they are missing, takes an address (requested->ipam_config
   may ask for one), and fills in what the runtime needs and what inspect shows; interface->name is a prefix ("eth")
   unless has_own_name. interface->parent is NULL where the network has no link (host, none). Not durable: the address
   belongs to a running container. */
bool network_join(struct network_manager *manager, const char *reference, const char *container_id,
                  const struct endpoint_settings *requested, struct launch_interface *interface,
                  struct endpoint_settings *shown, struct error *err);
/* Gives up one endpoint, or all with network_id NULL: address, published ports. The interface went with its
   namespace. */
void network_leave(struct network_manager *manager, const char *container_id, const char *network_id);
/* After a restart of the engine: the container still runs with this endpoint. */
void network_readopt(struct network_manager *manager, const char *container_id, const struct endpoint_settings *shown);
/* The names by which others find the endpoint have changed. */
void network_set_names(struct network_manager *manager, const char *container_id, const char *network_id,
                       const struct strlist *names);
/* The name of the link on the host that belongs to an endpoint; `text` has 16 bytes. */
const char *network_link_name(const char *endpoint_id, char *text);
bool network_remove_link(const char *endpoint_id, struct error *err);
/* Before ports of a container that runs are published at this endpoint. */
void network_prepare_link(const char *endpoint_id);

/* --- published ports (ports.c) --- */

/* Publishes ports of a running container at the address of one of its endpoints. `bindings` is a LISTS_MAP of struct
   port_binding by "80/tcp", as asked for; *shown gets what was bound, in the same form, as inspect shows it. All or
   nothing. `endpoint_name` and `endpoint_id` are for Docker's error message. */
struct network_publish {
    const char *container_id;
    const char *network; /* that the ports lead into */
    const char *address; /* of the container, or NULL */
    const char *address6;
    const char *host_ip; /* for bindings that name none: "" or NULL is every address, of both families */
    const char *endpoint_name;
    const char *endpoint_id;
    bool is_again; /* after a restart: what others have taken meanwhile is no failure */
};
bool network_publish(struct network_manager *manager, const struct network_publish *where,
                     const struct record_map *bindings, struct record_map *shown, struct error *err);
/* Takes one binding back ("80/tcp", host_port "8080"; host_ip NULL: all), or all with port NULL. */
void network_unpublish(struct network_manager *manager, const char *container_id, const char *port, const char *host_ip,
                       const char *host_port);
/* Answers DNS for a container at the sockets of its 127.0.0.11 (UDP, TCP; taken), until it has left all networks. `dns`
   and `options` are those of its config. */
void network_serve_dns(struct network_manager *manager, const char *container_id, const int sockets[2],
                       const struct strlist *dns, const struct strlist *options);
/* The host's address that a network binds to where a binding names none (host_binding_ipv4); caller frees. */
char *network_host_binding(struct network_manager *manager, const char *reference);

/* --- the text of a container's files --- */

/* `addresses` may be empty. */
char *network_hosts_file(const char *hostname, const char *domainname, const struct strlist *addresses,
                         const struct strlist *extra_hosts, const char *gateway);
/* From the host's /etc/resolv.conf, Docker's rules: loopback servers are left out unless is_host_network, the options
   given replace. */
char *network_internal_resolv_conf(const struct strlist *dns, const struct strlist *search,
                                   const struct strlist *options); /* for a container that asks our own DNS server */
/* The servers that it forwards to: those given, else the host's. */
void network_dns_servers(const struct strlist *dns, struct strlist *out);
char *network_resolv_conf(bool is_host_network, const struct strlist *dns, const struct strlist *search,
                          const struct strlist *options);
