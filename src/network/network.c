#include "network/network.h"

#include <net/if.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "network/dns.h"
#include "network/manager.h"
#include "network/netlink.h"
#include "json/json_record.h"

static const struct {
    const char *name, *driver;
} predefined[] = {{"bridge", "bridge"}, {"host", "host"}, {"none", "null"}};

void network_free(struct network *network)
{
    if (!network)
        return;
    for (size_t i = 0; i < network->endpoint_count; i++) {
        strlist_release(&network->endpoints[i].names);
        strlist_release(&network->endpoints[i].links);
    }
    free(network->endpoints);
    for (size_t i = 0; i < network->subnet_count; i++)
        address_pool_release(&network->subnets[i].pool);
    free(network->subnets);
    strlist_release(&network->trusted);
    record_release(&network_record_type, &network->record);
    free(network->link);
    free(network->interface_prefix);
    free(network->mode);
    free(network->flag);
    free(network);
}

static void manager_free(struct network_manager *manager)
{
    dns_server_free(manager->dns); /* first: its thread asks the manager */
    for (size_t i = 0; i < manager->count; i++)
        network_free(manager->networks[i]);
    free(manager->networks);
    free(manager->bridge_address);
    free(manager->pools);
    firewall_free(manager->firewall);
    port_book_free(manager->ports);
    pthread_mutex_destroy(&manager->mutex);
    free(manager);
}

/* --- open --- */

static bool load_one(struct network_manager *manager, const char *id, const char *body, struct error *err)
{
    struct network *network = NEW(struct network);
    struct network_record *record = &network->record;
    bool is_read = true;
    if (body[0] == '{') {
        is_read = record_parse(&network_record_type, body, strlen(body), record, err);
    } else { /* an earlier version kept the names of the predefined ones alone */
        record->id = xstrdup(id);
        record->name = xstrdup(body);
    }
    *APPEND(manager->networks, manager->count) = network;
    return is_read;
}

static struct network *find_name(struct network_manager *manager, const char *name)
{
    for (size_t i = 0; i < manager->count; i++)
        if (string_equal(manager->networks[i]->record.name, name))
            return manager->networks[i];
    return NULL;
}

static bool save(struct network_manager *manager, const struct network *network, struct error *err)
{
    _cleanup_free_ char *body = record_format(&network_record_type, &network->record);
    return database_put(manager->database, "network", network->record.id, body, DURABLE, err);
}

/* Ids are drawn once and kept, so that clients that remember a network's id find it again. */
static bool add_predefined(struct network_manager *manager, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(predefined); i++) {
        struct network *network = find_name(manager, predefined[i].name);
        if (network && network->record.driver)
            continue;
        bool is_new = !network;
        if (is_new)
            *APPEND(manager->networks, manager->count) = network = NEW(struct network);
        struct network_record *record = &network->record;
        if (is_new) {
            record->name = xstrdup(predefined[i].name);
            record->id = xcalloc(1, ID_LENGTH + 1);
            id_generate(record->id);
        }
        record->created = clock_now();
        record->scope = xstrdup("local");
        record->driver = xstrdup(predefined[i].driver);
        record->enable_ipv4 = true;
        record->ipam.driver = xstrdup("default");
        if (!save(manager, network, err))
            return false;
    }
    return true;
}

/* What the daemon's options say of the default bridge. */
static void set_default_bridge(struct network *network, const struct network_options *options)
{
    struct strmap *map = &network->record.options;
    char mtu[24];
    snprintf(mtu, sizeof(mtu), "%lld", (long long)(options->mtu ? options->mtu : 1500));
    const struct {
        const char *key, *value;
    } pairs[] = {
        {"com.docker.network.bridge.default_bridge", "true"},
        {"com.docker.network.bridge.enable_icc", options->has_no_icc ? "false" : "true"},
        {"com.docker.network.bridge.enable_ip_masquerade", options->has_nat ? "true" : "false"},
        {"com.docker.network.bridge.host_binding_ipv4", "0.0.0.0"},
        {"com.docker.network.bridge.name", options->bridge_name},
        {"com.docker.network.driver.mtu", mtu},
    };
    strmap_release(map);
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
        strmap_set(map, pairs[i].key, pairs[i].value);
    /* Chosen anew with each run: the host's networks may have changed. */
    record_list_release(&network->record.ipam.config, &ipam_config_type);
    strlist_release(&network->record.chosen_subnets);
    network->record.enable_ipv6 = options->has_ipv6;
    if (options->has_ipv6 && string_is_set(options->ipv6_subnet)) {
        struct ipam_config *config = record_list_add(&network->record.ipam.config, &ipam_config_type);
        config->subnet = xstrdup(options->ipv6_subnet);
    }
}

