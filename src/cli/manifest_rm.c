#include "base/memory.h"
#include "cli/manifest_list.h"

static bool remove_one(struct command_call *call, const char *name, struct error *err)
{
    _cleanup_reference_ struct reference list = {0};
    return reference_parse(name, &list, err) && manifest_list_remove(call, &list, err);
}

static bool manifest_rm_run(struct command_call *call, struct error *err)
{
    return command_each(call, false, remove_one, err);
}

const struct command manifest_rm_command = {
    .paths = {"manifest rm"},
    .usage = "MANIFEST_LIST [MANIFEST_LIST...]",
    .help = "Delete one or more manifest lists from local storage",
    .long_help = "Delete one or more manifest lists from local storage" EXPERIMENTAL_HELP_OF("rm"),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = manifest_rm_run,
};
