#include "api/prune.h"

#include "api/request.h"
#include "api/respond.h"
#include "engine/containers.h"

bool respond_prune(struct call *call, const char *key, const struct prune_report *report)
{
    json_t *deleted = report->deleted.count ? json_array() : json_null();
    for (size_t i = 0; i < report->deleted.count; i++)
        json_array_append_new(deleted, json_text(report->deleted.items[i]));
    return respond_json(call, 200, json_pack("{s:o, s:I}", key, deleted, "SpaceReclaimed", (json_int_t)report->space));
}

bool containers_prune_all(struct call *call, struct error *err)
{
    _cleanup_json_ json_t *filters = NULL;
    _cleanup_prune_report_ struct prune_report report = {0};
    return query_filters(call, &filters, err) && containers_prune(call->engine, filters, &report, err) &&
           respond_prune(call, "ContainersDeleted", &report);
}
