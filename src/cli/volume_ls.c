#include "base/memory.h"
#include "cli/filter_option.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "json/json_record.h"

struct volume_ls_options {
    bool is_quiet, is_cluster;
    char *format;
    struct strlist filters;
};

static const struct listing_column columns[] = {
    {"Availability", "AVAILABILITY"},
    {"Driver", "DRIVER"},
    {"Group", "GROUP"},
    {"Labels", "LABELS"},
    {"Links", "LINKS"},
    {"Mountpoint", "MOUNTPOINT"},
    {"Name", "VOLUME NAME"},
    {"Scope", "SCOPE"},
    {"Size", "SIZE"},
    {"Status", "STATUS"},
};
static const struct value_method methods[] = {{"Label", listing_label}};
static const struct listing listing = {.type_name = "*formatter.volumeContext",
                                       .columns = columns,
                                       .column_count = ARRAY_SIZE(columns),
                                       .methods = methods,
                                       .method_count = ARRAY_SIZE(methods)};

static void add_row(json_t *rows, const json_t *volume)
{
    static const char *const texts[] = {"Driver", "Mountpoint", "Name", "Scope"};
    static const char *const of_cluster[] = {"Availability", "Group", "Status"};
    const json_t *usage = json_object_get(volume, "UsageData");
    json_t *row = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        row_take(row, texts[i], xstrdup(string_or_empty(json_string_value(json_object_get(volume, texts[i])))));
    for (size_t i = 0; i < ARRAY_SIZE(of_cluster); i++)
        row_take(row, of_cluster[i], xstrdup("N/A"));
    row_take(row, "Labels", labels_text(json_object_get(volume, "Labels")));
    row_take(row, "Links",
             usage ? xasprintf("%lld", (long long)json_integer_value(json_object_get(usage, "RefCount")))
                   : xstrdup("N/A"));
    row_take(row, "Size",
             usage ? human_size((double)json_integer_value(json_object_get(usage, "Size")), 4) : xstrdup("N/A"));
    json_array_append_new(rows, row);
}

static char *template_of(const char *format, const struct volume_ls_options *options)
{
    if (options->is_cluster)
        return xstrdup("table {{.Name}}\t{{.Group}}\t{{.Driver}}\t{{.Availability}}\t{{.Status}}");
    if (string_equal(format, "table"))
        return xstrdup(options->is_quiet ? "{{.Name}}" : "table {{.Driver}}\t{{.Name}}");
    if (string_equal(format, "raw"))
        return xstrdup(options->is_quiet ? "name: {{.Name}}" : "name: {{.Name}}\ndriver: {{.Driver}}\n");
    return xstrdup(format);
}

static int by_name(const void *left, const void *right)
{
    const json_t *const *a = left, *const *b = right;
    return strcmp(string_or_empty(json_string_value(json_object_get(*a, "Name"))),
                  string_or_empty(json_string_value(json_object_get(*b, "Name"))));
}

static bool volume_ls_run(struct command_call *call, struct error *err)
{
    const struct volume_ls_options *options = call->values;
    _cleanup_free_ char *filters = filter_json(&options->filters);
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/volumes");
    client_query_add(&path, "filters", filters);
    _cleanup_json_ json_t *answer = client_get_json(call->client, strbuf_text(&path), err);
    if (!answer)
        return false;
    const json_t *volumes = json_object_get(answer, "Volumes");
    size_t count = json_array_size(volumes);
    _cleanup_free_ const json_t **sorted = xcalloc(count + 1, sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_array_get(volumes, i);
    qsort(sorted, count, sizeof(*sorted), by_name);
    _cleanup_json_ json_t *rows = json_array();
    for (size_t i = 0; i < count; i++)
        if (!options->is_cluster || json_object_get(sorted[i], "ClusterVolume"))
            add_row(rows, sorted[i]);
    _cleanup_free_ char *format = listing_format(call, options->format, options->is_quiet ? NULL : "volumesFormat");
    _cleanup_free_ char *template = template_of(format, options);
    return listing_print(&listing, template, rows, err);
}

#define AT(member) offsetof(struct volume_ls_options, member)
static const struct option rows[] = {
    {"quiet", 'q', OPTION_BOOL, AT(is_quiet), .help = "Only display volume names"},
    {"format", 0, OPTION_STRING, AT(format), "string", FORMAT_HELP},
    {"filter", 'f', OPTION_LIST, AT(filters), "filter", "Provide filter values (e.g. \"dangling=true\")",
     .parse = filter_parse},
    {"cluster", 0, OPTION_BOOL, AT(is_cluster),
     .help = "Display only cluster volumes, and use cluster volume list formatting"},
};

const struct command volume_ls_command = {
    .paths = {"volume ls", "volume list"},
    .usage = "[OPTIONS]",
    .help = "List volumes",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct volume_ls_options),
    .max_arguments = 0,
    .run = volume_ls_run,
};
