/* Endpoints: which container has which address in which network. */
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "network/dns.h"
#include "network/manager.h"
#include "network/netlink.h"

static struct endpoint *find_endpoint(struct network *network, const char *container_id)
{
    for (size_t i = 0; i < network->endpoint_count; i++)
        if (string_equal(network->endpoints[i].container_id, container_id))
            return &network->endpoints[i];
    return NULL;
}

static struct endpoint *add_endpoint(struct network *network, const char *container_id,
                                     const struct endpoint_settings *settings)
{
    struct endpoint *endpoint = APPEND(network->endpoints, network->endpoint_count);
    snprintf(endpoint->container_id, sizeof(endpoint->container_id), "%s", container_id);
    snprintf(endpoint->id, sizeof(endpoint->id), "%s", string_or_empty(settings->endpoint_id));
    ip_parse(settings->ip_address, &endpoint->addresses[0]);
    ip_parse(settings->global_ipv6_address, &endpoint->addresses[1]);
    strlist_copy(&endpoint->names, &settings->dns_names);
    strlist_copy(&endpoint->links, &settings->links);
    return endpoint;
}

const char *network_link_name(const char *endpoint_id, char *text)
{
    snprintf(text, 16, "veth%.7s", string_or_empty(endpoint_id));
    return text;
}

bool network_remove_link(const char *endpoint_id, struct error *err)
{
    char name[16];
    return netlink_remove(network_link_name(endpoint_id, name), err);
}

void network_prepare_link(const char *endpoint_id)
{
    char name[16];
    /* Without it the container alone cannot reach itself through the host. */
    netlink_set_hairpin(network_link_name(endpoint_id, name), NULL);
}

#define LINK_LOCAL_IPV4 16 /* Docker's */
#define LINK_LOCAL_IPV6 64

static void fill_interface(const struct network *network, const struct endpoint_settings *shown,
                           struct launch_interface *interface)
{
    char name[16];
    bool is_bridge = network_is_bridge(network);
    const char *own_name = strmap_get(&shown->driver_opts, NETWORK_ENDPOINT_IFNAME);
    const char *sysctls = strmap_get(&shown->driver_opts, NETWORK_ENDPOINT_SYSCTLS);
    const struct endpoint_ipam_config *ipam = shown->ipam_config;
    interface->host_name = xstrdup(network_link_name(shown->endpoint_id, name));
    interface->parent = xstrdup(network->link);
    interface->kind = xstrdup(is_bridge ? "veth" : network->record.driver);
    interface->mode = xstrdup(network->mode);
    interface->flag = xstrdup(network->flag);
    interface->name = xstrdup(string_is_set(own_name) ? own_name : network->interface_prefix);
    interface->has_own_name = string_is_set(own_name);
    interface->mac = xstrdup(shown->mac_address);
    interface->mtu = network->mtu;
    interface->is_isolated = is_bridge && !network->has_icc;
    if (string_is_set(shown->ip_address))
        strlist_addf(&interface->addresses, "%s/%lld", shown->ip_address, (long long)shown->ip_prefix_length);
    if (string_is_set(shown->global_ipv6_address))
        strlist_addf(&interface->addresses, "%s/%lld", shown->global_ipv6_address,
                     (long long)shown->global_ipv6_prefix_length);
    for (size_t i = 0; ipam && i < ipam->link_local_ips.count; i++) {
        const char *address = ipam->link_local_ips.items[i];
        strlist_addf(&interface->addresses, "%s/%d", address, strchr(address, ':') ? LINK_LOCAL_IPV6 : LINK_LOCAL_IPV4);
    }
    if (string_is_set(sysctls))
        interface->sysctls = strlist_split(sysctls, ',');
}

/* Docker's rule: a MAC that follows from the address, so that neighbours' ARP caches stay right when it is reused. An
   ipvlan has its parent's. */
