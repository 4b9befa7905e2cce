#include "base/memory.h"
#include "cli/context_option.h"
#include "cli/context_store.h"
#include "json/json_record.h"

struct context_update_options {
    char *description;
    struct strmap endpoint;
};

static bool context_update_run(struct command_call *call, struct error *err)
{
    const struct context_update_options *options = call->values;
    const char *name = call->arguments[0];
    if (!context_check_name(name, err))
        return false;
    _cleanup_json_ json_t *context = context_read(call->config_directory, name, err);
    if (!context)
        return false;
    if (string_is_set(options->description))
        json_object_set_new(json_object_get(context, "Metadata"), "Description", json_string(options->description));
    if (options->endpoint.count > 0 && !context_option_apply(call, &options->endpoint, context, err))
        return false;
    if (!context_write(call->config_directory, context, err))
        return false;
    printf("%s\n", name);
    fflush(stdout);
    fprintf(stderr, "Successfully updated context \"%s\"\n", name);
    return true;
}

static void release(void *values)
{
    strmap_release(&((struct context_update_options *)values)->endpoint);
}

#define PLACE(member_) offsetof(struct context_update_options, member_)
static const struct option context_update_rows[] = {
    {"description", 0, OPTION_STRING, PLACE(description), "string", "Description of the context"},
    {"docker", 0, OPTION_CUSTOM, PLACE(endpoint), "stringToString", "set the docker endpoint", "[]",
     context_option_parse},
};

const struct command context_update_command = {
    .paths = {"context update"},
    .usage = "[OPTIONS] CONTEXT",
    .help = "Update a context",
    .long_help = CONTEXT_OPTION_HELP("Update a context", "update",
                                     "\"host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file\""),
    .options = OPTION_TABLE(context_update_rows),
    .values_size = sizeof(struct context_update_options),
    .release_values = release,
    .is_local = true,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = context_update_run,
};
