/* Sizes, ages and moments as docker shows them to people (docker/go-units' rules). The caller frees all results. */
#pragma once

#include <stdint.h>

#include "base/clock.h"

/* Decimal units, three or four significant digits: "1.98MB" (images, containers), "1.984MB" (elsewhere). */
char *human_size(double bytes, int digits);
/* Binary units, four digits: "23.54GiB". */
char *human_bytes(double bytes);
/* duration_describe from then to now, and " ago". `then` in seconds since 1970. */
char *human_age(int64_t then);
/* Go's time.String() in the local zone: "2026-11-22 04:05:48 +0000 UTC". */
char *human_time(int64_t seconds);
/* The first twelve digits of an id, without its "sha256:". */
char *short_id(const char *id);
/* Cut to `width` columns, the last of them "…", where it is longer. */
char *ellipsis(const char *text, size_t width);
