/* The request that a build is: POST /build with docker's parameters and Wherry's own (docs/api.md). */
#pragma once

#include "cli/build_context.h"
#include "cli/build_options.h"

/* Adds the path with its query; a context whose paths the flags name is open already. */
bool build_request_path(const struct command_call *call, const struct build_context *context, struct strbuf *path,
                        struct error *err);
/* X-Registry-Config and X-Build-Secrets, where there is something to say. */
bool build_request_headers(const struct command_call *call, struct strmap *headers, struct error *err);
