/* /networks */
#include "api/request.h"
#include "api/respond.h"
#include "base/memory.h"
#include "base/options.h"
#include "engine/network_verbs.h"

static json_t *describe(struct call *call, const struct network_record *network, bool wants_members)
{
    char created[TIME_TEXT_SIZE];
    json_t *json = record_to_json(&network_record_type, network);
    json_object_set_new(json, "Created", json_string(time_format(network->created, created)));
    json_object_set_new(json, "Containers",
                        wants_members ? networks_members(call->engine, network->id) : json_object());
    json_object_del(json, "HasSubnetOfUser");
    json_object_del(json, "ChosenSubnets");
    if (call->version < 148)
        json_object_del(json, "EnableIPv4");
    /* In the order of Docker's struct: the engine's own order has Containers at the end. */
    static const char *const last[] = {"Options", "Labels"};
    for (size_t i = 0; i < ARRAY_SIZE(last); i++) {
        json_t *value = json_incref(json_object_get(json, last[i]));
        json_object_del(json, last[i]);
        json_object_set_new(json, last[i], value);
    }
    return json;
}

bool networks_list(struct call *call, struct error *err)
{
    _cleanup_json_ json_t *filters = NULL;
    struct record_list list = {0};
    if (!query_filters(call, &filters, err) || !networks_list_filtered(call->engine, filters, &list, err))
        return false;
    json_t *json = json_array();
    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(json, describe(call, RECORD_AT(list, struct network_record, i), false));
    record_list_release(&list, &network_record_type);
    return respond_json(call, 200, json);
}

bool networks_inspect(struct call *call, struct error *err)
{
    struct network_record network = {0};
    const char *scope = query_text(call, "scope"), *verbose = query_text(call, "verbose");
    bool is_verbose;
    struct error why = ERROR_INIT;
    if (string_is_set(verbose) && !parse_bool(verbose, &is_verbose, &why)) {
        error_release(&why);
        return error_set(err, ERROR_INVALID,
                         "invalid value for verbose: %s: strconv.ParseBool: parsing \"%s\": invalid syntax", verbose,
                         verbose);
    }
    if (!network_get(engine_network(call->engine), call->target, &network, err))
        return false;
    bool is_in_scope = !string_is_set(scope) || string_equal(scope, network.scope);
    json_t *json = is_in_scope ? describe(call, &network, true) : NULL;
    record_release(&network_record_type, &network);
    return json ? respond_json(call, 200, json) : error_set(err, ERROR_NOT_FOUND, "network %s not found", call->target);
}

bool networks_create_one(struct call *call, struct error *err)
{
    struct network_create_request request = {0};
    _cleanup_free_ char *id = NULL;
    if (!request_record(call, true, &network_create_request_type, &request, err))
        return false;
    bool is_made = networks_create(call->engine, &request, &id, err);
    record_release(&network_create_request_type, &request);
    return is_made && respond_json(call, 201, json_pack("{s:s, s:s}", "Id", id, "Warning", ""));
}

bool networks_remove_one(struct call *call, struct error *err)
{
    return networks_remove(call->engine, call->target, err) && respond_empty(call, 204);
}

bool networks_prune_all(struct call *call, struct error *err)
{
    _cleanup_json_ json_t *filters = NULL;
    _cleanup_strlist_ struct strlist deleted = {0};
    if (!query_filters(call, &filters, err) || !networks_prune(call->engine, filters, &deleted, err))
        return false;
    json_t *list = deleted.count ? json_array() : json_null();
    for (size_t i = 0; i < deleted.count; i++)
        json_array_append_new(list, json_string(deleted.items[i]));
    return respond_json(call, 200, json_pack("{s:o}", "NetworksDeleted", list));
}

static bool with_request(struct call *call,
                         bool (*verb)(struct engine *engine, const char *network,
                                      struct network_connect_request *request, struct error *err),
                         struct error *err)
{
    struct network_connect_request request = {0};
    if (!request_record(call, true, &network_connect_request_type, &request, err))
        return false;
    bool is_done = verb(call->engine, call->target, &request, err);
    record_release(&network_connect_request_type, &request);
    return is_done && respond_empty(call, 200);
}

bool networks_connect_one(struct call *call, struct error *err)
{
    return with_request(call, networks_connect, err);
}

bool networks_disconnect_one(struct call *call, struct error *err)
{
    return with_request(call, networks_disconnect, err);
}
