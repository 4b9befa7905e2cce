/* The nftables table of one engine: the one place that talks to nftables. Other tables are never touched.

   What a packet meets is a fixed number of rules; bridges and published ports are elements of sets and maps, found by
   hash or tree. A published port is one element, added over netlink in one transaction with the others of its
   container; the `nft` program runs only when a bridge comes or goes, and then replaces the whole table in one
   transaction. What an administrator has put into the table's chain `user` and its sets `allowed` and `allowed6` stays
   (docs/firewall.md). A table that was flushed or deleted behind our back is made again. Thread-safe. */
#pragma once

#include "base/error.h"
#include "network/ip.h"

struct firewall;

struct firewall_bridge {
    char name[16];
    struct ip_prefix subnets[2]; /* IPv4, IPv6; without a family where there is none */
    bool has_nat[2];
    bool is_routed[2];             /* published ports are reached at the container's own address */
    bool is_unprotected[2];        /* every port is */
    struct ip_address outgoing[2]; /* NAT to this address; without a family: to the link's */
    bool is_internal;
    char (*trusted)[16]; /* links whose packets pass; owned by whoever made the bridge, and copied */
    size_t trusted_count;
};

struct firewall_port {
    struct ip_address host_address; /* 0.0.0.0 or ::: every address of the host */
    uint8_t protocol;               /* IPPROTO_TCP, … */
    uint16_t host_port;
    uint16_t count;            /* ports from host_port on, which lead to as many from `port` on: more than 1 only where
                                  both are the same */
    struct ip_address address; /* of the container; of the same family, or else a socket carries over */
    uint16_t port;
    bool is_routed; /* nothing is translated: the container's port is open */
    bool is_closed; /* to other hosts, unless the administrator's sets allow them */
};

/* `name` makes the table's: "wherry-<name>". An absent one does nothing, with success; one becomes so where the nft
   program is missing. */
struct firewall *firewall_new(const char *name, bool is_absent);
void firewall_free(struct firewall *firewall);
bool firewall_is_absent(struct firewall *firewall);

/* Changes what the table is to hold, and the table with it unless it is not loaded. */
bool firewall_add_bridge(struct firewall *firewall, const struct firewall_bridge *bridge, struct error *err);
bool firewall_remove_bridge(struct firewall *firewall, const char *name, struct error *err);
bool firewall_add_ports(struct firewall *firewall, const struct firewall_port *ports, size_t count, struct error *err);
bool firewall_remove_ports(struct firewall *firewall, const struct firewall_port *ports, size_t count,
                           struct error *err);

/* Makes the table what it is to be; from then on every change is made at once. Nothing is done while there is no
   bridge. */
bool firewall_load(struct firewall *firewall, struct error *err);
bool firewall_is_loaded(struct firewall *firewall);
/* A table that was loaded, and was removed or changed behind our back, is not. *table (caller frees) is its name. */
bool firewall_is_whole(struct firewall *firewall, char **table);
/* Makes the table again if others have changed it. Costs one question to the kernel while nobody has changed any. */
bool firewall_repair(struct firewall *firewall, struct error *err);
/* Removes the table, unless an administrator has rules in it; one that is not there is fine. */
bool firewall_unload(struct firewall *firewall, struct error *err);

/* Packets between the host's links are forwarded (net.ipv4.ip_forward, net.ipv6.conf.all.forwarding). */
bool firewall_enable_forwarding(enum ip_family family, struct error *err);
/* Packets for the host's own 127.0.0.0/8 may leave through this bridge: for ports that are reached by "localhost". */
bool firewall_enable_loopback(const char *bridge, struct error *err);
