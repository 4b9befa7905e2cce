#include <string.h>

#include "base/memory.h"
#include "cli/confirm.h"
#include "cli/filter_option.h"
#include "cli/prune_option.h"
#include "json/json_record.h"

struct volume_prune_options {
    struct prune_options common;
    bool is_all;
};

/* Engines before API 1.42 take all of them anyway. */
static bool has_all(const struct command_call *call)
{
    const char *minor = strchr(client_api_version(call->client), '.');
    int64_t number;
    return minor && parse_int64(minor + 1, &number) && number >= 42;
}

static bool volume_prune_run(struct command_call *call, struct error *err)
{
    struct volume_prune_options *options = call->values;
    struct strlist *filters = &options->common.filters;
    if (options->is_all) {
        for (size_t i = 0; i < filters->count; i++)
            if (string_starts_with(filters->items[i], "all="))
                return error_set(err, ERROR_INVALID,
                                 "conflicting options: cannot specify both --all and --filter all=1");
        if (has_all(call))
            strlist_add(filters, "all=true");
    }
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/volumes/prune");
    if (!prune_filters_add(call, filters, &path, err))
        return false;
    _cleanup_free_ char *warning =
        xasprintf("WARNING! This will remove %s local volumes not used by at least one container.",
                  options->is_all || !has_all(call) ? "all" : "anonymous");
    bool is_confirmed = options->common.is_forced;
    if (!is_confirmed && !confirm(warning, &is_confirmed, err))
        return false;
    if (!is_confirmed)
        return true;
    _cleanup_json_ json_t *answer = client_post_json(call->client, strbuf_text(&path), NULL, err);
    if (!answer)
        return false;
    prune_print_deleted(answer, "VolumesDeleted", "Deleted Volumes:");
    prune_print_space(json_integer_value(json_object_get(answer, "SpaceReclaimed")));
    return true;
}

#define AT(member) offsetof(struct volume_prune_options, member)
static const struct option rows[] = {
    {"all", 'a', OPTION_BOOL, AT(is_all), NULL, "Remove all unused volumes, not just anonymous ones"},
    {"filter", 0, OPTION_LIST, AT(common.filters), "filter", "Provide filter values (e.g. \"label=<label>\")",
     .parse = filter_parse},
    {"force", 'f', OPTION_BOOL, AT(common.is_forced), NULL, "Do not prompt for confirmation"},
};

const struct command volume_prune_command = {
    .paths = {"volume prune"},
    .usage = "[OPTIONS]",
    .help = "Remove unused local volumes",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct volume_prune_options),
    .max_arguments = 0,
    .run = volume_prune_run,
};
