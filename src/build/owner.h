/* --chown: names are those of the image that is built. */
#pragma once

#include "build/copy.h"

/* NULL: nobody. Docker's messages. */
bool owner_parse(const struct snapshot *snapshot, const char *text, struct copy_owner *out, struct error *err);
