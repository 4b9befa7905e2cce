#include "api/version.h"

#include <string.h>

/* "v" and digits with dots, as far as the next '/': Docker's route is /v{version:[0-9.]+}. */
static size_t prefix_length(const char *path)
{
    if (path[0] != '/' || path[1] != 'v')
        return 0;
    size_t length = strspn(path + 2, "0123456789.");
    return length > 0 && path[2 + length] == '/' ? 2 + length : 0;
}

/* Each dot-separated number, as Docker compares versions: "1" is older than "1.24", and "1.045" is 1.45. */
static int version_number(const char *text, size_t length)
{
    int parts[2] = {0, 0};
    size_t part = 0;
    for (size_t i = 0; i < length && part < 2; i++) {
        if (text[i] == '.')
            part++;
        else if (parts[part] < 10000)
            parts[part] = parts[part] * 10 + (text[i] - '0');
    }
    return parts[1] >= 100 ? (parts[0] + 1) * 100 : parts[0] * 100 + parts[1];
}

bool version_split(const char *path, const char **rest, int *version, bool *has_prefix, struct error *err)
{
    size_t length = prefix_length(path);
    *has_prefix = length > 0;
    if (length == 0) {
        *rest = path;
        *version = API_VERSION;
        return true;
    }
    const char *text = path + 2;
    int number = version_number(text, length - 2);
    const char *dot = memchr(text, '.', length - 2);
    const char *third = dot ? memchr(dot + 1, '.', length - 2 - (size_t)(dot + 1 - text)) : NULL;
    if (number == API_VERSION && third && strspn(third, "0.") < length - 2 - (size_t)(third - text))
        number++; /* newer by its third part */
    if (number < API_MIN_VERSION)
        return error_set(err, ERROR_INVALID,
                         "client version %.*s is too old. Minimum supported API version is %s, please upgrade your "
                         "client to a newer version",
                         (int)(length - 2), text, API_MIN_VERSION_TEXT);
    if (number > API_VERSION)
        return error_set(err, ERROR_INVALID, "client version %.*s is too new. Maximum supported API version is %s",
                         (int)(length - 2), text, API_VERSION_TEXT);
    *rest = path + length;
    *version = number;
    return true;
}
