/* Elements of nftables maps over netlink: one batch is one transaction of the kernel. */
#pragma once

#include "network/firewall.h"

/* Adds or deletes the elements of ports in the maps `published` and `published_any` of an inet table. *is_table_missing
   tells why it failed. Elements that are there already, or not there to be deleted, are no error. */
bool nftables_change_ports(const char *table, bool is_addition, const struct firewall_port *ports, size_t count,
                           bool *is_table_missing, struct error *err);