static bool configure(struct network_manager *manager, struct network *network, struct error *err)
{
    char name[IFNAMSIZ];
    snprintf(name, sizeof(name), "br-%.12s", network->record.id);
    return network_is_macvlan(network) ? macvlan_configure(manager, network, err)
                                       : bridge_configure(manager, network, name, err);
}

static bool has_link(const struct network *network)
{
    return (network_is_bridge(network) || network_is_macvlan(network)) && !network->record.is_config_only;
}

static bool configure_all(struct network_manager *manager, const struct network_options *options, struct error *err)
{
    struct network *bridge = find_name(manager, "bridge");
    subnet_add_local_pool(manager, bridge->record.id);
    for (size_t i = 0; i < manager->count; i++) {
        struct network *network = manager->networks[i];
        if (!has_link(network))
            continue;
        if (network == bridge)
            set_default_bridge(network, options);
        if (!configure(manager, network, err))
            return false;
        /* The one that stands in the database has its subnet; the default bridge takes what they leave. */
        if (network != bridge && !subnet_plan(manager, network, err))
            return false;
    }
    return manager->is_bridge_disabled || subnet_plan(manager, bridge, err);
}

struct network_manager *network_open(struct database *database, const struct network_options *options,
                                     struct error *err)
{
    struct ip_prefix configured;
    const char *const given[] = {options->bridge_address, options->ipv6_subnet};
    for (int i = 0; i < 2; i++)
        if (string_is_set(given[i]) &&
            (!ip_prefix_parse(given[i], &configured) || configured.address.family != (i ? IP_V6 : IP_V4))) {
            error_set(err, ERROR_INVALID, "invalid CIDR address: %s", given[i]);
            return NULL;
        }
    struct network_options filled = *options;
    if (!options->bridge_name || options->is_bridge_disabled)
        filled.bridge_name = "wherry0";
    if (strlen(filled.bridge_name) >= IFNAMSIZ) {
        error_set(err, ERROR_INVALID, "invalid bridge name: %s", filled.bridge_name);
        return NULL;
    }
    struct network_manager *manager = NEW(struct network_manager);
    pthread_mutex_init(&manager->mutex, NULL);
    manager->database = database;
    manager->bridge_address = xstrdup(options->bridge_address);
    manager->is_bridge_disabled = options->is_bridge_disabled;
    manager->firewall = firewall_new(filled.bridge_name, options->has_no_firewall);
    manager->has_closed_ports = options->has_closed_ports;
    manager->ports = port_book_new();
    manager->dns = dns_server_new(manager);
    _cleanup_strmap_ struct strmap known = {0};
    bool is_open =
        subnet_set_pools(manager, options->address_pools, err) && database_all(database, "network", &known, err);
    for (size_t i = 0; i < known.count && is_open; i++)
        is_open = load_one(manager, known.items[i].key, known.items[i].value, err);
    is_open = is_open && add_predefined(manager, err) && configure_all(manager, &filled, err);
    if (is_open)
        return manager;
    manager_free(manager);
    return NULL;
}

static bool make(struct network_manager *manager, struct network *network, struct error *err)
{
    return network_is_macvlan(network) ? macvlan_make(manager, network, err) : bridge_make(manager, network, err);
}

static void unmake(struct network_manager *manager, struct network *network)
{
    if (network_is_macvlan(network))
        macvlan_remove(manager, network);
    else
        bridge_remove(manager, network);
}

bool network_begin(struct network_manager *manager, struct error *err)
{
    pthread_mutex_lock(&manager->mutex);
    for (size_t i = 0; i < manager->count; i++) {
        struct network *network = manager->networks[i];
        bool is_default = string_equal(network->record.name, "bridge");
        struct error why = ERROR_INIT;
        /* The default bridge waits for its first container. */
        if (!has_link(network) || (is_default && network->endpoint_count == 0) || make(manager, network, &why))
            continue;
        log_and_release(LOG_LEVEL_WARNING, &why, "cannot set up network %s", network->record.name);
    }
    manager->is_begun = true;
    bool is_loaded = firewall_load(manager->firewall, err);
    pthread_mutex_unlock(&manager->mutex);
    return is_loaded;
}

