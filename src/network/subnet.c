/* Which subnets networks get, and what a user may ask for. */
#include <arpa/inet.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "network/manager.h"

/* Docker's default address pools. */
static const struct {
    const char *base;
    unsigned size;
    unsigned count;
} pools[] = {{"172.17.0.0", 16, 15}, {"192.168.0.0", 20, 16}};

bool subnet_is_used(struct network_manager *manager, struct ipv4_prefix subnet)
{
    for (size_t i = 0; i < manager->count; i++) {
        const struct network *network = manager->networks[i];
        if (network->is_planned && ipv4_overlaps(network->gateway, subnet))
            return true;
    }
    return false;
}

bool subnet_choose(struct network_manager *manager, struct ipv4_prefix *out, struct error *err)
{
    _cleanup_free_ struct ipv4_prefix *routes = NULL;
    size_t route_count = 0;
    if (!netlink_routes(&routes, &route_count, err))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(pools); i++) {
        struct in_addr base;
        inet_pton(AF_INET, pools[i].base, &base);
        for (unsigned step = 0; step < pools[i].count; step++) {
            struct ipv4_prefix candidate = {ntohl(base.s_addr) + (step << (32 - pools[i].size)), pools[i].size};
            bool is_free = !subnet_is_used(manager, candidate);
            for (size_t j = 0; j < route_count && is_free; j++)
                is_free = !ipv4_overlaps(routes[j], candidate);
            if (is_free) {
                *out = candidate;
                return true;
            }
        }
    }
    return error_set(err, ERROR_INTERNAL, "all predefined address pools have been fully subnetted");
}

static bool parse_ipv4(const char *text, uint32_t *out)
{
    struct in_addr address;
    if (!text || inet_pton(AF_INET, text, &address) != 1)
        return false;
    *out = ntohl(address.s_addr);
    return true;
}

static bool is_in(struct ipv4_prefix subnet, uint32_t address)
{
    return ipv4_overlaps(subnet, (struct ipv4_prefix){address, 32});
}

static void check_network_address(const char *what, const char *text, struct ipv4_prefix given,
                                  struct strlist *problems)
{
    char address[INET_ADDRSTRLEN];
    uint32_t masked = given.address & ipv4_netmask(given.length);
    if (masked != given.address)
        strlist_addf(problems, "invalid %s %s: it should be %s/%u", what, text, ipv4_format(masked, address),
                     given.length);
}

static void check_range(const struct ipam_config *config, struct ipv4_prefix subnet, struct strlist *problems)
{
    struct ipv4_prefix range;
    if (!string_is_set(config->ip_range))
        return;
    if (!ipv4_prefix_parse(config->ip_range, &range)) {
        strlist_addf(problems, "invalid ip-range %s: invalid CIDR block notation", config->ip_range);
        return;
    }
    check_network_address("ip-range", config->ip_range, range, problems);
    if (range.length < subnet.length)
        strlist_addf(problems, "invalid ip-range %s: CIDR block is bigger than its parent subnet %s", config->ip_range,
                     config->subnet);
    if (!is_in(subnet, range.address))
        strlist_addf(problems, "invalid ip-range %s: parent subnet %s doesn't contain ip-range", config->ip_range,
                     config->subnet);
}

static void check_address(const char *what, const char *shown, const char *text, struct ipv4_prefix subnet,
                          const struct ipam_config *config, struct strlist *problems)
{
    uint32_t address;
    if (!parse_ipv4(text, &address))
        strlist_addf(problems, "invalid %s %s: invalid address", what, shown);
    else if (!is_in(subnet, address))
        strlist_addf(problems, "invalid %s %s: parent subnet %s doesn't contain this address", what, shown,
                     config->subnet);
}

static void check_one(const struct ipam_config *config, struct strlist *problems)
{
    struct ipv4_prefix subnet;
    if (!ipv4_prefix_parse(string_or_empty(config->subnet), &subnet)) {
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
    for (size_t i = 0; i < list->count; i++) {
        const struct ipam_config *config = RECORD_AT(*list, struct ipam_config, i);
        if (config->subnet && strchr(config->subnet, ':'))
            return error_set(err, ERROR_UNSUPPORTED, "IPv6 networks are not supported by this version of Wherry: %s",
                             config->subnet);
        check_one(config, &problems);
    }
    if (!problems.count)
        return true;
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < problems.count; i++)
        strbuf_addf(&text, "\n%s%s", problems.count > 1 ? "* " : "", problems.items[i]);
    return error_set(err, ERROR_INVALID, "invalid network config:%s", strbuf_text(&text));
}
