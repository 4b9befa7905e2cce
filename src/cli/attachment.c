#include "cli/attachment.h"

#include "base/memory.h"
#include "cli/config_file.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "json/json_record.h"

json_t *container_inspect(struct command_call *call, const char *name, struct error *err)
{
    _cleanup_free_ char *path = client_path("containers", name, "/json");
    return client_get_json(call->client, path, err);
}

static bool open_streams(struct command_call *call, const struct attachment_request *request,
                         struct client_hijack *hijack, struct error *err)
{
    _cleanup_free_ char *base = client_path("containers", request->container, "/attach");
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, base);
    client_query_add(&path, "detachKeys", string_is_set(request->detach_keys) ? request->detach_keys : NULL);
    client_query_add(&path, "stderr", "1");
    client_query_add(&path, "stdin", request->has_stdin ? "1" : NULL);
    client_query_add(&path, "stdout", "1");
    client_query_add(&path, "stream", "1");
    return client_hijack(call->client, strbuf_text(&path), NULL, hijack, err);
}

bool attachment_run(struct command_call *call, const struct attachment_request *request, struct error *err)
{
    _cleanup_free_ char *wait_base = client_path("containers", request->container, "/wait");
    _cleanup_strbuf_ struct strbuf wait_path = STRBUF_INIT;
    strbuf_add_string(&wait_path, wait_base);
    client_query_add(&wait_path, "condition", request->condition);
    _cleanup_free_ char *resize_path = client_path("containers", request->container, "/resize");
    _cleanup_free_ char *start_path = client_path("containers", request->container, "/start");

    bool needs_keys = request->is_tty && request->has_stdin;
    _cleanup_free_ char *keys = needs_keys ? config_file_detach_keys(call, request->detach_keys) : NULL;
    _cleanup_hijack_ struct client_hijack hijack = CLIENT_HIJACK_INIT;
    if (!open_streams(call, request, &hijack, err))
        return false;
    struct client_request wait_request = {.method = "POST", .path = strbuf_text(&wait_path)};
    _cleanup_(client_stream_freep) struct client_stream *wait = client_stream_open(call->client, &wait_request, err);
    if (!wait)
        return false;
    struct session session = {
        .client = call->client,
        .container = request->container,
        .resize_path = request->is_tty ? resize_path : NULL,
        .hijack = &hijack,
        .is_tty = request->is_tty,
        .has_stdin = request->has_stdin,
        .forwards_signals = request->forwards_signals,
        .wait = wait,
        .may_have_ended = !request->starts,
        .signals = signals_open(request->forwards_signals),
    };
    session_set_keys(&session, keys);
    if (request->starts && !client_post(call->client, start_path, NULL, err))
        return false;
    session_resize(&session);
    bool is_good = session_run(&session, err);
    _cleanup_free_ char *wait_error = session.wait_error;
    close_fd(session.signals);
    if (!is_good)
        return false;
    if (session.is_detached)
        return request->starts || error_set(err, ERROR_CANCELLED, "read escape sequence");
    call->exit_code = (int)session.exit_code;
    return !wait_error || error_set(err, ERROR_INTERNAL, "%s", wait_error);
}
