/* From a request to the function that serves it: its path, who asks, and what is refused to everybody. */
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/log.h"
#include "base/memory.h"
#include "distribution/call.h"
#include "oci/reference.h"

static const char *actions_of(const struct call *call)
{
    if (call_reads(call))
        return call->route.kind == ROUTE_UPLOAD ? "pull,push" : "pull";
    if (call_is(call, "DELETE"))
        return call->route.kind == ROUTE_UPLOAD ? "pull,push" : "delete";
    return "pull,push";
}

static bool is_allowed(struct call *call)
{
    struct demand demand = {"repository", call->route.name, actions_of(call)};
    if (call->route.kind == ROUTE_CATALOG)
        demand = (struct demand){"registry", "catalog", "*"};
    else if (!call->route.name)
        demand = (struct demand){0};
    _cleanup_free_ char *challenge = access_refuses(call->distribution->access, call->exchange, &demand);
    if (!challenge)
        return true;
    call_header(call, "WWW-Authenticate", challenge);
    answer_refusal(call, 401, "UNAUTHORIZED", "authentication required", NULL);
    return false;
}

/* The grammar of what is in the path. A tag that cannot be is one that is not there. */
static bool path_is_good(struct call *call)
{
    const struct route *route = &call->route;
    if (route->name && !repository_name_is_valid(route->name)) {
        answer_refusal(call, 400, "NAME_INVALID", "invalid repository name", NULL);
        return false;
    }
    bool needs_digest = route->kind == ROUTE_BLOB || route->kind == ROUTE_REFERRERS ||
                        (route->kind == ROUTE_MANIFEST && strchr(route->last, ':'));
    if (needs_digest && !digest_is_valid(route->last)) {
        answer_refusal(call, 400, "DIGEST_INVALID", "invalid digest, or one of an unknown algorithm", NULL);
        return false;
    }
    return true;
}

static bool is_refused_to_all(struct call *call)
{
    const struct settings *settings = call->distribution->settings;
    bool is_upload = call->route.kind == ROUTE_UPLOAD || call->route.kind == ROUTE_UPLOADS;
    if (call_reads(call) && !is_upload)
        return false;
    const char *why = settings->is_read_only         ? "the registry is read-only"
                      : call->distribution->upstream ? "the registry is a cache of another one"
                      : call_is(call, "DELETE") && !settings->allows_delete && !is_upload
                          ? "deleting is not allowed here"
                          : NULL;
    if (why)
        answer_unsupported(call, why);
    return why != NULL;
}

static void serve_base(struct call *call)
{
    static const char body[] = "{}";
    if (call_reads(call))
        answer(call, 200, "application/json; charset=utf-8", body, sizeof(body) - 1);
    else
        answer_unsupported(call, "/v2/ can only be read");
}

static void serve(struct call *call)
{
    static void (*const serves[])(struct call * call) = {
        [ROUTE_PAGE] = serve_page,       [ROUTE_BASE] = serve_base,         [ROUTE_CATALOG] = serve_catalog,
        [ROUTE_TAGS] = serve_tags,       [ROUTE_MANIFEST] = serve_manifest, [ROUTE_BLOB] = serve_blob,
        [ROUTE_UPLOADS] = serve_uploads, [ROUTE_UPLOAD] = serve_upload,     [ROUTE_REFERRERS] = serve_referrers,
    };
    static const char missing[] = "404 page not found\n";
    if (!call->route.kind)
        answer(call, 404, "text/plain; charset=utf-8", missing, sizeof(missing) - 1);
    else if (is_allowed(call) && path_is_good(call) && !is_refused_to_all(call))
        serves[call->route.kind](call);
}

void distribution_handle(struct http_exchange *exchange, void *context)
{
    struct distribution *distribution = context;
    struct call call = {.distribution = distribution, .exchange = exchange};
    /* A client that reads no more does not hold its thread for ever. */
    int64_t patience = distribution->settings->patience;
    struct timeval timeout = {.tv_sec = patience / NANOSECONDS_PER_SECOND,
                              .tv_usec = patience % NANOSECONDS_PER_SECOND / 1000};
    setsockopt(exchange->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    route_parse(exchange->path, &call.route);
    http_query_parse(exchange->query, &call.query);
    call_header(&call, "Server", "Wherry-Registry/" WHERRY_VERSION);
    call_header(&call, "X-Content-Type-Options", "nosniff");
    if (call.route.kind != ROUTE_PAGE)
        call_header(&call, "Docker-Distribution-Api-Version", "registry/2.0");
    serve(&call);
    if (call.status >= 100 && call.status < 600)
        count_add(&distribution->counters.requests[call.status / 100], 1);
    log_debug("%s %s: %d", exchange->head.method, exchange->path, call.status);
    strmap_release(&call.query);
    route_release(&call.route);
}
