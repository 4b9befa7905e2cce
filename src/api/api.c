/* From a request to its handler. */
#include "api/api.h"

#include "api/access.h"
#include "api/respond.h"
#include "api/route.h"
#include "api/version.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "build/build.h"

struct api *api_new(const struct api_options *options)
{
    struct api *api = NEW(struct api);
    api->options = *options;
    api->started_at = clock_now();
    if (options->engine) /* tests of the routes have none */
        api->builder = builder_new(options->engine);
    return api;
}

void api_free(struct api *api)
{
    if (!api)
        return;
    builder_free(api->builder);
    free(api);
}

static void add_headers(const struct api *api, struct http_exchange *exchange, bool is_known)
{
    strmap_set(&exchange->headers, "Api-Version", API_VERSION_TEXT);
    if (is_known)
        strmap_set(&exchange->headers, "Docker-Experimental", api->options.is_experimental ? "true" : "false");
    strmap_set(&exchange->headers, "Ostype", "linux");
    strmap_set(&exchange->headers, "Server", API_SERVER_NAME);
}

static void refuse(struct http_exchange *exchange, enum error_kind kind, const char *message)
{
    struct error err = {.kind = kind, .message = (char *)message};
    respond_error(exchange, &err);
}

/* Go's router sends whoever asks for "//version" to "/version". */
static bool redirect(struct http_exchange *exchange)
{
    _cleanup_free_ char *clean = path_clean(exchange->path);
    size_t length = strlen(clean);
    bool is_clean = strncmp(clean, exchange->path, length) == 0 &&
                    (exchange->path[length] == '\0' || string_equal(exchange->path + length, "/"));
    if (is_clean)
        return false;
    strmap_set(&exchange->headers, "Location", clean);
    http_exchange_answer(exchange, 301, NULL, "", 0);
    return true;
}

static void answer_failure(struct call *call, const char *path, struct error *err)
{
    const char *method = call->exchange->head.method;
    if (call->exchange->has_answered) {
        /* The status is out; a body that is cut short is all that the client can be told. */
        log_debug("%s %s: %s", method, path, error_message(err));
        http_exchange_abort(call->exchange);
    } else {
        if (err->kind == ERROR_INTERNAL)
            log_error("Handler for %s %s returned error: %s", method, path, error_message(err));
        respond_error(call->exchange, err);
    }
    error_release(err);
}

void api_handle(struct http_exchange *exchange, void *context)
{
    struct api *api = context;
    struct error err = ERROR_INIT;
    const char *path;
    struct call call = {.api = api, .engine = api->options.engine, .exchange = exchange, .role = exchange->tag};
    log_debug("Calling %s %s", exchange->head.method, exchange->head.target);
    if (redirect(exchange))
        return;

    bool has_prefix;
    bool is_spoken = version_split(exchange->path, &path, &call.version, &has_prefix, &err);
    if (!is_spoken) {
        add_headers(api, exchange, false);
        respond_error(exchange, &err);
        error_release(&err);
        return;
    }
    _cleanup_free_ char *target = NULL;
    bool is_options = string_equal(exchange->head.method, "OPTIONS");
    const struct route *route = is_options ? NULL : route_find(exchange->head.method, path, call.version, &target);
    if (!route && !is_options) {
        refuse(exchange, ERROR_NOT_FOUND, "page not found");
        return;
    }
    add_headers(api, exchange, true);
    if (is_options) {
        http_exchange_answer(exchange, 200, NULL, "", 0);
        return;
    }
    if (!route->handle) {
        _cleanup_free_ char *message =
            xasprintf("%s %s is not supported by this version of Wherry", route->method, route->pattern);
        refuse(exchange, ERROR_UNSUPPORTED, message);
        return;
    }
    _cleanup_free_ char *bad_escape = http_query_bad_escape(exchange->query);
    if (bad_escape) {
        _cleanup_free_ char *message = xasprintf("invalid URL escape \"%s\"", bad_escape);
        refuse(exchange, ERROR_INVALID, message);
        return;
    }
    call.target = target;
    http_query_parse(exchange->query, &call.query);
    if (!access_check(&call, route, &err) || !route->handle(&call, &err))
        answer_failure(&call, path, &err);
    strmap_release(&call.query);
    free(call.own_target);
}
