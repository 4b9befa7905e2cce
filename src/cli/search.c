#include <string.h>

#include "base/memory.h"
#include "cli/filter_option.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "cli/registry_auth.h"
#include "oci/reference.h"
#include "json/json_record.h"

struct search_options {
    struct strlist filters;
    char *format;
    int64_t limit;
    bool is_not_truncated;
};

static const struct listing_column columns[] = {
    {"Name", "NAME"},           {"Description", "DESCRIPTION"}, {"StarCount", "STARS"},
    {"IsOfficial", "OFFICIAL"}, {"IsAutomated", "AUTOMATED"},
};
static const struct listing listing = LISTING("*search.searchContext", columns);

static char *description_of(const json_t *result, bool is_truncated)
{
    char *text = xstrdup(string_or_empty(json_string_value(json_object_get(result, "description"))));
    for (char *at = text; *at; at++)
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    if (!is_truncated)
        return text;
    char *shown = ellipsis(text, 45);
    free(text);
    return shown;
}

static json_t *rows_of(const json_t *results, bool is_truncated)
{
    json_t *rows = json_array();
    const json_t *result;
    size_t i;
    json_array_foreach(results, i, result)
    {
        json_t *row = json_object();
        bool is_official = json_is_true(json_object_get(result, "is_official"));
        row_take(row, "Name", xstrdup(json_string_value(json_object_get(result, "name"))));
        row_take(row, "Description", description_of(result, is_truncated));
        row_take(row, "StarCount",
                 xasprintf("%lld", (long long)json_integer_value(json_object_get(result, "star_count"))));
        row_take(row, "IsOfficial", xstrdup(is_official ? "[OK]" : ""));
        row_take(row, "IsAutomated", xstrdup(""));
        json_array_append_new(rows, row);
    }
    return rows;
}

static bool search_run(struct command_call *call, struct error *err)
{
    const struct search_options *options = call->values;
    const char *term = call->arguments[0];
    const char *slash = strchr(term, '/');
    _cleanup_free_ char *domain = slash ? xstrndup(term, (size_t)(slash - term)) : xstrdup("docker.io");
    if (!strpbrk(domain, ".:") && strcmp(domain, "localhost") != 0)
        string_replace(&domain, "docker.io");
    _cleanup_strmap_ struct strmap headers = {0};
    if (!registry_headers(call, domain, &headers, err))
        return false;
    _cleanup_free_ char *filters = filter_json(&options->filters);
    _cleanup_free_ char *limit = options->limit ? xasprintf("%lld", (long long)options->limit) : NULL;
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT, answer = STRBUF_INIT;
    strbuf_add_string(&path, "/images/search");
    client_query_add(&path, "term", term);
    client_query_add(&path, "limit", limit);
    client_query_add(&path, "filters", filters);
    struct client_request request = {.method = "GET", .path = strbuf_text(&path), .headers = &headers};
    if (!client_request(call->client, &request, &answer, err))
        return false;
    _cleanup_json_ json_t *results = json_parse(strbuf_text(&answer), answer.length, err);
    if (!results)
        return false;
    _cleanup_free_ char *given = listing_format(call, options->format, NULL);
    _cleanup_free_ char *format = string_equal(given, "table")
                                      ? xstrdup("table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}")
                                      : xstrdup(given);
    _cleanup_json_ json_t *rows = rows_of(results, !options->is_not_truncated);
    return listing_print(&listing, format, rows, err);
}

#define PLACE(member_) offsetof(struct search_options, member_)
static const struct option search_rows[] = {
    {"filter", 'f', OPTION_LIST, PLACE(filters), "filter", "Filter output based on conditions provided",
     .parse = filter_parse},
    {"format", 0, OPTION_STRING, PLACE(format), "string", "Pretty-print search using a Go template"},
    {"limit", 0, OPTION_INT64, PLACE(limit), "int", "Max number of search results"},
    {"no-trunc", 0, OPTION_BOOL, PLACE(is_not_truncated), .help = "Don't truncate output"},
};

const struct command search_command = {
    .paths = {"search"},
    .usage = "[OPTIONS] TERM",
    .help = "Search Docker Hub for images",
    .group = GROUP_COMMON,
    .options = OPTION_TABLE(search_rows),
    .values_size = sizeof(struct search_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = search_run,
};
