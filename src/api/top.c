#include "api/request.h"
#include "api/respond.h"
#include "engine/containers.h"

bool containers_top(struct call *call, struct error *err)
{
    json_t *json = container_top(call->engine, call->target, query_text(call, "ps_args"), err);
    return json && respond_json(call, 200, json);
}
