#include <string.h>

#include "base/memory.h"
#include "cli/compose/engine.h"

struct down_values {
    bool removes_orphans, removes_volumes;
    char *images;
    struct opt_int64 timeout;
};

static bool down_run(struct command_call *call, struct error *err)
{
    const struct down_values *values = call->values;
    if (values->images && !string_equal(values->images, "all") && !string_equal(values->images, "local"))
        return error_set(err, ERROR_INVALID, "invalid value for --rmi: \"%s\"", values->images);
    _cleanup_project_ struct project project = {0};
    if (!compose_load_or_name(call, &project, err))
        return false;
    struct down_options options = {.removes_orphans = values->removes_orphans,
                                   .removes_volumes = values->removes_volumes,
                                   .images = values->images,
                                   .timeout = values->timeout.is_set ? values->timeout.value : -1};
    struct up_options unused = {0};
    _cleanup_report_ struct report report;
    report_begin(&report, call, "Running");
    struct workers workers = compose_workers(call);
    _cleanup_reconciler_ struct reconciler reconciler = RECONCILER_INIT(&project, &unused, &workers, &report.reporter);
    return project_down(&reconciler, &options, call->arguments, call->argument_count, err);
}

#define AT(member) offsetof(struct down_values, member)
static const struct option rows[] = {
    {"remove-orphans", 0, OPTION_BOOL, AT(removes_orphans),
     .help = "Remove containers for services not defined in the Compose file"},
    {"rmi", 0, OPTION_STRING, AT(images), "string",
     "Remove images used by services. \"local\" remove only images that don't have a custom tag (\"local\"|\"all\")"},
    {"timeout", 't', OPTION_OPT_INT64, AT(timeout), "int", "Specify a shutdown timeout in seconds"},
    {"volumes", 'v', OPTION_BOOL, AT(removes_volumes),
     .help = "Remove named volumes declared in the \"volumes\" section of the Compose file and anonymous volumes "
             "attached to containers"},
};

extern const struct command compose_down_command;
const struct command compose_down_command = {
    .paths = {"compose down"},
    .usage = "[OPTIONS] [SERVICES]",
    .help = "Stop and remove containers, networks",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct down_values),
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = down_run,
};
