/* The two kinds of ranges: of a download (RFC 9110, 14.2) and of an upload's chunk (distribution-spec, "Pushing a blob
   in chunks": two numbers, the last one included). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum range_result { RANGE_WHOLE, RANGE_PART, RANGE_UNSATISFIABLE };
/* A Range header, for something of `size` bytes. Several ranges, and what is malformed, count as none. With RANGE_PART
 *start and *length are set, and length is at least 1. */
enum range_result range_parse(const char *header, int64_t size, int64_t *start, int64_t *length);

/* "0-99", and as some clients write it "bytes 0-99/200" or "bytes=0-99". False for anything else, or an end before its
   start. */
bool chunk_range_parse(const char *header, int64_t *start, int64_t *end);
