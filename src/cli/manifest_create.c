#include "base/memory.h"
#include "cli/manifest_list.h"
#include "json/json_record.h"

struct create_options {
    bool may_amend, is_insecure;
};

static bool add(struct command_call *call, const struct reference *list, const char *text, struct error *err)
{
    const struct create_options *options = call->values;
    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse(text, &reference, err))
        return false;
    _cleanup_json_ json_t *known = manifest_list_entry(call, list, &reference);
    if (known)
        return true;
    bool is_list = false;
    _cleanup_json_ json_t *entries = manifest_fetch(call, &reference, options->is_insecure, &is_list, err);
    if (!entries)
        return false;
    if (is_list)
        return error_set(err, ERROR_INVALID, "%s is a manifest list", text);
    return manifest_list_write(call, list, &reference, json_array_get(entries, 0), err);
}

static bool manifest_create_run(struct command_call *call, struct error *err)
{
    const struct create_options *options = call->values;
    _cleanup_reference_ struct reference list = {0};
    if (!reference_parse(call->arguments[0], &list, err))
        return error_prefix(err, "error parsing name for manifest list %s", call->arguments[0]);
    _cleanup_json_ json_t *known = manifest_list_read(call, &list);
    if (known && !options->may_amend)
        return error_set(err, ERROR_CONFLICT, "refusing to amend an existing manifest list with no --amend flag");
    for (size_t i = 1; i < call->argument_count; i++)
        if (!add(call, &list, call->arguments[i], err))
            return false;
    _cleanup_free_ char *name = reference_full(&list);
    printf("Created manifest list %s\n", name);
    return true;
}

#define AT(member) offsetof(struct create_options, member)
static const struct option rows[] = {
    {"amend", 'a', OPTION_BOOL, AT(may_amend), NULL, "Amend an existing manifest list"},
    {"insecure", 0, OPTION_BOOL, AT(is_insecure), NULL, "Allow communication with an insecure registry"},
};

const struct command manifest_create_command = {
    .paths = {"manifest create"},
    .usage = "MANIFEST_LIST MANIFEST [MANIFEST...]",
    .help = "Create a local manifest list for annotating and pushing to a registry",
    .long_help = "Create a local manifest list for annotating and pushing to a registry" EXPERIMENTAL_HELP_OF("create"),
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct create_options),
    .min_arguments = 2,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = manifest_create_run,
};
