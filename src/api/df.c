#include "api/request.h"
#include "api/respond.h"
#include "build/build.h"
#include "engine/disk_usage.h"

/* Of what no image has, too, as Docker's BuilderSize counts. */
static int64_t total_size(const json_t *cache)
{
    int64_t total = 0;
    size_t i;
    json_t *row;
    json_array_foreach(cache, i, row) if (!json_is_true(json_object_get(row, "Shared"))) total +=
        json_integer_value(json_object_get(row, "Size"));
    return total;
}

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
    if (usage && (!parts || (parts & USAGE_BUILD_CACHE))) {
        json_t *cache = build_cache_json(call->engine, err);
        if (!cache) {
            json_decref(usage);
            return false;
        }
        int64_t size = total_size(cache);
        if (call->version < 142 && size)
            json_object_set_new(usage, "BuilderSize", json_integer(size));
        json_object_set_new(usage, "BuildCache", cache);
    }
    return usage && respond_json(call, 200, usage);
}
