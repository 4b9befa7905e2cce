/* The table as text for the nft program. Declarations come first, so that the same text makes a new table and changes
   one that is there: our chains and sets are emptied and filled, the administrator's stay. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "network/firewall_table.h"

static const char declarations[] =
    "  chain user { }\n"
    "  set allowed { type ipv4_addr . inet_service; flags interval; }\n"
    "  set allowed6 { type ipv6_addr . inet_service; flags interval; }\n"
    "  set bridges { type ifname; }\n"
    "  set internal { type ifname; }\n"
    "  set within { type ifname . ifname; }\n"
    "  set trusted { type ifname . ifname; }\n"
    "  set routed { type ifname; }\n"
    "  set routed6 { type ifname; }\n"
    "  set unprotected { type ifname; }\n"
    "  set unprotected6 { type ifname; }\n"
    "  set own { type ifname . ipv4_addr; flags interval; }\n"
    "  set own6 { type ifname . ipv6_addr; flags interval; }\n"
    "  set masqueraded { type ipv4_addr; flags interval; }\n"
    "  set masqueraded6 { type ipv6_addr; flags interval; }\n"
    "  map outgoing { type ipv4_addr : ipv4_addr; flags interval; }\n"
    "  map outgoing6 { type ipv6_addr : ipv6_addr; flags interval; }\n"
    "  map published { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }\n"
    "  map published6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }\n"
    "  map published_any { type inet_proto . inet_service : ipv4_addr . inet_service; }\n"
    "  map published_any6 { type inet_proto . inet_service : ipv6_addr . inet_service; }\n"
    "  map ranges { type inet_proto . inet_service : ipv4_addr; flags interval; }\n"
    "  map ranges6 { type inet_proto . inet_service : ipv6_addr; flags interval; }\n"
    "  set open { type ipv4_addr . inet_proto . inet_service; }\n"
    "  set open6 { type ipv6_addr . inet_proto . inet_service; }\n"
    "  set closed { type inet_proto . inet_service; }\n"
    "  set closed_ranges { type inet_proto . inet_service; flags interval; }\n"
    "  chain early { type filter hook prerouting priority raw; policy accept; }\n"
    "  chain closed_ports { type filter hook prerouting priority -110; policy accept; }\n"
    "  chain allow { }\n"
    "  chain translate { }\n"
    "  chain prerouting { type nat hook prerouting priority dstnat; policy accept; }\n"
    "  chain output { type nat hook output priority -100; policy accept; }\n"
    "  chain postrouting { type nat hook postrouting priority srcnat; policy accept; }\n"
    "  chain forward { type filter hook forward priority filter; policy accept; }\n";

static const char *const our_chains[] = {"forward",      "postrouting", "output", "prerouting",
                                         "closed_ports", "translate",   "allow",  "early"};

static const char rules[] =
    /* What is meant for the host's own loopback comes from nowhere else. */
    "  chain early {\n"
    "    iifname != \"lo\" ip daddr 127.0.0.0/8 drop\n"
    "  }\n"
    /* Published ports that stay closed to other hosts until an administrator names who may come. */
    "  chain allow {\n"
    "    ip saddr . th dport @allowed accept\n"
    "    ip6 saddr . th dport @allowed6 accept\n"
    "    drop\n"
    "  }\n"
    "  chain closed_ports {\n"
    "    iifname \"lo\" accept\n"
    "    iifname @bridges accept\n"
    "    fib daddr type != local accept\n"
    "    meta l4proto . th dport @closed jump allow\n"
    "    meta l4proto . th dport @closed_ranges jump allow\n"
    "  }\n"
    /* What is sent to ::1 cannot leave through a link: a socket carries it over. */
    "  chain translate {\n"
    "    dnat ip to ip daddr . meta l4proto . th dport map @published\n"
    "    dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6\n"
    "    ip6 daddr ::1 return\n"
    "    fib daddr type != local return\n"
    "    dnat ip to meta l4proto . th dport map @published_any\n"
    "    dnat ip6 to meta l4proto . th dport map @published_any6\n"
    "    dnat ip to meta l4proto . th dport map @ranges\n"
    "    dnat ip6 to meta l4proto . th dport map @ranges6\n"
    "  }\n"
    "  chain prerouting {\n"
    "    jump translate\n"
    "  }\n"
    "  chain output {\n"
    "    jump translate\n"
    "  }\n"
    /* A container that reaches another one of its network through the host must be answered through the host. */
    "  chain postrouting {\n"
    "    oifname . ip saddr @own ct status dnat masquerade\n"
    "    oifname . ip6 saddr @own6 ct status dnat masquerade\n"
    "    oifname . ip saddr @own accept\n"
    "    oifname . ip6 saddr @own6 accept\n"
    "    snat ip to ip saddr map @outgoing\n"
    "    snat ip6 to ip6 saddr map @outgoing6\n"
    "    ip saddr @masqueraded masquerade\n"
    "    ip6 saddr @masqueraded6 masquerade\n"
    "    ip saddr 127.0.0.0/8 oifname @bridges masquerade\n"
    "  }\n"
    /* Into a network come its own packets, answers, and what was sent to a published port. */
    "  chain forward {\n"
    "    jump user\n"
    "    iifname . oifname @within accept\n"
    "    iifname @internal drop\n"
    "    oifname @internal drop\n"
    "    ct state established,related accept\n"
    "    ct status dnat accept\n"
    "    iifname . oifname @trusted accept\n"
    "    meta nfproto ipv4 oifname @unprotected accept\n"
    "    meta nfproto ipv6 oifname @unprotected6 accept\n"
    "    meta l4proto icmp oifname @routed accept\n"
    "    meta l4proto ipv6-icmp oifname @routed6 accept\n"
    "    ip daddr . meta l4proto . th dport @open accept\n"
    "    ip6 daddr . meta l4proto . th dport @open6 accept\n"
    "    oifname @bridges drop\n"
    "  }\n";

