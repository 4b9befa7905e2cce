/* --platform: "linux/arm64/v8" as the API wants it in a query. */
#pragma once

#include "base/error.h"

/* {"architecture":"arm64","os":"linux","variant":"v8"}; the caller frees. "linux" alone means this machine's
   architecture. */
bool platform_json(const char *text, char **out, struct error *err);
