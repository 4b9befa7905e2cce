#include "api/route.h"

#include "base/memory.h"

bool route_matches(const char *pattern, const char *path, char **target)
{
    const char *open = strchr(pattern, '{');
    if (!open) {
        if (!string_equal(pattern, path))
            return false;
        *target = xstrdup("");
        return true;
    }
    const char *close = strchr(open, '}');
    size_t before = (size_t)(open - pattern);
    const char *after = close + 1;
    size_t length = strlen(path), after_length = strlen(after);
    if (length <= before + after_length || strncmp(pattern, path, before) != 0 ||
        !string_equal(path + length - after_length, after))
        return false;
    size_t target_length = length - before - after_length;
    /* Docker's pattern is `.*`: slashes, but no line feeds. An empty part is none. */
    if (path[before] == '/' || memchr(path + before, '\n', target_length))
        return false;
    *target = xstrndup(path + before, target_length);
    return true;
}

const struct route *route_find(const char *method, const char *path, int version, char **target)
{
    for (size_t i = 0; i < route_count; i++)
        if (string_equal(routes[i].method, method) && version >= routes[i].min_version &&
            route_matches(routes[i].pattern, path, target))
            return &routes[i];
    return NULL;
}
