/* wherry ps: GET /containers/json as a table. */
#include <string.h>

#include "base/memory.h"
#include "cli/filter_option.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "cli/ports_text.h"
#include "cli/rows.h"
#include "oci/reference.h"
#include "json/json_record.h"

struct ps_options {
    bool is_quiet;
    bool wants_size;
    bool wants_all;
    bool is_not_truncated;
    bool wants_latest;
    int64_t last;
    char *format;
    struct strlist filters;
};

static const struct listing_column columns[] = {
    {"Command", "COMMAND"},   {"CreatedAt", "CREATED AT"}, {"ID", "CONTAINER ID"},
    {"Image", "IMAGE"},       {"Labels", "LABELS"},        {"LocalVolumes", "LOCAL VOLUMES"},
    {"Mounts", "MOUNTS"},     {"Names", "NAMES"},          {"Networks", "NETWORKS"},
    {"Platform", "PLATFORM"}, {"Ports", "PORTS"},          {"RunningFor", "CREATED"},
    {"Size", "SIZE"},         {"State", "STATE"},          {"Status", "STATUS"},
};
static const struct value_method methods[] = {{"Label", listing_label}};
static const struct listing listing = {
    .type_name = "*formatter.ContainerContext",
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .methods = methods,
    .method_count = ARRAY_SIZE(methods),
};

#define TABLE_FORMAT "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
#define RAW_FORMAT                                                                                                     \
    "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: "             \
    "{{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\nlabels: {{- pad .Labels 1 0}}\nports: "   \
    "{{- pad .Ports 1 0}}\n"

static const char *text_of(const json_t *container, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(container, key)));
}

/* Without truncation all names, with the ones that links made ("/web/db"); else the container's own. */
static char *names_text(const json_t *container, bool is_truncated)
{
    struct strbuf text = STRBUF_INIT;
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(container, "Names"), i, item)
    {
        const char *name = string_or_empty(json_string_value(item));
        name += *name == '/';
        if (is_truncated && !strchr(name, '/')) {
            strbuf_truncate(&text, 0);
            strbuf_add_string(&text, name);
            break;
        }
        strbuf_addf(&text, "%s%s", text.length ? "," : "", name);
    }
    return strbuf_take(&text);
}

static char *image_text(const json_t *container, bool is_truncated)
{
    const char *image = text_of(container, "Image");
    if (!*image)
        return xstrdup("<no image>");
    if (!is_truncated)
        return xstrdup(image);
    _cleanup_free_ char *id = short_id(text_of(container, "ImageID"));
    _cleanup_free_ char *name = short_id(image);
    if (strcmp(id, name) == 0)
        return TAKE_PTR(id);
    /* The tag stays, the digest goes, and what the user did not write ("docker.io/library/", ":latest") is not added.
     */
    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse(image, &reference, NULL))
        return xstrdup(image);
    _cleanup_free_ char *familiar = reference_familiar_name(&reference);
    bool has_tag = reference.tag && !reference.is_tag_implied;
    return has_tag ? xasprintf("%s:%s", familiar, reference.tag) : TAKE_PTR(familiar);
}

static char *command_text(const json_t *container, bool is_truncated)
{
    const char *command = text_of(container, "Command");
    _cleanup_free_ char *shown = is_truncated ? ellipsis(command, 20) : xstrdup(command);
    struct strbuf quoted = STRBUF_INIT;
    string_quote(shown, &quoted);
    return strbuf_take(&quoted);
}

static char *size_text(const json_t *container, bool is_truncated)
{
    double root = json_number_value(json_object_get(container, "SizeRootFs"));
    char *size = human_size(json_number_value(json_object_get(container, "SizeRw")), 3);
    if (root <= 0)
        return size;
    _cleanup_free_ char *writable = size, *virtual = human_size(root, 3);
    return xasprintf("%s (virtual %s)", writable, virtual);
}

