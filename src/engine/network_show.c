/* Networks and ports as inspect and ps show them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/networks.h"
#include "json/json_record.h"

json_t *networks_members(struct engine *engine, const char *network_id)
{
    json_t *members = json_object();
    size_t count;
    struct container **all = container_snapshot(engine, &count);
    for (size_t i = 0; i < count; i++) {
        container_lock(all[i]);
        const struct container_record *record = &all[i]->record;
        for (size_t j = 0; j < record->endpoints.keys.count && status_has_process(all[i]->status); j++) {
            const struct endpoint_settings *endpoint = RECORD_AT(record->endpoints, struct endpoint_settings, j);
            if (!string_equal(endpoint->network_id, network_id) || !string_is_set(endpoint->endpoint_id))
                continue;
            _cleanup_free_ char *address =
                string_is_set(endpoint->ip_address)
                    ? xasprintf("%s/%lld", endpoint->ip_address, (long long)endpoint->ip_prefix_length)
                    : xstrdup("");
            _cleanup_free_ char *address6 = string_is_set(endpoint->global_ipv6_address)
                                                ? xasprintf("%s/%lld", endpoint->global_ipv6_address,
                                                            (long long)endpoint->global_ipv6_prefix_length)
                                                : xstrdup("");
            json_object_set_new(members, record->id,
                                json_pack("{s:s, s:s, s:s, s:s, s:s}", "Name", record->name, "EndpointID",
                                          endpoint->endpoint_id, "MacAddress", string_or_empty(endpoint->mac_address),
                                          "IPv4Address", address, "IPv6Address", address6));
        }
        container_unlock(all[i]);
    }
    container_snapshot_release(all, count);
    return members;
}

/* Where ports mean something: the container runs, in a network with a gateway. */
static bool has_ports(const struct container_record *record)
{
    return record->pid > 0 && networks_gateway(&record->endpoints, NULL) != NULL;
}

/* As Go prints a map: by key. */
static void all_ports(const struct container_record *record, struct strlist *out)
{
    for (size_t i = 0; i < record->ports.keys.count; i++)
        strlist_add(out, record->ports.keys.items[i]);
    for (size_t i = 0; i < record->config.exposed_ports.count; i++)
        if (!strlist_contains(out, record->config.exposed_ports.items[i]))
            strlist_add(out, record->config.exposed_ports.items[i]);
    strlist_sort(out);
}

json_t *networks_show_ports(const struct container_record *record)
{
    json_t *json = json_object();
    _cleanup_strlist_ struct strlist ports = {0};
    if (!has_ports(record))
        return json;
    all_ports(record, &ports);
    for (size_t i = 0; i < ports.count; i++) {
        const struct record_list *list = record_map_get(&record->ports, &record_list_type, ports.items[i]);
        json_object_set_new(json, ports.items[i], list ? record_list_to_json(&port_binding_type, list) : json_null());
    }
    return json;
}

json_t *networks_list_ports(const struct container_record *record)
{
    json_t *json = json_array();
    _cleanup_strlist_ struct strlist ports = {0};
    if (!has_ports(record))
        return json;
    all_ports(record, &ports);
    for (size_t i = 0; i < ports.count; i++) {
        const char *port = ports.items[i], *slash = strchr(port, '/');
        int target = (int)strtol(port, NULL, 10);
        const char *type = slash ? slash + 1 : "tcp";
        const struct record_list *list = record_map_get(&record->ports, &record_list_type, port);
        for (size_t j = 0; list && j < list->count; j++) {
            const struct port_binding *binding = RECORD_AT(*list, struct port_binding, j);
            json_array_append_new(json,
                                  json_pack("{s:s, s:i, s:i, s:s}", "IP", binding->host_ip, "PrivatePort", target,
                                            "PublicPort", (int)strtol(binding->host_port, NULL, 10), "Type", type));
        }
        if (!list)
            json_array_append_new(json, json_pack("{s:i, s:s}", "PrivatePort", target, "Type", type));
    }
    return json;
}
