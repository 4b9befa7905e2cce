/* What the options of a bridge network say. */
#include <net/if.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "network/manager.h"

#define BRIDGE              "com.docker.network.bridge."
#define OPTION_NAME         BRIDGE "name"
#define OPTION_HOST_BINDING BRIDGE "host_binding_ipv4"
#define OPTION_TRUSTED      BRIDGE "trusted_host_interfaces"
#define OPTION_MTU          "com.docker.network.driver.mtu"
#define OPTION_PREFIX       "com.docker.network.container_iface_prefix"

static bool read_bool(const struct network *network, const char *name, bool *out, struct error *err)
{
    const char *value = strmap_get(&network->record.options, name);
    struct error why = ERROR_INIT;
    if (!value || parse_bool(value, out, &why))
        return true;
    error_set(err, ERROR_INVALID, "failed to parse %s value: %s (%s)", name, value, error_message(&why));
    error_release(&why);
    return false;
}

bool network_read_mtu(struct network *network, struct error *err)
{
    const char *value = strmap_get(&network->record.options, OPTION_MTU);
    network->mtu = 0;
    if (!value || (parse_int64(value, &network->mtu) && network->mtu >= 0 && network->mtu <= 65535))
        return true;
    return error_set(err, ERROR_INVALID,
                     "failed to parse " OPTION_MTU " value: %s (strconv.Atoi: parsing \"%s\": invalid syntax)", value,
                     value);
}

static bool is_link_name(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == strlen(name) &&
           !string_equal(name, ".") && !string_equal(name, "..");
}

static bool read_mode(struct network *network, enum ip_family family, struct error *err)
{
    static const char *const names[] = {"nat", "nat-unprotected", "routed", "isolated"};
    const char *option = family == IP_V4 ? BRIDGE "gateway_mode_ipv4" : BRIDGE "gateway_mode_ipv6";
    const char *value = strmap_get(&network->record.options, option);
    enum gateway_mode *mode = &network->modes[family_index(family)];
    *mode = GATEWAY_NAT;
    if (!string_is_set(value))
        return true;
    size_t known = 0;
    while (known < ARRAY_SIZE(names) && !string_equal(names[known], value))
        known++;
    if (known == ARRAY_SIZE(names))
        return error_set(err, ERROR_INVALID, "failed to parse %s value: %s (unknown gateway mode %s)", option, value,
                         value);
    if (known == GATEWAY_ISOLATED && !network->record.is_internal)
        return error_set(err, ERROR_INVALID, "gateway mode 'isolated' can only be used for an internal network");
    *mode = (enum gateway_mode)known;
    return true;
}

static bool read_outgoing(struct network *network, enum ip_family family, struct error *err)
{
    const char *option = family == IP_V4 ? "com.docker.network.host_ipv4" : "com.docker.network.host_ipv6";
    const char *value = strmap_get(&network->record.options, option);
    struct ip_address *out = &network->outgoing[family_index(family)];
    *out = (struct ip_address){0};
    if (!string_is_set(value) || (ip_parse(value, out) && out->family == family))
        return true;
    return error_set(err, ERROR_INVALID, "failed to parse %s value: %s (not an IPv%d address)", option, value,
                     (int)family);
}

static bool read_trusted(struct network *network, struct error *err)
{
    const char *value = strmap_get(&network->record.options, OPTION_TRUSTED);
    strlist_release(&network->trusted);
    if (!string_is_set(value))
        return true;
    network->trusted = strlist_split(value, ':');
    for (size_t i = 0; i < network->trusted.count; i++)
        if (strlen(network->trusted.items[i]) >= IFNAMSIZ || !is_link_name(network->trusted.items[i]))
            return error_set(err, ERROR_INVALID, "failed to parse " OPTION_TRUSTED " value: %s (bad interface name)",
                             value);
    return true;
}

static bool check_prefix(struct network *network, struct error *err)
{
    const char *value = strmap_get(&network->record.options, OPTION_PREFIX);
    string_replace(&network->interface_prefix, string_is_set(value) ? value : "eth");
    if (strlen(network->interface_prefix) <= IFNAMSIZ - 4 && is_link_name(network->interface_prefix))
        return true;
    return error_set(err, ERROR_INVALID, "failed to parse " OPTION_PREFIX " value: %s (bad interface name)", value);
}

bool bridge_configure(const struct network_manager *manager, struct network *network, const char *default_name,
                      struct error *err)
{
    const struct strmap *options = &network->record.options;
    const char *name = strmap_get(options, OPTION_NAME), *binding = strmap_get(options, OPTION_HOST_BINDING);
    struct ip_address ignored;
    name = string_is_set(name) ? name : default_name;
    network->has_icc = network->has_nat = true;
    network->inhibits_ipv4 = false;
    network->is_closed = network->record.is_internal;
    network->has_closed_ports = manager->has_closed_ports;
    if (!network_read_mtu(network, err) || !read_bool(network, BRIDGE "enable_icc", &network->has_icc, err) ||
        !read_bool(network, BRIDGE "enable_ip_masquerade", &network->has_nat, err) ||
        !read_bool(network, BRIDGE "inhibit_ipv4", &network->inhibits_ipv4, err) ||
        !read_bool(network, "wherry.closed_ports", &network->has_closed_ports, err) ||
        !read_mode(network, IP_V4, err) || !read_mode(network, IP_V6, err) || !read_outgoing(network, IP_V4, err) ||
        !read_outgoing(network, IP_V6, err) || !read_trusted(network, err) || !check_prefix(network, err))
        return false;
    if (string_is_set(binding) && !ip_parse(binding, &ignored))
        return error_set(err, ERROR_INVALID, "failed to parse " OPTION_HOST_BINDING " value: %s (nil ip)", binding);
    if (strlen(name) >= IFNAMSIZ)
        return error_set(err, ERROR_INTERNAL, "numerical result out of range");
    if (!is_link_name(name))
        return error_set(err, ERROR_INVALID, "invalid bridge name: %s", name);
    string_replace(&network->link, name);
    return true;
}

char *network_host_binding(struct network_manager *manager, const char *reference)
{
    char *found = NULL;
    pthread_mutex_lock(&manager->mutex);
    const struct network *network = manager_find(manager, reference, NULL);
    if (network)
        found = xstrdup(strmap_get(&network->record.options, OPTION_HOST_BINDING));
    pthread_mutex_unlock(&manager->mutex);
    return found;
}
