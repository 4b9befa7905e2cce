#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/compose/flags.h"
#include "compose/shape.h"
#include "compose/yaml_document.h"
#include "json/json_record.h"

struct config_options {
    char *format, *hash, *output;
    bool lists_images, lists_profiles, lists_services, lists_volumes, is_quiet;
    bool keeps_variables, is_inconsistent;
};

static void list_keys(const json_t *map)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        puts(key);
    }
}

/* In dependency order, as docker compose lists services: what is needed comes first. */
static void list_service(const json_t *services, const char *name, struct strlist *done)
{
    const json_t *service = json_object_get(services, name);
    const char *other;
    json_t *value;
    if (!service || strlist_contains(done, name))
        return;
    json_object_foreach(json_object_get(service, "depends_on"), other, value)
    {
        list_service(services, other, done);
    }
    strlist_add(done, name);
    puts(name);
}

static void list_services(const json_t *services)
{
    _cleanup_strlist_ struct strlist done = {0};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)services, name, value)
    {
        list_service(services, name, &done);
    }
}

static void list_images(const struct project *project)
{
    const char *name;
    json_t *service;
    json_object_foreach(json_object_get(project->model, "services"), name, service)
    {
        const char *image = json_string_value(json_object_get(service, "image"));
        if (image)
            puts(image);
        else
            printf("%s-%s\n", project->name, name);
    }
}

static void add_profiles(const struct element *services, struct strlist *out)
{
    for (size_t i = 0; services && i < services->count; i++) {
        const struct element *profiles = element_get(services->items[i], "profiles");
        for (size_t j = 0; profiles && j < profiles->count; j++)
            if (!strlist_contains(out, profiles->items[j]->text))
                strlist_add(out, profiles->items[j]->text);
    }
}

static bool print_hashes(const struct project *project, const char *wanted, struct error *err)
{
    const json_t *services = json_object_get(project->model, "services");
    _cleanup_strlist_ struct strlist names = {0};
    const char *name;
    json_t *value;
    if (string_equal(wanted, "*")) {
        json_object_foreach((json_t *)(uintptr_t)services, name, value)
        {
            strlist_add(&names, name);
        }
    } else {
        names = strlist_split(wanted, ',');
    }
    for (size_t i = 0; i < names.count; i++) {
        const json_t *service = json_object_get(services, names.items[i]);
        if (!service)
            return error_set(err, ERROR_NOT_FOUND, "no such service: %s", names.items[i]);
        _cleanup_free_ char *hash = shape_hash(service);
        printf("%s %s\n", names.items[i], hash);
    }
    return true;
}

static bool print_model(const struct config_options *options, const struct project *project, struct error *err)
{
    bool is_json = string_equal(options->format, "json");
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    _cleanup_json_ json_t *json =
        shape_project(project->root, is_json ? FORM_JSON : FORM_YAML, !options->keeps_variables);
    if (is_json) {
        _cleanup_free_ char *pretty = json_dumps(json, JSON_INDENT(2));
        strbuf_add_string(&text, pretty);
    } else {
        yaml_write(json, &text);
    }
    if (options->is_quiet)
        return true;
    if (options->output)
        return file_write(AT_FDCWD, options->output, strbuf_text(&text), text.length, 0666, err);
    fputs(strbuf_text(&text), stdout);
    return true;
}

static bool config_run(struct command_call *call, struct error *err)
{
    const struct config_options *options = call->values;
    if (options->format && !string_equal(options->format, "json") && !string_equal(options->format, "yaml"))
        return error_set(err, ERROR_INVALID, "unsupported format \"%s\"", options->format);
    _cleanup_project_options_ struct project_options files = {.keeps_variables = options->keeps_variables,
                                                              .is_inconsistent = options->is_inconsistent};
    compose_options_fill(call, &files);
    _cleanup_project_ struct project project = {0};
    if (!project_load(&files, &project, err) ||
        !project_select(&project, call->arguments, call->argument_count, true, err))
        return false;
    if (options->lists_services)
        list_services(json_object_get(project.model, "services"));
    else if (options->lists_volumes)
        list_keys(json_object_get(project.model, "volumes"));
    else if (options->lists_images)
        list_images(&project);
    else if (options->hash)
        return print_hashes(&project, options->hash, err);
    else if (!options->lists_profiles)
        return print_model(options, &project, err);
    if (options->lists_profiles) {
        _cleanup_strlist_ struct strlist profiles = {0};
        add_profiles(element_get(project.root, "services"), &profiles);
        add_profiles(project.disabled, &profiles);
        strlist_sort(&profiles);
        for (size_t i = 0; i < profiles.count; i++)
            puts(profiles.items[i]);
    }
    return true;
}

#define AT(member) offsetof(struct config_options, member)
static const struct option rows[] = {
    {"format", 0, OPTION_STRING, AT(format), "string", "Format the output. Values: [yaml | json]", "yaml"},
    {"hash", 0, OPTION_STRING, AT(hash), "string", "Print the service config hash, one per line."},
    {"images", 0, OPTION_BOOL, AT(lists_images), .help = "Print the image names, one per line."},
    {"no-consistency", 0, OPTION_BOOL, AT(is_inconsistent),
     .help = "Don't check model consistency - warning: may produce invalid Compose output"},
    {"no-interpolate", 0, OPTION_BOOL, AT(keeps_variables), .help = "Don't interpolate environment variables"},
    {"output", 'o', OPTION_STRING, AT(output), "string", "Save to file (default to stdout)"},
    {"profiles", 0, OPTION_BOOL, AT(lists_profiles), .help = "Print the profile names, one per line."},
    {"quiet", 'q', OPTION_BOOL, AT(is_quiet), .help = "Only validate the configuration, don't print anything"},
    {"services", 0, OPTION_BOOL, AT(lists_services), .help = "Print the service names, one per line."},
    {"volumes", 0, OPTION_BOOL, AT(lists_volumes), .help = "Print the volume names, one per line."},
};

extern const struct command compose_config_command;
const struct command compose_config_command = {
    .paths = {"compose config", "compose convert"},
    .usage = "[OPTIONS] [SERVICE...]",
    .help = "Parse, resolve and render compose file in canonical format",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct config_options),
    .max_arguments = ARGUMENTS_UNLIMITED,
    .is_local = true,
    .run = config_run,
};
