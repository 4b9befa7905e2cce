/* What the host has of our networks: for the engine's check. */
#include <netinet/in.h>

#include "base/memory.h"
#include "network/firewall.h"
#include "network/manager.h"
#include "network/netlink.h"

void network_ports(struct network_manager *manager, struct strlist *out)
{
    pthread_mutex_lock(&manager->mutex);
    for (size_t i = 0; i < manager->count; i++) {
        const struct network *network = manager->networks[i];
        bool is_ours;
        unsigned index = network_is_bridge(network) && network->link ? netlink_find(network->link, &is_ours) : 0;
        if (index)
            netlink_ports(index, out, NULL);
    }
    pthread_mutex_unlock(&manager->mutex);
}

bool network_remove_port(const char *link, struct error *err)
{
    return netlink_remove(link, err);
}

bool network_rules_are_there(struct network_manager *manager, char **table)
{
    return firewall_is_whole(manager->firewall, table);
}

bool network_load_rules(struct network_manager *manager, struct error *err)
{
    return firewall_repair(manager->firewall, err);
}
