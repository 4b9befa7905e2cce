/* /volumes. */
#include "api/request.h"
#include "api/respond.h"
#include "base/memory.h"
#include "engine/volume.h"

bool volumes_list(struct call *call, struct error *err)
{
    _cleanup_json_ json_t *filters = NULL;
    if (!query_filters(call, &filters, err))
        return error_prefix(err, "error reading volume filters");
    json_t *list = volume_list(call->engine, filters, err);
    return list && respond_json(call, 200, json_pack("{s:o, s:n}", "Volumes", list, "Warnings"));
}

bool volumes_create(struct call *call, struct error *err)
{
    struct volume_request request = {0};
    if (!request_record(call, true, &volume_request_type, &request, err))
        return false;
    json_t *volume = volume_create(call->engine, &request, err);
    record_release(&volume_request_type, &request);
    return volume && respond_json(call, 201, volume);
}

bool volumes_inspect(struct call *call, struct error *err)
{
    json_t *volume = volume_inspect(call->engine, call->target, err);
    return volume && respond_json(call, 200, volume);
}

/* Only volumes of a cluster can be changed, and there is none. */
bool volumes_update(struct call *call, struct error *err)
{
    return error_set(err, ERROR_UNAVAILABLE, "volume update only valid for cluster volumes, but swarm is unavailable");
}

bool volumes_remove(struct call *call, struct error *err)
{
    return volume_remove(call->engine, call->target, query_bool(call, "force"), err) && respond_empty(call, 204);
}

bool volumes_prune(struct call *call, struct error *err)
{
    _cleanup_json_ json_t *filters = NULL;
    _cleanup_strlist_ struct strlist deleted = {0};
    int64_t space = 0;
    strlist_give(&deleted);
    if (!query_filters(call, &filters, err) ||
        !volume_prune(call->engine, filters, call->version < 142, &deleted, &space, err))
        return false;
    json_t *names = json_array();
    for (size_t i = 0; i < deleted.count; i++)
        json_array_append_new(names, json_text(deleted.items[i]));
    return respond_json(call, 200,
                        json_pack("{s:o, s:I}", "VolumesDeleted", names, "SpaceReclaimed", (json_int_t)space));
}
