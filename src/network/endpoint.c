/* Endpoints: which container has which address in which network. */
#include <arpa/inet.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "network/dns.h"
#include "network/manager.h"

static struct endpoint *find_endpoint(struct network *network, const char *container_id)
{
    for (size_t i = 0; i < network->endpoint_count; i++)
        if (string_equal(network->endpoints[i].container_id, container_id))
            return &network->endpoints[i];
    return NULL;
}

static void add_endpoint(struct network *network, const char *container_id, uint32_t address,
                         const struct endpoint_settings *settings)
{
    struct endpoint *endpoint = APPEND(network->endpoints, network->endpoint_count);
    snprintf(endpoint->container_id, sizeof(endpoint->container_id), "%s", container_id);
    endpoint->address = address;
    strlist_copy(&endpoint->names, &settings->dns_names);
    strlist_copy(&endpoint->links, &settings->links);
}

static bool parse_address(const char *text, uint32_t *out)
{
    struct in_addr address;
    if (!string_is_set(text) || inet_pton(AF_INET, text, &address) != 1)
        return false;
    *out = ntohl(address.s_addr);
    return true;
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

static void fill_interface(const struct network *network, const struct endpoint_settings *shown,
                           struct launch_interface *interface)
{
    char name[16];
    interface->host_name = xstrdup(network_link_name(shown->endpoint_id, name));
    interface->bridge = xstrdup(network->bridge);
    interface->mac = xstrdup(shown->mac_address);
    strlist_addf(&interface->addresses, "%s/%u", shown->ip_address, network->gateway.length);
    interface->mtu = network->mtu;
    interface->is_isolated = !network->has_icc;
}

static void fill_settings(const struct network *network, uint32_t address, struct endpoint_settings *shown)
{
    char text[INET_ADDRSTRLEN];
    /* Docker's rule: a MAC that follows from the address, so that neighbours' ARP caches stay right when it is reused.
     */
    if (!string_is_set(shown->mac_address)) {
        free(shown->mac_address);
        shown->mac_address = xasprintf("02:42:%02x:%02x:%02x:%02x", address >> 24, address >> 16 & 255,
                                       address >> 8 & 255, address & 255);
    }
    string_replace(&shown->gateway, network->record.is_internal ? NULL : ipv4_format(network->gateway.address, text));
    string_replace(&shown->ip_address, ipv4_format(address, text));
    shown->ip_prefix_length = network->gateway.length;
}

static bool join_bridge(struct network_manager *manager, struct network *network, const char *container_id,
                        struct launch_interface *interface, struct endpoint_settings *shown, struct error *err)
{
    uint32_t address;
    if (!bridge_make(manager, network, err))
        return false;
    if (shown->ipam_config && parse_address(shown->ipam_config->ipv4_address, &address)) {
        if (!address_pool_reserve(&network->pool, address))
            return error_set(err, ERROR_DENIED, "Address already in use");
    } else if (!address_pool_take(&network->pool, &address, err)) {
        return false;
    }
    fill_settings(network, address, shown);
    fill_interface(network, shown, interface);
    add_endpoint(network, container_id, address, shown);
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
        is_joined = error_set(err, ERROR_DENIED, "cannot join a configuration-only network: %s", network->record.name);
    if (is_joined && find_endpoint(network, container_id))
        is_joined = error_set(err, ERROR_DENIED, "container is already connected to network %s", network->record.name);
    if (is_joined) {
        record_copy(&endpoint_settings_type, shown, requested);
        string_replace(&shown->network_id, network->record.id);
        string_replace(&shown->endpoint_id, id);
        if (network_is_bridge(network))
            is_joined = join_bridge(manager, network, container_id, interface, shown, err);
        else
            add_endpoint(network, container_id, 0, shown);
    }
    pthread_mutex_unlock(&manager->mutex);
    return is_joined;
}

static void drop_endpoint(struct network *network, const char *container_id)
{
    struct endpoint *endpoint = find_endpoint(network, container_id);
    if (!endpoint)
        return;
    if (network->is_planned && endpoint->address)
        address_pool_give_back(&network->pool, endpoint->address);
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
    uint32_t address = 0;
    pthread_mutex_lock(&manager->mutex);
    struct network *network = manager_find_id(manager, string_or_empty(shown->network_id));
    if (network) {
        if (parse_address(shown->ip_address, &address) && network->is_planned)
            address_pool_reserve(&network->pool, address);
        add_endpoint(network, container_id, address, shown);
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

static bool is_address(int family, const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(family, text, bytes) == 1;
}

static void check_range(const struct network *network, const char *address, struct strlist *problems)
{
    struct ipv4_prefix subnet;
    uint32_t wanted;
    if (!network->record.has_subnet_of_user) {
        strlist_add(problems, "user specified IP address is supported only when connecting to networks with user "
                              "configured subnets");
        return;
    }
    if (!parse_address(address, &wanted) || !network->is_planned)
        return;
    subnet = network->gateway;
    if (!ipv4_overlaps(subnet, (struct ipv4_prefix){wanted, 32}))
        strlist_addf(problems, "no configured subnet or ip-range contain the IP address %s", address);
}

static void collect_problems(const struct network *network, const char *name, const struct endpoint_settings *asked,
                             struct strlist *problems)
{
    const struct endpoint_ipam_config *ipam = asked->ipam_config;
    const char *v4 = ipam ? string_or_empty(ipam->ipv4_address) : "",
               *v6 = ipam ? string_or_empty(ipam->ipv6_address) : "";
    if (network_is_predefined(name)) {
        if (*v4 || *v6)
            strlist_add(problems, "user specified IP address is supported on user defined networks only");
        if (asked->aliases.count)
            strlist_add(problems, "network-scoped alias is supported only for containers in user defined networks");
    }
    if (*v4 && !is_address(AF_INET, v4))
        strlist_addf(problems, "invalid IPv4 address: %s", v4);
    if (*v6 && !is_address(AF_INET6, v6))
        strlist_addf(problems, "invalid IPv6 address: %s", v6);
    for (size_t i = 0; ipam && i < ipam->link_local_ips.count; i++)
        if (is_address(AF_INET, ipam->link_local_ips.items[i]) || is_address(AF_INET6, ipam->link_local_ips.items[i]))
            strlist_add(problems, "link-local addresses are not supported by this version");
        else
            strlist_addf(problems, "invalid link-local IP address: %s", ipam->link_local_ips.items[i]);
    if (network && *v4)
        check_range(network, v4, problems);
    if (network && *v6)
        strlist_add(problems, "user specified IP address is supported only when connecting to networks with user "
                              "configured subnets");
}

char *network_endpoint_problems(struct network_manager *manager, const char *reference,
                                const struct endpoint_settings *asked)
{
    _cleanup_strlist_ struct strlist problems = {0};
    pthread_mutex_lock(&manager->mutex);
    const struct network *network = manager_find(manager, reference, NULL);
    collect_problems(network, network ? network->record.name : reference, asked, &problems);
    pthread_mutex_unlock(&manager->mutex);
    if (!problems.count)
        return NULL;
    struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < problems.count; i++)
        strbuf_addf(&text, "\n%s%s", problems.count > 1 ? "* " : "", problems.items[i]);
    return strbuf_take(&text);
}
