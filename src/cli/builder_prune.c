#include "base/memory.h"
#include "cli/confirm.h"
#include "cli/filter_option.h"
#include "cli/prune_option.h"
#include "json/json_record.h"

struct builder_prune_options {
    struct prune_options common;
    bool takes_all;
    int64_t keep_storage;
};

static bool builder_prune_run(struct command_call *call, struct error *err)
{
    const struct builder_prune_options *options = call->values;
    const char *warning =
        options->takes_all ? "WARNING! This will remove all build cache. Are you sure you want to continue?"
                           : "WARNING! This will remove all dangling build cache. Are you sure you want to continue?";
    bool is_confirmed = options->common.is_forced;
    if (!is_confirmed && !confirm_question(warning, &is_confirmed, err))
        return false;
    if (!is_confirmed)
        return true;
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/build/prune");
    if (options->takes_all)
        client_query_add(&path, "all", "1");
    _cleanup_free_ char *keep = xasprintf("%lld", (long long)options->keep_storage);
    client_query_add(&path, "keep-storage", options->keep_storage ? keep : NULL);
    if (!prune_filters_add(call, &options->common.filters, &path, err))
        return false;
    _cleanup_json_ json_t *answer = client_post_json(call->client, strbuf_text(&path), NULL, err);
    if (!answer)
        return false;
    prune_print_deleted(answer, "CachesDeleted", "Deleted build cache objects:");
    prune_print_space(json_integer_value(json_object_get(answer, "SpaceReclaimed")));
    return true;
}

#define AT(member) offsetof(struct builder_prune_options, member)
static const struct option rows[] = {
    {"all", 'a', OPTION_BOOL, AT(takes_all), NULL, "Remove all unused build cache, not just dangling ones"},
    {"filter", 0, OPTION_LIST, AT(common.filters), "filter", "Provide filter values (e.g. \"until=24h\")",
     .parse = filter_parse},
    {"force", 'f', OPTION_BOOL, AT(common.is_forced), NULL, "Do not prompt for confirmation"},
    {"keep-storage", 0, OPTION_BYTES, AT(keep_storage), "bytes", "Amount of disk space to keep for cache"},
};

const struct command builder_prune_command = {
    .paths = {"builder prune"},
    .usage = "",
    .help = "Remove build cache",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct builder_prune_options),
    .max_arguments = 0,
    .run = builder_prune_run,
};
