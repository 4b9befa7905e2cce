#include "api/request.h"
#include "api/respond.h"
#include "engine/containers.h"

bool containers_logs(struct call *call, struct error *err)
{
    struct logs_options options = {
        .wants_stdout = query_bool(call, "stdout"),
        .wants_stderr = query_bool(call, "stderr"),
        .wants_timestamps = query_bool(call, "timestamps"),
        .wants_details = query_bool(call, "details"),
        .follows = query_bool(call, "follow"),
        .tail = -1,
    };
    if (!options.wants_stdout && !options.wants_stderr)
        return error_set(err, ERROR_INVALID, "Bad parameters: you must choose at least one stream");
    if (!query_time(call, "since", &options.since, err) || !query_time(call, "until", &options.until, err))
        return false;
    int64_t tail;
    if (parse_int64(string_or_empty(query_text(call, "tail")), &tail) && tail >= 0)
        options.tail = tail;
    bool is_terminal;
    struct container_logs *logs = container_logs_open(call->engine, call->target, &options, &is_terminal, err);
    if (!logs)
        return false;
    bool is_framed = !is_terminal && call->version >= 142;
    http_exchange_begin(call->exchange, 200,
                        is_framed ? "application/vnd.docker.multiplexed-stream" : "application/vnd.docker.raw-stream");
    if (options.follows)
        http_exchange_may_be_cut(call->exchange);
    return container_logs_stream(logs, request_write, call, call->exchange->fd, err);
}
