/* The build cache as GET /system/df has it ("BuildCache"), for `system df` and `builder du`. */
#pragma once

#include "cli/listing.h"

extern const struct listing build_cache_listing;
#define BUILD_CACHE_FORMAT                                                                                             \
    "table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}"

/* Rows of the listing, those first that were not used for longest. A new reference. */
json_t *build_cache_rows(const json_t *records);
size_t build_cache_active(const json_t *records);
/* Bytes of what is not an image's, too, and of that what nothing uses. */
void build_cache_sizes(const json_t *records, int64_t *size, int64_t *reclaimable);
/* "2 minutes ago" from a time of the API; "" where there is none. Caller frees. */
char *build_cache_age(const json_t *record, const char *key);
