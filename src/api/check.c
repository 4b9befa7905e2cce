/* System check: ours (docs/api.md). */
#include "engine/check.h"

#include "api/respond.h"

bool system_check(struct call *call, struct error *err)
{
    json_t *report = engine_check(call->engine, false, err);
    return report && respond_json(call, 200, report);
}

bool system_repair(struct call *call, struct error *err)
{
    json_t *report = engine_check(call->engine, true, err);
    return report && respond_json(call, 200, report);
}
