#include "base/memory.h"
#include "cli/context_option.h"
#include "cli/context_store.h"
#include "cli/endpoint.h"
#include "json/json_record.h"

struct context_create_options {
    char *description, *from;
    struct strmap endpoint;
};

/* Without --docker it is a copy: of --from, or of the context in use. */
static json_t *new_context(const struct command_call *call, const char *name, const char **copied, struct error *err)
{
    const struct context_create_options *options = call->values;
    *copied = NULL;
    if (options->endpoint.count > 0)
        return json_pack("{s:s, s:{}}", "Name", name, "Metadata");
    *copied = string_is_set(options->from) ? options->from : endpoint_context(call->globals, call->config_directory);
    json_t *context = context_get(call, *copied, err);
    if (context)
        json_object_set_new(context, "Name", json_string(name));
    return context;
}

static bool context_create_run(struct command_call *call, struct error *err)
{
    const struct context_create_options *options = call->values;
    const char *name = call->arguments[0], *copied;
    if (!context_check_name(name, err))
        return false;
    if (context_exists(call->config_directory, name))
        return error_set(err, ERROR_CONFLICT, "context \"%s\" already exists", name);
    if (string_is_set(options->from) && options->endpoint.count > 0)
        return error_set(err, ERROR_INVALID, "cannot use --docker flag when --from is set");
    _cleanup_json_ json_t *context = new_context(call, name, &copied, err);
    if (!context)
        return false;
    if (string_is_set(options->description))
        json_object_set_new(json_object_get(context, "Metadata"), "Description", json_string(options->description));
    bool is_made = copied ? context_copy_tls(call, copied, name, err)
                          : context_option_apply(call, &options->endpoint, context, err);
    if (!is_made || !context_write(call->config_directory, context, err)) {
        context_remove(call->config_directory, name, NULL);
        return false;
    }
    printf("%s\n", name);
    fflush(stdout);
    fprintf(stderr, "Successfully created context \"%s\"\n", name);
    return true;
}

static void release(void *values)
{
    strmap_release(&((struct context_create_options *)values)->endpoint);
}

#define PLACE(member_) offsetof(struct context_create_options, member_)
static const struct option context_create_rows[] = {
    {"description", 0, OPTION_STRING, PLACE(description), "string", "Description of the context"},
    {"docker", 0, OPTION_CUSTOM, PLACE(endpoint), "stringToString", "set the docker endpoint", "[]",
     context_option_parse},
    {"from", 0, OPTION_STRING, PLACE(from), "string", "create context from a named context"},
};

const struct command context_create_command = {
    .paths = {"context create"},
    .usage = "[OPTIONS] CONTEXT",
    .help = "Create a context",
    .long_help = CONTEXT_OPTION_HELP("Create a context", "create",
                                     "\"host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file\""),
    .options = OPTION_TABLE(context_create_rows),
    .values_size = sizeof(struct context_create_options),
    .release_values = release,
    .is_local = true,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = context_create_run,
};
