#include "base/moment.h"

#include <string.h>

#include "base/memory.h"
#include "base/options.h"

/* Completes what docker allows to be left out: the seconds, the minutes, the time of day, the zone (then ours). */
static bool parse_calendar(const char *text, unix_nano *out)
{
    static const struct {
        size_t length;
        const char *rest;
    } forms[] = {{10, "T00:00:00"}, {13, ":00:00"}, {16, ":00"}, {19, ""}};
    if (time_parse(text, out))
        return true;
    const char *clock = strchr(text, 'T');
    size_t length = clock ? strcspn(clock, "Z+-") + (size_t)(clock - text) : strcspn(text, "Z+");
    const char *zone = text + length;
    size_t fraction = strcspn(text, ".");
    const char *rest = fraction < length ? "" : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(forms) && !rest; i++)
        rest = forms[i].length == length ? forms[i].rest : NULL;
    if (!rest)
        return false;
    _cleanup_free_ char *whole = xasprintf("%.*s%s%s", (int)length, text, rest, *zone ? zone : "Z");
    if (!time_parse(whole, out))
        return false;
    if (!*zone) {
        time_t seconds = (time_t)(*out / NANOSECONDS_PER_SECOND);
        struct tm local;
        gmtime_r(&seconds, &local);
        local.tm_isdst = -1;
        *out += (int64_t)(mktime(&local) - seconds) * NANOSECONDS_PER_SECOND;
    }
    return true;
}

/* "<seconds>[.<digits>]" since 1970. */
static bool parse_seconds(const char *text, unix_nano *out)
{
    size_t digits = strspn(text, "0123456789");
    const char *fraction = text[digits] == '.' ? text + digits + 1 : text + digits;
    _cleanup_free_ char *whole = xstrndup(text, digits);
    int64_t seconds, nanoseconds = 0, scale = NANOSECONDS_PER_SECOND;
    if (digits == 0 || fraction[strspn(fraction, "0123456789")] || !parse_int64(whole, &seconds) ||
        seconds > INT64_MAX / NANOSECONDS_PER_SECOND - 1)
        return false;
    for (; *fraction && (scale /= 10) > 0; fraction++)
        nanoseconds += (*fraction - '0') * scale;
    *out = seconds * NANOSECONDS_PER_SECOND + nanoseconds;
    return true;
}

bool moment_parse(const char *text, unix_nano now, unix_nano *out, struct error *err)
{
    int64_t duration = 0;
    if (!string_equal(text, "0") && parse_duration(text, &duration, NULL)) {
        *out = (now - duration) / NANOSECONDS_PER_SECOND * NANOSECONDS_PER_SECOND;
        return true;
    }
    return parse_seconds(text, out) || parse_calendar(text, out) ||
           error_set(err, ERROR_INVALID, "failed to parse value as time or duration: \"%s\"", text);
}
