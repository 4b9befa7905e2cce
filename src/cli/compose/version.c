#include "base/memory.h"
#include "cli/compose/flags.h"

struct version_values {
    char *format;
    bool is_short;
};

static bool version_run(struct command_call *call, struct error *err)
{
    const struct version_values *values = call->values;
    if (values->is_short)
        puts(WHERRY_VERSION);
    else if (string_equal(values->format, "json"))
        puts("{\"version\":\"" WHERRY_VERSION "\"}");
    else
        puts("Wherry Compose version " WHERRY_VERSION);
    return true;
}

#define AT(member) offsetof(struct version_values, member)
static const struct option rows[] = {
    {"format", 'f', OPTION_STRING, AT(format), "string",
     "Format the output. Values: [pretty | json]. (Default: pretty)"},
    {"short", 0, OPTION_BOOL, AT(is_short), .help = "Shows only Compose's version number"},
};

extern const struct command compose_version_command;
const struct command compose_version_command = {
    .paths = {"compose version"},
    .usage = "[OPTIONS]",
    .help = "Show the Docker Compose version information",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct version_values),
    .max_arguments = 0,
    .is_local = true,
    .run = version_run,
};
