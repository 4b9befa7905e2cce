/* Which engine the flags, the environment and config.json mean. */
#pragma once

#include "cli/command.h"
#include "cli/global_options.h"

/* --context, then "default" where a host is named (-H, DOCKER_HOST), then DOCKER_CONTEXT, then currentContext of
   config.json, else "default". Owned by the values, the environment or the file. */
const char *endpoint_context(const struct global_values *values, const char *directory);
/* A client of that engine, which connects at its first request. NULL with err. */
struct client *endpoint_client(const struct global_values *values, const char *directory, struct error *err);
/* Where the context "default" leads, and with which TLS files; caller frees. *has_tls tells whether TLS is wanted. */
bool endpoint_default(const struct global_values *values, const char *directory, char **host, struct client_tls *tls,
                      bool *has_tls, struct error *err);
