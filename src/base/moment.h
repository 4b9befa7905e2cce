/* Moments as people and filters give them: "10m" ago, "2013-01-02T13:23:37Z", "2013-01-02", or seconds since 1970. */
#pragma once

#include "base/clock.h"

/* A duration is counted back from `now`, and whole seconds are left, as Docker does. ERROR_INVALID where the text is
 * none of the forms. */
bool moment_parse(const char *text, unix_nano now, unix_nano *out, struct error *err);
