/* Which subnets networks get, and what a user may ask for. */
#include <string.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "network/manager.h"
#include "network/netlink.h"

#define TEXT_SIZE IP_PREFIX_TEXT_SIZE

/* --- pools --- */

/* Docker's: 172.17.0.0/16 to 172.31.0.0/16, then sixteen of 192.168.0.0/16. */
static const char *const docker_pools[] = {
    "base=172.17.0.0/16,size=16", "base=172.18.0.0/15,size=16",  "base=172.20.0.0/14,size=16",
    "base=172.24.0.0/13,size=16", "base=192.168.0.0/16,size=20",
};

bool subnet_set_pools(struct network_manager *manager, const struct strlist *configured, struct error *err)
{
    struct default_pool pool;
    bool has_v4 = false;
    for (size_t i = 0; configured && i < configured->count; i++) {
        if (!default_pool_parse(configured->items[i], &pool, err))
            return false;
        for (size_t j = 0; j < manager->pool_count; j++)
            if (ip_overlaps(manager->pools[j].base, pool.base))
                return error_set(err, ERROR_INVALID, "default address pools overlap: \"%s\"", configured->items[i]);
        has_v4 = has_v4 || pool.base.address.family == IP_V4;
        *APPEND(manager->pools, manager->pool_count) = pool;
    }
    for (size_t i = 0; i < ARRAY_SIZE(docker_pools) && !has_v4; i++)
        if (default_pool_parse(docker_pools[i], &pool, err))
            *APPEND(manager->pools, manager->pool_count) = pool;
    return true;
}

void subnet_add_local_pool(struct network_manager *manager, const char *seed)
{
    char digest[SHA256_HEX_SIZE];
    for (size_t i = 0; i < manager->pool_count; i++)
        if (manager->pools[i].base.address.family == IP_V6)
            return;
    sha256_hex(seed, strlen(seed), digest);
    _cleanup_free_ char *text = xasprintf("fd%.2s:%.4s:%.4s::/48", digest, digest + 2, digest + 6);
    struct default_pool pool = {.size = 64};
    if (ip_prefix_parse(text, &pool.base))
        *APPEND(manager->pools, manager->pool_count) = pool;
}

bool subnet_is_used(const struct network_manager *manager, struct ip_prefix subnet)
{
    for (size_t i = 0; i < manager->count; i++) {
        const struct network *network = manager->networks[i];
        for (size_t j = 0; j < network->subnet_count; j++)
            if (ip_overlaps(network->subnets[j].pool.subnet, subnet))
                return true;
    }
    return false;
}

/* What is in the way of a candidate: the candidate after it is the next to be tried, however large it is. */
static bool find_obstacle(const struct network_manager *manager, const struct ip_prefix *routes, size_t route_count,
                          struct ip_prefix candidate, struct ip_prefix *out)
{
    for (size_t i = 0; i < route_count; i++)
        if (ip_overlaps(routes[i], candidate)) {
            *out = routes[i];
            return true;
        }
    for (size_t i = 0; i < manager->count; i++) {
        const struct network *network = manager->networks[i];
        for (size_t j = 0; j < network->subnet_count; j++)
            if (ip_overlaps(network->subnets[j].pool.subnet, candidate)) {
                *out = network->subnets[j].pool.subnet;
                return true;
            }
    }
    return false;
}

static bool choose_in(const struct network_manager *manager, const struct default_pool *pool,
                      const struct ip_prefix *routes, size_t route_count, struct ip_prefix *out)
{
    struct ip_prefix candidate = {ip_first(pool->base), pool->size}, obstacle;
    struct ip_address end = ip_last(pool->base);
    while (find_obstacle(manager, routes, route_count, candidate, &obstacle)) {
        struct ip_address last =
            ip_last(obstacle).value > ip_last(candidate).value ? ip_last(obstacle) : ip_last(candidate);
        if (last.value >= end.value)
            return false;
        candidate.address = ip_first((struct ip_prefix){ip_add(last, 1), pool->size});
    }
    *out = candidate;
    return true;
}

