/* Wall-clock times as Docker's API writes them. */
#pragma once

#include <stdint.h>
#include <time.h>

#include "base/error.h"

/* Nanoseconds since 1970, UTC. 0 stands for Go's zero time, "0001-01-01T00:00:00Z". */
typedef int64_t unix_nano;

#define NANOSECONDS_PER_SECOND INT64_C(1000000000)
#define ZERO_TIME_TEXT         "0001-01-01T00:00:00Z"
#define TIME_TEXT_SIZE         40

unix_nano clock_now(void);
/* CLOCK_MONOTONIC, for durations. */
int64_t clock_monotonic(void);
/* RFC 3339 with nanoseconds, trailing zeroes of the fraction cut as Go's RFC3339Nano does; at most TIME_TEXT_SIZE. */
const char *time_format(unix_nano time, char text[TIME_TEXT_SIZE]);
/* The same with all nine digits, as the json-file log and `logs -t` have it. */
const char *time_format_fixed(unix_nano time, char text[TIME_TEXT_SIZE]);
/* RFC 3339 with any fraction and offset. */
bool time_parse(const char *text, unix_nano *out);
/* Go's form of a duration, "1m30s", "500ms"; the caller frees. */
char *duration_text(int64_t nanoseconds);
/* A duration as docker says it to people (docker/go-units): "Less than a second", "About a minute", "3 weeks". The
   caller frees. */
char *duration_describe(int64_t nanoseconds);
