/* wherry system check: ours. What the engine finds that database, disk and kernel disagree on. */
#include "base/memory.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "json/json_record.h"

struct check_options {
    bool repairs, is_untruncated;
    char *format;
};

static const char *text_of(const json_t *json, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(json, key)));
}

static bool is_true(const json_t *json, const char *key)
{
    return json_is_true(json_object_get(json, key));
}

/* An id and a digest as they are shown elsewhere. */
static char *short_name(const char *name)
{
    if (string_starts_with(name, "sha256:"))
        return xstrndup(name + strlen("sha256:"), 12);
    bool is_id = strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
    return is_id ? xstrndup(name, 12) : xstrdup(name);
}

static char *describe_repair(const json_t *finding)
{
    const char *repair = text_of(finding, "Repair"), *failure = text_of(finding, "Error");
    if (is_true(finding, "Repaired"))
        return xasprintf("done: %s", repair);
    if (*failure)
        return xasprintf("failed: %s", failure);
    return is_true(finding, "Repairable") ? xstrdup(repair) : xasprintf("by hand: %s", repair);
}

static json_t *make_row(const json_t *finding, bool is_untruncated)
{
    json_t *row = json_object();
    const char *name = text_of(finding, "Name");
    int64_t size = json_integer_value(json_object_get(finding, "Size"));
    row_take(row, "Kind", xstrdup(text_of(finding, "Kind")));
    row_take(row, "Name", is_untruncated ? xstrdup(name) : short_name(name));
    row_take(row, "Problem", xstrdup(text_of(finding, "Problem")));
    row_take(row, "Repair", describe_repair(finding));
    row_take(row, "Size", size > 0 ? human_size((double)size, 4) : xstrdup("-"));
    return row;
}

/* On standard error, so that the listing stays one. */
static void sum_up(const json_t *answer, size_t left, size_t repairable)
{
    const char *ending = left == 1 ? "" : "s";
    if (is_true(answer, "Partial"))
        fputs("An image is coming in: layers and blobs that nothing refers to were left out.\n", stderr);
    if (left > 0 && repairable > 0)
        fprintf(stderr, "%zu problem%s, %zu of which can be repaired: wherry system check --repair\n", left, ending,
                repairable);
    else if (left > 0)
        fprintf(stderr, "%zu problem%s left\n", left, ending);
}

static bool system_check_run(struct command_call *call, struct error *err)
{
    static const struct listing_column columns[] = {
        {"Kind", "KIND"}, {"Name", "NAME"}, {"Problem", "PROBLEM"}, {"Repair", "REPAIR"}, {"Size", "SIZE"}};
    static const struct listing listing = LISTING("*formatter.checkContext", columns);
    const struct check_options *options = call->values;
    const char *format = string_is_set(options->format) ? options->format : "table";
    if (!listing_check(&listing, format, err))
        return false;
    _cleanup_json_ json_t *answer = options->repairs ? client_post_json(call->client, "/system/check", NULL, err)
                                                     : client_get_json(call->client, "/system/check", err);
    if (!answer)
        return false;
    _cleanup_json_ json_t *table = json_array();
    size_t left = 0, repairable = 0, i;
    json_t *finding;
    json_array_foreach(json_object_get(answer, "Findings"), i, finding)
    {
        json_array_append_new(table, make_row(finding, options->is_untruncated));
        left += !is_true(finding, "Repaired");
        repairable += is_true(finding, "Repairable") && !is_true(finding, "Repaired") && !options->repairs;
    }
    if (string_equal(format, "table"))
        format = "table {{.Kind}}\t{{.Name}}\t{{.Size}}\t{{.Problem}}\t{{.Repair}}";
    if (!listing_print(&listing, format, table, err))
        return false;
    sum_up(answer, left, repairable);
    call->exit_code = left > 0 ? EXIT_CODE_FAILURE : 0;
    return true;
}

#define AT(member) offsetof(struct check_options, member)
static const struct option rows[] = {
    {"format", 0, OPTION_STRING, AT(format), "string", FORMAT_HELP},
    {"no-trunc", 0, OPTION_BOOL, AT(is_untruncated), NULL, "Don't truncate output"},
    {"repair", 0, OPTION_BOOL, AT(repairs), NULL,
     "Repair what can be: never removes a volume's data or anything of a running container"},
};

const struct command system_check_command = {
    .paths = {"system check"},
    .usage = "[OPTIONS]",
    .help = "Find what database, disk and kernel disagree on",
    .long_help = "Find what database, disk and kernel disagree on: files that nothing refers to, and what has\n"
                 "lost its files. The exit code is 1 where problems are left.",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct check_options),
    .max_arguments = 0,
    .run = system_check_run,
};
