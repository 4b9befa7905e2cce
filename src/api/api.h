/* The Engine API: from HTTP requests to the engine's verbs and back. Nothing is decided here. */
#pragma once

#include <jansson.h>

#include "engine/engine.h"
#include "http/server.h"

struct api_options {
    struct engine *engine;
    void (*add_info)(json_t *info); /* puts what the daemon knows into the answer of `info`; may be NULL */
    bool is_experimental;
    const char *default_log_driver;    /* NULL: json-file */
    struct http_server *const *server; /* for `info`; may be NULL */
};

struct api;
struct api *api_new(const struct api_options *options);
void api_free(struct api *api);
/* The http_handler; the context is the struct api. */
void api_handle(struct http_exchange *exchange, void *api);

/* "Wherry/0.1.0 (linux)" */
#define API_SERVER_NAME "Wherry/" WHERRY_VERSION " (linux)"
