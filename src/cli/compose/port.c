#include <string.h>

#include "base/memory.h"
#include "cli/compose/engine.h"
#include "json/json_record.h"

struct port_values {
    int64_t index;
    char *protocol;
};

static bool port_run(struct command_call *call, struct error *err)
{
    const struct port_values *values = call->values;
    const char *protocol = values->protocol ? values->protocol : "tcp";
    int64_t wanted;
    if (!parse_int64(call->arguments[1], &wanted) || wanted < 1 || wanted > 65535)
        return error_set(err, ERROR_INVALID, "invalid port \"%s\"", call->arguments[1]);
    _cleanup_compose_view_ struct compose_view view = {0};
    if (!compose_view_read(call, call->arguments, 1, false, &view, err))
        return false;
    const struct compose_container *container =
        compose_view_container(&view, call->arguments[0], values->index, true, err);
    if (!container)
        return false;
    size_t i;
    json_t *port;
    json_array_foreach(json_object_get(container->row, "Ports"), i, port)
    {
        int64_t published = json_integer_value(json_object_get(port, "PublicPort"));
        const char *address = string_or_empty(json_string_value(json_object_get(port, "IP")));
        if (json_integer_value(json_object_get(port, "PrivatePort")) != wanted || published == 0 ||
            !string_equal(json_string_value(json_object_get(port, "Type")), protocol))
            continue;
        printf(strchr(address, ':') ? "[%s]:%lld\n" : "%s:%lld\n", address, (long long)published);
        return true;
    }
    return error_set(err, ERROR_NOT_FOUND, "no port %lld/%s for container %s", (long long)wanted, protocol,
                     container->name);
}

#define AT(member) offsetof(struct port_values, member)
static const struct option rows[] = {
    {"index", 0, OPTION_INT64, AT(index), "int", "Index of the container if service has multiple replicas"},
    {"protocol", 0, OPTION_STRING, AT(protocol), "string", "tcp or udp", "tcp"},
};

extern const struct command compose_port_command;
const struct command compose_port_command = {
    .paths = {"compose port"},
    .usage = "[OPTIONS] SERVICE PRIVATE_PORT",
    .help = "Print the public port for a port binding",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct port_values),
    .min_arguments = 2,
    .max_arguments = 2,
    .run = port_run,
};
