/* What newer engines alone know, and --platform: "linux/arm64/v8" as the API wants it in a query. */
#pragma once

#include "cli/command.h"

/* Fails unless the engine speaks API `version` ("1.48"): an older one would take no notice of the flag. */
bool require_api_version(struct command_call *call, const char *flag, const char *version, struct error *err);

/* {"architecture":"arm64","os":"linux","variant":"v8"}; the caller frees. "linux" alone means this machine's
   architecture. */
bool platform_json(const char *text, char **out, struct error *err);
