/* wherry inspect, container inspect, image inspect. */
#include "cli/inspect.h"

#include <string.h>

#include "base/memory.h"
#include "cli/api_types.h"
#include "cli/listing.h"
#include "cli/platform_option.h"
#include "json/json_record.h"

struct inspect_options {
    char *format;
    char *type;
    char *platform;
    char *platform_query; /* as the API wants it */
    bool wants_size;
    bool is_verbose;
};

/* In the order in which docker tries them. */
static const struct kind {
    const char *name;
    const char *collection;
    const char *rest;
    const struct value_type *type;
    bool has_size;
    bool is_of_swarm; /* tried on a swarm's manager only */
} kinds[] = {
    {"container", "containers", "/json", &container_inspect_type, true, false},
    {"image", "images", "/json", &image_inspect_type, false, false},
    {"network", "networks", "", &network_inspect_type, false, false},
    {"volume", "volumes", "", &volume_type, false, false},
    {"service", "services", "", NULL, false, true},
    {"task", "tasks", "", NULL, false, true},
    {"node", "nodes", "", NULL, false, true},
    {"plugin", "plugins", "/json", NULL, false, false},
    {"secret", "secrets", "", NULL, false, true},
    {"config", "configs", "", NULL, false, true},
};

static bool fetch_kind(struct command_call *call, const struct kind *kind, const char *name, struct inspected *out,
                       struct error *err)
{
    const struct inspect_options *options = call->values;
    if (!*name && kind->has_size)
        return error_set(err, ERROR_INVALID, "invalid container name or ID: value is empty");
    if (!*name)
        return error_set(err, ERROR_NOT_FOUND, "Error: No such %s: ", kind->name);
    _cleanup_strbuf_ struct strbuf query = STRBUF_INIT;
    strbuf_add_string(&query, kind->rest);
    client_query_add(&query, "size", kind->has_size && options->wants_size ? "1" : NULL);
    client_query_add(&query, "platform", options->platform_query);
    const char *rest = strbuf_text(&query);
    return inspect_get(call, kind->collection, name, rest, kind->type, out, err);
}

static bool is_swarm_manager(struct command_call *call)
{
    _cleanup_json_ json_t *info = client_get_json(call->client, "/info", NULL);
    return json_is_true(json_object_get(json_object_get(info, "Swarm"), "ControlAvailable"));
}

/* An error that only says that this kind has no such object. */
static bool is_skippable(const struct error *err)
{
    return err->kind == ERROR_NOT_FOUND || strstr(error_message(err), "not supported") ||
           strstr(error_message(err), "invalid reference format");
}

static bool fetch_any(struct command_call *call, const char *name, struct inspected *out, struct error *err)
{
    const struct inspect_options *options = call->values;
    bool knows_swarm = false, has_swarm = false;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct kind *kind = &kinds[i];
        if (options->type && strcmp(kind->name, options->type) != 0)
            continue;
        if (!options->type && kind->is_of_swarm) {
            has_swarm = knows_swarm ? has_swarm : is_swarm_manager(call);
            knows_swarm = true;
            if (!has_swarm)
                continue;
        }
        _cleanup_error_ struct error why = ERROR_INIT;
        strbuf_release(&out->json);
        if (fetch_kind(call, kind, name, out, &why)) {
            if (options->wants_size && !kind->has_size)
                fprintf(stderr, "WARNING: --size ignored for %s\n", kind->name);
            return true;
        }
        if (options->type || !is_skippable(&why))
            return error_move(err, &why);
    }
    return error_set(err, ERROR_NOT_FOUND, "Error: No such object: %s", name);
}

static bool inspect_run(struct command_call *call, struct error *err)
{
    const struct inspect_options *options = call->values;
    bool is_known = !option_is_given(call->parse, "type");
    for (size_t i = 0; i < ARRAY_SIZE(kinds) && !is_known; i++)
        is_known = string_equal(options->type, kinds[i].name);
    if (!is_known && !string_is_set(options->type))
        return error_set(err, ERROR_INVALID,
                         "type is empty: must be one of \"config\", \"container\", \"image\", "
                         "\"network\", \"node\", \"plugin\", \"secret\", \"service\", \"task\", "
                         "\"volume\"");
    if (!is_known)
        return error_set(err, ERROR_INVALID,
                         "unknown type: \"%s\": must be one of \"config\", \"container\", \"image\", "
                         "\"network\", \"node\", \"plugin\", \"secret\", \"service\", \"task\", "
                         "\"volume\"",
                         options->type);
    return inspect_print(call, options->format, fetch_any, err);
}

