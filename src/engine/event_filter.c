#include "engine/event_filter.h"

#include <string.h>

#include "base/memory.h"

static bool is_one_of(const json_t *values, const char *text)
{
    size_t i;
    json_t *value;
    json_array_foreach(values, i, value)
    {
        if (string_equal(json_string_value(value), text))
            return true;
    }
    return false;
}

/* No values: everything passes. */
static bool match_exactly(const json_t *filters, const char *name, const char *text)
{
    const json_t *values = json_object_get(filters, name);
    return json_array_size(values) == 0 || is_one_of(values, text);
}

static bool match_beginning(const json_t *filters, const char *name, const char *text)
{
    const json_t *values = json_object_get(filters, name);
    size_t i;
    json_t *value;
    json_array_foreach(values, i, value)
    {
        if (string_starts_with(text, json_string_value(value)))
            return true;
    }
    return json_array_size(values) == 0;
}

/* "exec_start: sh -c …" is asked for as "exec_start"; then the other values are beginnings, too. */
static bool match_action(const json_t *filters, const struct event *event)
{
    static const char *const open[] = {"health_status", "exec_create", "exec_start"};
    const json_t *values = json_object_get(filters, "event");
    for (size_t i = 0; i < ARRAY_SIZE(open); i++)
        if (is_one_of(values, open[i]))
            return match_beginning(filters, "event", event->action);
    return match_exactly(filters, "event", event->action);
}

static char *without_tag(const char *name)
{
    const char *slash = strrchr(name, '/'), *colon = strrchr(name, ':');
    bool has_tag = colon && (!slash || colon > slash) && !strchr(name, '@') && !string_starts_with(name, "sha256:");
    return has_tag ? xstrndup(name, (size_t)(colon - name)) : xstrdup(name);
}

static bool match_image(const json_t *filters, const struct event *event)
{
    const char *name =
        string_or_empty(strmap_get(&event->attributes, string_equal(event->type, "image") ? "name" : "image"));
    _cleanup_free_ char *plain_id = without_tag(event->id), *plain_name = without_tag(name);
    return match_exactly(filters, "image", event->id) || match_exactly(filters, "image", name) ||
           match_exactly(filters, "image", plain_id) || match_exactly(filters, "image", plain_name);
}

static bool match_labels(const json_t *filters, const struct event *event)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(filters, "label"), i, item)
    {
        const char *wanted = string_or_empty(json_string_value(item)), *equals = strchr(wanted, '=');
        _cleanup_free_ char *key = xstrndup(wanted, equals ? (size_t)(equals - wanted) : strlen(wanted));
        const char *value = strmap_get(&event->attributes, key);
        if (!value || (equals && !string_equal(value, equals + 1)))
            return false;
    }
    return true;
}

bool event_matches(const json_t *filters, const struct event *event)
{
    static const char *const actors[] = {"daemon", "container", "plugin", "volume", "network",
                                         "node",   "service",   "secret", "config"};
    if (!filters)
        return true;
    if (!match_action(filters, event) || !match_exactly(filters, "type", event->type) ||
        !match_exactly(filters, "scope", "local"))
        return false;
    const char *name = string_or_empty(strmap_get(&event->attributes, "name"));
    for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
        if (!match_beginning(filters, actors[i], event->id) && !match_beginning(filters, actors[i], name))
            return false;
    return match_image(filters, event) && match_labels(filters, event);
}