void network_close(struct network_manager *manager)
{
    if (!manager)
        return;
    bool has_bridge = false, was_there = false, is_ours;
    for (size_t i = 0; i < manager->count; i++) {
        struct network *network = manager->networks[i];
        if (!has_link(network) || !network->link ||
            (manager->is_bridge_disabled && string_equal(network->record.name, "bridge")))
            continue;
        if (network->endpoint_count) {
            has_bridge = has_bridge || network_is_bridge(network);
            continue;
        }
        was_there = was_there || (netlink_find(network->link, &is_ours) && is_ours);
        network->is_ready = false;
        unmake(manager, network);
    }
    if ((was_there || firewall_is_loaded(manager->firewall)) && !has_bridge)
        firewall_unload(manager->firewall, NULL);
    manager_free(manager);
}

/* --- find --- */

const char *network_name(const char *reference)
{
    return !string_is_set(reference) || string_equal(reference, "default") ? "bridge" : reference;
}

struct network *manager_find_id(struct network_manager *manager, const char *id)
{
    for (size_t i = 0; i < manager->count; i++)
        if (string_equal(manager->networks[i]->record.id, id))
            return manager->networks[i];
    return NULL;
}

/* As Docker: the whole id, the name, then the start of an id. */
struct network *manager_find(struct network_manager *manager, const char *reference, struct error *err)
{
    const char *wanted = string_or_empty(reference);
    struct network *found = manager_find_id(manager, wanted);
    if (!found)
        found = find_name(manager, wanted);
    if (manager->is_bridge_disabled && found && string_equal(found->record.name, "bridge"))
        found = NULL;
    size_t matches = 0;
    for (size_t i = 0; i < manager->count && !found && *wanted; i++)
        matches += string_starts_with(manager->networks[i]->record.id, wanted);
    for (size_t i = 0; i < manager->count && !found && matches == 1; i++)
        if (string_starts_with(manager->networks[i]->record.id, wanted))
            found = manager->networks[i];
    if (found)
        return found;
    if (matches > 1)
        error_set(err, ERROR_INVALID, "network %s is ambiguous (%zu matches found based on ID prefix)", wanted,
                  matches);
    else
        error_set(err, ERROR_NOT_FOUND, "network %s not found", wanted);
    return NULL;
}

bool network_get(struct network_manager *manager, const char *reference, struct network_record *out, struct error *err)
{
    pthread_mutex_lock(&manager->mutex);
    const struct network *network = manager_find(manager, reference, err);
    if (network)
        record_copy(&network_record_type, out, &network->record);
    pthread_mutex_unlock(&manager->mutex);
    return network;
}

void network_list(struct network_manager *manager, struct record_list *out)
{
    pthread_mutex_lock(&manager->mutex);
    for (size_t i = 0; i < manager->count; i++) {
        const struct network_record *record = &manager->networks[i]->record;
        if (manager->is_bridge_disabled && string_equal(record->name, "bridge"))
            continue;
        record_copy(&network_record_type, record_list_add(out, &network_record_type), record);
    }
    pthread_mutex_unlock(&manager->mutex);
}

bool network_is_user_defined(struct network_manager *manager, const char *reference)
{
    pthread_mutex_lock(&manager->mutex);
    const struct network *network = manager_find(manager, reference, NULL);
    bool is_user_defined = network && !network_is_predefined(network->record.name);
    pthread_mutex_unlock(&manager->mutex);
    return is_user_defined;
}

/* --- create and remove --- */

/* Subnets of one family. */
static bool has_several(const struct record_list *list)
{
    struct ip_prefix subnet;
    size_t counts[2] = {0};
    for (size_t i = 0; i < list->count; i++)
        if (ip_prefix_parse(RECORD_AT(*list, struct ipam_config, i)->subnet, &subnet))
            counts[family_index(subnet.address.family)]++;
    return counts[0] > 1 || counts[1] > 1;
}

