#include <arpa/inet.h>
#include <string.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/flag_checks.h"
#include "json/json_record.h"

struct network_create_options {
    char *driver, *scope, *config_from, *ipam_driver;
    struct strlist subnets, ranges, gateways, auxiliary, ipam_options, options, labels;
    bool is_internal, is_attachable, is_ingress, is_config_only, has_ipv4, has_ipv6;
};

static void set_defaults(void *values)
{
    struct network_create_options *options = values;
    options->driver = xstrdup("bridge");
    options->ipam_driver = xstrdup("default");
    options->has_ipv4 = true;
}

/* --- which range, gateway and address belong to which subnet --- */

struct prefix {
    int family;
    unsigned char bytes[16];
    int64_t length; /* in bits */
};

static bool parse_address(const char *text, struct prefix *out)
{
    out->family = strchr(text, ':') ? AF_INET6 : AF_INET;
    out->length = out->family == AF_INET ? 32 : 128;
    return inet_pton(out->family, text, out->bytes) == 1;
}

static bool parse_cidr(const char *text, struct prefix *out)
{
    const char *slash = strchr(text, '/');
    _cleanup_free_ char *address = xstrndup(text, slash ? (size_t)(slash - text) : 0);
    int64_t length;
    if (!slash || !parse_address(address, out) || !parse_int64(slash + 1, &length) || length < 0 ||
        length > out->length)
        return false;
    out->length = length;
    return true;
}

static bool contains(const struct prefix *subnet, const struct prefix *address)
{
    if (subnet->family != address->family)
        return false;
    for (int64_t bit = 0; bit < subnet->length; bit++) {
        unsigned char mask = (unsigned char)(0x80 >> (bit % 8));
        if ((subnet->bytes[bit / 8] & mask) != (address->bytes[bit / 8] & mask))
            return false;
    }
    return true;
}

/* docker's subnetMatches: is the address, or the start of the range, in the subnet? */
static bool subnet_matches(const char *subnet, const char *text, bool *matches, struct error *err)
{
    struct prefix parsed, other;
    if (!parse_cidr(subnet, &parsed))
        return error_set(err, ERROR_INVALID, "invalid subnet: invalid CIDR address: %s", subnet);
    bool is_cidr = strchr(text, '/');
    if (is_cidr && !parse_cidr(text, &other))
        return error_set(err, ERROR_INVALID, "invalid CIDR address: %s", text);
    *matches = (is_cidr || parse_address(text, &other)) && contains(&parsed, &other);
    return true;
}

static bool add_subnets(const struct strlist *subnets, json_t *configs, struct error *err)
{
    for (size_t i = 0; i < subnets->count; i++) {
        for (size_t j = 0; j < i; j++) {
            bool is_in, is_around;
            if (!subnet_matches(subnets->items[i], subnets->items[j], &is_in, err) ||
                !subnet_matches(subnets->items[j], subnets->items[i], &is_around, err))
                return false;
            if (is_in || is_around)
                return error_set(err, ERROR_INVALID, "multiple overlapping subnet configuration is not supported");
        }
        json_array_append_new(configs, json_pack("{s:s}", "Subnet", subnets->items[i]));
    }
    return true;
}

static json_t *find_subnet(const json_t *configs, const char *text, struct error *err)
{
    size_t i;
    json_t *config;
    json_array_foreach(configs, i, config)
    {
        bool matches;
        if (!subnet_matches(json_string_value(json_object_get(config, "Subnet")), text, &matches, err))
            return NULL;
        if (matches)
            return config;
    }
    return NULL;
}

static bool add_to_subnets(const struct strlist *values, const char *key, const char *name, const char *preposition,
                           json_t *configs, struct error *err)
{
    for (size_t i = 0; i < values->count; i++) {
        const char *value = values->items[i];
        struct error why = ERROR_INIT;
        json_t *config = find_subnet(configs, value, &why);
        if (why.kind != ERROR_NONE)
            return error_move(err, &why);
        if (!config)
            return error_set(err, ERROR_INVALID, "no matching subnet for %s %s", name, value);
        const char *other = json_string_value(json_object_get(config, key));
        if (other)
            return error_set(err, ERROR_INVALID, "cannot configure multiple %ss (%s, %s) %s the same subnet (%s)", name,
                             value, other, preposition, json_string_value(json_object_get(config, "Subnet")));
        json_object_set_new(config, key, json_string(value));
    }
    return true;
}

static bool add_auxiliary(const struct strlist *values, json_t *configs, struct error *err)
{
    for (size_t i = 0; i < values->count; i++) {
        const char *equals = strchr(values->items[i], '=');
        const char *address = equals ? equals + 1 : "";
        _cleanup_free_ char *name = xstrndup(values->items[i], strcspn(values->items[i], "="));
        struct error why = ERROR_INIT;
        json_t *config = find_subnet(configs, address, &why);
        if (why.kind != ERROR_NONE)
            return error_move(err, &why);
        if (!config)
            return error_set(err, ERROR_INVALID, "no matching subnet for aux-address %s", address);
        if (!json_object_get(config, "AuxiliaryAddresses"))
            json_object_set_new(config, "AuxiliaryAddresses", json_object());
        json_object_set_new(json_object_get(config, "AuxiliaryAddresses"), name, json_string(address));
    }
    return true;
}

/* --- the request --- */

/* A list of strings as pflag reads it: each value may hold several, between commas. */
static bool split_all(const struct strlist *values, struct strlist *out, struct error *err)
{
    for (size_t i = 0; i < values->count; i++) {
        _cleanup_strlist_ struct strlist parts = {0};
        if (!csv_split(values->items[i], &parts, err))
            return false;
        for (size_t j = 0; j < parts.count; j++)
            strlist_add(out, parts.items[j]);
    }
    return true;
}

