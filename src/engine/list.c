#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/engine_state.h"
#include "engine/health.h"
#include "engine/list_filter.h"
#include "engine/networks.h"
#include "engine/show.h"

char *show_status(const struct container *container, unix_nano now)
{
    const struct container_record *record = &container->record;
    _cleanup_free_ char *up = duration_describe(now - record->started_at);
    _cleanup_free_ char *ago = duration_describe(now - record->finished_at);
    long long code = (long long)record->exit_code;
    switch (container->status) {
    case STATUS_RUNNING: {
        const char *health = health_status(container);
        if (string_equal(health, "none"))
            return xasprintf("Up %s", up);
        return xasprintf("Up %s (%s%s)", up, string_equal(health, "starting") ? "health: " : "", health);
    }
    case STATUS_PAUSED:
        return xasprintf("Up %s (Paused)", up);
    case STATUS_RESTARTING:
        return xasprintf("Restarting (%lld) %s ago", code, ago);
    case STATUS_REMOVING:
        return xstrdup("Removal In Progress");
    case STATUS_DEAD:
        return xstrdup("Dead");
    case STATUS_CREATED:
        return xstrdup("Created");
    default:
        return record->finished_at ? xasprintf("Exited (%lld) %s ago", code, ago) : xstrdup("");
    }
}

/* The program with its arguments, those with spaces or quotes in single quotes, as Docker writes them. */
static char *command_text(const struct container_record *record)
{
    struct strbuf out = STRBUF_INIT;
    strbuf_add_string(&out, string_or_empty(record->path));
    for (size_t i = 0; i < record->args.count; i++) {
        const char *argument = record->args.items[i];
        bool is_quoted = strpbrk(argument, " \t\n") != NULL;
        strbuf_addf(&out, is_quoted ? " '%s'" : " %s", argument);
    }
    return strbuf_take(&out);
}

static json_t *row_json(const struct container *container, const char *image, unix_nano now, int version)
{
    const struct container_record *record = &container->record;
    _cleanup_free_ char *name = xasprintf("/%s", record->name);
    _cleanup_free_ char *command = command_text(record);
    _cleanup_free_ char *status = show_status(container, now);
    json_t *labels = json_object();
    for (size_t i = 0; i < record->config.labels.count; i++)
        json_object_set_new(labels, record->config.labels.items[i].key,
                            json_string(record->config.labels.items[i].value));
    json_t *host = json_pack("{s:s}", "NetworkMode", record->host_config.network_mode);
    if (version >= 146 && record->host_config.annotations.count) {
        json_t *annotations = json_object();
        for (size_t i = 0; i < record->host_config.annotations.count; i++)
            json_object_set_new(annotations, record->host_config.annotations.items[i].key,
                                json_string(record->host_config.annotations.items[i].value));
        json_object_set_new(host, "Annotations", annotations);
    }
    return json_pack("{s:s, s:[s], s:s, s:s, s:s, s:I, s:o, s:o, s:s, s:s, s:o, s:{s:o}, s:o}", "Id", record->id,
                     "Names", name, "Image", image, "ImageID", record->image_id, "Command", command, "Created",
                     (json_int_t)(record->created / NANOSECONDS_PER_SECOND), "Ports", networks_list_ports(record),
                     "Labels", labels, "State", status_text(container->status), "Status", status, "HostConfig", host,
                     "NetworkSettings", "Networks", show_networks(container, version), "Mounts",
                     show_mounts(container));
}

/* The reference as the user gave it while it still names the image of the container, else the image's id. */
static char *image_name(struct engine *engine, const struct container_record *record)
{
    _cleanup_image_ struct image image = {0};
    const char *given = record->config.image;
    if (image_get(engine->store, given, &image, NULL) && string_equal(image.id, record->image_id))
        return xstrdup(given);
    return xstrdup(record->image_id);
}

static int newest_first(const void *left, const void *right)
{
    const struct container *const *a = left, *const *b = right;
    return (*a)->record.created < (*b)->record.created ? 1 : (*a)->record.created > (*b)->record.created ? -1 : 0;
}

json_t *container_list(struct engine *engine, const struct list_options *options, int version, struct error *err)
{
    struct list_filter *filter = list_filter_new(engine, options->filters, err);
    if (!filter)
        return NULL;
    size_t count;
    struct container **all = container_snapshot(engine, &count);
    qsort(all, count, sizeof(*all), newest_first);
    bool is_all = options->is_all || options->limit > 0 || list_filter_wants_all(filter);
    unix_nano now = clock_now();
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        if (options->limit > 0 && (int64_t)json_array_size(list) >= options->limit)
            break;
        _cleanup_free_ char *image = image_name(engine, &all[i]->record);
        json_t *row = NULL;
        container_lock(all[i]);
        bool is_shown =
            !all[i]->is_removed && (is_all || status_is_running(all[i]->status)) && list_filter_matches(filter, all[i]);
        if (is_shown)
            row = row_json(all[i], image, now, version);
        container_unlock(all[i]);
        if (row && options->wants_size)
            show_sizes(all[i], row);
        if (row)
            json_array_append_new(list, row);
    }
    container_snapshot_release(all, count);
    list_filter_free(filter);
    return list;
}
