#include "cli/filter_option.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "base/memory.h"
#include "json/json_record.h"

static char *trimmed(const char *text, size_t length)
{
    while (length > 0 && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    return xstrndup(text, length);
}

bool filter_parse(void *list, const char *value, struct error *err)
{
    if (!*value)
        return true;
    const char *equals = strchr(value, '=');
    if (!equals)
        return error_set(err, ERROR_INVALID, "bad format of filter (expected name=value)");
    _cleanup_free_ char *name = trimmed(value, (size_t)(equals - value));
    _cleanup_free_ char *wanted = trimmed(equals + 1, strlen(equals + 1));
    for (char *cursor = name; *cursor; cursor++)
        *cursor = (char)tolower((unsigned char)*cursor);
    strlist_addf(list, "%s=%s", name, wanted);
    return true;
}

char *filter_json(const struct strlist *filters)
{
    if (filters->count == 0)
        return NULL;
    _cleanup_json_ json_t *names = json_object();
    for (size_t i = 0; i < filters->count; i++) {
        const char *equals = strchr(filters->items[i], '=');
        _cleanup_free_ char *name = xstrndup(filters->items[i], (size_t)(equals - filters->items[i]));
        json_t *values = json_object_get(names, name);
        if (!values) {
            values = json_object();
            json_object_set_new_nocheck(names, name, values);
        }
        json_object_set_new_nocheck(values, equals + 1, json_true());
    }
    return json_format(names);
}