static char *mounts_text(const json_t *container, bool is_truncated)
{
    struct strbuf text = STRBUF_INIT;
    size_t i;
    json_t *mount;
    json_array_foreach(json_object_get(container, "Mounts"), i, mount)
    {
        const char *name = text_of(mount, "Name");
        name = *name ? name : text_of(mount, "Source");
        _cleanup_free_ char *shown = is_truncated ? ellipsis(name, 15) : xstrdup(name);
        strbuf_addf(&text, "%s%s", i ? "," : "", shown);
    }
    return strbuf_take(&text);
}

static char *volumes_text(const json_t *container, bool is_truncated)
{
    size_t i, count = 0;
    json_t *mount;
    json_array_foreach(json_object_get(container, "Mounts"), i, mount)
    {
        count += strcmp(text_of(mount, "Driver"), "local") == 0;
    }
    return xasprintf("%zu", count);
}

static char *networks_text(const json_t *container, bool is_truncated)
{
    json_t *networks = json_object_get(json_object_get(container, "NetworkSettings"), "Networks");
    size_t count;
    struct strbuf text = STRBUF_INIT;
    _cleanup_free_ const char **names = value_keys((struct value){&type_map_any, networks}, &count);
    for (size_t i = 0; i < count; i++)
        strbuf_addf(&text, "%s%s", i ? "," : "", names[i]);
    return strbuf_take(&text);
}

static char *id_text(const json_t *container, bool is_truncated)
{
    const char *id = text_of(container, "Id");
    return is_truncated ? short_id(id) : xstrdup(id);
}

static int64_t created_of(const json_t *container)
{
    return json_integer_value(json_object_get(container, "Created"));
}

static char *created_text(const json_t *container, bool is_truncated)
{
    return human_time(created_of(container));
}

static char *age_text(const json_t *container, bool is_truncated)
{
    return human_age(created_of(container));
}

static char *ports_column(const json_t *container, bool is_truncated)
{
    return ports_text(json_object_get(container, "Ports"));
}

static char *labels_column(const json_t *container, bool is_truncated)
{
    return labels_text(json_object_get(container, "Labels"));
}

static char *state_text(const json_t *container, bool is_truncated)
{
    return xstrdup(text_of(container, "State"));
}

static char *status_column(const json_t *container, bool is_truncated)
{
    return xstrdup(text_of(container, "Status"));
}

json_t *container_row(const json_t *container, bool is_truncated, const char *format)
{
    static const struct {
        const char *name;
        char *(*text)(const json_t *container, bool is_truncated);
    } cells[] = {
        {"ID", id_text},
        {"Names", names_text},
        {"Image", image_text},
        {"Command", command_text},
        {"CreatedAt", created_text},
        {"RunningFor", age_text},
        {"Ports", ports_column},
        {"State", state_text},
        {"Status", status_column},
        {"Size", size_text},
        {"Labels", labels_column},
        {"Mounts", mounts_text},
        {"LocalVolumes", volumes_text},
        {"Networks", networks_text},
    };
    json_t *row = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
        if (listing_shows(format, cells[i].name))
            row_take(row, cells[i].name, cells[i].text(container, is_truncated));
    json_t *platform = json_object_get(json_object_get(container, "ImageManifestDescriptor"), "platform");
    json_object_set(row, "Platform", platform ? platform : json_null());
    return row;
}

/* The template for a format's name; the caller frees. */
static char *template_of(const char *format, bool is_quiet, bool wants_size)
{
    if (string_equal(format, "table"))
        return is_quiet ? xstrdup("{{.ID}}") : xasprintf("%s%s", TABLE_FORMAT, wants_size ? "\t{{.Size}}" : "");
    if (string_equal(format, "raw") && is_quiet)
        return xstrdup("container_id: {{.ID}}");
    if (string_equal(format, "raw"))
        return xasprintf("%s%s", RAW_FORMAT, wants_size ? "size: {{.Size}}\n" : "");
    return xstrdup(is_quiet ? "{{.ID}}" : format);
}

