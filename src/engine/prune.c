#include "engine/prune.h"

#include <string.h>

#include "base/memory.h"
#include "base/moment.h"
#include "engine/events.h"

void prune_report_release(struct prune_report *report)
{
    strlist_release(&report->deleted);
    *report = (struct prune_report){0};
}

void filter_values(const json_t *filters, const char *name, struct strlist *out)
{
    json_t *values = json_object_get(filters, name);
    size_t i;
    json_t *item;
    json_array_foreach(values, i, item) strlist_add(out, string_or_empty(json_string_value(item)));
    const char *key;
    if (json_is_object(values))
        json_object_foreach(values, key, item) if (json_is_true(item)) strlist_add(out, key);
}

bool filter_names_check(const json_t *filters, const char *const *known, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)filters, key, value)
    {
        bool is_known = false;
        for (size_t i = 0; known[i] && !is_known; i++)
            is_known = string_equal(key, known[i]);
        if (!is_known)
            return error_set(err, ERROR_INVALID, "invalid filter '%s'", key);
    }
    return true;
}

bool prune_filter_parse(const json_t *filters, const char *const *known, struct prune_filter *out, struct error *err)
{
    struct prune_filter filter = {0};
    _cleanup_strlist_ struct strlist until = {0};
    if (!filter_names_check(filters, known, err))
        return false;
    filter_values(filters, "until", &until);
    if (until.count > 1)
        return error_set(err, ERROR_INVALID, "more than one until filter specified");
    if (until.count == 1 && !moment_parse(until.items[0], clock_now(), &filter.until, err))
        return false;
    filter_values(filters, "label", &filter.labels);
    filter_values(filters, "label!", &filter.not_labels);
    *out = filter;
    return true;
}

void prune_filter_release(struct prune_filter *filter)
{
    strlist_release(&filter->labels);
    strlist_release(&filter->not_labels);
    *filter = (struct prune_filter){0};
}

bool labels_match(const struct strlist *wanted, const struct strmap *labels)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const char *text = wanted->items[i], *equals = strchr(text, '=');
        _cleanup_free_ char *key = xstrndup(text, strcspn(text, "="));
        const char *value = strmap_get(labels, key);
        if (!value || (equals && !string_equal(value, equals + 1)))
            return false;
    }
    return true;
}

bool prune_filter_matches(const struct prune_filter *filter, unix_nano created, const struct strmap *labels)
{
    if (filter->until && created > filter->until)
        return false;
    if (!labels_match(&filter->labels, labels))
        return false;
    return filter->not_labels.count == 0 || !labels_match(&filter->not_labels, labels);
}

bool prune_begin(atomic_bool *is_running, struct error *err)
{
    bool is_free = false;
    return atomic_compare_exchange_strong(is_running, &is_free, true) ||
           error_set(err, ERROR_CONFLICT, "a prune operation is already running");
}

void prune_end(atomic_bool *is_running)
{
    atomic_store(is_running, false);
}

void prune_event(struct engine *engine, const char *type, int64_t space)
{
    _cleanup_free_ char *reclaimed = xasprintf("%lld", (long long)space);
    event_emit_pairs(engine, type, "prune", "", "reclaimed", reclaimed, NULL);
}
