#include "base/memory.h"
#include "cli/manifest_list.h"
#include "json/json_record.h"

struct annotate_options {
    char *architecture, *os, *os_version, *variant;
    struct strlist os_features;
};

static void set(json_t *platform, const char *key, const char *value)
{
    if (string_is_set(value))
        json_object_set_new(platform, key, json_string(value));
}

static void annotate(json_t *entry, const struct annotate_options *options)
{
    json_t *descriptor = json_object_get(entry, "Descriptor");
    json_t *platform = json_object_get(descriptor, "platform");
    if (!platform) {
        platform = json_object();
        json_object_set_new(descriptor, "platform", platform);
    }
    set(platform, "os", options->os);
    set(platform, "architecture", options->architecture);
    set(platform, "variant", options->variant);
    set(platform, "os.version", options->os_version);
    if (options->os_features.count == 0)
        return;
    json_t *features = json_array();
    for (size_t i = 0; i < options->os_features.count; i++)
        json_array_append_new(features, json_string(options->os_features.items[i]));
    json_object_set_new(platform, "os.features", features);
}

static bool manifest_annotate_run(struct command_call *call, struct error *err)
{
    _cleanup_reference_ struct reference list = {0}, manifest = {0};
    if (!reference_parse(call->arguments[0], &list, err))
        return error_prefix(err, "annotate: error parsing name for manifest list %s", call->arguments[0]);
    if (!reference_parse(call->arguments[1], &manifest, err))
        return error_prefix(err, "annotate: error parsing name for manifest %s", call->arguments[1]);
    _cleanup_json_ json_t *entry = manifest_list_entry(call, &list, &manifest);
    _cleanup_free_ char *list_name = reference_full(&list), *name = reference_full(&manifest);
    if (!entry)
        return error_set(err, ERROR_NOT_FOUND, "manifest for image %s does not exist in %s", name, list_name);
    annotate(entry, call->values);
    return manifest_list_write(call, &list, &manifest, entry, err);
}

#define AT(member) offsetof(struct annotate_options, member)
static const struct option rows[] = {
    {"arch", 0, OPTION_STRING, AT(architecture), "string", "Set architecture"},
    {"os", 0, OPTION_STRING, AT(os), "string", "Set operating system"},
    {"os-features", 0, OPTION_LIST, AT(os_features), "strings", "Set operating system feature"},
    {"os-version", 0, OPTION_STRING, AT(os_version), "string", "Set operating system version"},
    {"variant", 0, OPTION_STRING, AT(variant), "string", "Set architecture variant"},
};

const struct command manifest_annotate_command = {
    .paths = {"manifest annotate"},
    .usage = "[OPTIONS] MANIFEST_LIST MANIFEST",
    .help = "Add additional information to a local image manifest",
    .long_help = "Add additional information to a local image manifest" EXPERIMENTAL_HELP_OF("annotate"),
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct annotate_options),
    .min_arguments = 2,
    .max_arguments = 2,
    .run = manifest_annotate_run,
};
