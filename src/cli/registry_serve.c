#include "cli/registry_program.h"
#include "distribution/settings.h"

static void set_defaults(void *values)
{
    settings_defaults(values);
}

static bool serve_run(struct command_call *call, struct error *err)
{
    return registry_program_become(call, "serve", err);
}

const struct command registry_serve_command = {
    .paths = {"registry serve"},
    .usage = "[OPTIONS]",
    .help = "Serve a registry of images (wherry-registry)",
    .options = OPTION_TABLE(serve_rows),
    .values_size = sizeof(struct settings),
    .set_defaults = set_defaults,
    .is_local = true,
    .max_arguments = 0,
    .run = serve_run,
};
