#include "network/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"
#include "network/nftables.h"

struct firewall {
    pthread_mutex_t mutex;
    char *table;
    bool is_loaded;
    struct firewall_bridge *bridges;
    size_t bridge_count;
    struct firewall_port *ports;
    size_t port_count;
};

struct firewall *firewall_new(const char *name)
{
    struct firewall *firewall = NEW(struct firewall);
    pthread_mutex_init(&firewall->mutex, NULL);
    firewall->table = xasprintf("wherry-%s", name);
    return firewall;
}

void firewall_free(struct firewall *firewall)
{
    if (!firewall)
        return;
    pthread_mutex_destroy(&firewall->mutex);
    free(firewall->table);
    free(firewall->bridges);
    free(firewall->ports);
    free(firewall);
}

/* --- the table as text --- */

/* `add` before `delete` makes a table that may be missing safe to delete, in the same transaction. */
#define FORGET_TABLE "add table inet %s\ndelete table inet %s\n"

static const char chains[] =
    /* What is meant for the host's own loopback comes from nowhere else. */
    "  chain early {\n"
    "    type filter hook prerouting priority raw; policy accept;\n"
    "    iifname != \"lo\" ip daddr 127.0.0.0/8 drop\n"
    "  }\n"
    "  chain translate {\n"
    "    dnat ip to ip daddr . meta l4proto . th dport map @published\n"
    "    fib daddr type local dnat ip to meta l4proto . th dport map @published_any\n"
    "  }\n"
    "  chain prerouting {\n"
    "    type nat hook prerouting priority dstnat; policy accept;\n"
    "    jump translate\n"
    "  }\n"
    "  chain output {\n"
    "    type nat hook output priority -100; policy accept;\n"
    "    jump translate\n"
    "  }\n"
    /* A container that reaches another one of its network through the host must be answered through the host. */
    "  chain postrouting {\n"
    "    type nat hook postrouting priority srcnat; policy accept;\n"
    "    oifname . ip saddr @own ct status dnat masquerade\n"
    "    oifname . ip saddr @own accept\n"
    "    ip saddr @masqueraded masquerade\n"
    "    ip saddr 127.0.0.0/8 oifname @bridges masquerade\n"
    "  }\n"
    /* Into a network come its own packets, answers, and what was sent to a published port. */
    "  chain forward {\n"
    "    type filter hook forward priority filter; policy accept;\n"
    "    iifname . oifname @within accept\n"
    "    iifname @internal drop\n"
    "    oifname @internal drop\n"
    "    ct state established,related accept\n"
    "    ct status dnat accept\n"
    "    oifname @bridges drop\n"
    "  }\n";

static const char *subnet_text(struct ipv4_prefix subnet, char text[INET_ADDRSTRLEN + 4])
{
    char address[INET_ADDRSTRLEN];
    ipv4_format(subnet.address & ipv4_netmask(subnet.length), address);
    snprintf(text, INET_ADDRSTRLEN + 4, "%s/%u", address, subnet.length);
    return text;
}

enum bridge_set { SET_BRIDGES, SET_INTERNAL, SET_WITHIN, SET_OWN, SET_MASQUERADED };

static void add_bridge_element(const struct firewall_bridge *bridge, enum bridge_set set, struct strbuf *out)
{
    char subnet[INET_ADDRSTRLEN + 4];
    subnet_text(bridge->subnet, subnet);
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
    case SET_OWN:
        strbuf_addf(out, "\"%s\" . %s, ", bridge->name, subnet);
        break;
    case SET_MASQUERADED:
        if (bridge->has_nat && !bridge->is_internal)
            strbuf_addf(out, "%s, ", subnet);
        break;
    }
}

static void add_set(const struct firewall *firewall, enum bridge_set set, const char *head, struct strbuf *out)
{
    struct strbuf elements = STRBUF_INIT;
    for (size_t i = 0; i < firewall->bridge_count; i++)
        add_bridge_element(&firewall->bridges[i], set, &elements);
    strbuf_addf(out, "  set %s", head);
    if (elements.length)
        strbuf_addf(out, " elements = { %s }", strbuf_text(&elements));
    strbuf_add_string(out, " }\n");
    strbuf_release(&elements);
}

