/* GET /networks and /networks/{id}. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "api/request.h"
#include "api/respond.h"
#include "base/memory.h"
#include "engine/containers.h"

/* The bridge's own address is the network's gateway. Before the first container there is no bridge yet: then it is what
   was configured, if it was. False where it is not known. */
static bool bridge_address(const struct network_options *options, char gateway[INET_ADDRSTRLEN], int *prefix_length)
{
    struct ifaddrs *addresses = NULL;
    bool is_found = false;
    if (getifaddrs(&addresses) == 0)
        for (struct ifaddrs *at = addresses; at && !is_found; at = at->ifa_next) {
            if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET ||
                !string_equal(at->ifa_name, options->bridge_name))
                continue;
            const struct sockaddr_in *address = (const struct sockaddr_in *)at->ifa_addr;
            const struct sockaddr_in *mask = (const struct sockaddr_in *)at->ifa_netmask;
            inet_ntop(AF_INET, &address->sin_addr, gateway, INET_ADDRSTRLEN);
            *prefix_length = __builtin_popcount(mask->sin_addr.s_addr);
            is_found = true;
        }
    freeifaddrs(addresses);
    if (is_found || !options->bridge_address)
        return is_found;
    int64_t bits;
    size_t length = strcspn(options->bridge_address, "/");
    if (length >= INET_ADDRSTRLEN || !options->bridge_address[length] ||
        !parse_int64(options->bridge_address + length + 1, &bits))
        return false;
    snprintf(gateway, INET_ADDRSTRLEN, "%.*s", (int)length, options->bridge_address);
    *prefix_length = (int)bits;
    return true;
}

static json_t *bridge_pools(const struct network_options *options)
{
    char gateway[INET_ADDRSTRLEN], subnet[INET_ADDRSTRLEN];
    int prefix_length;
    struct in_addr address;
    if (!bridge_address(options, gateway, &prefix_length) || inet_pton(AF_INET, gateway, &address) != 1)
        return json_array();
    address.s_addr &= htonl(prefix_length ? ~0U << (32 - prefix_length) : 0);
    inet_ntop(AF_INET, &address, subnet, sizeof(subnet));
    _cleanup_free_ char *cidr = xasprintf("%s/%d", subnet, prefix_length);
    return json_pack("[{s:s, s:s}]", "Subnet", cidr, "Gateway", gateway);
}

static json_t *bridge_settings(const struct network_options *options)
{
    _cleanup_free_ char *mtu = xasprintf("%lld", (long long)(options->mtu ? options->mtu : 1500));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "com.docker.network.bridge.default_bridge", "true",
                     "com.docker.network.bridge.enable_icc", "true", "com.docker.network.bridge.enable_ip_masquerade",
                     options->has_nat ? "true" : "false", "com.docker.network.bridge.host_binding_ipv4", "0.0.0.0",
                     "com.docker.network.bridge.name", string_or_empty(options->bridge_name),
                     "com.docker.network.driver.mtu", mtu);
}

static const char *text_of(const json_t *json, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(json, key)));
}

/* The containers on a network with their endpoints, as inspect shows them. */
static json_t *members(struct call *call, const struct network_summary *network)
{
    json_t *members = json_object();
    struct list_options options = {0}; /* the running ones */
    _cleanup_json_ json_t *list = container_list(call->engine, &options, call->version, NULL);
    size_t i;
    json_t *container;
    json_array_foreach(list, i, container)
    {
        const json_t *networks = json_object_get(json_object_get(container, "NetworkSettings"), "Networks");
        const json_t *endpoint = json_object_get(networks, network->name);
        const char *name = string_or_empty(json_string_value(json_array_get(json_object_get(container, "Names"), 0)));
        if (!endpoint)
            continue;
        const char *address = text_of(endpoint, "IPAddress");
        _cleanup_free_ char *cidr =
            *address
                ? xasprintf("%s/%lld", address, (long long)json_integer_value(json_object_get(endpoint, "IPPrefixLen")))
                : xstrdup("");
        json_object_set_new(members, text_of(container, "Id"),
                            json_pack("{s:s, s:s, s:s, s:s, s:s}", "Name", *name == '/' ? name + 1 : name, "EndpointID",
                                      text_of(endpoint, "EndpointID"), "MacAddress", text_of(endpoint, "MacAddress"),
                                      "IPv4Address", cidr, "IPv6Address", ""));
    }
    return members;
}