/* --- bridges --- */

enum bridge_set {
    SET_BRIDGES,
    SET_INTERNAL,
    SET_WITHIN,
    SET_TRUSTED,
    SET_ROUTED,
    SET_UNPROTECTED,
    SET_OWN,
    SET_MASQUERADED,
    MAP_OUTGOING,
};
static const struct {
    const char *name;
    enum bridge_set set;
    int family; /* 0: IPv4, or both */
} bridge_sets[] = {
    {"bridges", SET_BRIDGES, 0},
    {"internal", SET_INTERNAL, 0},
    {"within", SET_WITHIN, 0},
    {"trusted", SET_TRUSTED, 0},
    {"routed", SET_ROUTED, 0},
    {"routed6", SET_ROUTED, 1},
    {"unprotected", SET_UNPROTECTED, 0},
    {"unprotected6", SET_UNPROTECTED, 1},
    {"own", SET_OWN, 0},
    {"own6", SET_OWN, 1},
    {"masqueraded", SET_MASQUERADED, 0},
    {"masqueraded6", SET_MASQUERADED, 1},
    {"outgoing", MAP_OUTGOING, 0},
    {"outgoing6", MAP_OUTGOING, 1},
};

static void add_bridge_element(const struct firewall_bridge *bridge, enum bridge_set set, int family,
                               struct strbuf *out)
{
    char text[IP_PREFIX_TEXT_SIZE], address[INET6_ADDRSTRLEN];
    bool has_subnet = bridge->subnets[family].address.family != IP_NONE;
    bool has_outgoing = bridge->outgoing[family].family != IP_NONE;
    const char *subnet = has_subnet ? ip_prefix_format(bridge->subnets[family], text) : "";
    switch (set) {
    case SET_BRIDGES:
        strbuf_addf(out, "\"%s\", ", bridge->name);
        break;
    case SET_INTERNAL:
        if (bridge->is_internal)
            strbuf_addf(out, "\"%s\", ", bridge->name);
        break;
    case SET_WITHIN:
        strbuf_addf(out, "\"%s\" . \"%s\", ", bridge->name, bridge->name);
        break;
    case SET_TRUSTED:
        for (size_t i = 0; i < bridge->trusted_count; i++)
            strbuf_addf(out, "\"%s\" . \"%s\", ", bridge->trusted[i], bridge->name);
        break;
    case SET_ROUTED:
        if (bridge->is_routed[family])
            strbuf_addf(out, "\"%s\", ", bridge->name);
        break;
    case SET_UNPROTECTED:
        if (bridge->is_unprotected[family])
            strbuf_addf(out, "\"%s\", ", bridge->name);
        break;
    case SET_OWN:
        if (has_subnet)
            strbuf_addf(out, "\"%s\" . %s, ", bridge->name, subnet);
        break;
    case SET_MASQUERADED:
        if (has_subnet && bridge->has_nat[family] && !has_outgoing)
            strbuf_addf(out, "%s, ", subnet);
        break;
    case MAP_OUTGOING:
        if (has_subnet && bridge->has_nat[family] && has_outgoing)
            strbuf_addf(out, "%s : %s, ", subnet, ip_format(bridge->outgoing[family], address));
        break;
    }
}