static void add_map(const struct firewall *firewall, bool is_any, struct strbuf *out)
{
    struct strbuf elements = STRBUF_INIT;
    char host[INET_ADDRSTRLEN], address[INET_ADDRSTRLEN];
    for (size_t i = 0; i < firewall->port_count; i++) {
        const struct firewall_port *port = &firewall->ports[i];
        if ((port->host_address == 0) != is_any)
            continue;
        if (!is_any)
            strbuf_addf(&elements, "%s . ", ipv4_format(port->host_address, host));
        strbuf_addf(&elements, "%u . %u : %s . %u, ", port->protocol, port->host_port,
                    ipv4_format(port->address, address), port->port);
    }
    strbuf_addf(out, "  map published%s { type %sinet_proto . inet_service : ipv4_addr . inet_service;",
                is_any ? "_any" : "", is_any ? "" : "ipv4_addr . ");
    if (elements.length)
        strbuf_addf(out, " elements = { %s }", strbuf_text(&elements));
    strbuf_add_string(out, " }\n");
    strbuf_release(&elements);
}

static bool run_nft(const char *text, struct error *err)
{
    const char *const argv[] = {"nft", "-f", "-", NULL};
    struct error why = ERROR_INIT;
    if (run(argv, text, 65536, NULL, &why))
        return true;
    if (why.errno_value == ENOENT)
        error_set(err, ERROR_INTERNAL,
                  "the nft program (package nftables) is missing: networks need it for isolation and published ports");
    else
        error_set(err, ERROR_INTERNAL, "cannot load the nftables table (networks need a kernel with nf_tables): %s",
                  error_message(&why));
    error_release(&why);
    return false;
}

static bool load(struct firewall *firewall, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    strbuf_addf(&text, FORGET_TABLE "table inet %s {\n", firewall->table, firewall->table, firewall->table);
    add_set(firewall, SET_BRIDGES, "bridges { type ifname;", &text);
    add_set(firewall, SET_INTERNAL, "internal { type ifname;", &text);
    add_set(firewall, SET_WITHIN, "within { type ifname . ifname;", &text);
    add_set(firewall, SET_OWN, "own { type ifname . ipv4_addr; flags interval;", &text);
    add_set(firewall, SET_MASQUERADED, "masqueraded { type ipv4_addr; flags interval;", &text);
    add_map(firewall, false, &text);
    add_map(firewall, true, &text);
    strbuf_add_string(&text, chains);
    strbuf_add_string(&text, "}\n");
    firewall->is_loaded = run_nft(strbuf_text(&text), err);
    return firewall->is_loaded;
}

/* --- changes --- */

