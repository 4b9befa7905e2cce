#include "daemon/ulimit.h"

#include <string.h>

#include "base/memory.h"

bool ulimit_parse(const char *text, struct ulimit *out, struct error *err)
{
    static const char *const names[] = {"core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
                                        "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};
    const char *equals = strchr(text, '=');
    if (!equals)
        return error_set(err, ERROR_INVALID, "invalid ulimit argument: %s", text);
    _cleanup_free_ char *name = xstrndup(text, (size_t)(equals - text));
    bool is_known = false;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        is_known |= string_equal(names[i], name);
    if (!is_known)
        return error_set(err, ERROR_INVALID, "invalid ulimit type: %s", name);
    _cleanup_strlist_ struct strlist parts = strlist_split(equals + 1, ':');
    int64_t soft, hard;
    if (parts.count > 2 || !parse_int64(parts.items[0], &soft))
        return error_set(err, ERROR_INVALID, "invalid ulimit argument: %s", text);
    hard = soft;
    if (parts.count == 2 && !parse_int64(parts.items[1], &hard))
        return error_set(err, ERROR_INVALID, "invalid ulimit argument: %s", text);
    if (hard != -1 && (soft == -1 || soft > hard))
        return error_set(err, ERROR_INVALID, "ulimit soft limit must be less than or equal to hard limit: %lld > %lld",
                         (long long)soft, (long long)hard);
    *out = (struct ulimit){.name = TAKE_PTR(name), .soft = soft, .hard = hard};
    return true;
}
