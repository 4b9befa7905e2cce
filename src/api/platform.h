/* Platforms as requests name them, and the machine's own. */
#pragma once

#include "api/call.h"

struct platform;

/* "amd64", "arm64": Go's name of this machine's architecture, as /info and /version have it. Static storage. */
const char *platform_architecture(void);
/* {"os": "linux", "architecture": "arm64", "variant": "v8"}, as the `platform` of image requests is since 1.46.
   Docker's errors. The caller releases with platform_type. */
bool query_platform(const char *text, struct platform *out, struct error *err);
/* Is the image, where it is here, one for the platform that this JSON names? */
bool platform_check_json(struct store *store, const char *text, const char *reference, struct error *err);
/* The same for ?platform= of a request in an API version of at least `since`; true where none is given. */
bool platform_check_query(const struct call *call, int since, const char *reference, struct error *err);
/* "linux/arm64" of a create request: is the image, where it is here, one for it? */
bool platform_check(struct store *store, const char *platform, const char *image, struct error *err);