/* The first of the default pools that overlaps neither a network nor a route of the host. */
static bool choose(struct network_manager *manager, enum ip_family family, struct ip_prefix *out, struct error *err)
{
    _cleanup_free_ struct ip_prefix *routes = NULL;
    size_t route_count = 0;
    if (!netlink_routes(family, &routes, &route_count, err))
        return false;
    for (size_t i = 0; i < manager->pool_count; i++)
        if (manager->pools[i].base.address.family == family &&
            choose_in(manager, &manager->pools[i], routes, route_count, out))
            return true;
    return error_set(err, ERROR_INTERNAL, "all predefined address pools have been fully subnetted");
}

/* --- plan --- */

/* Docker's gateway is the first address of the range, or of the subnet. Networks without a way out have none that they
   did not ask for, but a bridge has an address of its own there. */
static void add_configured(struct network *network, const struct ipam_config *config, struct ip_prefix subnet)
{
    struct network_subnet *added = APPEND(network->subnets, network->subnet_count);
    struct ip_prefix range;
    struct ip_address gateway = {0}, auxiliary;
    address_pool_init(&added->pool, subnet);
    for (size_t i = 0; i < config->auxiliary.count; i++)
        if (ip_parse(config->auxiliary.items[i].value, &auxiliary))
            address_pool_reserve(&added->pool, auxiliary);
    if (string_is_set(config->ip_range) && ip_prefix_parse(config->ip_range, &range))
        added->pool.range = range;
    if (ip_parse(config->gateway, &gateway))
        address_pool_reserve(&added->pool, gateway);
    else if (!(network_is_macvlan(network) && network->record.is_internal) &&
             !address_pool_take(&added->pool, &gateway, NULL))
        gateway = ip_first(subnet);
    added->gateway = (struct ip_prefix){gateway, subnet.length};
}

static void add_chosen(struct network *network, struct ip_prefix gateway)
{
    char text[TEXT_SIZE];
    struct ipam_config *config = record_list_add(&network->record.ipam.config, &ipam_config_type);
    struct network_subnet *added = APPEND(network->subnets, network->subnet_count);
    config->subnet = xstrdup(ip_prefix_format(gateway, text));
    strlist_add(&network->record.chosen_subnets, config->subnet);
    address_pool_init(&added->pool, gateway);
    added->gateway.length = gateway.length;
    if (network_is_macvlan(network) && network->record.is_internal)
        return;
    config->gateway = xstrdup(ip_format(gateway.address, text));
    added->gateway = gateway;
    address_pool_reserve(&added->pool, gateway.address);
}

static bool has_config(const struct network *network, enum ip_family family)
{
    const struct record_list *list = &network->record.ipam.config;
    struct ip_prefix subnet;
    for (size_t i = 0; i < list->count; i++)
        if (ip_prefix_parse(RECORD_AT(*list, struct ipam_config, i)->subnet, &subnet) &&
            subnet.address.family == family)
            return true;
    return false;
}

/* The default bridge may be there already, or its address be configured. */
static bool default_gateway(const struct network_manager *manager, const struct network *network, enum ip_family family,
                            struct ip_prefix *out)
{
    bool is_ours;
    if (family != IP_V4 || !string_equal(network->record.name, "bridge"))
        return false;
    unsigned index = netlink_find(network->link, &is_ours);
    return (index && netlink_address(index, out)) ||
           (manager->bridge_address && ip_prefix_parse(manager->bridge_address, out));
}

static bool add_family(struct network_manager *manager, struct network *network, enum ip_family family,
                       struct error *err)
{
    struct ip_prefix gateway;
    bool is_wanted = family == IP_V4 ? network->record.enable_ipv4 : network->record.enable_ipv6;
    if (!is_wanted || has_config(network, family))
        return true;
    if (!default_gateway(manager, network, family, &gateway)) {
        if (!choose(manager, family, &gateway, err))
            return false;
        gateway.address = ip_add(gateway.address, 1);
    }
    add_chosen(network, gateway);
    return true;
}

static void forget_plan(struct network *network)
{
    for (size_t i = 0; i < network->subnet_count; i++)
        address_pool_release(&network->subnets[i].pool);
    free(TAKE_PTR(network->subnets));
    network->subnet_count = 0;
}

