/* The host's links, addresses and routes over rtnetlink (libmnl): the one place in wherryd that talks it. Every
   function opens a socket of its own: they are called when a bridge is made or removed, not on the start path. */
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "network/ip.h"

/* The index of a link, or 0 where there is none. *is_ours: it carries the alias that netlink_make_bridge gives. */
unsigned netlink_find(const char *name, bool *is_ours);
/* The first IPv4 address of a link. */
bool netlink_address(unsigned index, struct ip_prefix *out);
/* Makes a bridge with a MAC and an alias that says it is ours, and sets it up. */
bool netlink_make_bridge(const char *name, int64_t mtu, struct error *err);
/* One that is there already is fine. */
bool netlink_add_address(const char *name, struct ip_prefix address, struct error *err);
/* Links that are to be parents of others; with our alias. A VLAN's name is "<parent>.<id>". */
bool netlink_make_dummy(const char *name, struct error *err);
bool netlink_make_vlan(const char *name, const char *parent, uint16_t id, struct error *err);
/* Does this kernel make links of a kind ("ipvlan")? Tries it above `parent`; nothing is left. */
bool netlink_can_make(const char *kind, const char *parent, struct error *err);
/* Makes a link a port of a bridge. */
bool netlink_set_master(const char *name, const char *bridge, struct error *err);
bool netlink_remove(const char *name, struct error *err);
/* The bridge sends back through this port what came from it and was translated to it. */
bool netlink_set_hairpin(const char *name, struct error *err);
/* The names of the links that are ports of the bridge. */
bool netlink_ports(unsigned bridge, struct strlist *out, struct error *err);
/* The bridge keeps the port from other such ports. */
bool netlink_set_isolated(const char *name, struct error *err);
/* Where the host's routes of a family lead, without the default route. The caller frees *items. */
bool netlink_routes(enum ip_family family, struct ip_prefix **items, size_t *count, struct error *err);