/* Most of an answer is what few formats show; Docker sends it all the same. */
static const char *omitted_by(const char *format)
{
    if (listing_shows(format, "Networks"))
        return "HostConfig";
    bool shows_mounts = listing_shows(format, "Mounts") || listing_shows(format, "LocalVolumes");
    return shows_mounts ? "HostConfig,NetworkSettings" : "HostConfig,NetworkSettings,Mounts";
}

struct row_adder {
    json_t *rows;
    const char *format;
    bool is_truncated;
};

static void add_row(void *context, const json_t *container)
{
    const struct row_adder *adder = context;
    json_array_append_new(adder->rows, container_row(container, adder->is_truncated, adder->format));
}

static bool ps_run(struct command_call *call, struct error *err)
{
    const struct ps_options *options = call->values;
    _cleanup_free_ char *format = listing_format(call, options->format, "psFormat");
    if (options->is_quiet && string_is_set(options->format))
        fprintf(stderr, "WARNING: Ignoring custom format, because both --format and --quiet are set.\n");
    bool wants_size = options->wants_size;
    if (!wants_size && string_is_set(options->format)) {
        if (!listing_check(&listing, options->format, err))
            return false;
        /* Sizes are costly, so docker asks for them only where the template shows them. */
        wants_size = !option_is_given(call->parse, "size") &&
                     (strstr(options->format, ".Size") || strstr(options->format, "json .}}"));
    }
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    _cleanup_free_ char *filters = filter_json(&options->filters), *limit = NULL;
    if (options->wants_latest || options->last > 0)
        limit = xasprintf("%lld", options->wants_latest && options->last <= 0 ? 1LL : (long long)options->last);
    strbuf_add_string(&path, "/containers/json");
    client_query_add(&path, "all", options->wants_all ? "1" : NULL);
    client_query_add(&path, "filters", filters);
    client_query_add(&path, "limit", limit);
    client_query_add(&path, "size", wants_size ? "1" : NULL);
    _cleanup_json_ json_t *rows = json_array();
    _cleanup_free_ char *template = template_of(format, options->is_quiet, options->wants_size);
    client_query_add(&path, "omit", omitted_by(template));
    struct row_adder adder = {rows, template, !options->is_not_truncated};
    if (!client_get_elements(call->client, strbuf_text(&path), add_row, &adder, err))
        return false;
    return listing_print(&listing, template, rows, err);
}

static void ps_defaults(void *values)
{
    ((struct ps_options *)values)->last = -1;
}

#define PLACE(member_) offsetof(struct ps_options, member_)
static const struct option ps_rows[] = {
    {"quiet", 'q', OPTION_BOOL, PLACE(is_quiet), .help = "Only display container IDs"},
    {"size", 's', OPTION_BOOL, PLACE(wants_size), .help = "Display total file sizes"},
    {"all", 'a', OPTION_BOOL, PLACE(wants_all), .help = "Show all containers (default shows just running)"},
    {"no-trunc", 0, OPTION_BOOL, PLACE(is_not_truncated), .help = "Don't truncate output"},
    {"latest", 'l', OPTION_BOOL, PLACE(wants_latest),
     .help = "Show the latest created container (includes all states)"},
    {"last", 'n', OPTION_INT64, PLACE(last), "int", "Show n last created containers (includes all states)", "-1"},
    {"format", 0, OPTION_STRING, PLACE(format), "string", FORMAT_HELP},
    {"filter", 'f', OPTION_LIST, PLACE(filters), "filter", "Filter output based on conditions provided",
     .parse = filter_parse},
};

const struct command ps_command = {
    .paths = {"container ls", "container list", "container ps", "ps"},
    .usage = "[OPTIONS]",
    .help = "List containers",
    .group = GROUP_COMMON,
    .options = OPTION_TABLE(ps_rows),
    .values_size = sizeof(struct ps_options),
    .set_defaults = ps_defaults,
    .run = ps_run,
};