static void fill_mac(const struct network *network, struct ip_address address, struct endpoint_settings *shown)
{
    if (string_equal(network->record.driver, "ipvlan")) {
        string_replace(&shown->mac_address, NULL);
        return;
    }
    if (string_is_set(shown->mac_address))
        return;
    unsigned low = (unsigned)(address.value & UINT32_MAX);
    free(shown->mac_address);
    shown->mac_address = xasprintf("02:42:%02x:%02x:%02x:%02x", low >> 24, low >> 16 & 255, low >> 8 & 255, low & 255);
}

/* Where the container's default route leads; without a family: it has none here. */
static struct ip_address gateway_of(const struct network *network, const struct network_subnet *subnet)
{
    int family = family_index(subnet->pool.subnet.address.family);
    bool is_closed = network->is_closed || (network_is_bridge(network) && network->modes[family] == GATEWAY_ISOLATED);
    return is_closed ? (struct ip_address){0} : subnet->gateway.address;
}

static void show_address(const struct network *network, struct ip_address address, struct endpoint_settings *shown)
{
    char text[INET6_ADDRSTRLEN], gateway[INET6_ADDRSTRLEN];
    const struct network_subnet *subnet = network_subnet_of(network, address);
    ip_format(gateway_of(network, subnet), gateway);
    ip_format(address, text);
    if (address.family == IP_V4) {
        string_replace(&shown->gateway, gateway);
        string_replace(&shown->ip_address, text);
        shown->ip_prefix_length = subnet->pool.subnet.length;
    } else {
        string_replace(&shown->ipv6_gateway, gateway);
        string_replace(&shown->global_ipv6_address, text);
        shown->global_ipv6_prefix_length = subnet->pool.subnet.length;
    }
}

/* The one asked for, or the next free one. None where the network has no such family. */
static bool take_address(struct network *network, enum ip_family family, const char *asked, struct ip_address *out,
                         struct error *err)
{
    struct network_subnet *subnet = network_subnet(network, family);
    *out = (struct ip_address){0};
    if (!subnet)
        return true;
    if (!ip_parse(asked, out))
        return address_pool_take(&subnet->pool, out, err);
    subnet = network_subnet_of(network, *out);
    if (subnet && address_pool_reserve(&subnet->pool, *out))
        return true;
    *out = (struct ip_address){0};
    return error_set(err, ERROR_DENIED, "Address already in use");
}

static void give_back(struct network *network, struct ip_address address)
{
    struct network_subnet *subnet = network_subnet_of(network, address);
    if (subnet)
        address_pool_give_back(&subnet->pool, address);
}

static bool join_link(struct network_manager *manager, struct network *network, const char *container_id,
                      struct launch_interface *interface, struct endpoint_settings *shown, struct error *err)
{
    struct ip_address v4, v6;
    const struct endpoint_ipam_config *ipam = shown->ipam_config;
    bool is_made =
        network_is_bridge(network) ? bridge_make(manager, network, err) : macvlan_make(manager, network, err);
    if (!is_made || !take_address(network, IP_V4, ipam ? ipam->ipv4_address : NULL, &v4, err))
        return false;
    if (!take_address(network, IP_V6, ipam ? ipam->ipv6_address : NULL, &v6, err)) {
        give_back(network, v4);
        return false;
    }
    fill_mac(network, v4.family ? v4 : v6, shown);
    if (v4.family)
        show_address(network, v4, shown);
    if (v6.family)
        show_address(network, v6, shown);
    fill_interface(network, shown, interface);
    add_endpoint(network, container_id, shown);
    return true;
}

