/* wherry history: the layers of an image, newest first. */
#include <string.h>

#include "base/memory.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "cli/platform_option.h"
#include "json/json_record.h"

struct history_options {
    bool is_human;
    bool is_quiet;
    bool is_not_truncated;
    char *format;
    char *platform;
};

static const struct listing_column columns[] = {
    {"Comment", "COMMENT"},
    {"CreatedAt", "CREATED AT"},
    {"CreatedBy", "CREATED BY"},
    {"CreatedSince", "CREATED"},
    {"ID", "IMAGE"},
    {"Size", "SIZE"},
};
static const struct listing listing = LISTING("*image.historyContext", columns);

static const char *text_of(const json_t *item, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(item, key)));
}

/* RFC 3339 in the local zone. */
static char *local_time(int64_t seconds)
{
    char text[64];
    struct tm parts;
    time_t time = (time_t)seconds;
    tzset();
    if (!localtime_r(&time, &parts))
        return xstrdup("");
    size_t length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &parts);
    if (parts.tm_gmtoff == 0)
        return xasprintf("%.*sZ", (int)length - 5, text);
    return xasprintf("%.*s:%s", (int)length - 2, text, text + length - 2);
}

static char *created_by(const json_t *item, bool is_truncated)
{
    _cleanup_free_ char *text = xstrdup(text_of(item, "CreatedBy"));
    for (char *cursor = text; *cursor; cursor++)
        if (*cursor == '\t')
            *cursor = ' ';
    return is_truncated ? ellipsis(text, 45) : TAKE_PTR(text);
}

static json_t *history_row(const json_t *item, const struct history_options *options)
{
    json_t *row = json_object();
    const char *id = text_of(item, "Id");
    int64_t created = json_integer_value(json_object_get(item, "Created"));
    int64_t size = json_integer_value(json_object_get(item, "Size"));
    row_take(row, "ID", options->is_not_truncated ? xstrdup(id) : short_id(id));
    row_take(row, "CreatedAt", local_time(created));
    row_take(row, "CreatedSince", options->is_human ? human_age(created) : local_time(created));
    row_take(row, "CreatedBy", created_by(item, !options->is_not_truncated));
    row_take(row, "Size", options->is_human ? human_size((double)size, 3) : xasprintf("%lld", (long long)size));
    row_take(row, "Comment", xstrdup(text_of(item, "Comment")));
    return row;
}

static bool history_run(struct command_call *call, struct error *err)
{
    const struct history_options *options = call->values;
    _cleanup_free_ char *base = client_path("images", call->arguments[0], "/history"), *platform = NULL;
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    if (string_is_set(options->platform) && !require_api_version(call, "platform", "1.48", err))
        return false;
    if (string_is_set(options->platform) && !platform_json(options->platform, &platform, err))
        return error_prefix(err, "invalid platform");
    strbuf_add_string(&path, base);
    client_query_add(&path, "platform", platform);
    _cleanup_json_ json_t *history = client_get_json(call->client, strbuf_text(&path), err);
    if (!history)
        return false;
    _cleanup_json_ json_t *rows = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(history, i, item)
    {
        json_array_append_new(rows, history_row(item, options));
    }
    const char *format = string_is_set(options->format) ? options->format : "table";
    if (string_equal(format, "table"))
        format = options->is_quiet   ? "{{.ID}}"
                 : options->is_human ? "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
                                     : "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}";
    return listing_print(&listing, format, rows, err);
}

static void history_defaults(void *values)
{
    ((struct history_options *)values)->is_human = true;
}

#define PLACE(member_) offsetof(struct history_options, member_)
static const struct option history_rows[] = {
    {"human", 'H', OPTION_BOOL, PLACE(is_human), NULL, "Print sizes and dates in human readable format", "true"},
    {"quiet", 'q', OPTION_BOOL, PLACE(is_quiet), .help = "Only show image IDs"},
    {"no-trunc", 0, OPTION_BOOL, PLACE(is_not_truncated), .help = "Don't truncate output"},
    {"format", 0, OPTION_STRING, PLACE(format), "string", FORMAT_HELP},
    {"platform", 0, OPTION_STRING, PLACE(platform), "string",
     "Show history for the given platform. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")"},
};

const struct command history_command = {
    .paths = {"image history", "history"},
    .usage = "[OPTIONS] IMAGE",
    .help = "Show the history of an image",
    .options = OPTION_TABLE(history_rows),
    .values_size = sizeof(struct history_options),
    .set_defaults = history_defaults,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = history_run,
};
