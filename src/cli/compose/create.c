/* create, start and scale: parts of up. */
#include "base/memory.h"
#include "cli/compose/build_service.h"

struct create_values {
    bool builds, forces_recreate, never_builds, never_recreates, is_quiet_pull, removes_orphans, no_dependencies;
    char *pull;
    struct strlist scale;
};

static bool bring_up(struct command_call *call, const struct strlist *scales, char *const *services, size_t count,
                     bool starts, struct error *err)
{
    const struct create_values *values = call->values;
    _cleanup_project_ struct project project = {0};
    _cleanup_strmap_ struct strmap scale = {0};
    if (!compose_load(call, &project, err) || !compose_scale_parse(scales, &scale, err) ||
        !project_select(&project, services, count, !values->no_dependencies, err))
        return false;
    struct build_request build = {.call = call, .project = &project};
    struct up_options options = {.forces_recreate = values->forces_recreate,
                                 .never_recreates = values->never_recreates,
                                 .removes_orphans = values->removes_orphans,
                                 .is_quiet_pull = values->is_quiet_pull,
                                 .never_builds = values->never_builds,
                                 .builds_always = values->builds,
                                 .pull = string_equal(values->pull, "policy") ? NULL : values->pull,
                                 .timeout = -1,
                                 .scale = &scale,
                                 .build = build_service,
                                 .build_context = &build,
                                 .authenticate = compose_authenticate,
                                 .authenticate_context = call};
    _cleanup_report_ struct report report;
    report_begin(&report, call, "Running");
    struct workers workers = compose_workers(call);
    _cleanup_reconciler_ struct reconciler reconciler = RECONCILER_INIT(&project, &options, &workers, &report.reporter);
    return project_up(&reconciler, starts, err);
}

static bool create_run(struct command_call *call, struct error *err)
{
    const struct create_values *values = call->values;
    if (values->forces_recreate && values->never_recreates)
        return error_set(err, ERROR_INVALID, "--force-recreate and --no-recreate are incompatible");
    return bring_up(call, &values->scale, call->arguments, call->argument_count, false, err);
}

static bool scale_run(struct command_call *call, struct error *err)
{
    _cleanup_strlist_ struct strlist scales = {0}, services = {0};
    for (size_t i = 0; i < call->argument_count; i++)
        strlist_add(&scales, call->arguments[i]);
    _cleanup_strmap_ struct strmap parsed = {0};
    if (!compose_scale_parse(&scales, &parsed, err))
        return false;
    for (size_t i = 0; i < parsed.count; i++)
        strlist_add(&services, parsed.items[i].key);
    return bring_up(call, &scales, services.items, services.count, true, err);
}

/* Only what exists: nothing is created. */
static bool start_run(struct command_call *call, struct error *err)
{
    _cleanup_compose_view_ struct compose_view view = {0};
    if (!compose_view_read(call, call->arguments, call->argument_count, false, &view, err))
        return false;
    if (!view.project.model)
        return error_set(err, ERROR_NOT_FOUND, "no configuration file provided: not found");
    if (view.state.count == 0)
        return error_set(err, ERROR_NOT_FOUND, "no container found for project \"%s\": not found", view.project.name);
    struct up_options options = {.timeout = -1};
    _cleanup_report_ struct report report;
    report_begin(&report, call, "Running");
    struct workers workers = compose_workers(call);
    struct reconciler reconciler = RECONCILER_INIT(&view.project, &options, &workers, &report.reporter);
    reconciler.state = view.state;
    return start_containers(&reconciler, err);
}

#define AT(member) offsetof(struct create_values, member)
static const struct option create_rows[] = {
    {"build", 0, OPTION_BOOL, AT(builds), .help = "Build images before starting containers"},
    {"force-recreate", 0, OPTION_BOOL, AT(forces_recreate),
     .help = "Recreate containers even if their configuration and image haven't changed"},
    {"no-build", 0, OPTION_BOOL, AT(never_builds), .help = "Don't build an image, even if it's policy"},
    {"no-recreate", 0, OPTION_BOOL, AT(never_recreates),
     .help = "If containers already exist, don't recreate them. Incompatible with --force-recreate."},
    {"pull", 0, OPTION_STRING, AT(pull), "string",
     "Pull image before running (\"always\"|\"missing\"|\"never\"|\"build\")", "policy"},
    {"quiet-pull", 0, OPTION_BOOL, AT(is_quiet_pull), .help = "Pull without printing progress information"},
    {"remove-orphans", 0, OPTION_BOOL, AT(removes_orphans),
     .help = "Remove containers for services not defined in the Compose file"},
    {"scale", 0, OPTION_LIST, AT(scale), "scale",
     "Scale SERVICE to NUM instances. Overrides the scale setting in the Compose file if present."},
};
static const struct option scale_rows[] = {
    {"no-deps", 0, OPTION_BOOL, AT(no_dependencies), .help = "Don't start linked services"},
};

extern const struct command compose_create_command, compose_start_command, compose_scale_command;
const struct command compose_create_command = {
    .paths = {"compose create"},
    .usage = "[OPTIONS] [SERVICE...]",
    .help = "Creates containers for a service",
    .options = OPTION_TABLE(create_rows),
    .values_size = sizeof(struct create_values),
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = create_run,
};
const struct command compose_scale_command = {
    .paths = {"compose scale"},
    .usage = "[SERVICE=REPLICAS...]",
    .help = "Scale services",
    .options = OPTION_TABLE(scale_rows),
    .values_size = sizeof(struct create_values),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = scale_run,
};
const struct command compose_start_command = {
    .paths = {"compose start"},
    .usage = "[SERVICE...]",
    .help = "Start services",
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = start_run,
};