static bool check_request(struct network_manager *manager, const struct network_create_request *request,
                          struct error *err)
{
    const char *name = string_or_empty(request->name);
    const char *driver = request->is_config_only ? "" : string_or_empty(request->driver);
    if (name[strspn(name, " \t\r\n")] == '\0')
        return error_set(err, ERROR_INVALID, "invalid name: ");
    if (network_is_predefined(name) || string_equal(name, "default"))
        return error_set(err, ERROR_DENIED, "operation is not permitted on predefined %s network ", name);
    if (find_name(manager, name))
        return error_set(err, ERROR_CONFLICT, "network with name %s already exists", name);
    if (string_equal(request->scope, "swarm"))
        return error_set(err, ERROR_DENIED, "cannot create a swarm scoped network when swarm is not active");
    if (request->is_config_only && (request->is_internal || request->is_attachable || request->is_ingress))
        return error_set(err, ERROR_DENIED,
                         "configuration network can only contain network specific fields. Network operator fields like "
                         "[ ingress | internal | attachable | scope ] are not supported.");
    if (request->is_ingress)
        return error_set(err, ERROR_DENIED, "Ingress network can only be global scope network");
    if (request->enable_ipv4.is_set && !request->enable_ipv4.value && !request->is_config_only &&
        !(request->enable_ipv6.is_set && request->enable_ipv6.value))
        return error_set(err, ERROR_INVALID, "IPv4 or IPv6 must be enabled");
    if (string_equal(driver, "host") || string_equal(driver, "null"))
        return error_set(err, ERROR_DENIED, "only one instance of \"%s\" network is allowed", driver);
    bool is_macvlan = string_equal(driver, "macvlan") || string_equal(driver, "ipvlan");
    if (*driver && !string_equal(driver, "bridge") && !is_macvlan) {
        if (string_equal(driver, "overlay"))
            return error_set(err, ERROR_UNSUPPORTED, "networks of driver \"overlay\" need a swarm: Wherry has none");
        return error_set(err, ERROR_NOT_FOUND, "plugin \"%s\" not found", driver);
    }
    const struct ipam *ipam = request->ipam;
    if (!ipam)
        return true;
    if (string_is_set(ipam->driver) && !string_equal(ipam->driver, "default"))
        return error_set(err, ERROR_NOT_FOUND, "plugin \"%s\" not found", ipam->driver);
    if (!subnet_check(&ipam->config, err))
        return false;
    if (has_several(&ipam->config) && !is_macvlan && !request->is_config_only)
        return error_set(err, ERROR_DENIED, "bridge driver doesn't support multiple subnets");
    return true;
}

static bool take_config_network(struct network_manager *manager, const char *name, struct network_record *record,
                                struct error *err)
{
    const struct network *from = find_name(manager, name);
    if (!from || !from->record.is_config_only)
        return error_set(err, ERROR_NOT_FOUND, "configuration network \"%s\" does not exist", name);
    if (record->options.count || record->ipam.config.count)
        return error_set(err, ERROR_DENIED,
                         "user specified configurations are not supported if the network depends on a configuration "
                         "network");
    strmap_copy(&record->options, &from->record.options);
    record->enable_ipv6 = from->record.enable_ipv6;
    for (size_t i = 0; i < from->record.ipam.config.count; i++)
        record_copy(&ipam_config_type, record_list_add(&record->ipam.config, &ipam_config_type),
                    RECORD_AT(from->record.ipam.config, struct ipam_config, i));
    return true;
}

/* As Docker, IPv4 first. */
static void copy_ipam(const struct ipam *from, struct ipam *to)
{
    struct ip_prefix subnet;
    record_copy(&ipam_type, to, from);
    record_list_release(&to->config, &ipam_config_type);
    for (int is_v6 = 0; is_v6 < 2; is_v6++)
        for (size_t i = 0; i < from->config.count; i++) {
            const struct ipam_config *config = RECORD_AT(from->config, struct ipam_config, i);
            if (ip_prefix_parse(config->subnet, &subnet) && family_index(subnet.address.family) == is_v6)
                record_copy(&ipam_config_type, record_list_add(&to->config, &ipam_config_type), config);
        }
}

static bool fill_record(struct network_manager *manager, struct network_create_request *request,
                        struct network_record *record, struct error *err)
{
    const char *from = request->config_from ? request->config_from->network : NULL;
    record->id = xcalloc(1, ID_LENGTH + 1);
    id_generate(record->id);
    record->name = TAKE_PTR(request->name);
    record->created = clock_now();
    record->scope = xstrdup("local");
    record->driver = xstrdup(request->is_config_only          ? "null"
                             : string_is_set(request->driver) ? request->driver
                                                              : "bridge");
    record->enable_ipv4 = !request->enable_ipv4.is_set || request->enable_ipv4.value;
    record->enable_ipv6 = request->enable_ipv6.is_set && request->enable_ipv6.value;
    record->is_internal = request->is_internal;
    record->is_attachable = request->is_attachable;
    record->is_config_only = request->is_config_only;
    record->config_from.network = xstrdup(from);
    strmap_copy(&record->options, &request->options);
    strmap_copy(&record->labels, &request->labels);
    if (request->ipam)
        copy_ipam(request->ipam, &record->ipam);
    if (!record->ipam.config.count)
        record_list_release(&record->ipam.config, &ipam_config_type);
    if (!string_is_set(record->ipam.driver))
        string_replace(&record->ipam.driver, "default");
    if (string_is_set(from) && !take_config_network(manager, from, record, err))
        return false;
    record->has_subnet_of_user = record->ipam.config.count > 0;
    return true;
}

