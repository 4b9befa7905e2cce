#include "daemon/metrics.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "daemon/host.h"
#include "engine/events.h"
#include "http/server.h"

static void add_metrics(struct engine *engine, struct strbuf *out)
{
    struct engine_counts counts;
    engine_count(engine, &counts);
    const struct {
        const char *state;
        size_t count;
    } states[] = {{"paused", counts.paused}, {"running", counts.running}, {"stopped", counts.stopped}};
    strbuf_add_string(out,
                      "# HELP engine_daemon_container_states_containers The count of containers in various states\n"
                      "# TYPE engine_daemon_container_states_containers gauge\n");
    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        strbuf_addf(out, "engine_daemon_container_states_containers{state=\"%s\"} %zu\n", states[i].state,
                    states[i].count);
    strbuf_addf(out,
                "# HELP engine_daemon_engine_info The information related to the engine and the OS it is running on\n"
                "# TYPE engine_daemon_engine_info gauge\n"
                "engine_daemon_engine_info{graphdriver=\"overlay2\",os_type=\"linux\",version=\"%s\"} 1\n",
                WHERRY_VERSION);
    strbuf_addf(out,
                "# HELP engine_daemon_events_subscribers_total The number of current subscribers to events\n"
                "# TYPE engine_daemon_events_subscribers_total gauge\n"
                "engine_daemon_events_subscribers_total %zu\n",
                events_subscriber_count(engine));
}

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
    add_metrics(context, &text);
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
    listeners_forget(listeners, count);
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
