/* --since and --until: "10m" ago, "2013-01-02T13:23:37Z", "2013-01-02", or seconds since 1970. */
#pragma once

#include "base/clock.h"

/* "<seconds>[.<nanoseconds>]" as the Engine API takes it; the caller frees. NULL where the text is none of the forms.
 */
char *time_option_parse(const char *text, unix_nano now, struct error *err);