static bool check_links(struct network_manager *manager, const struct network *network, struct error *err)
{
    for (size_t i = 0; i < manager->count && network_is_bridge(network); i++) {
        const struct network *other = manager->networks[i];
        if (network_is_bridge(other) && string_equal(other->link, network->link))
            return error_set(err, ERROR_DENIED,
                             "cannot create network %s (%s): conflicts with network %s (%s): networks have same bridge "
                             "name",
                             network->record.id, network->link, other->record.id, other->link);
    }
    return true;
}

static bool check_subnets(struct network_manager *manager, const struct network *network, struct error *err)
{
    const struct record_list *config = &network->record.ipam.config;
    struct ip_prefix subnet, other;
    for (size_t i = 0; i < config->count; i++) {
        if (!ip_prefix_parse(RECORD_AT(*config, struct ipam_config, i)->subnet, &subnet))
            continue;
        bool is_used = subnet_is_used(manager, subnet);
        for (size_t j = 0; j < i; j++)
            is_used = is_used || (ip_prefix_parse(RECORD_AT(*config, struct ipam_config, j)->subnet, &other) &&
                                  ip_overlaps(subnet, other));
        if (is_used)
            return error_set(err, ERROR_DENIED, "Pool overlaps with other one on this address space");
    }
    return true;
}

static bool set_up(struct network_manager *manager, struct network *network, struct error *err)
{
    if (network->record.is_config_only)
        return save(manager, network, err);
    if (!configure(manager, network, err) || !check_links(manager, network, err) ||
        !check_subnets(manager, network, err) || !make(manager, network, err))
        return false;
    if (save(manager, network, err))
        return true;
    unmake(manager, network);
    return false;
}

bool network_create(struct network_manager *manager, struct network_create_request *request, char **id,
                    struct error *err)
{
    struct network *network = NEW(struct network);
    pthread_mutex_lock(&manager->mutex);
    bool is_made = check_request(manager, request, err) && fill_record(manager, request, &network->record, err) &&
                   set_up(manager, network, err);
    if (is_made) {
        *APPEND(manager->networks, manager->count) = network;
        *id = xstrdup(network->record.id);
    } else {
        network_free(network);
    }
    pthread_mutex_unlock(&manager->mutex);
    return is_made;
}

static bool check_removal(struct network_manager *manager, const struct network *network, struct error *err)
{
    const struct network_record *record = &network->record;
    if (network_is_predefined(record->name))
        return error_set(err, ERROR_DENIED, "%s is a pre-defined network and cannot be removed", record->name);
    if (network->endpoint_count)
        return error_set(err, ERROR_DENIED, "error while removing network: network %s id %s has active endpoints",
                         record->name, record->id);
    for (size_t i = 0; i < manager->count && record->is_config_only; i++)
        if (string_equal(manager->networks[i]->record.config_from.network, record->name))
            return error_set(err, ERROR_DENIED, "error while removing network: configuration network \"%s\" is in use",
                             record->name);
    return true;
}

bool network_remove(struct network_manager *manager, const char *reference, struct error *err)
{
    pthread_mutex_lock(&manager->mutex);
    struct network *network = manager_find(manager, reference, err);
    bool is_removed = network && check_removal(manager, network, err) &&
                      database_delete(manager->database, "network", network->record.id, DURABLE, err);
    if (is_removed) {
        if (network->link)
            unmake(manager, network);
        for (size_t i = 0; i < manager->count; i++)
            if (manager->networks[i] == network) {
                memmove(&manager->networks[i], &manager->networks[i + 1],
                        (manager->count - i - 1) * sizeof(struct network *));
                manager->count--;
                break;
            }
        network_free(network);
    }
    pthread_mutex_unlock(&manager->mutex);
    return is_removed;
}

/* --- DNS --- */

void network_serve_dns(struct network_manager *manager, const char *container_id, const int sockets[2],
                       const struct strlist *dns, const struct strlist *options)
{
    _cleanup_strlist_ struct strlist servers = {0};
    struct dns_client client = {.container_id = container_id, .udp = sockets[0], .tcp = sockets[1]};
    network_dns_servers(dns, &servers);
    client.servers = &servers;
    for (size_t i = 0; i < options->count; i++)
        client.has_ndots |=
            string_starts_with(options->items[i], "ndots:") && !string_equal(options->items[i], "ndots:0");
    dns_server_add(manager->dns, &client);
}
