#include "engine/list_filter.h"

#include <regex.h>
#include <string.h>

#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/health.h"
#include "engine/networks.h"
#include "engine/prune.h"
#include "json/json_record.h"

struct list_filter {
    const json_t *json;
    int64_t before, since;    /* creation times, 0: none */
    struct strlist ancestors; /* image ids */
    struct strlist networks;  /* names */
};

static bool check_names(const json_t *json, struct error *err)
{
    static const char *const known[] = {"id",       "name",    "status",    "label",   "exited",
                                        "ancestor", "before",  "since",     "network", "volume",
                                        "health",   "is-task", "isolation", "publish", "expose"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
            is_known = is_known || string_equal(key, known[i]);
        if (!is_known)
            return error_set(err, ERROR_INVALID, "invalid filter '%s'", key);
    }
    return true;
}

static bool parse_port(const char *text, int64_t *out, struct error *err)
{
    bool is_number = *text && text[strspn(text, "0123456789")] == '\0';
    if (is_number && parse_int64(text, out) && *out <= 65535)
        return true;
    return error_set(err, ERROR_INTERNAL, "strconv.ParseUint: parsing \"%s\": %s", text,
                     is_number ? "value out of range" : "invalid syntax");
}

/* "80", "80-90", "80-90/udp", as go-connections' nat reads them. */
struct port_range {
    int64_t first, last;
    char *protocol;
};

static bool parse_port_range(const char *text, struct port_range *out, struct error *err)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(text, '/');
    _cleanup_strlist_ struct strlist ends = strlist_split(parts.items[0], '-');
    struct port_range range = {0};
    if (!parts.items[0][0])
        return error_set(err, ERROR_INTERNAL, "Empty string specified for ports.");
    if (!parse_port(ends.items[0], &range.first, err) ||
        !parse_port(ends.items[ends.count > 1 ? 1 : 0], &range.last, err))
        return false;
    if (range.last < range.first)
        return error_set(err, ERROR_INTERNAL, "Invalid range specified for the Port: %s", parts.items[0]);
    range.protocol = xstrdup(parts.count > 1 && parts.items[1][0] ? parts.items[1] : "tcp");
    *out = range;
    return true;
}

static bool check_ports(const json_t *json, const char *name, struct error *err)
{
    _cleanup_strlist_ struct strlist values = {0};
    filter_values(json, name, &values);
    for (size_t i = 0; i < values.count; i++) {
        struct port_range range = {0};
        if (strchr(values.items[i], ':'))
            return error_set(err, ERROR_INTERNAL, "filter for '%s' should not contain ':': %s", name, values.items[i]);
        if (!parse_port_range(values.items[i], &range, err))
            return error_prefix(err, "error while looking up for %s %s", name, values.items[i]);
        free(range.protocol);
    }
    return true;
}

static bool check_values(const json_t *json, struct error *err)
{
    _cleanup_strlist_ struct strlist statuses = {0}, codes = {0}, healths = {0}, tasks = {0};
    filter_values(json, "status", &statuses);
    for (size_t i = 0; i < statuses.count; i++)
        if (status_from_text(statuses.items[i]) == STATUS_COUNT)
            return error_set(err, ERROR_INVALID, "invalid filter 'status=%s'", statuses.items[i]);
    filter_values(json, "exited", &codes);
    for (size_t i = 0; i < codes.count; i++) {
        int64_t code;
        if (!parse_int64(codes.items[i], &code))
            return error_set(err, ERROR_INVALID,
                             "invalid filter 'exited=%s': strconv.Atoi: parsing \"%s\": invalid syntax", codes.items[i],
                             codes.items[i]);
    }
    if (!check_ports(json, "publish", err) || !check_ports(json, "expose", err))
        return false;
    filter_values(json, "health", &healths);
    for (size_t i = 0; i < healths.count; i++)
        if (!string_equal(healths.items[i], "none") && !string_equal(healths.items[i], "starting") &&
            !string_equal(healths.items[i], "healthy") && !string_equal(healths.items[i], "unhealthy"))
            return error_set(err, ERROR_INVALID, "unrecognized filter value for health: %s", healths.items[i]);
    filter_values(json, "is-task", &tasks);
    bool is_yes = strlist_contains(&tasks, "true") || strlist_contains(&tasks, "1");
    bool is_no = strlist_contains(&tasks, "false") || strlist_contains(&tasks, "0");
    if (tasks.count == 0 || (tasks.count == 1 && is_yes != is_no))
        return true;
    _cleanup_free_ char *all = strlist_join(&tasks, " ");
    return error_set(err, ERROR_INVALID, "invalid filter 'is-task=[%s]'", all);
}