bool subnet_plan(struct network_manager *manager, struct network *network, struct error *err)
{
    const struct record_list *list = &network->record.ipam.config;
    struct ip_prefix subnet;
    if (network->is_planned)
        return true;
    for (size_t i = 0; i < list->count; i++) {
        const struct ipam_config *config = RECORD_AT(*list, struct ipam_config, i);
        if (!ip_prefix_parse(config->subnet, &subnet))
            continue;
        bool is_wanted = subnet.address.family == IP_V4 ? network->record.enable_ipv4 : network->record.enable_ipv6;
        if (is_wanted) /* as Docker, which shows the others all the same */
            add_configured(network, config, subnet);
    }
    if (!add_family(manager, network, IP_V4, err) || !add_family(manager, network, IP_V6, err)) {
        forget_plan(network);
        return false;
    }
    for (size_t i = 0; i < network->endpoint_count; i++)
        for (int j = 0; j < 2; j++) {
            struct network_subnet *of = network_subnet_of(network, network->endpoints[i].addresses[j]);
            if (of)
                address_pool_reserve(&of->pool, network->endpoints[i].addresses[j]);
        }
    network->is_planned = true;
    return true;
}

struct network_subnet *network_subnet(const struct network *network, enum ip_family family)
{
    for (size_t i = 0; i < network->subnet_count; i++)
        if (network->subnets[i].pool.subnet.address.family == family)
            return &network->subnets[i];
    return NULL;
}

struct network_subnet *network_subnet_of(const struct network *network, struct ip_address address)
{
    for (size_t i = 0; i < network->subnet_count; i++)
        if (ip_contains(network->subnets[i].pool.subnet, address))
            return &network->subnets[i];
    return NULL;
}

/* --- what a user may ask for --- */

static void check_network_address(const char *what, const char *text, struct ip_prefix given, struct strlist *problems)
{
    char masked[TEXT_SIZE];
    if (!ip_equal(ip_first(given), given.address))
        strlist_addf(problems, "invalid %s %s: it should be %s", what, text, ip_prefix_format(given, masked));
}

static void check_range(const struct ipam_config *config, struct ip_prefix subnet, struct strlist *problems)
{
    struct ip_prefix range;
    if (!string_is_set(config->ip_range))
        return;
    if (!ip_prefix_parse(config->ip_range, &range)) {
        strlist_addf(problems, "invalid ip-range %s: invalid CIDR block notation", config->ip_range);
        return;
    }
    check_network_address("ip-range", config->ip_range, range, problems);
    if (range.length < subnet.length)
        strlist_addf(problems, "invalid ip-range %s: CIDR block is bigger than its parent subnet %s", config->ip_range,
                     config->subnet);
    if (!ip_contains(subnet, range.address))
        strlist_addf(problems, "invalid ip-range %s: parent subnet %s doesn't contain ip-range", config->ip_range,
                     config->subnet);
}

static void check_address(const char *what, const char *shown, const char *text, struct ip_prefix subnet,
                          const struct ipam_config *config, struct strlist *problems)
{
    struct ip_address address;
    if (!ip_parse(text, &address))
        strlist_addf(problems, "invalid %s %s: invalid address", what, shown);
    else if (!ip_contains(subnet, address))
        strlist_addf(problems, "invalid %s %s: parent subnet %s doesn't contain this address", what, shown,
                     config->subnet);
}

static void check_one(const struct ipam_config *config, struct strlist *problems)
{
    struct ip_prefix subnet;
    if (!ip_prefix_parse(config->subnet, &subnet)) {
        strlist_addf(problems, "invalid subnet %s: invalid CIDR block notation", string_or_empty(config->subnet));
        return;
    }
    check_network_address("subnet", config->subnet, subnet, problems);
    check_range(config, subnet, problems);
    if (string_is_set(config->gateway))
        check_address("gateway", config->gateway, config->gateway, subnet, config, problems);
    for (size_t i = 0; i < config->auxiliary.count; i++)
        check_address("auxiliary address", config->auxiliary.items[i].key, config->auxiliary.items[i].value, subnet,
                      config, problems);
}

bool subnet_check(const struct record_list *list, struct error *err)
{
    _cleanup_strlist_ struct strlist problems = {0};
    for (size_t i = 0; i < list->count; i++)
        check_one(RECORD_AT(*list, struct ipam_config, i), &problems);
    if (!problems.count)
        return true;
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < problems.count; i++)
        strbuf_addf(&text, "\n%s%s", problems.count > 1 ? "* " : "", problems.items[i]);
    return error_set(err, ERROR_INVALID, "invalid network config:%s", strbuf_text(&text));
}
