/* The image of a service, built as `wherry build` does it. */
#pragma once

#include "cli/compose/engine.h"

struct build_request {
    const struct command_call *call;
    const struct project *project;
    struct strlist arguments; /* --build-arg */
    bool has_no_cache, pulls, is_quiet;
};
/* For up_options.build: the context is a struct build_request. */
bool build_service(void *context, struct client *client, const char *service, struct error *err);
