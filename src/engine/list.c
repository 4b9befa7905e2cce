#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/engine_state.h"
#include "engine/health.h"
#include "engine/links.h"
#include "engine/list_filter.h"
#include "engine/networks.h"
#include "engine/show.h"
#include "json/json_record.h"
#include "json/json_writer.h"

#define ENDPOINT_FIELDS_MAXIMUM 32

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

static void write_ports(const struct container *container, struct json_writer *writer)
{
    if (container->record.pid <= 0) {
        json_writer_raw(writer, "Ports", "[]");
        return;
    }
    _cleanup_json_ json_t *ports = networks_list_ports(&container->record);
    _cleanup_free_ char *text = json_format(ports);
    json_writer_raw(writer, "Ports", text);
}

static void write_endpoints(const struct container *container, int version, struct json_writer *writer)
{
    const struct record_map *endpoints = &container->record.endpoints;
    struct record_type type = endpoint_settings_type;
    struct field fields[ENDPOINT_FIELDS_MAXIMUM];
    size_t count = 0;
    for (size_t i = 0; i < type.field_count && count < ARRAY_SIZE(fields); i++)
        if (version >= 148 || !string_equal(type.fields[i].name, "GwPriority"))
            fields[count++] = type.fields[i];
    type.fields = fields;
    type.field_count = count;
    json_writer_begin(writer, "NetworkSettings", '{');
    json_writer_begin(writer, "Networks", '{');
    _cleanup_strlist_ struct strlist names = {0};
    strlist_copy(&names, &endpoints->keys);
    strlist_sort(&names);
    for (size_t i = 0; i < names.count; i++)
        json_writer_record(writer, names.items[i], &type,
                           record_map_get(endpoints, &endpoint_settings_type, names.items[i]));
    json_writer_end(writer, '}');
    json_writer_end(writer, '}');
}

static void write_host_config(const struct container_record *record, int version, struct json_writer *writer)
{
    json_writer_begin(writer, "HostConfig", '{');
    json_writer_text(writer, "NetworkMode", record->host_config.network_mode);
    if (version >= 146 && record->host_config.annotations.count)
        json_writer_map(writer, "Annotations", &record->host_config.annotations);
    json_writer_end(writer, '}');
}

static void write_mounts(const struct container_record *record, struct json_writer *writer)
{
    json_writer_begin(writer, "Mounts", '[');
    for (size_t i = 0; i < record->mounts.count; i++)
        json_writer_record(writer, NULL, &mount_point_type,
                           &RECORD_AT(record->mounts, struct container_mount, i)->point);
    json_writer_end(writer, ']');
}

struct row_facts {
    const char *image;
    struct link_names links;
    int64_t own_size, image_size; /* with has_size */
    bool has_size;
    unsigned omitted; /* LIST_OMITS_… */
    unix_nano now;
    int version;
};

/* With the container's lock held. */
static void write_row(const struct container *container, const struct row_facts *facts, struct json_writer *writer)
{
    const struct container_record *record = &container->record;
    _cleanup_strlist_ struct strlist names = {0};
    link_names_of(&facts->links, record, &names);
    _cleanup_free_ char *command = command_text(record);
    _cleanup_free_ char *status = show_status(container, facts->now);
    json_writer_begin(writer, NULL, '{');
    json_writer_text(writer, "Id", record->id);
    json_writer_begin(writer, "Names", '[');
    for (size_t i = 0; i < names.count; i++)
        json_writer_text(writer, NULL, names.items[i]);
    json_writer_end(writer, ']');
    json_writer_text(writer, "Image", facts->image);
    json_writer_text(writer, "ImageID", record->image_id);
    json_writer_text(writer, "Command", command);
    json_writer_int(writer, "Created", record->created / NANOSECONDS_PER_SECOND);
    write_ports(container, writer);
    if (facts->has_size) {
        if (facts->own_size)
            json_writer_int(writer, "SizeRw", facts->own_size);
        json_writer_int(writer, "SizeRootFs", facts->own_size + facts->image_size);
    }
    json_writer_map(writer, "Labels", &record->config.labels);
    json_writer_text(writer, "State", status_text(container->status));
    json_writer_text(writer, "Status", status);
    if (!(facts->omitted & LIST_OMITS_HOST_CONFIG))
        write_host_config(record, facts->version, writer);
    if (!(facts->omitted & LIST_OMITS_NETWORKS))
        write_endpoints(container, facts->version, writer);
    if (!(facts->omitted & LIST_OMITS_MOUNTS))
        write_mounts(record, writer);
    json_writer_end(writer, '}');
}