static bool is_map(const char *name)
{
    return string_starts_with(name, "published") || string_starts_with(name, "ranges") ||
           string_starts_with(name, "outgoing");
}

static void add_set(const char *table, const char *name, const struct strbuf *elements, struct strbuf *out)
{
    if (elements->length)
        strbuf_addf(out, "add element inet %s %s { %s }\n", table, name, strbuf_text(elements));
}

/* --- ports --- */

const char *const firewall_port_sets[FIREWALL_PORT_SETS] = {
    "published", "published6", "published_any", "published_any6", "ranges",
    "ranges6",   "open",       "open6",         "closed",         "closed_ranges"};

size_t firewall_port_elements(const struct firewall_port *port, struct firewall_element out[2])
{
    bool is_v6 = port->address.family == IP_V6;
    bool is_range = port->count > 1;
    size_t count = 0;
    struct firewall_element element = {.protocol = port->protocol,
                                       .first = port->host_port,
                                       .last = (uint16_t)(port->host_port + MAX(port->count, 1) - 1)};
    if (port->is_closed) {
        out[count] = element;
        out[count++].set = is_range ? "closed_ranges" : "closed";
    }
    if (port->is_routed) {
        element.set = is_v6 ? "open6" : "open";
        element.key = port->address;
        element.first = element.last = port->port;
        out[count++] = element;
    } else if (port->host_address.family == port->address.family) {
        bool is_any = ip_is_any(port->host_address);
        element.set = is_range ? (is_v6 ? "ranges6" : "ranges")
                      : is_any ? (is_v6 ? "published_any6" : "published_any")
                               : (is_v6 ? "published6" : "published");
        if (!is_any)
            element.key = port->host_address;
        element.value = port->address;
        element.value_port = is_range ? 0 : port->port;
        out[count++] = element;
    }
    return count;
}

static void add_port_element(const struct firewall_element *element, struct strbuf *out)
{
    char text[INET6_ADDRSTRLEN];
    if (element->key.family != IP_NONE)
        strbuf_addf(out, "%s . ", ip_format(element->key, text));
    strbuf_addf(out, "%u . %u", element->protocol, element->first);
    if (element->last != element->first)
        strbuf_addf(out, "-%u", element->last);
    if (element->value.family != IP_NONE)
        strbuf_addf(out, " : %s", ip_format(element->value, text));
    if (element->value_port)
        strbuf_addf(out, " . %u", element->value_port);
    strbuf_add_string(out, ", ");
}

static void add_ports(const char *table, const struct firewall_content *content, struct strbuf *out)
{
    struct strbuf texts[FIREWALL_PORT_SETS] = {0};
    for (size_t i = 0; i < content->port_count; i++) {
        struct firewall_element elements[2];
        size_t count = firewall_port_elements(&content->ports[i], elements);
        for (size_t j = 0; j < count; j++)
            for (size_t k = 0; k < FIREWALL_PORT_SETS; k++)
                if (string_equal(firewall_port_sets[k], elements[j].set))
                    add_port_element(&elements[j], &texts[k]);
    }
    for (size_t k = 0; k < FIREWALL_PORT_SETS; k++) {
        add_set(table, firewall_port_sets[k], &texts[k], out);
        strbuf_release(&texts[k]);
    }
}

void firewall_table_text(const char *table, const struct firewall_content *content, struct strbuf *out)
{
    strbuf_addf(out, "table inet %s {\n%s}\n", table, declarations);
    for (size_t i = 0; i < ARRAY_SIZE(our_chains); i++)
        strbuf_addf(out, "flush chain inet %s %s\n", table, our_chains[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bridge_sets); i++)
        strbuf_addf(out, "flush %s inet %s %s\n", is_map(bridge_sets[i].name) ? "map" : "set", table,
                    bridge_sets[i].name);
    for (size_t i = 0; i < FIREWALL_PORT_SETS; i++)
        strbuf_addf(out, "flush %s inet %s %s\n", is_map(firewall_port_sets[i]) ? "map" : "set", table,
                    firewall_port_sets[i]);
    strbuf_addf(out, "table inet %s {\n", table);
    strbuf_add_string(out, rules);
    strbuf_add_string(out, "}\n");
    struct strbuf elements = STRBUF_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(bridge_sets); i++) {
        strbuf_release(&elements);
        elements = (struct strbuf)STRBUF_INIT;
        for (size_t j = 0; j < content->bridge_count; j++)
            add_bridge_element(&content->bridges[j], bridge_sets[i].set, bridge_sets[i].family, &elements);
        add_set(table, bridge_sets[i].name, &elements, out);
    }
    strbuf_release(&elements);
    add_ports(table, content, out);
}
