/* --metrics-addr: GET /metrics on a listener of its own, in Prometheus' text form. */
#pragma once

#include "engine/engine.h"

struct http_server;
/* `address`: "127.0.0.1:9323". NULL with err where it cannot listen. The engine must outlive it. */
struct http_server *metrics_start(struct engine *engine, const char *address, struct error *err);
void metrics_stop(struct http_server *server);