/* What the containers' references mean now, each looked up once for the whole list. */
struct image_names {
    struct known_image {
        char *reference, *id; /* id: NULL where there is no such image */
        int64_t size;
    } * known;
    size_t count;
};

static const struct known_image *look_up(struct image_names *names, struct store *store, const char *reference)
{
    for (size_t i = 0; i < names->count; i++)
        if (string_equal(names->known[i].reference, reference))
            return &names->known[i];
    _cleanup_image_ struct image image = {0};
    bool is_there = image_get(store, reference, &image, NULL);
    struct known_image *known = APPEND(names->known, names->count);
    *known = (struct known_image){
        .reference = xstrdup(reference), .id = is_there ? TAKE_PTR(image.id) : NULL, .size = image.size};
    return known;
}

static void image_names_release(struct image_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->known[i].reference);
        free(names->known[i].id);
    }
    free(names->known);
}

/* The reference as the user gave it while it still names the image of the container, else the image's id. */
static const char *image_name(struct image_names *names, struct store *store, const struct container_record *record)
{
    const struct known_image *known = look_up(names, store, string_or_empty(record->config.image));
    return string_equal(known->id, record->image_id) ? record->config.image : record->image_id;
}

static int newest_first(const void *left, const void *right)
{
    const struct container *const *a = left, *const *b = right;
    return (*a)->record.created < (*b)->record.created ? 1 : (*a)->record.created > (*b)->record.created ? -1 : 0;
}

static bool is_shown(struct container *container, const struct list_filter *filter, bool is_all)
{
    return !container->is_removed && (is_all || status_is_running(container->status)) &&
           list_filter_matches(filter, container);
}

bool container_list_write(struct engine *engine, const struct list_options *options, int version, struct strbuf *out,
                          struct error *err)
{
    struct list_filter *filter = list_filter_new(engine, options->filters, err);
    if (!filter)
        return false;
    size_t count;
    int64_t shown = 0;
    struct container **all = container_snapshot(engine, &count);
    qsort(all, count, sizeof(*all), newest_first);
    bool is_all = options->is_all || options->limit > 0 || list_filter_wants_all(filter);
    struct image_names names = {0};
    struct json_writer writer = {.out = out};
    struct row_facts facts = {
        .has_size = options->wants_size, .omitted = options->omitted, .now = clock_now(), .version = version};
    link_names_collect(all, count, &facts.links);
    json_writer_begin(&writer, NULL, '[');
    for (size_t i = 0; i < count && (options->limit <= 0 || shown < options->limit); i++) {
        container_lock(all[i]);
        bool is_wanted = is_shown(all[i], filter, is_all);
        container_unlock(all[i]);
        if (!is_wanted)
            continue;
        facts.image = image_name(&names, engine->store, &all[i]->record);
        if (options->wants_size) {
            facts.own_size = container_size(all[i]);
            facts.image_size = look_up(&names, engine->store, all[i]->record.image_id)->size;
        }
        container_lock(all[i]);
        if (!all[i]->is_removed) {
            write_row(all[i], &facts, &writer);
            shown++;
        }
        container_unlock(all[i]);
    }
    json_writer_end(&writer, ']');
    image_names_release(&names);
    link_names_release(&facts.links);
    container_snapshot_release(all, count);
    list_filter_free(filter);
    return true;
}

json_t *container_list(struct engine *engine, const struct list_options *options, int version, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!container_list_write(engine, options, version, &text, err))
        return NULL;
    return json_parse(strbuf_text(&text), text.length, err);
}
