#include "api/request.h"
#include "api/respond.h"
#include "base/options.h"
#include "engine/containers.h"

static bool read_condition(struct call *call, enum wait_condition *out, struct error *err)
{
    const char *text = call->version < 130 ? "" : string_or_empty(query_text(call, "condition"));
    if (!*text || string_equal(text, "not-running"))
        *out = WAIT_NOT_RUNNING;
    else if (string_equal(text, "next-exit"))
        *out = WAIT_NEXT_EXIT;
    else if (string_equal(text, "removed"))
        *out = WAIT_REMOVED;
    else {
        _cleanup_strbuf_ struct strbuf quoted = STRBUF_INIT;
        string_quote(text, &quoted);
        return error_set(err, ERROR_INVALID, "invalid condition: %s", strbuf_text(&quoted));
    }
    return true;
}

/* The client starts the container once it has the head: by then the wait must have begun, or it would miss the exit. */
bool containers_wait(struct call *call, struct error *err)
{
    enum wait_condition condition = WAIT_NOT_RUNNING;
    if (!read_condition(call, &condition, err))
        return false;
    struct container_wait *wait = container_wait_begin(call->engine, call->target, condition, err);
    if (!wait)
        return false;
    http_exchange_begin(call->exchange, 200, "application/json");
    http_exchange_may_be_cut(call->exchange);
    struct container_exit exit = {0};
    if (!container_wait_finish(wait, call->exchange->fd, &exit, err))
        return false;
    json_t *answer = json_pack("{s:I}", "StatusCode", (json_int_t)exit.exit_code);
    if (exit.error)
        json_object_set_new(answer, "Error", json_pack("{s:o}", "Message", json_text(exit.error)));
    free(exit.error);
    respond_line(call, answer);
    return true;
}
