#include "cli/compose/build_service.h"
#include "cli/compose/delegate.h"
#include "compose/container_request.h"

struct build_values {
    struct strlist arguments;
    char *builder, *memory, *ssh;
    bool has_no_cache, pulls, pushes, is_quiet, with_dependencies;
};

static bool push_one(struct command_call *call, const struct project *project, const char *name, const json_t *service)
{
    _cleanup_strlist_ struct strlist words = {0};
    strlist_take(&words, service_image(project, name, service));
    return compose_delegate(call, &push_command, "compose push", &words) && call->exit_code == 0;
}

static bool build_run(struct command_call *call, struct error *err)
{
    const struct build_values *values = call->values;
    _cleanup_project_ struct project project = {0};
    if (!compose_load(call, &project, err) ||
        !project_select(&project, call->arguments, call->argument_count, values->with_dependencies, err))
        return false;
    struct build_request request = {.call = call,
                                    .project = &project,
                                    .arguments = values->arguments,
                                    .has_no_cache = values->has_no_cache,
                                    .pulls = values->pulls,
                                    .is_quiet = values->is_quiet};
    const char *name;
    json_t *service;
    json_object_foreach(json_object_get(project.model, "services"), name, service)
    {
        if (!json_object_get(service, "build"))
            continue;
        if (!build_service(&request, call->client, name, err))
            return false;
        if (values->pushes && !push_one(call, &project, name, service))
            return false;
    }
    return true;
}

#define AT(member) offsetof(struct build_values, member)
static const struct option rows[] = {
    {"build-arg", 0, OPTION_LIST, AT(arguments), "stringArray", "Set build-time variables for services"},
    {"builder", 0, OPTION_STRING, AT(builder), "string", "Set builder to use",
     .unsupported = "--builder is not supported: the engine builds"},
    {"memory", 'm', OPTION_STRING, AT(memory), "bytes", "Set memory limit for the build container.",
     .unsupported = "--memory is not supported by compose build"},
    {"no-cache", 0, OPTION_BOOL, AT(has_no_cache), .help = "Do not use cache when building the image"},
    {"pull", 0, OPTION_BOOL, AT(pulls), .help = "Always attempt to pull a newer version of the image"},
    {"push", 0, OPTION_BOOL, AT(pushes), .help = "Push service images"},
    {"quiet", 'q', OPTION_BOOL, AT(is_quiet), .help = "Don't print anything to STDOUT"},
    {"ssh", 0, OPTION_STRING, AT(ssh), "string", "Set SSH authentications used when building service images.",
     .unsupported = "--ssh is not supported"},
    {"with-dependencies", 0, OPTION_BOOL, AT(with_dependencies), .help = "Also build dependencies (transitively)"},
};

extern const struct command compose_build_command;
const struct command compose_build_command = {
    .paths = {"compose build"},
    .usage = "[OPTIONS] [SERVICE...]",
    .help = "Build or rebuild services",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct build_values),
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = build_run,
};
