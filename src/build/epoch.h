/* SOURCE_DATE_EPOCH: what a step made is no younger than that, so that the same steps make the same layers. */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* Of all that is in the folder, which nothing writes to any more. Seconds since 1970. */
bool epoch_clamp(const char *folder, int64_t seconds, struct error *err);
