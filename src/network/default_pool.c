/* --default-address-pool */
#include <string.h>

#include "base/memory.h"
#include "network/manager.h"

bool default_pool_parse(const char *text, struct default_pool *out, struct error *err)
{
    struct default_pool pool = {0};
    uint64_t size = 0;
    bool has_base = false;
    _cleanup_strlist_ struct strlist parts = strlist_split(text, ',');
    for (size_t i = 0; i < parts.count; i++) {
        const char *part = parts.items[i], *value = strchr(part, '=');
        if (!value)
            return error_set(err, ERROR_INVALID, "invalid field '%s' must be a key=value pair", part);
        if (string_starts_with(part, "base="))
            has_base = ip_prefix_parse(value + 1, &pool.base);
        else if (!string_starts_with(part, "size="))
            return error_set(err, ERROR_INVALID, "unexpected key '%.*s' in '%s'", (int)(value - part), part, part);
        else if (!parse_uint64(value + 1, &size))
            return error_set(err, ERROR_INVALID, "invalid size value: \"%s\"", value + 1);
    }
    if (!has_base)
        return error_set(err, ERROR_INVALID, "invalid base pool in \"%s\"", text);
    if (size < pool.base.length || size > ip_width(pool.base.address.family))
        return error_set(err, ERROR_INVALID, "invalid pools provided: the size of \"%s\" does not fit its base", text);
    if (!ip_equal(ip_first(pool.base), pool.base.address))
        return error_set(err, ERROR_INVALID, "invalid base pool in \"%s\": it has bits beyond its length", text);
    pool.size = (unsigned)size;
    *out = pool;
    return true;
}

bool network_check_pool(const char *text, struct error *err)
{
    struct default_pool ignored;
    return default_pool_parse(text, &ignored, err);
}
