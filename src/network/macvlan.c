/* The macvlan and ipvlan drivers: containers are on a link of the host, with addresses of their own there. Nothing is
   translated and nothing published; the host itself does not reach them through their parent. */
#include <net/if.h>
#include <string.h>

#include "base/memory.h"
#include "network/manager.h"
#include "network/netlink.h"

#define VLAN_MAXIMUM 4094

bool network_is_macvlan(const struct network *network)
{
    return string_equal(network->record.driver, "macvlan") || string_equal(network->record.driver, "ipvlan");
}

static bool is_ipvlan(const struct network *network)
{
    return string_equal(network->record.driver, "ipvlan");
}

static bool is_one_of(const char *text, const char *const *known)
{
    for (; *known; known++)
        if (string_equal(text, *known))
            return true;
    return false;
}

/* "-o parent=eth0", or the generic label that swarm's clients send. */
static const char *option(const struct network *network, const char *name)
{
    const char *value = strmap_get(&network->record.options, name);
    return string_is_set(value) ? value : NULL;
}

static bool read_mode(struct network *network, struct error *err)
{
    static const char *const macvlan_modes[] = {"bridge", "private", "vepa", "passthru", NULL},
                             *const ipvlan_modes[] = {"l2", "l3", "l3s", NULL},
                             *const ipvlan_flags[] = {"bridge", "private", "vepa", NULL};
    const char *driver = network->record.driver, *first = is_ipvlan(network) ? "l2" : "bridge";
    const char *mode = option(network, is_ipvlan(network) ? "ipvlan_mode" : "macvlan_mode");
    const char *flag = is_ipvlan(network) ? option(network, "ipvlan_flag") : NULL;
    mode = mode ? mode : first;
    if (!is_one_of(mode, is_ipvlan(network) ? ipvlan_modes : macvlan_modes))
        return error_set(err, ERROR_INVALID, "requested %s mode '%s' is not valid, '%s' mode is the %s driver default",
                         driver, mode, first, driver);
    flag = flag ? flag : "bridge";
    if (!is_one_of(flag, ipvlan_flags))
        return error_set(err, ERROR_INVALID,
                         "requested ipvlan flag '%s' is not valid, 'bridge' is the ipvlan driver default", flag);
    string_replace(&network->mode, mode);
    string_replace(&network->flag, flag);
    return true;
}

/* Who shares a parent. A link of the kind passthru has it for itself; macvlan and ipvlan do not mix on one link. */
static bool check_parent(const struct network_manager *manager, const struct network *network, struct error *err)
{
    for (size_t i = 0; i < manager->count; i++) {
        const struct network *other = manager->networks[i];
        if (other == network || !network_is_macvlan(other) || !string_equal(other->link, network->link))
            continue;
        const char *driver = other->record.driver;
        if (!string_equal(driver, network->record.driver))
            return error_set(err, ERROR_DENIED, "%s network %s is already using parent interface %s", driver,
                             other->record.id, other->link);
        if (string_equal(network->mode, "passthru"))
            return error_set(err, ERROR_DENIED,
                             "cannot use mode passthru, macvlan network %s is already using parent interface %s",
                             other->record.id, other->link);
        if (string_equal(other->mode, "passthru"))
            return error_set(err, ERROR_DENIED,
                             "macvlan network %s is already using parent interface %s in mode passthru",
                             other->record.id, other->link);
    }
    return true;
}

bool macvlan_configure(struct network_manager *manager, struct network *network, struct error *err)
{
    const char *parent = option(network, "parent"), *driver = network->record.driver;
    char dummy[IFNAMSIZ];
    snprintf(dummy, sizeof(dummy), "d%c-%.12s", is_ipvlan(network) ? 'i' : 'm', network->record.id);
    if (!network_read_mtu(network, err) || !read_mode(network, err))
        return false;
    if (string_equal(parent, "lo"))
        return error_set(err, ERROR_INVALID, "loopback interface is not a valid %s parent link", driver);
    /* Without a parent they reach each other alone, on a link that leads nowhere. */
    network->is_closed = !parent || network->record.is_internal;
    string_replace(&network->link, parent ? parent : dummy);
    string_replace(&network->interface_prefix, "eth");
    if (strlen(network->link) >= IFNAMSIZ)
        return error_set(err, ERROR_INVALID, "numerical result out of range");
    return check_parent(manager, network, err);
}

/* "eth0.10" is made above eth0. */
static bool make_vlan(const char *name, struct error *err)
{
    char parent[IFNAMSIZ];
    uint64_t id;
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name || !parse_uint64(dot + 1, &id))
        return error_set(err, ERROR_INTERNAL, "invalid subinterface vlan name %s, example formatting is eth0.10", name);
    snprintf(parent, sizeof(parent), "%.*s", (int)(dot - name), name);
    if (id < 1 || id > VLAN_MAXIMUM)
        return error_set(err, ERROR_INTERNAL, "vlan id must be between 1-4094, received: %llu", (unsigned long long)id);
    if (!if_nametoindex(parent))
        return error_set(err, ERROR_INTERNAL, "-o parent interface was not found on the host: %s", parent);
    return netlink_make_vlan(name, parent, (uint16_t)id, err);
}

bool macvlan_make(struct network_manager *manager, struct network *network, struct error *err)
{
    if (!subnet_plan(manager, network, err))
        return false;
    if (network->is_ready && if_nametoindex(network->link))
        return true;
    bool is_there = if_nametoindex(network->link) != 0;
    bool is_dummy = !option(network, "parent");
    if (!is_there && !(is_dummy ? netlink_make_dummy(network->link, err) : make_vlan(network->link, err)))
        return false;
    if (is_ipvlan(network) && !network->is_ready && !netlink_can_make("ipvlan", network->link, err)) {
        if (!is_there)
            netlink_remove(network->link, NULL);
        return false;
    }
    network->is_ready = true;
    return true;
}

void macvlan_remove(struct network_manager *manager, struct network *network)
{
    bool is_ours;
    for (size_t i = 0; i < manager->count; i++)
        if (manager->networks[i] != network && string_equal(manager->networks[i]->link, network->link))
            return; /* another one is on the same parent */
    if (netlink_find(network->link, &is_ours) && is_ours)
        netlink_remove(network->link, NULL);
    network->is_ready = false;
}
