/* wherry network connect and disconnect. */
#include <string.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/flag_checks.h"
#include "json/json_record.h"

struct network_connect_options {
    struct strlist aliases, driver_options, links, link_local_ips;
    char *ip, *ip6;
    int64_t gateway_priority;
    bool is_forced;
};

/* A list of strings as pflag reads it: each value may hold several, between commas. */
static bool list_json(const struct strlist *values, json_t **out, struct error *err)
{
    _cleanup_json_ json_t *list = json_array();
    for (size_t i = 0; i < values->count; i++) {
        _cleanup_strlist_ struct strlist parts = {0};
        if (!csv_split(values->items[i], &parts, err))
            return false;
        for (size_t j = 0; j < parts.count; j++)
            json_array_append_new(list, json_string(parts.items[j]));
    }
    *out = json_incref(list);
    return true;
}

static bool driver_options_json(const struct strlist *values, json_t **out, struct error *err)
{
    _cleanup_json_ json_t *list = NULL, *map = json_object();
    size_t i;
    json_t *item;
    if (!list_json(values, &list, err))
        return false;
    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item), *equals = strchr(text, '=');
        if (!equals)
            return error_set(err, ERROR_INVALID, "invalid key/value pair format in driver options");
        _cleanup_free_ char *key = xstrndup(text, (size_t)(equals - text));
        json_object_set_new(map, key, json_string(equals + 1));
    }
    *out = json_incref(map);
    return true;
}

static bool network_connect_run(struct command_call *call, struct error *err)
{
    const struct network_connect_options *options = call->values;
    _cleanup_json_ json_t *aliases = NULL, *drivers = NULL, *locals = NULL, *addresses = json_object();
    if (!list_json(&options->aliases, &aliases, err) || !driver_options_json(&options->driver_options, &drivers, err) ||
        !list_json(&options->link_local_ips, &locals, err))
        return false;
    if (string_is_set(options->ip))
        json_object_set_new(addresses, "IPv4Address", json_string(options->ip));
    if (string_is_set(options->ip6))
        json_object_set_new(addresses, "IPv6Address", json_string(options->ip6));
    if (json_array_size(locals))
        json_object_set(addresses, "LinkLocalIPs", locals);
    json_t *links = options->links.count ? json_array() : json_null();
    for (size_t i = 0; i < options->links.count; i++)
        json_array_append_new(links, json_string(options->links.items[i]));
    _cleanup_json_ json_t *body =
        json_pack("{s:s, s:{s:O, s:o, s:O, s:O, s:I}}", "Container", call->arguments[1], "EndpointConfig", "IPAMConfig",
                  addresses, "Links", links, "Aliases", aliases, "DriverOpts", drivers, "GwPriority",
                  (json_int_t)options->gateway_priority);
    _cleanup_free_ char *path = client_path("networks", call->arguments[0], "/connect");
    return client_post(call->client, path, body, err);
}

static bool network_disconnect_run(struct command_call *call, struct error *err)
{
    const struct network_connect_options *options = call->values;
    _cleanup_json_ json_t *body = json_pack("{s:s, s:b}", "Container", call->arguments[1], "Force", options->is_forced);
    _cleanup_free_ char *path = client_path("networks", call->arguments[0], "/disconnect");
    return client_post(call->client, path, body, err);
}

#define PLACE(member_) offsetof(struct network_connect_options, member_)
static const struct option connect_rows[] = {
    {"alias", 0, OPTION_LIST, PLACE(aliases), "strings", "Add network-scoped alias for the container"},
    {"driver-opt", 0, OPTION_LIST, PLACE(driver_options), "strings", "driver options for the network"},
    {"gw-priority", 0, OPTION_INT64, PLACE(gateway_priority), "int",
     "Highest gw-priority provides the default gateway. Accepts positive and negative values."},
    {"ip", 0, OPTION_STRING, PLACE(ip), "string", "IPv4 address (e.g., \"172.30.100.104\")"},
    {"ip6", 0, OPTION_STRING, PLACE(ip6), "string", "IPv6 address (e.g., \"2001:db8::33\")"},
    {"link", 0, OPTION_LIST, PLACE(links), "list", "Add link to another container", .parse = check_link},
    {"link-local-ip", 0, OPTION_LIST, PLACE(link_local_ips), "strings", "Add a link-local address for the container"},
};
static const struct option disconnect_rows[] = {
    {"force", 'f', OPTION_BOOL, PLACE(is_forced), .help = "Force the container to disconnect from a network"},
};

const struct command network_connect_command = {
    .paths = {"network connect"},
    .usage = "[OPTIONS] NETWORK CONTAINER",
    .help = "Connect a container to a network",
    .options = OPTION_TABLE(connect_rows),
    .values_size = sizeof(struct network_connect_options),
    .min_arguments = 2,
    .max_arguments = 2,
    .run = network_connect_run,
};

const struct command network_disconnect_command = {
    .paths = {"network disconnect"},
    .usage = "[OPTIONS] NETWORK CONTAINER",
    .help = "Disconnect a container from a network",
    .options = OPTION_TABLE(disconnect_rows),
    .values_size = sizeof(struct network_connect_options),
    .min_arguments = 2,
    .max_arguments = 2,
    .run = network_disconnect_run,
};