static json_t *describe(struct call *call, const struct network_summary *network, bool wants_members)
{
    const struct network_options *options = &engine_options(call->engine)->network;
    bool is_bridge = string_equal(network->driver, "bridge");
    char created[TIME_TEXT_SIZE];
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:b, s:{s:s, s:n, s:o}, s:b, s:b, s:b, s:{s:s}, s:b, s:o, s:o, s:{}}", "Name",
        network->name, "Id", network->id, "Created", time_format(call->api->started_at, created), "Scope", "local",
        "Driver", network->driver, "EnableIPv6", 0, "IPAM", "Driver", "default", "Options", "Config",
        is_bridge ? bridge_pools(options) : json_null(), "Internal", 0, "Attachable", 0, "Ingress", 0, "ConfigFrom",
        "Network", "", "ConfigOnly", 0, "Containers", wants_members ? members(call, network) : json_object(), "Options",
        is_bridge ? bridge_settings(options) : json_object(), "Labels");
    if (call->version >= 148)
        json_object_set_new(json, "EnableIPv4", json_true());
    return json;
}

static bool list_contains(const json_t *list, const char *text, bool is_substring)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *wanted = json_string_value(item);
        if (is_substring ? strstr(text, wanted) != NULL : string_equal(text, wanted))
            return true;
    }
    return false;
}

/* Every key must have a value that matches. */
static bool matches(const struct network_summary *network, const json_t *filters)
{
    const char *key;
    json_t *list;
    json_object_foreach((json_t *)filters, key, list)
    {
        bool is_match = string_equal(key, "name")     ? list_contains(list, network->name, true)
                        : string_equal(key, "id")     ? list_contains(list, network->id, true)
                        : string_equal(key, "driver") ? list_contains(list, network->driver, false)
                        : string_equal(key, "scope")  ? list_contains(list, "local", false)
                        : string_equal(key, "type")   ? list_contains(list, "builtin", false)
                                                      : false; /* label, dangling: these networks have none, are none */
        if (string_equal(key, "dangling"))
            is_match = list_contains(list, "false", false) || list_contains(list, "0", false);
        if (!is_match && json_array_size(list) > 0)
            return false;
    }
    return true;
}

static bool check_filters(const json_t *filters, struct error *err)
{
    static const char *const known[] = {"dangling", "driver", "id", "label", "name", "scope", "type"};
    const char *key;
    json_t *list;
    json_object_foreach((json_t *)filters, key, list)
    {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
            is_known |= string_equal(known[i], key);
        if (!is_known)
            return error_set(err, ERROR_INVALID, "invalid filter '%s'", key);
        const char *type = json_string_value(json_array_get(list, 0));
        if (string_equal(key, "type") && type && !string_equal(type, "builtin") && !string_equal(type, "custom"))
            return error_set(err, ERROR_INTERNAL, "invalid filter: 'type'='%s'", type);
    }
    return true;
}

bool networks_list(struct call *call, struct error *err)
{
    _cleanup_json_ json_t *filters = NULL;
    if (!query_filters(call, &filters, err) || !check_filters(filters, err))
        return false;
    json_t *list = json_array();
    const struct network_summary *network;
    for (size_t i = 0; (network = network_at(engine_network(call->engine), i)); i++)
        if (matches(network, filters))
            json_array_append_new(list, describe(call, network, false));
    return respond_json(call, 200, list);
}

bool networks_inspect(struct call *call, struct error *err)
{
    const struct network_summary *network = network_find(engine_network(call->engine), call->target);
    if (!network)
        return error_set(err, ERROR_NOT_FOUND, "network %s not found", call->target);
    return respond_json(call, 200, describe(call, network, true));
}
