/* The nftables table of one engine: the one place that talks to nftables. Other tables are never touched.

   What a packet meets is a fixed number of rules; bridges and published ports are elements of sets and maps, found by
   hash or tree. A published port is one element, added over netlink in one transaction with the others of its
   container; the `nft` program runs only when a bridge comes or goes, and then replaces the whole table in one
   transaction. A table that was flushed behind our back is made again with the next change. Thread-safe. */
#pragma once

#include "network/netlink.h"

struct firewall;

struct firewall_bridge {
    char name[16];
    struct ipv4_prefix subnet;
    bool has_nat;
    bool is_internal;
};

struct firewall_port {
    uint32_t host_address; /* host byte order; 0: every address of the host */
    uint8_t protocol;      /* IPPROTO_TCP, … */
    uint16_t host_port;
    uint32_t address; /* of the container */
    uint16_t port;
};

/* `name` makes the table's: "wherry-<name>". */
struct firewall *firewall_new(const char *name);
void firewall_free(struct firewall *firewall);

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
/* A table that was loaded, and was removed behind our back, is not. *table (caller frees) is its name. */
bool firewall_is_there(struct firewall *firewall, char **table);
/* Loads it again, whatever the kernel has. */
bool firewall_reload(struct firewall *firewall, struct error *err);
/* Removes the table; one that is not there is fine. */
bool firewall_unload(struct firewall *firewall, struct error *err);

/* Packets between the host's links are forwarded (net.ipv4.ip_forward). */
bool firewall_enable_forwarding(struct error *err);
/* Packets for the host's own 127.0.0.0/8 may leave through this bridge: for ports that are reached by "localhost". */
bool firewall_enable_loopback(const char *bridge, struct error *err);