static bool resolve_time(struct engine *engine, const json_t *json, const char *name, int64_t *out, struct error *err)
{
    _cleanup_strlist_ struct strlist values = {0};
    filter_values(json, name, &values);
    if (values.count == 0)
        return true;
    _cleanup_container_ struct container *container = container_find(engine, values.items[0], err);
    if (!container)
        return false;
    *out = container->record.created;
    return true;
}

/* An image and all that were built on it are not told apart by id alone: one whose layers begin with the ancestor's
   descends from it. */
static void resolve_ancestors(struct engine *engine, const json_t *json, struct strlist *out)
{
    _cleanup_strlist_ struct strlist values = {0};
    filter_values(json, "ancestor", &values);
    struct image *images = NULL;
    size_t count = 0;
    if (values.count == 0)
        return;
    strlist_give(out);
    if (!image_list(engine->store, &images, &count, NULL))
        return;
    for (size_t i = 0; i < values.count; i++) {
        _cleanup_image_ struct image ancestor = {0};
        if (!image_get(engine->store, values.items[i], &ancestor, NULL))
            continue;
        const struct strlist *base = &ancestor.parsed.rootfs.diff_ids;
        strlist_add(out, ancestor.id);
        for (size_t j = 0; j < count; j++) {
            const struct strlist *layers = &images[j].parsed.rootfs.diff_ids;
            bool is_below = layers->count > base->count && base->count > 0;
            for (size_t k = 0; k < base->count && is_below; k++)
                is_below = string_equal(layers->items[k], base->items[k]);
            if (is_below)
                strlist_add(out, images[j].id);
        }
    }
    for (size_t i = 0; i < count; i++)
        image_release(&images[i]);
    free(images);
}

struct list_filter *list_filter_new(struct engine *engine, const json_t *json, struct error *err)
{
    struct list_filter *filter = NEW(struct list_filter);
    filter->json = json;
    bool is_good = check_names(json, err) && check_values(json, err) &&
                   resolve_time(engine, json, "before", &filter->before, err) &&
                   resolve_time(engine, json, "since", &filter->since, err);
    if (!is_good) {
        list_filter_free(filter);
        return NULL;
    }
    resolve_ancestors(engine, json, &filter->ancestors);
    filter_values(json, "network", &filter->networks);
    for (size_t i = 0; i < filter->networks.count; i++) {
        struct network_record network = {0};
        if (network_get(engine->network, filter->networks.items[i], &network, NULL))
            string_replace(&filter->networks.items[i], network.name);
        record_release(&network_record_type, &network);
    }
    return filter;
}

void list_filter_free(struct list_filter *filter)
{
    if (!filter)
        return;
    strlist_release(&filter->ancestors);
    strlist_release(&filter->networks);
    free(filter);
}

bool list_filter_wants_all(const struct list_filter *filter)
{
    return json_object_get(filter->json, "status") != NULL;
}

/* Docker takes the values of `name` and `id` as regular expressions. */
static bool matches_pattern(const char *pattern, const char *text)
{
    regex_t regex;
    if (string_equal(pattern, text))
        return true;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return strstr(text, pattern) != NULL;
    bool is_match = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return is_match;
}

static bool match_name(const struct container *container, const char *value)
{
    _cleanup_free_ char *with_slash = xasprintf("/%s", container->record.name);
    return matches_pattern(value, container->record.name) || matches_pattern(value, with_slash);
}