bool network_join(struct network_manager *manager, const char *reference, const char *container_id,
                  const struct endpoint_settings *requested, struct launch_interface *interface,
                  struct endpoint_settings *shown, struct error *err)
{
    char id[ID_LENGTH + 1];
    id_generate(id);
    pthread_mutex_lock(&manager->mutex);
    struct network *network = manager_find(manager, reference, err);
    bool is_joined = network != NULL;
    if (is_joined && network->record.is_config_only)
        is_joined = error_set(err, ERROR_DENIED, "cannot create endpoint on configuration-only network");
    if (is_joined && find_endpoint(network, container_id))
        is_joined = error_set(err, ERROR_DENIED, "container is already connected to network %s", network->record.name);
    if (is_joined) {
        record_copy(&endpoint_settings_type, shown, requested);
        string_replace(&shown->network_id, network->record.id);
        string_replace(&shown->endpoint_id, id);
        if (network_is_bridge(network) || network_is_macvlan(network))
            is_joined = join_link(manager, network, container_id, interface, shown, err);
        else
            add_endpoint(network, container_id, shown);
    }
    pthread_mutex_unlock(&manager->mutex);
    return is_joined;
}

static void drop_endpoint(struct network *network, const char *container_id)
{
    struct endpoint *endpoint = find_endpoint(network, container_id);
    if (!endpoint)
        return;
    for (int i = 0; i < 2; i++)
        give_back(network, endpoint->addresses[i]);
    strlist_release(&endpoint->names);
    strlist_release(&endpoint->links);
    *endpoint = network->endpoints[--network->endpoint_count];
}

void network_leave(struct network_manager *manager, const char *container_id, const char *network_id)
{
    if (!network_id) {
        network_unpublish(manager, container_id, NULL, NULL, NULL);
        dns_server_remove(manager->dns, container_id);
    }
    pthread_mutex_lock(&manager->mutex);
    for (size_t i = 0; i < manager->count; i++)
        if (!network_id || string_equal(manager->networks[i]->record.id, network_id))
            drop_endpoint(manager->networks[i], container_id);
    pthread_mutex_unlock(&manager->mutex);
}

void network_readopt(struct network_manager *manager, const char *container_id, const struct endpoint_settings *shown)
{
    pthread_mutex_lock(&manager->mutex);
    struct network *network = manager_find_id(manager, string_or_empty(shown->network_id));
    const struct endpoint *endpoint = network ? add_endpoint(network, container_id, shown) : NULL;
    for (int i = 0; endpoint && i < 2; i++) {
        struct network_subnet *subnet = network_subnet_of(network, endpoint->addresses[i]);
        if (subnet)
            address_pool_reserve(&subnet->pool, endpoint->addresses[i]);
    }
    pthread_mutex_unlock(&manager->mutex);
}

void network_set_names(struct network_manager *manager, const char *container_id, const char *network_id,
                       const struct strlist *names)
{
    pthread_mutex_lock(&manager->mutex);
    struct network *network = manager_find_id(manager, network_id);
    struct endpoint *endpoint = network ? find_endpoint(network, container_id) : NULL;
    if (endpoint)
        strlist_copy(&endpoint->names, names);
    pthread_mutex_unlock(&manager->mutex);
}

/* --- what an endpoint may ask for --- */

static bool is_address(enum ip_family family, const char *text)
{
    struct ip_address address;
    return ip_parse(text, &address) && address.family == family;
}

/* Is the family's subnet one that the user named? */
static bool has_subnet_of_user(const struct network *network, enum ip_family family)
{
    struct ip_prefix subnet;
    const struct record_list *list = &network->record.ipam.config;
    for (size_t i = 0; i < list->count; i++) {
        const char *text = RECORD_AT(*list, struct ipam_config, i)->subnet;
        if (ip_prefix_parse(text, &subnet) && subnet.address.family == family &&
            !strlist_contains(&network->record.chosen_subnets, text))
            return network->record.has_subnet_of_user;
    }
    return false;
}

static void check_range(const struct network *network, const char *text, struct strlist *problems)
{
    struct ip_address address = {0};
    bool is_bridge = string_equal(network->record.name, "bridge");
    if (!ip_parse(text, &address))
        address.family = strchr(text, ':') ? IP_V6 : IP_V4;
    if (!is_bridge && !has_subnet_of_user(network, address.family))
        strlist_add(problems, "user specified IP address is supported only when connecting to networks with user "
                              "configured subnets");
    else if (network->is_planned && !network_subnet_of(network, address))
        strlist_addf(problems, "no configured subnet or ip-range contain the IP address %s", text);
}

