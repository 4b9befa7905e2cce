/* wherry network ls: GET /networks as a table. */
#include <string.h>

#include "base/memory.h"
#include "cli/filter_option.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "cli/natural.h"
#include "json/json_record.h"

struct network_ls_options {
    bool is_quiet;
    bool is_not_truncated;
    char *format;
    struct strlist filters;
};

static const struct listing_column columns[] = {
    {"CreatedAt", "CREATED AT"}, {"Driver", "DRIVER"}, {"ID", "NETWORK ID"}, {"IPv4", "IPV4"},   {"IPv6", "IPV6"},
    {"Internal", "INTERNAL"},    {"Labels", "LABELS"}, {"Name", "NAME"},     {"Scope", "SCOPE"},
};
static const struct value_method methods[] = {{"Label", listing_label}};
static const struct listing listing = {
    .type_name = "*formatter.networkContext",
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .methods = methods,
    .method_count = ARRAY_SIZE(methods),
};

static const char *text_of(const json_t *json, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(json, key)));
}

static char *flag_text(const json_t *network, const char *key)
{
    return xstrdup(json_is_true(json_object_get(network, key)) ? "true" : "false");
}

/* Go's time.String() of what the engine sends. */
static char *created_text(const char *created)
{
    size_t length = strlen(created);
    const char *separator = strchr(created, 'T');
    if (!separator || created[length - 1] != 'Z')
        return xstrdup(created);
    return xasprintf("%.*s %.*s +0000 UTC", (int)(separator - created), created,
                     (int)(length - 1 - (size_t)(separator - created) - 1), separator + 1);
}

static json_t *row_of(const json_t *network, bool is_truncated)
{
    json_t *row = json_object();
    row_take(row, "CreatedAt", created_text(text_of(network, "Created")));
    row_take(row, "Driver", xstrdup(text_of(network, "Driver")));
    row_take(row, "ID", is_truncated ? short_id(text_of(network, "Id")) : xstrdup(text_of(network, "Id")));
    row_take(row, "IPv4", flag_text(network, "EnableIPv4"));
    row_take(row, "IPv6", flag_text(network, "EnableIPv6"));
    row_take(row, "Internal", flag_text(network, "Internal"));
    row_take(row, "Labels", labels_text(json_object_get(network, "Labels")));
    row_take(row, "Name", xstrdup(text_of(network, "Name")));
    row_take(row, "Scope", xstrdup(text_of(network, "Scope")));
    return row;
}

static int by_name(const void *left, const void *right)
{
    json_t *const *a = left, *const *b = right;
    return natural_compare(text_of(*a, "Name"), text_of(*b, "Name"));
}

static const char *template_of(const char *format, bool is_quiet)
{
    if (string_equal(format, "table"))
        return is_quiet ? "{{.ID}}" : "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}";
    if (string_equal(format, "raw"))
        return is_quiet ? "network_id: {{.ID}}"
                        : "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n";
    return format;
}

static bool network_ls_run(struct command_call *call, struct error *err)
{
    const struct network_ls_options *options = call->values;
    _cleanup_free_ char *filters = filter_json(&options->filters);
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/networks");
    client_query_add(&path, "filters", filters);
    _cleanup_json_ json_t *networks = client_get_json(call->client, strbuf_text(&path), err);
    if (!networks)
        return false;
    size_t count = json_array_size(networks);
    _cleanup_free_ json_t **sorted = xcalloc(count + 1, sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_array_get(networks, i);
    qsort(sorted, count, sizeof(*sorted), by_name);
    _cleanup_json_ json_t *rows = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(rows, row_of(sorted[i], !options->is_not_truncated));
    _cleanup_free_ char *format = listing_format(call, options->format, options->is_quiet ? NULL : "networksFormat");
    return listing_print(&listing, template_of(format, options->is_quiet), rows, err);
}

#define PLACE(member_) offsetof(struct network_ls_options, member_)
static const struct option network_ls_rows[] = {
    {"quiet", 'q', OPTION_BOOL, PLACE(is_quiet), .help = "Only display network IDs"},
    {"no-trunc", 0, OPTION_BOOL, PLACE(is_not_truncated), .help = "Do not truncate the output"},
    {"format", 0, OPTION_STRING, PLACE(format), "string", FORMAT_HELP},
    {"filter", 'f', OPTION_LIST, PLACE(filters), "filter", "Provide filter values (e.g. \"driver=bridge\")",
     .parse = filter_parse},
};

const struct command network_ls_command = {
    .paths = {"network ls", "network list"},
    .usage = "[OPTIONS]",
    .help = "List networks",
    .options = OPTION_TABLE(network_ls_rows),
    .values_size = sizeof(struct network_ls_options),
    .max_arguments = 0,
    .run = network_ls_run,
};
