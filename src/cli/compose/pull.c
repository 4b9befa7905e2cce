/* pull and push. */
#include "base/memory.h"
#include "cli/compose/delegate.h"
#include "compose/container_request.h"
#include "json/json_record.h"

struct transfer_values {
    bool ignores_buildable, ignores_failures, with_dependencies, is_quiet;
    char *policy;
};

static bool each_image(struct command_call *call, const struct command *command, const char *path, bool is_push,
                       struct error *err)
{
    const struct transfer_values *values = call->values;
    _cleanup_project_ struct project project = {0};
    if (!compose_load(call, &project, err) ||
        !project_select(&project, call->arguments, call->argument_count, values->with_dependencies, err))
        return false;
    _cleanup_strlist_ struct strlist done = {0};
    const char *name;
    json_t *service;
    int worst = 0;
    json_object_foreach(json_object_get(project.model, "services"), name, service)
    {
        _cleanup_free_ char *image = service_image(&project, name, service);
        bool can_build = json_object_get(service, "build") != NULL;
        bool is_skipped =
            is_push ? !can_build : (can_build && (values->ignores_buildable || !json_object_get(service, "image")));
        if (is_skipped || strlist_contains(&done, image))
            continue;
        strlist_add(&done, image);
        _cleanup_free_ char *inspect = client_path("images", image, "/json");
        _cleanup_json_ json_t *found =
            !is_push && string_equal(values->policy, "missing") ? client_get_json(call->client, inspect, NULL) : NULL;
        if (found)
            continue;
        _cleanup_strlist_ struct strlist words = {0};
        if (values->is_quiet)
            strlist_add(&words, "-q");
        if (!is_push)
            words_add_option(&words, "--platform", json_string_value(json_object_get(service, "platform")));
        strlist_add(&words, image);
        compose_delegate(call, command, path, &words);
        worst = call->exit_code && !values->ignores_failures ? call->exit_code : worst;
    }
    call->exit_code = worst;
    return true;
}

static bool pull_run(struct command_call *call, struct error *err)
{
    const struct transfer_values *values = call->values;
    if (values->policy && !string_equal(values->policy, "missing") && !string_equal(values->policy, "always"))
        return error_set(err, ERROR_INVALID, "invalid --policy \"%s\": \"missing\" or \"always\"", values->policy);
    return each_image(call, &pull_command, "compose pull", false, err);
}

static bool push_run(struct command_call *call, struct error *err)
{
    return each_image(call, &push_command, "compose push", true, err);
}

#define AT(member) offsetof(struct transfer_values, member)
static const struct option pull_rows[] = {
    {"ignore-buildable", 0, OPTION_BOOL, AT(ignores_buildable), .help = "Ignore images that can be built"},
    {"ignore-pull-failures", 0, OPTION_BOOL, AT(ignores_failures),
     .help = "Pull what it can and ignores images with pull failures"},
    {"include-deps", 0, OPTION_BOOL, AT(with_dependencies), .help = "Also pull services declared as dependencies"},
    {"policy", 0, OPTION_STRING, AT(policy), "string", "Apply pull policy (\"missing\"|\"always\")"},
    {"quiet", 'q', OPTION_BOOL, AT(is_quiet), .help = "Pull without printing progress information"},
};
static const struct option push_rows[] = {
    {"ignore-push-failures", 0, OPTION_BOOL, AT(ignores_failures),
     .help = "Push what it can and ignores images with push failures"},
    {"include-deps", 0, OPTION_BOOL, AT(with_dependencies),
     .help = "Also push images of services declared as dependencies"},
    {"quiet", 'q', OPTION_BOOL, AT(is_quiet), .help = "Push without printing progress information"},
};

extern const struct command compose_pull_command, compose_push_command;
const struct command compose_pull_command = {
    .paths = {"compose pull"},
    .usage = "[OPTIONS] [SERVICE...]",
    .help = "Pull service images",
    .options = OPTION_TABLE(pull_rows),
    .values_size = sizeof(struct transfer_values),
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = pull_run,
};
const struct command compose_push_command = {
    .paths = {"compose push"},
    .usage = "[OPTIONS] [SERVICE...]",
    .help = "Push service images",
    .options = OPTION_TABLE(push_rows),
    .values_size = sizeof(struct transfer_values),
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = push_run,
};