static bool fetch_container(struct command_call *call, const char *name, struct inspected *out, struct error *err)
{
    return fetch_kind(call, &kinds[0], name, out, err);
}

static bool container_inspect_run(struct command_call *call, struct error *err)
{
    const struct inspect_options *options = call->values;
    return inspect_print(call, options->format, fetch_container, err);
}

static bool fetch_image(struct command_call *call, const char *name, struct inspected *out, struct error *err)
{
    return fetch_kind(call, &kinds[1], name, out, err);
}

static bool image_inspect_run(struct command_call *call, struct error *err)
{
    struct inspect_options *options = call->values;
    if (string_is_set(options->platform)) {
        if (!require_api_version(call, "platform", "1.49", err))
            return false;
        if (!platform_json(options->platform, &options->platform_query, err))
            return error_prefix(err, "invalid platform");
    }
    bool is_done = inspect_print(call, options->format, fetch_image, err);
    free(TAKE_PTR(options->platform_query));
    return is_done;
}

static bool fetch_network(struct command_call *call, const char *name, struct inspected *out, struct error *err)
{
    const struct inspect_options *options = call->values;
    return inspect_get(call, "networks", name, options->is_verbose ? "?verbose=true" : "", &network_inspect_type, out,
                       err);
}

static bool network_inspect_run(struct command_call *call, struct error *err)
{
    const struct inspect_options *options = call->values;
    return inspect_print(call, options->format, fetch_network, err);
}

#define PLACE(member_) offsetof(struct inspect_options, member_)
#define FORMAT_ROW                                                                                                     \
    {                                                                                                                  \
        "format", 'f', OPTION_STRING, PLACE(format), "string", FORMAT_HELP_INSPECT                                     \
    }

static const struct option inspect_rows[] = {
    FORMAT_ROW,
    {"type", 0, OPTION_STRING, PLACE(type), "string", "Only inspect objects of the given type"},
    {"size", 's', OPTION_BOOL, PLACE(wants_size), .help = "Display total file sizes if the type is container"},
};
static const struct option container_inspect_rows[] = {
    FORMAT_ROW,
    {"size", 's', OPTION_BOOL, PLACE(wants_size), .help = "Display total file sizes"},
};
static const struct option network_inspect_rows[] = {
    FORMAT_ROW,
    {"verbose", 'v', OPTION_BOOL, PLACE(is_verbose), .help = "Verbose output for diagnostics"},
};
static const struct option image_inspect_rows[] = {
    FORMAT_ROW,
    {"platform", 0, OPTION_STRING, PLACE(platform), "string",
     "Inspect a specific platform of the multi-platform image.\nIf the image or the server is not multi-platform "
     "capable, "
     "the command will error out if the platform does not match.\n'os[/arch[/variant]]': Explicit platform (eg. "
     "linux/amd64)"},
};

const struct command inspect_command = {
    .paths = {"inspect"},
    .usage = "[OPTIONS] NAME|ID [NAME|ID...]",
    .help = "Return low-level information on Docker objects",
    .options = OPTION_TABLE(inspect_rows),
    .values_size = sizeof(struct inspect_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = inspect_run,
};

const struct command container_inspect_command = {
    .paths = {"container inspect"},
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .help = "Display detailed information on one or more containers",
    .options = OPTION_TABLE(container_inspect_rows),
    .values_size = sizeof(struct inspect_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = container_inspect_run,
};

const struct command image_inspect_command = {
    .paths = {"image inspect"},
    .usage = "[OPTIONS] IMAGE [IMAGE...]",
    .help = "Display detailed information on one or more images",
    .options = OPTION_TABLE(image_inspect_rows),
    .values_size = sizeof(struct inspect_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = image_inspect_run,
};

const struct command network_inspect_command = {
    .paths = {"network inspect"},
    .usage = "[OPTIONS] NETWORK [NETWORK...]",
    .help = "Display detailed information on one or more networks",
    .options = OPTION_TABLE(network_inspect_rows),
    .values_size = sizeof(struct inspect_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = network_inspect_run,
};
