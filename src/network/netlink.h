/* The host's links, addresses and routes over rtnetlink (libmnl): the one place in wherryd that talks it. Every
   function opens a socket of its own: they are called when a bridge is made or removed, not on the start path. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

struct ipv4_prefix {
    uint32_t address; /* host byte order */
    unsigned length;  /* 0-32 */
};
/* "172.17.0.1/16" */
bool ipv4_prefix_parse(const char *text, struct ipv4_prefix *out);
uint32_t ipv4_netmask(unsigned length);
bool ipv4_overlaps(struct ipv4_prefix a, struct ipv4_prefix b);
/* Dotted quad; at most INET_ADDRSTRLEN. */
const char *ipv4_format(uint32_t address, char text[INET_ADDRSTRLEN]);

/* The index of a link, or 0 where there is none. *is_ours: it carries the alias that netlink_make_bridge gives. */
unsigned netlink_find(const char *name, bool *is_ours);
/* The first IPv4 address of a link. */
bool netlink_address(unsigned index, struct ipv4_prefix *out);
/* Makes a bridge, gives it a MAC, an address and an alias that says it is ours, and sets it up. */
bool netlink_make_bridge(const char *name, struct ipv4_prefix address, int64_t mtu, struct error *err);
bool netlink_remove(const char *name, struct error *err);
/* The bridge sends back through this port what came from it and was translated to it. */
bool netlink_set_hairpin(const char *name, struct error *err);
/* The names of the links that are ports of the bridge. */
bool netlink_ports(unsigned bridge, struct strlist *out, struct error *err);
/* Where the host's IPv4 routes lead, without the default route. The caller frees *items. */
bool netlink_routes(struct ipv4_prefix **items, size_t *count, struct error *err);