bool firewall_load(struct firewall *firewall, struct error *err)
{
    pthread_mutex_lock(&firewall->mutex);
    bool is_done = firewall->bridge_count == 0 || firewall->is_loaded || load(firewall, err);
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

bool firewall_is_loaded(struct firewall *firewall)
{
    pthread_mutex_lock(&firewall->mutex);
    bool is_loaded = firewall->is_loaded;
    pthread_mutex_unlock(&firewall->mutex);
    return is_loaded;
}

bool firewall_is_there(struct firewall *firewall, char **table)
{
    /* No packet is for the port 0: to add it, and take it away, tells whether there is a table. */
    const struct firewall_port none = {.protocol = IPPROTO_TCP};
    bool is_missing = false;
    *table = xstrdup(firewall->table);
    pthread_mutex_lock(&firewall->mutex);
    if (firewall->is_loaded && firewall->bridge_count > 0)
        if (nftables_change_ports(firewall->table, true, &none, 1, &is_missing, NULL)) {
            bool is_gone;
            nftables_change_ports(firewall->table, false, &none, 1, &is_gone, NULL);
        }
    pthread_mutex_unlock(&firewall->mutex);
    return !is_missing;
}

bool firewall_reload(struct firewall *firewall, struct error *err)
{
    pthread_mutex_lock(&firewall->mutex);
    bool is_done = load(firewall, err);
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

bool firewall_unload(struct firewall *firewall, struct error *err)
{
    _cleanup_free_ char *text = xasprintf(FORGET_TABLE, firewall->table, firewall->table);
    pthread_mutex_lock(&firewall->mutex);
    bool is_done = run_nft(text, err);
    firewall->is_loaded = false;
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

static void drop_bridge(struct firewall *firewall, const char *name)
{
    for (size_t i = 0; i < firewall->bridge_count; i++)
        if (string_equal(firewall->bridges[i].name, name)) {
            firewall->bridges[i] = firewall->bridges[--firewall->bridge_count];
            return;
        }
}

bool firewall_add_bridge(struct firewall *firewall, const struct firewall_bridge *bridge, struct error *err)
{
    pthread_mutex_lock(&firewall->mutex);
    drop_bridge(firewall, bridge->name);
    *APPEND(firewall->bridges, firewall->bridge_count) = *bridge;
    bool is_done = !firewall->is_loaded || load(firewall, err);
    if (!is_done)
        drop_bridge(firewall, bridge->name);
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

bool firewall_remove_bridge(struct firewall *firewall, const char *name, struct error *err)
{
    pthread_mutex_lock(&firewall->mutex);
    drop_bridge(firewall, name);
    bool is_done = !firewall->is_loaded || load(firewall, err);
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

static bool is_same_port(const struct firewall_port *a, const struct firewall_port *b)
{
    return a->host_address == b->host_address && a->protocol == b->protocol && a->host_port == b->host_port;
}

static void drop_ports(struct firewall *firewall, const struct firewall_port *ports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < firewall->port_count; j++)
            if (is_same_port(&firewall->ports[j], &ports[i])) {
                firewall->ports[j] = firewall->ports[--firewall->port_count];
                break;
            }
}

/* The elements alone; the whole table where it has gone. */
static bool change_ports(struct firewall *firewall, bool is_addition, const struct firewall_port *ports, size_t count,
                         struct error *err)
{
    bool is_table_missing = false;
    struct error why = ERROR_INIT;
    if (!firewall->is_loaded ||
        nftables_change_ports(firewall->table, is_addition, ports, count, &is_table_missing, &why))
        return true;
    if (!is_table_missing)
        return error_move(err, &why);
    error_release(&why);
    return load(firewall, err);
}

bool firewall_add_ports(struct firewall *firewall, const struct firewall_port *ports, size_t count, struct error *err)
{
    if (!count)
        return true;
    pthread_mutex_lock(&firewall->mutex);
    for (size_t i = 0; i < count; i++)
        *APPEND(firewall->ports, firewall->port_count) = ports[i];
    bool is_done = change_ports(firewall, true, ports, count, err);
    if (!is_done)
        drop_ports(firewall, ports, count);
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

bool firewall_remove_ports(struct firewall *firewall, const struct firewall_port *ports, size_t count,
                           struct error *err)
{
    if (!count)
        return true;
    pthread_mutex_lock(&firewall->mutex);
    drop_ports(firewall, ports, count);
    bool is_done = change_ports(firewall, false, ports, count, err);
    pthread_mutex_unlock(&firewall->mutex);
    return is_done;
}

/* --- sysctls --- */

static bool switch_on(const char *path, struct error *err)
{
    _cleanup_strbuf_ struct strbuf now = STRBUF_INIT;
    if (file_read(AT_FDCWD, path, 16, &now, NULL) && *strbuf_text(&now) == '1')
        return true;
    return file_write_text(AT_FDCWD, path, "1", 0644, err);
}

bool firewall_enable_forwarding(struct error *err)
{
    return switch_on("/proc/sys/net/ipv4/ip_forward", err);
}

bool firewall_enable_loopback(const char *bridge, struct error *err)
{
    _cleanup_free_ char *path = xasprintf("/proc/sys/net/ipv4/conf/%s/route_localnet", bridge);
    return switch_on(path, err);
}
