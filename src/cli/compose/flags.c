#include "cli/compose/flags.h"

#include <string.h>

#include "base/memory.h"

#define AT(member) offsetof(struct compose_flags, member)

static bool check_ansi(void *place, const char *value, struct error *err)
{
    if (!string_equal(value, "never") && !string_equal(value, "always") && !string_equal(value, "auto"))
        return error_set(err, ERROR_INVALID, "must be one of: never, always, auto");
    string_replace(place, value);
    return true;
}

static bool check_progress(void *place, const char *value, struct error *err)
{
    if (!string_equal(value, "auto") && !string_equal(value, "tty") && !string_equal(value, "plain") &&
        !string_equal(value, "quiet"))
        return error_set(err, ERROR_INVALID, "unsupported --progress value \"%s\"", value);
    string_replace(place, value);
    return true;
}

static const struct option rows[] = {
    {"ansi", 0, OPTION_STRING, AT(ansi), "string",
     "Control when to print ANSI control characters (\"never\"|\"always\"|\"auto\")", "auto", check_ansi},
    {"compatibility", 0, OPTION_BOOL, AT(is_compatible), .help = "Run compose in backward compatibility mode",
     .unsupported = "--compatibility is not supported: names are always those of compose v2"},
    {"env-file", 0, OPTION_LIST, AT(env_files), "stringArray", "Specify an alternate environment file"},
    {"file", 'f', OPTION_LIST, AT(files), "stringArray", "Compose configuration files"},
    {"parallel", 0, OPTION_INT64, AT(parallel), "int", "Control max parallelism, -1 for unlimited", "-1"},
    {"profile", 0, OPTION_LIST, AT(profiles), "stringArray", "Specify a profile to enable"},
    {"progress", 0, OPTION_STRING, AT(progress), "string", "Set type of progress output (auto, tty, plain, quiet)",
     "auto", check_progress},
    {"project-directory", 0, OPTION_STRING, AT(project_directory), "string",
     "Specify an alternate working directory\n(default: the path of the, first specified, Compose file)"},
    {"project-name", 'p', OPTION_STRING, AT(name), "string", "Project name"},
};
const struct option_table compose_options = OPTION_TABLE(rows);

const struct compose_flags *compose_flags_of(const struct command_call *call)
{
    return &((const struct compose_globals *)(const void *)call->globals)->flags;
}

void compose_options_fill(const struct command_call *call, struct project_options *options)
{
    const struct compose_flags *flags = compose_flags_of(call);
    const char *variable = getenv("COMPOSE_PROFILES");
    strlist_copy(&options->files, &flags->files);
    strlist_copy(&options->env_files, &flags->env_files);
    strlist_copy(&options->profiles, &flags->profiles);
    if (flags->profiles.count == 0 && string_is_set(variable))
        options->profiles = strlist_split(variable, ',');
    string_replace(&options->name, flags->name);
    string_replace(&options->directory, flags->project_directory);
}

void project_options_release(struct project_options *options)
{
    strlist_release(&options->files);
    strlist_release(&options->env_files);
    strlist_release(&options->profiles);
    free(options->name);
    free(options->directory);
}

bool compose_load(const struct command_call *call, struct project *out, struct error *err)
{
    _cleanup_project_options_ struct project_options options = {0};
    compose_options_fill(call, &options);
    return project_load(&options, out, err);
}

bool compose_load_or_name(const struct command_call *call, struct project *out, struct error *err)
{
    _cleanup_project_options_ struct project_options options = {0};
    compose_options_fill(call, &options);
    _cleanup_free_ char *name = project_name_given(&options);
    struct error cause = ERROR_INIT;
    if (project_load(&options, out, &cause))
        return true;
    if (!name || options.files.count > 0 || cause.kind != ERROR_NOT_FOUND)
        return error_move(err, &cause);
    error_release(&cause);
    out->name = TAKE_PTR(name);
    return true;
}
