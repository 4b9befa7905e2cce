#include <string.h>

#include "base/memory.h"
#include "cli/context_option.h"
#include "cli/context_store.h"
#include "cli/endpoint.h"
#include "cli/inspect.h"
#include "cli/listing.h"
#include "json/json_record.h"

struct context_inspect_options {
    char *format;
};

static bool fetch(struct command_call *call, const char *name, struct inspected *out, struct error *err)
{
    bool is_default = string_equal(name, CONTEXT_DEFAULT);
    _cleanup_json_ json_t *context = context_get(call, name, err);
    if (!context)
        return false;
    if (is_default)
        json_object_set_new(context, "Metadata", json_object());
    json_object_set_new(context, "TLSMaterial", context_tls_files(call->config_directory, name));
    _cleanup_free_ char *meta = context_folder(call->config_directory, "meta", name),
                        *tls = context_folder(call->config_directory, "tls", name);
    json_object_set_new(context, "Storage",
                        json_pack("{s:s, s:s}", "MetadataPath", is_default ? "<IN MEMORY>" : meta, "TLSPath",
                                  is_default ? "<IN MEMORY>" : tls));
    _cleanup_free_ char *text = json_format(context);
    strbuf_add_string(&out->json, text);
    return true;
}

static bool context_inspect_run(struct command_call *call, struct error *err)
{
    const struct context_inspect_options *options = call->values;
    char *current[] = {(char *)(uintptr_t)endpoint_context(call->globals, call->config_directory), NULL};
    if (call->argument_count == 0) {
        call->arguments = current;
        call->argument_count = 1;
    }
    return inspect_print(call, options->format, fetch, err);
}

static const struct option context_inspect_rows[] = {
    {"format", 'f', OPTION_STRING, offsetof(struct context_inspect_options, format), "string", FORMAT_HELP_INSPECT},
};

const struct command context_inspect_command = {
    .paths = {"context inspect"},
    .usage = "[OPTIONS] [CONTEXT] [CONTEXT...]",
    .help = "Display detailed information on one or more contexts",
    .options = OPTION_TABLE(context_inspect_rows),
    .values_size = sizeof(struct context_inspect_options),
    .is_local = true,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = context_inspect_run,
};
