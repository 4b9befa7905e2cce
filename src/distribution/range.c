#include "distribution/range.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

static bool is_number(const char *text, size_t length, int64_t *out)
{
    if (length == 0 || length > 19 || strspn(text, "0123456789") < length)
        return false;
    char digits[20];
    memcpy(digits, text, length);
    digits[length] = '\0';
    return parse_int64(digits, out);
}

/* "first-last" where either may be missing: -1. */
static bool split(const char *text, size_t length, int64_t *first, int64_t *last)
{
    const char *dash = memchr(text, '-', length);
    if (!dash)
        return false;
    size_t before = (size_t)(dash - text), after = length - before - 1;
    *first = *last = -1;
    return (before == 0 || is_number(text, before, first)) && (after == 0 || is_number(dash + 1, after, last));
}

enum range_result range_parse(const char *header, int64_t size, int64_t *start, int64_t *length)
{
    static const char unit[] = "bytes=";
    int64_t first, last;
    if (!header || strncasecmp(header, unit, strlen(unit)) != 0)
        return RANGE_WHOLE;
    const char *text = header + strlen(unit);
    text += strspn(text, " \t");
    size_t text_length = strcspn(text, " \t");
    if (text[text_length + strspn(text + text_length, " \t")] || !split(text, text_length, &first, &last))
        return RANGE_WHOLE;
    if (first < 0 && last < 0)
        return RANGE_WHOLE;
    if (first < 0) { /* the last so many bytes */
        if (last == 0 || size == 0)
            return RANGE_UNSATISFIABLE;
        *length = MIN(last, size);
        *start = size - *length;
        return RANGE_PART;
    }
    if (last >= 0 && last < first)
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_UNSATISFIABLE;
    *start = first;
    *length = (last < 0 || last >= size ? size : last + 1) - first;
    return RANGE_PART;
}

bool chunk_range_parse(const char *header, int64_t *start, int64_t *end)
{
    int64_t first, last;
    if (strncasecmp(header, "bytes", 5) == 0 && (header[5] == '=' || header[5] == ' '))
        header += 6;
    if (!split(header, strcspn(header, "/"), &first, &last) || first < 0 || last < first || last == INT64_MAX)
        return false;
    *start = first;
    *end = last;
    return true;
}
