/* What the nftables table holds, as text for the nft program and as elements of its sets. No I/O. */
#pragma once

#include "base/strbuf.h"
#include "network/firewall.h"

struct firewall_content {
    struct firewall_bridge *bridges;
    size_t bridge_count;
    struct firewall_port *ports;
    size_t port_count;
};

/* One transaction that makes the table, or makes one that is there (of this version) hold this. */
void firewall_table_text(const char *table, const struct firewall_content *content, struct strbuf *out);

/* An element of a set or map: [key .] protocol . first[-last] [: value [. value_port]] */
struct firewall_element {
    const char *set;
    struct ip_address key;
    uint8_t protocol;
    uint16_t first, last;
    struct ip_address value;
    uint16_t value_port; /* 0: the same as was asked for */
};
/* The elements that a port has; returns how many. */
size_t firewall_port_elements(const struct firewall_port *port, struct firewall_element out[2]);

#define FIREWALL_PORT_SETS 10
extern const char *const firewall_port_sets[FIREWALL_PORT_SETS];
