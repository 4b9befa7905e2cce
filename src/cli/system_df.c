/* wherry system df: how much of the disk is used by what, and (ours) which command would free how much. */
#include <string.h>

#include "base/memory.h"
#include "cli/build_cache.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "cli/rows.h"
#include "cli/table.h"
#include "json/json_record.h"

struct df_options {
    bool is_verbose, explains;
    char *format;
};

static int64_t number(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

static bool is_active(const json_t *container)
{
    const char *state = string_or_empty(json_string_value(json_object_get(container, "State")));
    return strcmp(state, "running") == 0 || strcmp(state, "paused") == 0 || strcmp(state, "restarting") == 0;
}

/* What one kind of object takes. */
struct usage {
    size_t total, active;
    int64_t size, reclaimable;
};

static struct usage images_usage(const json_t *df)
{
    const json_t *images = json_object_get(df, "Images");
    struct usage usage = {.total = json_array_size(images), .size = number(df, "LayersSize")};
    usage.reclaimable = usage.size;
    size_t i;
    json_t *image;
    json_array_foreach(images, i, image)
    {
        if (number(image, "Containers") == 0)
            continue;
        usage.active += number(image, "Containers") > 0;
        if (number(image, "Size") != -1 && number(image, "SharedSize") != -1)
            usage.reclaimable -= number(image, "Size") - number(image, "SharedSize");
    }
    return usage;
}

static struct usage containers_usage(const json_t *df)
{
    struct usage usage = {0};
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(df, "Containers"), i, container)
    {
        usage.total++;
        usage.active += is_active(container);
        usage.size += number(container, "SizeRw");
        usage.reclaimable += is_active(container) ? 0 : number(container, "SizeRw");
    }
    return usage;
}

static struct usage volumes_usage(const json_t *df)
{
    struct usage usage = {0};
    size_t i;
    json_t *volume;
    json_array_foreach(json_object_get(df, "Volumes"), i, volume)
    {
        const json_t *data = json_object_get(volume, "UsageData");
        int64_t size = MAX(number(data, "Size"), INT64_C(0)), users = number(data, "RefCount");
        usage.total++;
        usage.active += users > 0;
        usage.size += size;
        usage.reclaimable += users > 0 ? 0 : size;
    }
    return usage;
}

static json_t *usage_row(const char *type, const struct usage *usage, bool has_share)
{
    json_t *row = json_object();
    _cleanup_free_ char *reclaimable = human_size((double)usage->reclaimable, 4);
    row_take(row, "Active", xasprintf("%zu", usage->active));
    row_take(row, "Reclaimable",
             has_share && usage->size > 0
                 ? xasprintf("%s (%lld%%)", reclaimable, (long long)(usage->reclaimable * 100 / usage->size))
                 : xstrdup(reclaimable));
    row_take(row, "Size", human_size((double)usage->size, 4));
    row_take(row, "TotalCount", xasprintf("%zu", usage->total));
    row_take(row, "Type", xstrdup(type));
    return row;
}

static bool print_summary(const json_t *df, const char *format, struct error *err)
{
    static const struct listing_column columns[] = {{"Active", "ACTIVE"},
                                                    {"Reclaimable", "RECLAIMABLE"},
                                                    {"Size", "SIZE"},
                                                    {"TotalCount", "TOTAL"},
                                                    {"Type", "TYPE"}};
    static const struct listing listing = LISTING("*formatter.diskUsageImagesContext", columns);
    struct usage images = images_usage(df), containers = containers_usage(df), volumes = volumes_usage(df), cache = {0};
    const json_t *records = json_object_get(df, "BuildCache");
    cache.total = json_array_size(records);
    cache.active = build_cache_active(records);
    build_cache_sizes(records, &cache.size, &cache.reclaimable);
    _cleanup_json_ json_t *rows = json_array();
    json_array_append_new(rows, usage_row("Images", &images, true));
    json_array_append_new(rows, usage_row("Containers", &containers, true));
    json_array_append_new(rows, usage_row("Local Volumes", &volumes, true));
    json_array_append_new(rows, usage_row("Build Cache", &cache, false));
    bool is_plain = string_equal(format, "table");
    return listing_print(
        &listing, is_plain ? "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}" : format,
        rows, err);
}

/* --- in full --- */

