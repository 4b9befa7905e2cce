#include "base/memory.h"
#include "cli/command.h"
#include "cli/flag_checks.h"
#include "json/json_record.h"

struct volume_create_options {
    char *name, *driver, *availability, *group, *scope, *sharing, *type;
    struct strlist labels, opts, secrets, preferred, required;
    int64_t limit_bytes, required_bytes;
};

/* Of volumes of a cluster: docker sends them to the engine, which says that it is no manager. */
static const char *const cluster_flags[] = {"availability", "group", "limit-bytes",        "required-bytes",   "scope",
                                            "sharing",      "type",  "topology-preferred", "topology-required"};

static json_t *map_json(const struct strlist *pairs)
{
    json_t *map = json_object();
    for (size_t i = 0; i < pairs->count; i++) {
        const char *pair = pairs->items[i];
        size_t length = strcspn(pair, "=");
        _cleanup_free_ char *key = xstrndup(pair, length);
        json_object_set_new_nocheck(map, key, json_string_nocheck(pair[length] ? pair + length + 1 : ""));
    }
    return map;
}

static json_t *cluster_spec(const struct volume_create_options *options)
{
    return json_pack("{s:s, s:{s:s, s:s}, s:s}", "Group", string_or_empty(options->group), "AccessMode", "Scope",
                     string_or_empty(options->scope), "Sharing", string_or_empty(options->sharing), "Availability",
                     string_or_empty(options->availability));
}

static bool volume_create_run(struct command_call *call, struct error *err)
{
    const struct volume_create_options *options = call->values;
    bool is_named = option_is_given(call->parse, "name"), is_of_cluster = false;
    if (is_named && call->argument_count)
        return error_set(err, ERROR_INVALID,
                         "conflicting options: cannot specify a volume-name through both --name and as a positional "
                         "arg");
    for (size_t i = 0; i < ARRAY_SIZE(cluster_flags); i++)
        is_of_cluster |= option_is_given(call->parse, cluster_flags[i]);
    const char *name = call->argument_count ? call->arguments[0] : string_or_empty(options->name);
    _cleanup_json_ json_t *body =
        json_pack("{s:s, s:o, s:o, s:s}", "Driver", string_or_empty(options->driver), "DriverOpts",
                  map_json(&options->opts), "Labels", map_json(&options->labels), "Name", name);
    /* docker leaves out what is empty. */
    static const char *const maps[] = {"DriverOpts", "Labels"};
    for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
        if (json_object_size(json_object_get(body, maps[i])) == 0)
            json_object_del(body, maps[i]);
    if (is_of_cluster)
        json_object_set_new(body, "ClusterVolumeSpec", cluster_spec(options));
    _cleanup_json_ json_t *volume = client_post_json(call->client, "/volumes/create", body, err);
    if (!volume)
        return false;
    puts(string_or_empty(json_string_value(json_object_get(volume, "Name"))));
    return true;
}

static void set_defaults(void *values)
{
    struct volume_create_options *options = values;
    options->driver = xstrdup("local");
    options->availability = xstrdup("active");
    options->scope = xstrdup("single");
    options->sharing = xstrdup("none");
    options->type = xstrdup("block");
}

#define AT(member) offsetof(struct volume_create_options, member)
static const struct option rows[] = {
    {"driver", 'd', OPTION_STRING, AT(driver), "string", "Specify volume driver name", "local"},
    {"name", 0, OPTION_STRING, AT(name), "string", "Specify volume name", .is_hidden = true},
    {"opt", 'o', OPTION_LIST, AT(opts), "map", "Set driver specific options", "map[]"},
    {"label", 0, OPTION_LIST, AT(labels), "list", "Set metadata for a volume", .parse = check_label},
    {"availability", 0, OPTION_STRING, AT(availability), "string",
     "Cluster Volume availability (\"active\", \"pause\", \"drain\")", "active"},
    {"group", 0, OPTION_STRING, AT(group), "string", "Cluster Volume group (cluster volumes)"},
    {"limit-bytes", 0, OPTION_BYTES, AT(limit_bytes), "bytes", "Minimum size of the Cluster Volume in bytes"},
    {"required-bytes", 0, OPTION_BYTES, AT(required_bytes), "bytes", "Maximum size of the Cluster Volume in bytes"},
    {"scope", 0, OPTION_STRING, AT(scope), "string", "Cluster Volume access scope (\"single\", \"multi\")", "single"},
    {"secret", 0, OPTION_LIST, AT(secrets), "map", "Cluster Volume secrets", "map[]"},
    {"sharing", 0, OPTION_STRING, AT(sharing), "string",
     "Cluster Volume access sharing (\"none\", \"readonly\", \"onewriter\", \"all\")", "none"},
    {"topology-preferred", 0, OPTION_LIST, AT(preferred), "list",
     "A topology that the Cluster Volume would be preferred in"},
    {"topology-required", 0, OPTION_LIST, AT(required), "list",
     "A topology that the Cluster Volume must be accessible from"},
    {"type", 0, OPTION_STRING, AT(type), "string", "Cluster Volume access type (\"mount\", \"block\")", "block"},
};

const struct command volume_create_command = {
    .paths = {"volume create"},
    .usage = "[OPTIONS] [VOLUME]",
    .help = "Create a volume",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct volume_create_options),
    .set_defaults = set_defaults,
    .max_arguments = 1,
    .run = volume_create_run,
};
