#include "base/memory.h"
#include "cli/confirm.h"
#include "cli/filter_option.h"
#include "cli/prune_option.h"
#include "json/json_record.h"

static bool network_prune_run(struct command_call *call, struct error *err)
{
    const struct prune_options *options = call->values;
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/networks/prune");
    if (!prune_filters_add(call, &options->filters, &path, err))
        return false;
    bool is_confirmed = options->is_forced;
    if (!is_confirmed && !confirm("WARNING! This will remove all custom networks not used by at least one container.",
                                  &is_confirmed, err))
        return false;
    if (!is_confirmed)
        return true;
    _cleanup_json_ json_t *answer = client_post_json(call->client, strbuf_text(&path), NULL, err);
    if (!answer)
        return false;
    prune_print_deleted(answer, "NetworksDeleted", "Deleted Networks:");
    return true;
}

#define AT(member) offsetof(struct prune_options, member)
static const struct option rows[] = {
    {"filter", 0, OPTION_LIST, AT(filters), "filter", "Provide filter values (e.g. \"until=<timestamp>\")",
     .parse = filter_parse},
    {"force", 'f', OPTION_BOOL, AT(is_forced), NULL, "Do not prompt for confirmation"},
};

const struct command network_prune_command = {
    .paths = {"network prune"},
    .usage = "[OPTIONS]",
    .help = "Remove all unused networks",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct prune_options),
    .max_arguments = 0,
    .run = network_prune_run,
};