static json_t *cache_rows(const json_t *df)
{
    return build_cache_rows(json_object_get(df, "BuildCache"));
}

static json_t *image_rows(const json_t *df)
{
    json_t *rows = json_array();
    size_t i;
    json_t *image;
    json_array_foreach(json_object_get(df, "Images"), i, image) image_rows_add(image, true, rows);
    return rows;
}

static json_t *container_rows(const json_t *df)
{
    json_t *rows = json_array();
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(df, "Containers"), i, container)
    {
        json_t *row = container_row(container, true, NULL);
        row_take(row, "Size", human_size((double)number(container, "SizeRw"), 3));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *volume_rows(const json_t *df)
{
    json_t *rows = json_array();
    size_t i;
    json_t *volume;
    json_array_foreach(json_object_get(df, "Volumes"), i, volume)
    {
        const json_t *data = json_object_get(volume, "UsageData");
        json_t *row = json_object();
        static const char *const copied[] = {"Driver", "Mountpoint", "Name", "Scope"};
        for (size_t k = 0; k < ARRAY_SIZE(copied); k++)
            row_take(row, copied[k], xstrdup(json_string_value(json_object_get(volume, copied[k]))));
        row_take(row, "Labels", labels_text(json_object_get(volume, "Labels")));
        row_take(row, "Links", xasprintf("%lld", (long long)number(data, "RefCount")));
        row_take(row, "Size", human_size((double)number(data, "Size"), 4));
        json_array_append_new(rows, row);
    }
    return rows;
}

static void print_cache_title(const json_t *df)
{
    int64_t size, reclaimable;
    build_cache_sizes(json_object_get(df, "BuildCache"), &size, &reclaimable);
    _cleanup_free_ char *text = human_size((double)size, 4);
    printf("\nBuild cache usage: %s\n\n", text);
}

struct section {
    const char *title, *format;
    json_t *(*rows)(const json_t *df);
    const struct listing_column *columns;
    size_t count;
};

static const struct listing_column image_columns[] = {
    {"Repository", "REPOSITORY"},
    {"Tag", "TAG"},
    {"ID", "IMAGE ID"},
    {"CreatedSince", "CREATED"},
    {"Size", "SIZE"},
    {"SharedSize", "SHARED SIZE"},
    {"UniqueSize", "UNIQUE SIZE"},
    {"Containers", "CONTAINERS"},
};
static const struct listing_column container_columns[] = {
    {"ID", "CONTAINER ID"}, {"Image", "IMAGE"},        {"Command", "COMMAND"}, {"LocalVolumes", "LOCAL VOLUMES"},
    {"Size", "SIZE"},       {"RunningFor", "CREATED"}, {"Status", "STATUS"},   {"Names", "NAMES"},
};
static const struct listing_column volume_columns[] = {{"Name", "VOLUME NAME"}, {"Links", "LINKS"}, {"Size", "SIZE"}};

static const struct section sections[] = {
    {"Images space usage:\n",
     "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t"
     "{{.Containers}}",
     image_rows, image_columns, ARRAY_SIZE(image_columns)},
    {"\nContainers space usage:\n",
     "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}",
     container_rows, container_columns, ARRAY_SIZE(container_columns)},
    {"\nLocal Volumes space usage:\n", "table {{.Name}}\t{{.Links}}\t{{.Size}}", volume_rows, volume_columns,
     ARRAY_SIZE(volume_columns)},
};

static bool print_in_full(const json_t *df, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
        struct listing listing = {
            .type_name = "*formatter.diskUsageContext",
            .columns = sections[i].columns,
            .column_count = sections[i].count,
        };
        _cleanup_json_ json_t *rows = sections[i].rows(df);
        puts(sections[i].title);
        if (!listing_print(&listing, sections[i].format, rows, err))
            return false;
    }
    print_cache_title(df);
    _cleanup_json_ json_t *cache = cache_rows(df);
    return listing_print(&build_cache_listing, BUILD_CACHE_FORMAT, cache, err);
}

