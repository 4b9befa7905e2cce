#include "base/clock.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

unix_nano clock_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

const char *time_format_fixed(unix_nano time, char text[TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(time / NANOSECONDS_PER_SECOND);
    int64_t fraction = time % NANOSECONDS_PER_SECOND;
    if (fraction < 0) {
        fraction += NANOSECONDS_PER_SECOND;
        seconds--;
    }
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t length = strftime(text, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + length, TIME_TEXT_SIZE - length, ".%09ldZ", (long)fraction);
    return text;
}

const char *time_format(unix_nano time, char text[TIME_TEXT_SIZE])
{
    if (time == 0)
        return memcpy(text, ZERO_TIME_TEXT, sizeof(ZERO_TIME_TEXT));
    time_format_fixed(time, text);
    char *end = text + strlen(text) - 1; /* the Z */
    while (end[-1] == '0')
        end--;
    if (end[-1] == '.')
        end--;
    memcpy(end, "Z", 2);
    return text;
}

/* `count` decimal digits, then moves the cursor past them. */
static bool take_number(const char **cursor, int count, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, (*cursor)++) {
        if (!isdigit((unsigned char)**cursor))
            return false;
        *out = *out * 10 + (**cursor - '0');
    }
    return true;
}

static bool take_char(const char **cursor, const char *accepted)
{
    if (!**cursor || !strchr(accepted, **cursor))
        return false;
    (*cursor)++;
    return true;
}

bool time_parse(const char *text, unix_nano *out)
{
    const char *cursor = text;
    struct tm parts = {0};
    if (!take_number(&cursor, 4, &parts.tm_year) || !take_char(&cursor, "-") ||
        !take_number(&cursor, 2, &parts.tm_mon) || !take_char(&cursor, "-") ||
        !take_number(&cursor, 2, &parts.tm_mday) || !take_char(&cursor, "Tt") ||
        !take_number(&cursor, 2, &parts.tm_hour) || !take_char(&cursor, ":") ||
        !take_number(&cursor, 2, &parts.tm_min) || !take_char(&cursor, ":") || !take_number(&cursor, 2, &parts.tm_sec))
        return false;
    int64_t fraction = 0, scale = NANOSECONDS_PER_SECOND;
    if (take_char(&cursor, "."))
        for (; isdigit((unsigned char)*cursor); cursor++)
            if ((scale /= 10) > 0)
                fraction += (*cursor - '0') * scale;
    int64_t offset = 0;
    const char *sign = cursor;
    if (take_char(&cursor, "+-")) {
        int hours, minutes;
        if (!take_number(&cursor, 2, &hours) || !take_char(&cursor, ":") || !take_number(&cursor, 2, &minutes))
            return false;
        offset = (hours * 60 + minutes) * 60 * (*sign == '-' ? -1 : 1);
    } else if (!take_char(&cursor, "Zz")) {
        return false;
    }
    if (*cursor || parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 || parts.tm_mday > 31 ||
        parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 60)
        return false;
    if (strncmp(text, "0001-01-01T00:00:00", 19) == 0) {
        *out = 0;
        return true;
    }
    if (parts.tm_year < 1700 || parts.tm_year > 2261)
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon--;
    *out = ((int64_t)timegm(&parts) - offset) * NANOSECONDS_PER_SECOND + fraction;
    return true;
}

char *duration_text(int64_t nanoseconds)
{
    struct strbuf out = STRBUF_INIT;
    uint64_t left = nanoseconds < 0 ? 0 - (uint64_t)nanoseconds : (uint64_t)nanoseconds;
    if (!left)
        return xstrdup("0s");
    strbuf_add_string(&out, nanoseconds < 0 ? "-" : "");
    uint64_t unit = left < 1000 ? 1 : left < 1000000 ? 1000 : left < 1000000000 ? 1000000 : 1000000000;
    uint64_t seconds = left / 1000000000;
    uint64_t whole = unit == 1000000000 ? seconds % 60 : left / unit;
    if (seconds >= 3600)
        strbuf_addf(&out, "%lluh", (unsigned long long)(seconds / 3600));
    if (seconds >= 60)
        strbuf_addf(&out, "%llum", (unsigned long long)(seconds / 60 % 60));
    strbuf_addf(&out, "%llu", (unsigned long long)whole);
    uint64_t fraction = left % unit;
    if (fraction) {
        char digits[16];
        int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)(unit + fraction));
        while (digits[length - 1] == '0')
            digits[--length] = '\0';
        strbuf_addf(&out, ".%s", digits + 1);
    }
    strbuf_add_string(&out, unit == 1 ? "ns" : unit == 1000 ? "\u00b5s" : unit == 1000000 ? "ms" : "s");
    return strbuf_take(&out);
}

char *duration_describe(int64_t nanoseconds)
{
    int64_t seconds = nanoseconds / NANOSECONDS_PER_SECOND, minutes = seconds / 60;
    int64_t hours = (int64_t)((double)nanoseconds / (3600.0 * NANOSECONDS_PER_SECOND) + 0.5);
    if (seconds < 1)
        return xstrdup("Less than a second");
    if (seconds == 1)
        return xstrdup("1 second");
    if (seconds < 60)
        return xasprintf("%lld seconds", (long long)seconds);
    if (minutes == 1)
        return xstrdup("About a minute");
    if (minutes < 60)
        return xasprintf("%lld minutes", (long long)minutes);
    if (hours == 1)
        return xstrdup("About an hour");
    if (hours < 48)
        return xasprintf("%lld hours", (long long)hours);
    if (hours < 24 * 7 * 2)
        return xasprintf("%lld days", (long long)hours / 24);
    if (hours < 24 * 30 * 2)
        return xasprintf("%lld weeks", (long long)hours / 24 / 7);
    if (hours < 24 * 365 * 2)
        return xasprintf("%lld months", (long long)hours / 24 / 30);
    return xasprintf("%lld years", (long long)(seconds / 3600 / 24 / 365));
}
