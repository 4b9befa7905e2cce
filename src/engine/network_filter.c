/* Which networks a list or a prune means. */
#include <regex.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/networks.h"
#include "engine/prune.h"

struct network_filter {
    struct strlist names, ids, drivers, scopes, types, labels, dangling;
};

static void filter_release(struct network_filter *filter)
{
    struct strlist *const lists[] = {&filter->names, &filter->ids,    &filter->drivers, &filter->scopes,
                                     &filter->types, &filter->labels, &filter->dangling};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        strlist_release(lists[i]);
}

static bool is_true(const char *text)
{
    return string_equal(text, "true") || string_equal(text, "1");
}

static bool check_values(const struct network_filter *filter, struct error *err)
{
    for (size_t i = 0; i < filter->dangling.count; i++) {
        const char *value = filter->dangling.items[i];
        if (!is_true(value) && !string_equal(value, "false") && !string_equal(value, "0"))
            return error_set(err, ERROR_INVALID,
                             "invalid value for filter 'dangling', must be \"true\" (or \"1\"), or \"false\" (or "
                             "\"0\")");
    }
    if (filter->dangling.count > 1)
        return error_set(err, ERROR_INVALID, "got more than one value for filter key \"dangling\"");
    for (size_t i = 0; i < filter->types.count; i++)
        if (!string_equal(filter->types.items[i], "builtin") && !string_equal(filter->types.items[i], "custom"))
            return error_set(err, ERROR_INTERNAL, "invalid filter: 'type'='%s'", filter->types.items[i]);
    return true;
}

static bool filter_read(const json_t *json, struct network_filter *filter, struct error *err)
{
    const struct {
        const char *name;
        struct strlist *list;
    } known[] = {{"name", &filter->names},       {"id", &filter->ids},     {"driver", &filter->drivers},
                 {"scope", &filter->scopes},     {"type", &filter->types}, {"label", &filter->labels},
                 {"dangling", &filter->dangling}};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        size_t i = 0;
        while (i < ARRAY_SIZE(known) && !string_equal(known[i].name, key))
            i++;
        if (i == ARRAY_SIZE(known))
            return error_set(err, ERROR_INVALID, "invalid filter '%s'", key);
        filter_values(json, key, known[i].list);
    }
    return check_values(filter, err);
}

/* As Docker's filters.Args.Match: a part of the text, or a regular expression. */
static bool match_text(const struct strlist *wanted, const char *text)
{
    for (size_t i = 0; i < wanted->count; i++) {
        regex_t regex;
        if (string_equal(wanted->items[i], text))
            return true;
        if (regcomp(&regex, wanted->items[i], REG_EXTENDED | REG_NOSUB) != 0)
            continue;
        bool is_match = regexec(&regex, text, 0, NULL, 0) == 0;
        regfree(&regex);
        if (is_match)
            return true;
    }
    return wanted->count == 0;
}

static bool match_exact(const struct strlist *wanted, const char *text)
{
    return wanted->count == 0 || strlist_contains(wanted, text);
}

/* Does any container, running or not, have an endpoint in it? */
static bool has_containers(struct engine *engine, const char *name)
{
    size_t count;
    bool is_found = false;
    struct container **all = container_snapshot(engine, &count);
    for (size_t i = 0; i < count && !is_found; i++) {
        container_lock(all[i]);
        is_found = status_has_process(all[i]->status) &&
                   record_map_get(&all[i]->record.endpoints, &endpoint_settings_type, name);
        container_unlock(all[i]);
    }
    container_snapshot_release(all, count);
    return is_found;
}

static bool matches(struct engine *engine, const struct network_filter *filter, const struct network_record *network)
{
    bool is_builtin = network_is_predefined(network->name);
    if (!match_text(&filter->names, network->name) || !match_text(&filter->ids, network->id) ||
        !match_exact(&filter->drivers, network->driver) || !match_exact(&filter->scopes, network->scope) ||
        !match_exact(&filter->types, is_builtin ? "builtin" : "custom") ||
        !labels_match(&filter->labels, &network->labels))
        return false;
    if (!filter->dangling.count)
        return true;
    bool is_dangling = !is_builtin && !has_containers(engine, network->name);
    return is_dangling == is_true(filter->dangling.items[0]);
}

bool networks_list_filtered(struct engine *engine, const json_t *filters, struct record_list *out, struct error *err)
{
    struct network_filter filter = {0};
    bool is_read = filter_read(filters, &filter, err);
    if (is_read) {
        network_list(engine->network, out);
        for (size_t i = out->count; i-- > 0;)
            if (!matches(engine, &filter, RECORD_AT(*out, struct network_record, i)))
                record_list_remove(out, &network_record_type, i);
    }
    filter_release(&filter);
    return is_read;
}

bool networks_prune(struct engine *engine, const json_t *filters, struct strlist *deleted, struct error *err)
{
    static const char *const known[] = {"label", "label!", "until", NULL};
    static atomic_bool is_pruning;
    _cleanup_prune_filter_ struct prune_filter filter = {0};
    struct record_list all = {0};
    if (!prune_begin(&is_pruning, err))
        return false;
    bool is_good = prune_filter_parse(filters, known, &filter, err);
    if (is_good)
        network_list(engine->network, &all);
    for (size_t i = 0; i < all.count; i++) {
        const struct network_record *network = RECORD_AT(all, struct network_record, i);
        if (network_is_predefined(network->name) || has_containers(engine, network->name) ||
            !prune_filter_matches(&filter, network->created, &network->labels))
            continue;
        struct error why = ERROR_INIT;
        if (networks_remove(engine, network->id, &why))
            strlist_add(deleted, network->name);
        else
            log_and_release(LOG_LEVEL_WARNING, &why, "could not remove network %s", network->name);
    }
    if (is_good)
        event_emit_pairs(engine, "network", "prune", "", "reclaimed", "0", NULL);
    record_list_release(&all, &network_record_type);
    prune_end(&is_pruning);
    return is_good;
}