/* One object with a list for each kind: what --format sees with -v. */
static bool print_in_full_as(const json_t *df, const char *format, struct error *err)
{
    static const struct listing_column columns[] = {
        {"Images", ""}, {"Containers", ""}, {"Volumes", ""}, {"BuildCache", ""}};
    static const struct listing listing = LISTING("*formatter.diskUsageContext", columns);
    _cleanup_json_ json_t *rows =
        json_pack("[{s:o, s:o, s:o, s:o}]", "Images", image_rows(df), "Containers", container_rows(df), "Volumes",
                  volume_rows(df), "BuildCache", cache_rows(df));
    return listing_print(&listing, format, rows, err);
}

/* --- ours --- */

static bool is_dangling(const json_t *image)
{
    return json_array_size(json_object_get(image, "RepoTags")) == 0 &&
           json_array_size(json_object_get(image, "RepoDigests")) == 0;
}

static void print_freed(const char *command, int64_t size, struct strbuf *out)
{
    _cleanup_free_ char *text = human_size((double)size, 4);
    strbuf_addf(out, "%s\t%s\n", command, text);
}

/* What an image alone holds is freed with it at the least: layers that it shares with others go with the last of them.
 */
static void explain(const json_t *df)
{
    _cleanup_strbuf_ struct strbuf lines = STRBUF_INIT, text = STRBUF_INIT;
    int64_t dangling = 0, anonymous = 0;
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(df, "Images"), i, item) if (is_dangling(item) && number(item, "Containers") == 0)
        dangling += number(item, "Size") - number(item, "SharedSize");
    json_array_foreach(json_object_get(df, "Volumes"), i, item)
    {
        const json_t *data = json_object_get(item, "UsageData");
        if (json_object_get(json_object_get(item, "Labels"), "com.docker.volume.anonymous") &&
            number(data, "RefCount") == 0)
            anonymous += MAX(number(data, "Size"), INT64_C(0));
    }
    strbuf_add_string(&lines, "COMMAND\tFREES\n");
    print_freed("wherry container prune", containers_usage(df).reclaimable, &lines);
    print_freed("wherry image prune", dangling, &lines);
    print_freed("wherry image prune --all", images_usage(df).reclaimable, &lines);
    int64_t cached, uncached;
    build_cache_sizes(json_object_get(df, "BuildCache"), &cached, &uncached);
    print_freed("wherry builder prune --all", uncached, &lines);
    print_freed("wherry volume prune", anonymous, &lines);
    print_freed("wherry volume prune --all", volumes_usage(df).reclaimable, &lines);
    table_align_listing(strbuf_text(&lines), &text);
    printf("\n%s", strbuf_text(&text));
}

/* Where the engine has a limit. */
static void print_limit(const json_t *df)
{
    const json_t *storage = json_object_get(df, "Storage");
    if (!storage)
        return;
    _cleanup_free_ char *used = human_size((double)number(storage, "Used"), 4);
    _cleanup_free_ char *maximum = human_size((double)number(storage, "Max"), 4);
    _cleanup_free_ char *containers = human_size((double)number(storage, "Containers"), 4);
    printf("\nStorage limit: %s of %s used, with the blobs of images and with %s of containers and their logs.\n"
           "New images are refused beyond it; what containers write is counted, and cannot be bounded.\n",
           used, maximum, containers);
}

static bool system_df_run(struct command_call *call, struct error *err)
{
    const struct df_options *options = call->values;
    _cleanup_json_ json_t *df = client_get_json(call->client, "/system/df", err);
    if (!df)
        return false;
    const char *format = string_is_set(options->format) ? options->format : "table";
    bool is_table = string_equal(format, "table");
    bool is_done = !options->is_verbose ? print_summary(df, format, err)
                   : is_table           ? print_in_full(df, err)
                                        : print_in_full_as(df, format, err);
    if (is_done && is_table)
        print_limit(df);
    if (is_done && options->explains)
        explain(df);
    return is_done;
}

#define AT(member) offsetof(struct df_options, member)
static const struct option rows[] = {
    {"explain", 0, OPTION_BOOL, AT(explains), NULL, "Show which command would free how much"},
    {"format", 0, OPTION_STRING, AT(format), "string", FORMAT_HELP},
    {"verbose", 'v', OPTION_BOOL, AT(is_verbose), NULL, "Show detailed information on space usage"},
};

const struct command system_df_command = {
    .paths = {"system df"},
    .usage = "[OPTIONS]",
    .help = "Show wherry disk usage",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct df_options),
    .max_arguments = 0,
    .run = system_df_run,
};
