#include "api/request.h"
#include "engine/containers.h"

bool containers_stats(struct call *call, struct error *err)
{
    bool is_stream = query_bool_or(call, "stream", true);
    bool is_one_shot = call->version >= 141 && query_bool(call, "one-shot");
    if (is_stream && is_one_shot)
        return error_set(err, ERROR_INVALID, "cannot have stream=true and one-shot=true");
    struct container_stats *stats = container_stats_open(call->engine, call->target, err);
    if (!stats)
        return false;
    http_exchange_begin(call->exchange, 200, "application/json");
    http_exchange_may_be_cut(call->exchange);
    container_stats_run(stats,
                        is_stream     ? STATS_STREAM
                        : is_one_shot ? STATS_ONE_SHOT
                                      : STATS_SINGLE,
                        request_write, call, call->exchange->fd);
    return true;
}
