#include "network/dns_names.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "network/manager.h"

static const struct endpoint *endpoint_of(const struct network *network, const char *container_id)
{
    for (size_t i = 0; i < network->endpoint_count; i++)
        if (string_equal(network->endpoints[i].container_id, container_id))
            return &network->endpoints[i];
    return NULL;
}

static bool has_name(const struct endpoint *endpoint, const char *name, size_t length)
{
    for (size_t i = 0; i < endpoint->names.count; i++)
        if (strncasecmp(endpoint->names.items[i], name, length) == 0 && !endpoint->names.items[i][length])
            return true;
    return false;
}

static size_t collect(const struct network *network, const char *name, size_t length, struct ip_address *addresses)
{
    size_t count = 0;
    for (size_t i = 0; i < network->endpoint_count && count + 2 <= DNS_ADDRESSES_MAXIMUM; i++)
        for (int j = 0; j < 2 && has_name(&network->endpoints[i], name, length); j++)
            if (network->endpoints[i].addresses[j].family)
                addresses[count++] = network->endpoints[i].addresses[j];
    return count;
}

/* "target:alias" of the container that asks. */
static const char *link_target(const struct endpoint *own, const char *name, size_t *length)
{
    for (size_t i = 0; i < own->links.count; i++) {
        const char *link = own->links.items[i], *colon = strchr(link, ':');
        const char *alias = colon ? colon + 1 : link;
        if (strcasecmp(alias, name) != 0)
            continue;
        *length = colon ? (size_t)(colon - link) : strlen(link);
        return link;
    }
    return NULL;
}

static size_t resolve_in(const struct network *network, const struct endpoint *own, const char *name,
                         struct ip_address *addresses)
{
    size_t length = strlen(name), network_length = strlen(network->record.name), target_length = 0;
    const char *target = link_target(own, name, &target_length);
    size_t count = target ? collect(network, target, target_length, addresses) : 0;
    if (!count)
        count = collect(network, name, length, addresses);
    bool is_qualified = length > network_length + 1 && name[length - network_length - 1] == '.' &&
                        strcasecmp(name + length - network_length, network->record.name) == 0;
    if (!count && is_qualified)
        count = collect(network, name, length - network_length - 1, addresses);
    return count;
}

size_t network_resolve(struct network_manager *manager, const char *container_id, const char *name,
                       struct ip_address addresses[DNS_ADDRESSES_MAXIMUM])
{
    size_t count = 0;
    pthread_mutex_lock(&manager->mutex);
    for (size_t i = 0; i < manager->count && !count; i++) {
        const struct network *network = manager->networks[i];
        const struct endpoint *own = endpoint_of(network, container_id);
        if (own && !network_is_predefined(network->record.name))
            count = resolve_in(network, own, name, addresses);
    }
    pthread_mutex_unlock(&manager->mutex);
    return count;
}

char *network_reverse(struct network_manager *manager, const char *container_id, struct ip_address address)
{
    char *found = NULL;
    pthread_mutex_lock(&manager->mutex);
    for (size_t i = 0; i < manager->count && !found; i++) {
        const struct network *network = manager->networks[i];
        if (network_is_predefined(network->record.name) || !endpoint_of(network, container_id))
            continue;
        for (size_t j = 0; j < network->endpoint_count && !found; j++) {
            const struct endpoint *endpoint = &network->endpoints[j];
            bool is_it = ip_equal(endpoint->addresses[0], address) || ip_equal(endpoint->addresses[1], address);
            if (is_it && endpoint->names.count)
                found = xasprintf("%s.%s", endpoint->names.items[0], network->record.name);
        }
    }
    pthread_mutex_unlock(&manager->mutex);
    return found;
}

bool network_owns_address(struct network_manager *manager, const char *container_id, struct ip_address address)
{
    bool is_own = false;
    pthread_mutex_lock(&manager->mutex);
    for (size_t i = 0; i < manager->count && !is_own; i++) {
        const struct network *network = manager->networks[i];
        is_own = !network_is_predefined(network->record.name) && endpoint_of(network, container_id) &&
                 network_is_bridge(network) && network_subnet_of(network, address);
    }
    pthread_mutex_unlock(&manager->mutex);
    return is_own;
}

bool network_has_way_out(struct network_manager *manager, const char *container_id)
{
    bool has_way = false;
    pthread_mutex_lock(&manager->mutex);
    for (size_t i = 0; i < manager->count && !has_way; i++)
        has_way = !manager->networks[i]->record.is_internal && endpoint_of(manager->networks[i], container_id);
    pthread_mutex_unlock(&manager->mutex);
    return has_way;
}
