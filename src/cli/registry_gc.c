#include "cli/registry_program.h"
#include "distribution/settings.h"

static void set_defaults(void *values)
{
    settings_defaults(values);
}

static bool gc_run(struct command_call *call, struct error *err)
{
    return registry_program_become(call, "gc", err);
}

const struct command registry_gc_command = {
    .paths = {"registry gc"},
    .usage = "[OPTIONS]",
    .help = "Remove what nothing in a registry refers to, also while it is served",
    .options = OPTION_TABLE(collect_rows),
    .values_size = sizeof(struct settings),
    .set_defaults = set_defaults,
    .is_local = true,
    .max_arguments = 0,
    .run = gc_run,
};
