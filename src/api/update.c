#include "api/request.h"
#include "api/respond.h"
#include "engine/containers.h"

static void update_request_release(struct update_request *request)
{
    record_release(&update_request_type, request);
}

bool containers_update(struct call *call, struct error *err)
{
    _cleanup_(update_request_release) struct update_request request = {0};
    _cleanup_strlist_ struct strlist warnings = {0};
    if (!request_record(call, true, &update_request_type, &request, err))
        return false;
    struct opt_int64 *pids = &request.host_config.pids_limit;
    if (call->version < 140)
        *pids = (struct opt_int64){0};
    if (pids->is_set && pids->value <= 0)
        pids->value = 0; /* no limit */
    if (!container_update(call->engine, call->target, &request, &warnings, err))
        return false;
    json_t *list = warnings.count ? json_array() : json_null();
    for (size_t i = 0; i < warnings.count; i++)
        json_array_append_new(list, json_text(warnings.items[i]));
    return respond_json(call, 200, json_pack("{s:o}", "Warnings", list));
}
