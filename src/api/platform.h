/* Platforms as requests name them, and the machine's own. */
#pragma once

#include "base/error.h"

struct platform;
struct store;

/* "amd64", "arm64": Go's name of this machine's architecture, as /info and /version have it. Static storage. */
const char *platform_architecture(void);
/* {"os": "linux", "architecture": "arm64", "variant": "v8"}, as the `platform` of image requests is since 1.46.
   Docker's errors. The caller releases with platform_type. */
bool query_platform(const char *text, struct platform *out, struct error *err);
/* Is the image, where it is here, one for the platform that this JSON names? */
bool platform_check_json(struct store *store, const char *text, const char *reference, struct error *err);
/* "linux/arm64" of a create request: is the image, where it is here, one for it? */
bool platform_check(struct store *store, const char *platform, const char *image, struct error *err);
