#include "cli/time_option.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/moment.h"
#include "base/options.h"

char *time_option_parse(const char *text, unix_nano now, struct error *err)
{
    unix_nano time = 0;
    if (!moment_parse(text, now, &time, err))
        return NULL;
    if (text[strspn(text, "0123456789.")] == '\0')
        return xstrdup(text); /* as the engine wants it */
    if (parse_duration(text, &(int64_t){0}, NULL))
        return xasprintf("%" PRId64, time / NANOSECONDS_PER_SECOND);
    return xasprintf("%" PRId64 ".%09" PRId64, time / NANOSECONDS_PER_SECOND, time % NANOSECONDS_PER_SECOND);
}
