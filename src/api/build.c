/* Builds: the stream of one, and the cache of all. */
#include "build/build.h"

#include "api/build_request.h"
#include "api/prune.h"
#include "api/request.h"
#include "api/respond.h"
#include "base/memory.h"
#include "oci/reference.h"

/* The head waits for the first row: until then a failure has a status of its own. */
static void tell(void *context, json_t *row)
{
    struct call *call = context;
    if (!call->exchange->has_answered)
        http_exchange_begin(call->exchange, 200, "application/json");
    respond_line(call, row);
}

static bool check_tags(const struct build_request *request, struct error *err)
{
    for (size_t i = 0; i < request->tags.count; i++) {
        _cleanup_reference_ struct reference reference = {0};
        if (!reference_parse_name(request->tags.items[i], NULL, &reference, err))
            return false;
    }
    return true;
}

/* The last row of a build that has failed. */
static void tell_error(struct call *call, json_t *detail, struct error *why)
{
    json_t *whole = detail ? detail : json_object();
    json_object_set_new(whole, "message", json_text(error_message(why)));
    respond_line(call, json_pack("{s:o, s:o}", "errorDetail", whole, "error", json_text(error_message(why))));
    error_release(why);
}

static bool build(struct call *call, const struct build_request *request, struct error *err)
{
    const struct build_client client = {.read = request_read, .context = call, .tell = tell, .fd = call->exchange->fd};
    json_t *detail = NULL;
    struct error why = ERROR_INIT;
    http_exchange_may_be_cut(call->exchange);
    if (build_run(call->api->builder, request, &client, &detail, &why)) {
        if (!call->exchange->has_answered)
            http_exchange_begin(call->exchange, 200, "application/json");
        return true;
    }
    /* What belongs beside the message has its place in a stream alone. */
    if (!call->exchange->has_answered && !detail)
        return error_move(err, &why);
    if (!call->exchange->has_answered)
        http_exchange_begin(call->exchange, 200, "application/json");
    tell_error(call, detail, &why);
    return true;
}

bool builds_run(struct call *call, struct error *err)
{
    struct build_request request = {0};
    _cleanup_json_ json_t *registries = NULL;
    bool is_done =
        build_request_read(call, &request, &registries, err) && check_tags(&request, err) && build(call, &request, err);
    build_request_release(&request);
    return is_done;
}

bool builds_prune(struct call *call, struct error *err)
{
    _cleanup_json_ json_t *filters = NULL;
    const char *keep = query_text(call, "reserved-space");
    struct build_prune_options options = {.is_all = query_bool(call, "all")};
    if (!string_is_set(keep))
        keep = query_text(call, "keep-storage");
    static const char *const refused[] = {"max-used-space", "min-free-space"};
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        if (string_is_set(query_text(call, refused[i])) && !string_equal(query_text(call, refused[i]), "0"))
            return error_set(err, ERROR_UNSUPPORTED, "the parameter %s is not supported", refused[i]);
    if (!query_filters(call, &filters, err))
        return false;
    if (string_is_set(keep) && !parse_int64(keep, &options.keep))
        return error_set(err, ERROR_INVALID, "keep-storage is in bytes and expects an integer, got %s", keep);
    options.filters = filters;
    _cleanup_prune_report_ struct prune_report report = {0};
    return build_prune(call->api->builder, &options, &report.deleted, &report.space, err) &&
           respond_prune(call, "CachesDeleted", &report);
}
