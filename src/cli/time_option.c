#include "cli/time_option.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/text.h"

static char *format_timestamp(unix_nano time)
{
    return xasprintf("%" PRId64 ".%09" PRId64, time / NANOSECONDS_PER_SECOND, time % NANOSECONDS_PER_SECOND);
}

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

char *time_option_parse(const char *text, unix_nano now, struct error *err)
{
    int64_t duration = 0;
    unix_nano time = 0;
    if (!string_equal(text, "0") && parse_duration(text, &duration, NULL))
        return format_timestamp(now - duration);
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 &&
        (!text[digits] || (text[digits] == '.' && text[digits + 1 + strspn(text + digits + 1, "0123456789")] == '\0')))
        return xstrdup(text);
    if (parse_calendar(text, &time))
        return format_timestamp(time);
    error_set(err, ERROR_INVALID, "failed to parse value as time or duration: \"%s\"", text);
    return NULL;
}
