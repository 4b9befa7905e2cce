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

/* Docker asks "_ping" of a registry that is not its own first: that is what it says has failed. `problems` has one for
   each endpoint. */
static bool unreachable(const struct endpoint_list *endpoints, const struct strlist *problems, const char *domain,
                        struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (endpoints->count == 1) {
        const char *url = endpoints->items[0].url;
        return error_set(
            err, ERROR_INVALID,
            "invalid registry endpoint %s/v1/: Get \"%s/v1/_ping\": %s. If this private registry supports "
            "only HTTP or HTTPS with an unknown CA certificate, please add `--insecure-registry %s` to the "
            "daemon's arguments. In the case of HTTPS, if you have access to the registry's CA certificate, "
            "no need for the flag; simply place the CA certificate at /etc/docker/certs.d/%s/ca.crt",
            url, url, problems->items[0], domain, domain);
    }
    for (size_t i = 0; i < endpoints->count; i++) {
        const char *url = endpoints->items[i].url;
        strbuf_addf(&text, ". %s attempt: Get \"%s/v1/_ping\": %s",
                    string_starts_with(url, "https:") ? "HTTPS" : "HTTP", url, problems->items[i]);
    }
    return error_set(err, ERROR_INVALID, "invalid registry endpoint \"%s/v1/\"%s",
                     endpoints->items[endpoints->count - 1].url, strbuf_text(&text));
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
    _cleanup_strlist_ struct strlist problems = {0};
    _cleanup_error_ struct error why = ERROR_INIT;
    for (size_t i = 0; i < endpoints.count; i++) {
        bool has_answered = false;
        error_release(&why);
        json_t *results = ask(&endpoints.items[i], call, rest, limit, &has_answered, &why);
        if (results)
            return results;
        if (has_answered || why.kind == ERROR_CANCELLED || !has_host) {
            error_move(err, &why);
            return NULL;
        }
        const char *reason = strstr(error_message(&why), "\": ");
        strlist_add(&problems, reason ? reason + strlen("\": ") : error_message(&why));
    }
    unreachable(&endpoints, &problems, domain, err);
    return NULL;
}
