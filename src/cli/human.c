#include "cli/human.h"

#include <string.h>
#include <wchar.h>

#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"

static char *scaled(double size, double base, const char *const *units, size_t unit_count, int digits)
{
    size_t unit = 0;
    while (size >= base && unit + 1 < unit_count) {
        size /= base;
        unit++;
    }
    return xasprintf("%.*g%s", digits, size, units[unit]);
}

char *human_size(double bytes, int digits)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
    return scaled(bytes, 1000, units, ARRAY_SIZE(units), digits);
}

char *human_bytes(double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
    return scaled(bytes, 1024, units, ARRAY_SIZE(units), 4);
}

char *human_age(int64_t then)
{
    /* Go's Duration saturates at 292 years: so do we, before the product overflows. */
    int64_t now = clock_now(), limit = INT64_MAX / NANOSECONDS_PER_SECOND;
    int64_t elapsed = then < now / NANOSECONDS_PER_SECOND - limit ? INT64_MAX
                      : then > limit                              ? 0
                                                                  : now - then * NANOSECONDS_PER_SECOND;
    _cleanup_free_ char *duration = duration_describe(elapsed);
    return xasprintf("%s ago", duration);
}

char *human_time(int64_t seconds)
{
    char text[64];
    struct tm parts;
    time_t time = (time_t)seconds;
    tzset();
    if (!localtime_r(&time, &parts))
        return xstrdup("");
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z %Z", &parts);
    return xstrdup(text);
}

char *short_id(const char *id)
{
    const char *colon = strchr(id, ':');
    return xstrndup(colon ? colon + 1 : id, ID_SHORT_LENGTH);
}

/* Two columns for East Asian wide characters and emoji, one for all others. */
static size_t rune_columns(uint32_t code)
{
    bool is_wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
                   (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
                   (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
                   (code >= 0xffe0 && code <= 0xffe6) || (code >= 0x1f300 && code <= 0x1faff) ||
                   (code >= 0x20000 && code <= 0x3fffd);
    return is_wide ? 2 : 1;
}

static uint32_t next_rune(const char **cursor)
{
    unsigned char first = (unsigned char)**cursor;
    uint32_t code = first < 0x80 ? first : first >= 0xf0 ? first & 7u : first >= 0xe0 ? first & 15u : first & 31u;
    for ((*cursor)++; ((unsigned char)**cursor & 0xc0) == 0x80; (*cursor)++)
        code = code << 6 | ((unsigned char)**cursor & 0x3f);
    return code;
}

char *ellipsis(const char *text, size_t width)
{
    size_t columns = 0, kept = 0;
    const char *cursor = text;
    while (*cursor) {
        columns += rune_columns(next_rune(&cursor));
        if (columns + 1 <= width)
            kept = (size_t)(cursor - text);
    }
    if (columns <= width)
        return xstrdup(text);
    return width <= 1 ? xstrndup(text, kept) : xasprintf("%.*s…", (int)kept, text);
}
