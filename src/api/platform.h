/* Platforms as clients ask for them: "linux/amd64", "linux", "arm64/v8". */
#pragma once

#include "base/error.h"

/* "amd64", "arm64", …: Go's name of this machine's architecture. */
const char *platform_architecture(void);
/* ERROR_INVALID where the text is no platform; ERROR_NOT_FOUND where it is not the one of this machine, and so not that
   of the image either. */
bool platform_check(const char *platform, const char *image, struct error *err);
