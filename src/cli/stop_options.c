#include "cli/stop_options.h"

#include <inttypes.h>

#include "base/memory.h"

bool stop_request(struct command_call *call, const char *name, const char *action, struct error *err)
{
    const struct stop_options *options = call->values;
    _cleanup_free_ char *base = client_path("containers", name, action);
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, base);
    client_query_add(&path, "signal", string_is_set(options->signal) ? options->signal : NULL);
    char timeout[24];
    snprintf(timeout, sizeof(timeout), "%" PRId64, options->timeout.value);
    client_query_add(&path, "t", options->timeout.is_set ? timeout : NULL);
    return client_post(call->client, strbuf_text(&path), NULL, err);
}