static void collect_problems(const struct network *network, const char *name, const struct endpoint_settings *asked,
                             struct strlist *problems)
{
    const struct endpoint_ipam_config *ipam = asked->ipam_config;
    struct ip_address address;
    const char *v4 = ipam ? string_or_empty(ipam->ipv4_address) : "",
               *v6 = ipam ? string_or_empty(ipam->ipv6_address) : "";
    if (network_is_predefined(name)) {
        if (*v4 || *v6)
            strlist_add(problems, "user specified IP address is supported on user defined networks only");
        if (asked->aliases.count)
            strlist_add(problems, "network-scoped alias is supported only for containers in user defined networks");
    }
    if (*v4 && !is_address(IP_V4, v4))
        strlist_addf(problems, "invalid IPv4 address: %s", v4);
    if (*v6 && !is_address(IP_V6, v6))
        strlist_addf(problems, "invalid IPv6 address: %s", v6);
    for (size_t i = 0; ipam && i < ipam->link_local_ips.count; i++)
        if (!ip_parse(ipam->link_local_ips.items[i], &address))
            strlist_addf(problems, "invalid link-local IP address: %s", ipam->link_local_ips.items[i]);
    if (network && *v4)
        check_range(network, v4, problems);
    if (network && *v6)
        check_range(network, v6, problems);
}

static void check_sysctls(const char *value, struct strlist *problems)
{
    _cleanup_strlist_ struct strlist settings = strlist_split(value, ',');
    for (size_t i = 0; i < settings.count; i++) {
        const char *setting = settings.items[i];
        _cleanup_free_ char *key = xstrndup(setting, strcspn(setting, "="));
        _cleanup_strlist_ struct strlist parts = strlist_split(key, '.');
        bool is_good = strchr(setting, '=') && !strchr(key, '/') && parts.count == 5 &&
                       string_equal(parts.items[0], "net") &&
                       strcasecmp(parts.items[3], "IFNAME") == 0; /* docker sends it in lower case */
        if (!is_good)
            strlist_addf(problems,
                         "unrecognised network interface sysctl '%s'; represent 'net.X.Y.ethN.Z=V' as "
                         "'net.X.Y.IFNAME.Z=V'",
                         setting);
    }
}

static void check_driver_options(const struct endpoint_settings *asked, struct strlist *problems)
{
    for (size_t i = 0; i < asked->driver_opts.count; i++) {
        const char *key = asked->driver_opts.items[i].key, *value = asked->driver_opts.items[i].value;
        if (string_equal(key, NETWORK_ENDPOINT_SYSCTLS))
            check_sysctls(value, problems);
        else if (!string_equal(key, NETWORK_ENDPOINT_IFNAME))
            strlist_addf(problems, "driver option %s of an endpoint is not supported by Wherry", key);
        else if (!*value || strlen(value) > 15 || strpbrk(value, "/: \t\n%"))
            strlist_addf(problems, "invalid interface name: %s", value);
    }
}

char *network_endpoint_problems(struct network_manager *manager, const char *reference,
                                const struct endpoint_settings *asked)
{
    _cleanup_strlist_ struct strlist problems = {0};
    pthread_mutex_lock(&manager->mutex);
    const struct network *network = manager_find(manager, reference, NULL);
    collect_problems(network, network ? network->record.name : reference, asked, &problems);
    check_driver_options(asked, &problems);
    pthread_mutex_unlock(&manager->mutex);
    if (!problems.count)
        return NULL;
    struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < problems.count; i++)
        strbuf_addf(&text, "\n%s%s", problems.count > 1 ? "* " : "", problems.items[i]);
    return strbuf_take(&text);
}
