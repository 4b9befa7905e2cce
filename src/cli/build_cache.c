#include "cli/build_cache.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/human.h"

static const struct listing_column columns[] = {
    {"ID", "CACHE ID"},          {"Parent", "PARENT"},           {"CacheType", "CACHE TYPE"}, {"Size", "SIZE"},
    {"CreatedSince", "CREATED"}, {"LastUsedSince", "LAST USED"}, {"UsageCount", "USAGE"},     {"Shared", "SHARED"},
    {"InUse", "IN USE"},         {"Description", "DESCRIPTION"},
};
const struct listing build_cache_listing = LISTING("*formatter.buildCacheContext", columns);

static const char *text_of(const json_t *json, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(json, key)));
}

static bool is_set(const json_t *json, const char *key)
{
    return json_is_true(json_object_get(json, key));
}

char *build_cache_age(const json_t *record, const char *key)
{
    unix_nano time;
    if (!time_parse(text_of(record, key), &time))
        return xstrdup("");
    return human_age(time / NANOSECONDS_PER_SECOND);
}

/* Times of one form are in order as texts. */
static int compare_use(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
    int order = strcmp(text_of(left, "LastUsedAt"), text_of(right, "LastUsedAt"));
    return order ? order : strcmp(text_of(left, "ID"), text_of(right, "ID"));
}

static json_t *make_row(const json_t *record)
{
    json_t *row = json_object();
    row_take(row, "ID", xasprintf("%.12s%s", text_of(record, "ID"), is_set(record, "InUse") ? "*" : ""));
    row_take(row, "Parent",
             xstrdup(string_or_empty(json_string_value(json_array_get(json_object_get(record, "Parents"), 0)))));
    row_take(row, "CacheType", xstrdup(text_of(record, "Type")));
    row_take(row, "Size", human_size((double)json_integer_value(json_object_get(record, "Size")), 3));
    row_take(row, "CreatedSince", build_cache_age(record, "CreatedAt"));
    row_take(row, "LastUsedSince", build_cache_age(record, "LastUsedAt"));
    row_take(row, "UsageCount",
             xasprintf("%lld", (long long)json_integer_value(json_object_get(record, "UsageCount"))));
    row_take(row, "Shared", xstrdup(is_set(record, "Shared") ? "true" : "false"));
    row_take(row, "InUse", xstrdup(is_set(record, "InUse") ? "true" : "false"));
    row_take(row, "Description", xstrdup(text_of(record, "Description")));
    return row;
}

json_t *build_cache_rows(const json_t *records)
{
    size_t count = json_array_size(records);
    _cleanup_free_ json_t **sorted = xcalloc(count + 1, sizeof(json_t *));
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_array_get(records, i);
    if (count > 1)
        qsort(sorted, count, sizeof(json_t *), compare_use);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(rows, make_row(sorted[i]));
    return rows;
}

size_t build_cache_active(const json_t *records)
{
    size_t active = 0, i;
    json_t *record;
    json_array_foreach(records, i, record) active += is_set(record, "InUse");
    return active;
}

void build_cache_sizes(const json_t *records, int64_t *size, int64_t *reclaimable)
{
    size_t i;
    json_t *record;
    *size = *reclaimable = 0;
    json_array_foreach(records, i, record)
    {
        int64_t bytes = is_set(record, "Shared") ? 0 : json_integer_value(json_object_get(record, "Size"));
        *size += bytes;
        *reclaimable += is_set(record, "InUse") ? 0 : bytes;
    }
}
