#include <string.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/natural.h"
#include "json/json_record.h"

static const char *text_of(const json_t *json, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(json, key)));
}

static char *binding_text(const json_t *binding)
{
    const char *ip = text_of(binding, "HostIp");
    return xasprintf(strchr(ip, ':') ? "[%s]:%s" : "%s:%s", ip, text_of(binding, "HostPort"));
}

static int compare_lines(const void *left, const void *right)
{
    return natural_compare(*(const char *const *)left, *(const char *const *)right);
}

static bool check_port(const char *port, struct error *err)
{
    uint64_t number;
    bool is_number = *port && strspn(port, "0123456789") == strlen(port);
    if (is_number && parse_uint64(port, &number) && number <= 65535)
        return true;
    return error_set(err, ERROR_INVALID, "Error: invalid port (%s): strconv.ParseUint: parsing \"%s\": %s", port, port,
                     is_number ? "value out of range" : "invalid syntax");
}

static bool port_run(struct command_call *call, struct error *err)
{
    const char *name = call->arguments[0], *wanted = call->argument_count > 1 ? call->arguments[1] : NULL;
    _cleanup_free_ char *path = client_path("containers", name, "/json");
    _cleanup_json_ json_t *container = client_get_json(call->client, path, err);
    if (!container)
        return false;
    json_t *ports = json_object_get(json_object_get(container, "NetworkSettings"), "Ports");
    _cleanup_strlist_ struct strlist lines = {0};
    size_t i;
    json_t *bindings, *binding;
    const char *key;
    if (wanted) {
        const char *slash = strchr(wanted, '/');
        _cleanup_free_ char *port = xstrndup(wanted, slash ? (size_t)(slash - wanted) : strlen(wanted));
        _cleanup_free_ char *full = xasprintf("%s/%s", port, slash && slash[1] ? slash + 1 : "tcp");
        if (!check_port(port, err))
            return false;
        json_array_foreach(json_object_get(ports, full), i, binding)
        {
            strlist_take(&lines, binding_text(binding));
        }
        if (!lines.count)
            return error_set(err, ERROR_NOT_FOUND, "Error: No public port '%s' published for %s", wanted, name);
    } else {
        json_object_foreach(ports, key, bindings)
        {
            json_array_foreach(bindings, i, binding)
            {
                _cleanup_free_ char *text = binding_text(binding);
                strlist_addf(&lines, "%s -> %s", key, text);
            }
        }
    }
    if (lines.count)
        qsort(lines.items, lines.count, sizeof(char *), compare_lines);
    for (i = 0; i < lines.count; i++)
        puts(lines.items[i]);
    return true;
}

const struct command port_command = {
    .paths = {"container port", "port"},
    .usage = "CONTAINER [PRIVATE_PORT[/PROTO]]",
    .help = "List port mappings or a specific mapping for the container",
    .min_arguments = 1,
    .max_arguments = 2,
    .run = port_run,
};
