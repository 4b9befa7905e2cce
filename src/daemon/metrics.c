#include "daemon/metrics.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "daemon/host.h"
#include "engine/metrics.h"
#include "http/server.h"

static void handle(struct http_exchange *exchange, void *context)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    const char *method = exchange->head.method;
    if (!string_equal(exchange->path, "/metrics")) {
        static const char missing[] = "404 page not found\n";
        http_exchange_answer(exchange, 404, "text/plain; charset=utf-8", missing, sizeof(missing) - 1);
        return;
    }
    if (!string_equal(method, "GET") && !string_equal(method, "HEAD")) {
        http_exchange_answer(exchange, 405, NULL, "", 0);
        return;
    }
    engine_metrics(context, &text);
    http_exchange_answer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", strbuf_text(&text),
                         string_equal(method, "HEAD") ? 0 : text.length);
}

struct http_server *metrics_start(struct engine *engine, const char *address, struct error *err)
{
    struct listener *listeners = NULL;
    size_t count = 0;
    _cleanup_free_ char *host = xasprintf("tcp://%s", address);
    if (!host_check(host, err) || !host_listen(host, NULL, TCP_PORT, &listeners, &count, err)) {
        error_prefix(err, "error starting metrics server");
        return NULL;
    }
    const struct http_server_options options = {.handle = handle, .context = engine, .max_connections = 64};
    struct http_server *server = http_server_new(&options);
    for (size_t i = 0; i < count; i++) {
        log_info("metrics API listening on %s", listeners[i].name);
        http_server_add_listener(server, listeners[i].fd);
    }
    listeners_free(listeners, count);
    if (http_server_start(server, err))
        return server;
    http_server_free(server);
    return NULL;
}

void metrics_stop(struct http_server *server)
{
    if (server && http_server_stop(server, NANOSECONDS_PER_SECOND))
        http_server_free(server);
}