static bool match_id(const struct container *container, const char *value)
{
    return matches_pattern(value, container->record.id);
}

static bool match_status(const struct container *container, const char *value)
{
    return string_equal(value, status_text(container->status));
}

static bool match_exited(const struct container *container, const char *value)
{
    int64_t code;
    return parse_int64(value, &code) && container->status == STATUS_EXITED && container->record.exit_code == code;
}

static bool match_health(const struct container *container, const char *value)
{
    return string_equal(value, health_status(container));
}

static bool match_task(const struct container *container, const char *value)
{
    (void)container; /* none belongs to a service */
    return string_equal(value, "false") || string_equal(value, "0");
}

static bool match_volume(const struct container *container, const char *value)
{
    const struct record_list *mounts = &container->record.mounts;
    for (size_t i = 0; i < mounts->count; i++) {
        const struct mount_point *point = &RECORD_AT(*mounts, struct container_mount, i)->point;
        if (string_equal(point->name, value) || string_equal(point->destination, value) ||
            string_equal(point->source, value))
            return true;
    }
    return false;
}

static bool is_in_range(const struct port_range *range, const char *type, int64_t port)
{
    return string_equal(range->protocol, type) && port >= range->first && port <= range->last;
}

/* The ports of a container are those of its network: it has none while it does not run. `key` is "PrivatePort" or
   "PublicPort". */
static bool match_ports(const struct container *container, const char *value, const char *key)
{
    struct port_range range = {0};
    bool is_match = false;
    size_t i;
    json_t *port;
    if (!parse_port_range(value, &range, NULL))
        return false;
    _cleanup_json_ json_t *ports = networks_list_ports(&container->record);
    json_array_foreach(ports, i, port)
    {
        const json_t *number = json_object_get(port, key);
        is_match = is_match || (number && is_in_range(&range, json_string_value(json_object_get(port, "Type")),
                                                      json_integer_value(number)));
    }
    free(range.protocol);
    return is_match;
}

static bool match_expose(const struct container *container, const char *value)
{
    return match_ports(container, value, "PrivatePort");
}

static bool match_publish(const struct container *container, const char *value)
{
    return match_ports(container, value, "PublicPort");
}

static bool match_any(const struct list_filter *filter, const char *name, const struct container *container,
                      bool (*matches)(const struct container *, const char *))
{
    _cleanup_strlist_ struct strlist values = {0};
    filter_values(filter->json, name, &values);
    for (size_t i = 0; i < values.count; i++)
        if (matches(container, values.items[i]))
            return true;
    return values.count == 0;
}

static bool match_labels(const struct list_filter *filter, const struct container *container)
{
    _cleanup_strlist_ struct strlist values = {0};
    filter_values(filter->json, "label", &values);
    return labels_match(&values, &container->record.config.labels);
}

bool list_filter_matches(const struct list_filter *filter, const struct container *container)
{
    static const struct {
        const char *name;
        bool (*matches)(const struct container *, const char *);
    } rows[] = {/* "isolation" tells nothing apart on Linux */
                {"name", match_name},     {"id", match_id},         {"status", match_status},
                {"exited", match_exited}, {"health", match_health}, {"is-task", match_task},
                {"volume", match_volume}, {"expose", match_expose}, {"publish", match_publish}};
    const struct container_record *record = &container->record;
    if ((filter->before && record->created >= filter->before) || (filter->since && record->created <= filter->since))
        return false;
    if (strlist_is_given(&filter->ancestors) && !strlist_contains(&filter->ancestors, record->image_id))
        return false;
    bool is_in_network = filter->networks.count == 0;
    for (size_t i = 0; i < filter->networks.count; i++)
        is_in_network = is_in_network || strlist_contains(&record->endpoints.keys, filter->networks.items[i]);
    if (!is_in_network || !match_labels(filter, container))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (!match_any(filter, rows[i].name, container, rows[i].matches))
            return false;
    return true;
}
