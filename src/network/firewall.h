/* The nftables table of one bridge: the one place that talks to nftables. Other tables are never touched. */
#pragma once

#include "network/netlink.h"

/* Loads the table in one transaction; one that is there is replaced. */
bool firewall_load(const char *bridge, struct ipv4_prefix subnet, struct error *err);
/* Removes the table; one that is not there is fine. */
bool firewall_unload(const char *bridge, struct error *err);
/* Packets between the host's links are forwarded (net.ipv4.ip_forward). */
bool firewall_enable_forwarding(struct error *err);