static json_t *ipam_configs(const struct network_create_options *options, struct error *err)
{
    _cleanup_strlist_ struct strlist subnets = {0}, ranges = {0}, gateways = {0};
    _cleanup_json_ json_t *configs = json_array();
    if (!split_all(&options->subnets, &subnets, err) || !split_all(&options->ranges, &ranges, err) ||
        !split_all(&options->gateways, &gateways, err))
        return NULL;
    if (subnets.count < ranges.count || subnets.count < gateways.count) {
        error_set(err, ERROR_INVALID, "every ip-range or gateway must have a corresponding subnet");
        return NULL;
    }
    bool is_good = add_subnets(&subnets, configs, err) &&
                   add_to_subnets(&ranges, "IPRange", "range", "on", configs, err) &&
                   add_to_subnets(&gateways, "Gateway", "gateway", "for", configs, err) &&
                   add_auxiliary(&options->auxiliary, configs, err);
    return is_good ? json_incref(configs) : NULL;
}

static json_t *map_json(const struct strlist *pairs)
{
    json_t *map = json_object();
    for (size_t i = 0; i < pairs->count; i++) {
        const char *equals = strchr(pairs->items[i], '=');
        _cleanup_free_ char *key = xstrndup(pairs->items[i], strcspn(pairs->items[i], "="));
        json_object_set_new(map, key, json_string(equals ? equals + 1 : ""));
    }
    return map;
}

static bool network_create_run(struct command_call *call, struct error *err)
{
    const struct network_create_options *options = call->values;
    json_t *configs = ipam_configs(options, err);
    if (!configs)
        return false;
    json_t *from =
        string_is_set(options->config_from) ? json_pack("{s:s}", "Network", options->config_from) : json_null();
    _cleanup_json_ json_t *body = json_pack(
        "{s:s, s:s, s:s, s:{s:s, s:o, s:o}, s:b, s:b, s:b, s:b, s:o, s:o, s:o}", "Name", call->arguments[0], "Driver",
        options->driver, "Scope", string_or_empty(options->scope), "IPAM", "Driver", options->ipam_driver, "Options",
        map_json(&options->ipam_options), "Config", configs, "Internal", options->is_internal, "Attachable",
        options->is_attachable, "Ingress", options->is_ingress, "ConfigOnly", options->is_config_only, "ConfigFrom",
        from, "Options", map_json(&options->options), "Labels", map_json(&options->labels));
    if (option_is_given(call->parse, "ipv4"))
        json_object_set_new(body, "EnableIPv4", json_boolean(options->has_ipv4));
    if (option_is_given(call->parse, "ipv6"))
        json_object_set_new(body, "EnableIPv6", json_boolean(options->has_ipv6));
    _cleanup_json_ json_t *answer = client_post_json(call->client, "/networks/create", body, err);
    if (!answer)
        return false;
    const char *warning = json_string_value(json_object_get(answer, "Warning"));
    if (string_is_set(warning))
        fprintf(stderr, "WARNING: %s\n", warning);
    puts(string_or_empty(json_string_value(json_object_get(answer, "Id"))));
    return true;
}

#define PLACE(member_) offsetof(struct network_create_options, member_)
static const struct option network_create_rows[] = {
    {"attachable", 0, OPTION_BOOL, PLACE(is_attachable), .help = "Enable manual container attachment"},
    {"aux-address", 0, OPTION_LIST, PLACE(auxiliary), "map", "Auxiliary IPv4 or IPv6 addresses used by Network driver",
     "map[]"},
    {"config-from", 0, OPTION_STRING, PLACE(config_from), "string", "The network from which to copy the configuration"},
    {"config-only", 0, OPTION_BOOL, PLACE(is_config_only), .help = "Create a configuration only network"},
    {"driver", 'd', OPTION_STRING, PLACE(driver), "string", "Driver to manage the Network", "bridge"},
    {"gateway", 0, OPTION_LIST, PLACE(gateways), "strings", "IPv4 or IPv6 Gateway for the master subnet"},
    {"ingress", 0, OPTION_BOOL, PLACE(is_ingress), .help = "Create swarm routing-mesh network"},
    {"internal", 0, OPTION_BOOL, PLACE(is_internal), .help = "Restrict external access to the network"},
    {"ip-range", 0, OPTION_LIST, PLACE(ranges), "strings", "Allocate container ip from a sub-range"},
    {"ipam-driver", 0, OPTION_STRING, PLACE(ipam_driver), "string", "IP Address Management Driver", "default"},
    {"ipam-opt", 0, OPTION_LIST, PLACE(ipam_options), "map", "Set IPAM driver specific options", "map[]"},
    {"ipv4", 0, OPTION_BOOL, PLACE(has_ipv4), .help = "Enable or disable IPv4 address assignment",
     .default_text = "true"},
    {"ipv6", 0, OPTION_BOOL, PLACE(has_ipv6), .help = "Enable or disable IPv6 address assignment"},
    {"label", 0, OPTION_LIST, PLACE(labels), "list", "Set metadata on a network", .parse = check_label},
    {"opt", 'o', OPTION_LIST, PLACE(options), "map", "Set driver specific options", "map[]"},
    {"scope", 0, OPTION_STRING, PLACE(scope), "string", "Control the network's scope"},
    {"subnet", 0, OPTION_LIST, PLACE(subnets), "strings", "Subnet in CIDR format that represents a network segment"},
};

const struct command network_create_command = {
    .paths = {"network create"},
    .usage = "[OPTIONS] NETWORK",
    .help = "Create a network",
    .options = OPTION_TABLE(network_create_rows),
    .values_size = sizeof(struct network_create_options),
    .set_defaults = set_defaults,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = network_create_run,
};
