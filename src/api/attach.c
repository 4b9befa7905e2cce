#include <sys/socket.h>

#include "api/detach.h"
#include "api/request.h"
#include "api/respond.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/containers.h"

/* Docker has hijacked the connection before it finds out that it cannot attach: its error is plain text. */
static bool refuse(struct call *call, struct error *err)
{
    _cleanup_free_ char *text = xasprintf("%s\r\n", error_message(err));
    http_exchange_answer(call->exchange, error_status(err->kind), "application/vnd.docker.raw-stream", text,
                         strlen(text));
    error_release(err);
    return true;
}

bool containers_attach(struct call *call, struct error *err)
{
    bool is_terminal;
    _cleanup_free_ char *keys = NULL;
    struct error why = ERROR_INIT;
    const char *key_text = query_text(call, "detachKeys");
    if (string_is_set(key_text) && !detach_keys_from_text(key_text, &keys, &why))
        return refuse(call, &why);
    if (!keys)
        detach_keys_from_text("", &keys, NULL);
    struct container_attach *attach = container_attach_begin(call->engine, call->target, &is_terminal, &why);
    if (!attach)
        return refuse(call, &why);
    bool is_multiplexed = !is_terminal && call->version >= 142 && call->exchange->head.wants_upgrade;
    int fd = http_exchange_hijack(
        call->exchange,
        is_multiplexed ? "application/vnd.docker.multiplexed-stream" : "application/vnd.docker.raw-stream", err);
    if (fd < 0) {
        container_attach_finish(attach, NULL, NULL, false, NULL);
        return false;
    }
    struct shim_attachment attachment = {
        .fd = fd,
        .wants_stdin = query_bool(call, "stdin"),
        .wants_stdout = query_bool(call, "stdout"),
        .wants_stderr = query_bool(call, "stderr"),
        .is_framed = !is_terminal,
        .detach_keys = is_terminal ? keys : NULL,
    };
    const struct attach_replay to_client = {0};
    return container_attach_finish(attach, &attachment, query_bool(call, "logs") ? &to_client : NULL,
                                   query_bool(call, "stream"), err);
}
