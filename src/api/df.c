#include "api/request.h"
#include "api/respond.h"
#include "engine/disk_usage.h"

bool system_df(struct call *call, struct error *err)
{
    _cleanup_strlist_ struct strlist types = {0};
    unsigned parts = 0, part;
    if (call->version >= 142)
        http_query_all(call->exchange->query, "type", &types);
    for (size_t i = 0; i < types.count; i++) {
        if (!disk_usage_part_parse(types.items[i], &part, err))
            return false;
        parts |= part;
    }
    json_t *usage = engine_disk_usage(call->engine, parts ? parts : USAGE_ALL, call->version, err);
    return usage && respond_json(call, 200, usage);
}
