#include "base/memory.h"
#include "cli/confirm.h"
#include "cli/filter_option.h"
#include "cli/prune_option.h"
#include "json/json_record.h"

static bool container_prune_run(struct command_call *call, struct error *err)
{
    const struct prune_options *options = call->values;
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/containers/prune");
    if (!prune_filters_add(call, &options->filters, &path, err))
        return false;
    bool is_confirmed = options->is_forced;
    if (!is_confirmed && !confirm("WARNING! This will remove all stopped containers.", &is_confirmed, err))
        return false;
    if (!is_confirmed)
        return true;
    _cleanup_json_ json_t *answer = client_post_json(call->client, strbuf_text(&path), NULL, err);
    if (!answer)
        return false;
    prune_print_deleted(answer, "ContainersDeleted", "Deleted Containers:");
    prune_print_space(json_integer_value(json_object_get(answer, "SpaceReclaimed")));
    return true;
}

#define AT(member) offsetof(struct prune_options, member)
static const struct option rows[] = {
    {"filter", 0, OPTION_LIST, AT(filters), "filter", "Provide filter values (e.g. \"until=<timestamp>\")",
     .parse = filter_parse},
    {"force", 'f', OPTION_BOOL, AT(is_forced), NULL, "Do not prompt for confirmation"},
};

const struct command container_prune_command = {
    .paths = {"container prune"},
    .usage = "[OPTIONS]",
    .help = "Remove all stopped containers",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct prune_options),
    .max_arguments = 0,
    .run = container_prune_run,
};
