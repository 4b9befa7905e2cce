/* Search is the one thing that still speaks the first version of the registry's API. */
#include <string.h>

#include "base/memory.h"
#include "registry/registry_internal.h"
#include "json/json_record.h"

#define HUB_INDEX  "index.docker.io"
#define MAX_ANSWER ((size_t)16 << 20)

static bool begins_with_host(const char *term)
{
    const char *slash = strchr(term, '/');
    size_t length = slash ? (size_t)(slash - term) : 0;
    return length > 0 && (memchr(term, '.', length) || memchr(term, ':', length) ||
                          (length == strlen("localhost") && strncmp(term, "localhost", length) == 0));
}

static json_t *ask(const struct endpoint *endpoint, const struct registry_call *call, const char *term, int64_t limit,
                   bool *has_answered, struct error *err)
{
    _cleanup_free_ char *escaped = query_escape(term);
    _cleanup_free_ char *url =
        xasprintf("%s/v1/search?q=%s&n=%lld", endpoint->url, escaped, (long long)(limit > 0 ? limit : 25));
    _cleanup_(transport_freep) struct transport *transport = transport_new(call->is_cancelled, call->context);
    struct transfer_request request = {.method = "GET", .url = url, .endpoint = endpoint};
    strlist_add(&request.headers, "X-Docker-Token: true");
    _cleanup_(transfer_closep) struct transfer *transfer = transfer_open(transport, &request, err);
    strlist_release(&request.headers);
    if (!transfer)
        return NULL;
    *has_answered = true;
    if (transfer_status(transfer) != 200) {
        error_set(err, ERROR_INTERNAL, "Unexpected status code %d", transfer_status(transfer));
        return NULL;
    }
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!transfer_read_all(transfer, MAX_ANSWER, &text, err))
        return NULL;
    _cleanup_json_ json_t *answer = json_parse(strbuf_text(&text), text.length, err);
    if (!answer)
        return NULL;
    json_t *results = json_object_get(answer, "results");
    return json_is_array(results) ? json_incref(results) : json_array();
}

json_t *registry_search(struct registry *registry, const struct registry_call *call, const char *term, int64_t limit,
                        struct error *err)
{
    bool has_host = begins_with_host(term);
    const char *slash = strchr(term, '/');
    _cleanup_free_ char *domain = has_host ? xstrndup(term, (size_t)(slash - term)) : xstrdup(HUB_INDEX);
    const char *rest = has_host ? slash + 1 : term;
    _cleanup_endpoints_ struct endpoint_list endpoints = {0};
    if (!endpoints_find(&registry->options.insecure, NULL, domain, &endpoints, err))
        return NULL;
    for (size_t i = 0; i < endpoints.count; i++) {
        bool has_answered = false;
        json_t *results = ask(&endpoints.items[i], call, rest, limit, &has_answered, err);
        if (results) {
            error_release(err);
            return results;
        }
        if (has_answered)
            return NULL;
    }
    return NULL;
}
