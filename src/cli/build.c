/* wherry build: its flags. What it does with them is in build_image.c. */
#include "cli/build_options.h"

#include <string.h>

#include "base/memory.h"
#include "cli/flag_checks.h"
#include "oci/reference.h"

static void set_defaults(void *values)
{
    struct build_options *options = values;
    options->network = xstrdup("default");
    options->is_untrusted = true;
    options->removes = true;
}

static bool check_tag(void *place, const char *value, struct error *err)
{
    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse(value, &reference, err))
        return false;
    strlist_add(place, value);
    return true;
}

/* pflag's string slices: each value is a line of comma-separated ones. */
static bool add_values(void *place, const char *value, struct error *err)
{
    _cleanup_strlist_ struct strlist values = {0};
    if (*value && !csv_split(value, &values, err))
        return false;
    for (size_t i = 0; i < values.count; i++)
        strlist_add(place, values.items[i]);
    return true;
}

/* One platform: an image for several is a change of its own. */
static bool check_platform(void *place, const char *value, struct error *err)
{
    char **platform = place;
    if (strchr(value, ',') || (*platform && !string_equal(*platform, value)))
        return error_set(err, ERROR_UNSUPPORTED, "one build makes an image for one platform");
    string_replace(platform, value);
    return true;
}

static bool check_call(void *place, const char *value, struct error *err)
{
    if (!string_equal(value, "build") && !string_equal(value, "check") && !string_equal(value, "lint"))
        return error_set(err, ERROR_UNSUPPORTED, "\"%s\" is not supported: \"build\" and \"check\" are", value);
    string_replace(place, value);
    return true;
}

static bool check_progress(void *place, const char *value, struct error *err)
{
    static const char *const kinds[] = {"auto", "plain", "tty", "rawjson", "quiet"};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (string_equal(value, kinds[i])) {
            string_replace(place, value);
            return true;
        }
    return error_set(err, ERROR_INVALID, "\"%s\": must be \"auto\", \"plain\", \"tty\", \"rawjson\" or \"quiet\"",
                     value);
}

#define AT(member_) offsetof(struct build_options, member_)
#define REFUSED(name_, value_, help_, why_)                                                                            \
    {                                                                                                                  \
        name_, 0, OPTION_STRING, AT(builder), value_, help_, .unsupported = why_                                       \
    }
#define ATTESTATIONS "attestations are not supported yet"
static const struct option build_rows[] = {
    {"add-host", 0, OPTION_LIST, AT(add_hosts), "list", "Add a custom host-to-IP mapping (\"host:ip\")", NULL,
     check_add_host},
    REFUSED("allow", "strings", "Allow extra privileged entitlement (e.g., \"network.host\", \"security.insecure\")",
            "RUN --security=insecure is not supported, and --network=host needs no entitlement"),
    REFUSED("annotation", "stringArray", "Add annotation to the image", "annotations are not supported yet"),
    REFUSED("attest", "stringArray", "Attestation parameters (format: \"type=sbom,generator=image\")", ATTESTATIONS),
    {"build-arg", 0, OPTION_LIST, AT(build_args), "list", "Set build-time variables"},
    {"build-context", 0, OPTION_LIST, AT(build_contexts), "stringArray", "Additional build contexts (e.g., name=path)"},
    {"builder", 0, OPTION_STRING, AT(builder), "string", "Override the configured builder instance"},
    {"cache-from", 0, OPTION_LIST, AT(cache_from), "strings", "Images to consider as cache sources", NULL, add_values},
    REFUSED("cache-to", "stringArray",
            "Cache export destinations (e.g., \"user/app:cache\", \"type=local,dest=path/to/dir\")",
            "exporting the build cache is not supported yet"),
    {"call", 0, OPTION_STRING, AT(call), "string", "Set method for evaluating build (\"check\")", "build", check_call},
    {"cgroup-parent", 0, OPTION_STRING, AT(cgroup_parent), "string",
     "Set the parent cgroup for the \"RUN\" instructions during build"},
    {"check", 0, OPTION_BOOL, AT(is_check), NULL, "Shorthand for \"--call=check\""},
    {"compress", 0, OPTION_BOOL, AT(is_check), NULL, "Compress the build context using gzip",
     .unsupported = "the build context is sent as it is: compressing it is not supported"},
    {"cpu-period", 0, OPTION_INT64, AT(cpu_period), "int", "Limit the CPU CFS (Completely Fair Scheduler) period"},
    {"cpu-quota", 0, OPTION_INT64, AT(cpu_quota), "int", "Limit the CPU CFS (Completely Fair Scheduler) quota"},
    {"cpu-shares", 'c', OPTION_INT64, AT(cpu_shares), "int", "CPU shares (relative weight)"},
    {"cpuset-cpus", 0, OPTION_STRING, AT(cpuset_cpus), "string", "CPUs in which to allow execution (0-3, 0,1)"},
    {"cpuset-mems", 0, OPTION_STRING, AT(cpuset_mems), "string", "MEMs in which to allow execution (0-3, 0,1)"},
    {"disable-content-trust", 0, OPTION_BOOL, AT(is_untrusted), NULL, "Skip image verification", "true",
     check_content_trust},
    {"file", 'f', OPTION_STRING, AT(file), "string", "Name of the Dockerfile (Default is \"PATH/Dockerfile\")"},
    {"force-rm", 0, OPTION_BOOL, AT(force_rm), NULL, "Always remove intermediate containers"},
    {"iidfile", 0, OPTION_STRING, AT(iidfile), "string", "Write the image ID to the file"},
    {"isolation", 0, OPTION_STRING, AT(isolation), "string", "Container isolation technology"},
    {"label", 0, OPTION_LIST, AT(labels), "list", "Set metadata for an image", NULL, check_label},
    {"load", 0, OPTION_BOOL, AT(loads), NULL, "Shorthand for \"--output=type=docker\""},
    {"memory", 'm', OPTION_BYTES, AT(memory), "bytes", "Memory limit"},
    {"memory-swap", 0, OPTION_BYTES, AT(memory_swap), "bytes",
     "Swap limit equal to memory plus swap: -1 to enable unlimited swap", NULL, parse_memory_swap},
    {"metadata-file", 0, OPTION_STRING, AT(metadata_file), "string", "Write build result metadata to a file"},
    {"network", 0, OPTION_STRING, AT(network), "string",
     "Set the networking mode for the RUN instructions during build", "default"},
    {"no-cache", 0, OPTION_BOOL, AT(no_cache), NULL, "Do not use cache when building the image"},
    {"no-cache-filter", 0, OPTION_LIST, AT(no_cache_filter), "stringArray", "Do not cache specified stages", NULL,
     add_values},
    {"output", 'o', OPTION_LIST, AT(outputs), "stringArray", "Output destination (format: \"type=local,dest=path\")"},
    {"platform", 0, OPTION_STRING, AT(platform), "string", "Set platform if server is multi-platform capable", NULL,
     check_platform},
    {"progress", 0, OPTION_STRING, AT(progress), "string",
     "Set type of progress output (\"auto\", \"plain\", \"tty\", \"rawjson\", \"quiet\"). Use plain to show container "
     "output",
     "auto", check_progress},
    {"provenance", 0, OPTION_STRING, AT(provenance), "string", "Shorthand for \"--attest=type=provenance\""},
    {"pull", 0, OPTION_BOOL, AT(pull), NULL, "Always attempt to pull a newer version of the image"},
    {"push", 0, OPTION_BOOL, AT(pushes), NULL, "Shorthand for \"--output=type=registry\""},
    {"quiet", 'q', OPTION_BOOL, AT(is_quiet), NULL, "Suppress the build output and print image ID on success"},
    {"rm", 0, OPTION_BOOL, AT(removes), NULL, "Remove intermediate containers after a successful build", "true"},
    {"sbom", 0, OPTION_STRING, AT(sbom), "string", "Shorthand for \"--attest=type=sbom\""},
    {"secret", 0, OPTION_LIST, AT(secrets), "stringArray",
     "Secret to expose to the build (format: \"id=mysecret[,src=/local/secret]\")"},
    {"security-opt", 0, OPTION_LIST, AT(security_opts), "strings", "Security options", NULL, add_values},
    {"shm-size", 0, OPTION_BYTES, AT(shm_size), "bytes", "Size of \"/dev/shm\""},
    {"squash", 0, OPTION_BOOL, AT(is_check), NULL, "Squash newly built layers into a single new layer",
     .unsupported = "squashing an image's layers is not supported"},
    REFUSED("ssh", "stringArray",
            "SSH agent socket or keys to expose to the build (format: \"default|<id>[=<socket>|<key>[,<key>]]\")",
            "exposing SSH agents to a build is not supported yet"),
    {"tag", 't', OPTION_LIST, AT(tags), "list", "Name and optionally a tag in the \"name:tag\" format", NULL,
     check_tag},
    {"target", 0, OPTION_STRING, AT(target), "string", "Set the target build stage to build."},
    {"ulimit", 0, OPTION_LIST, AT(ulimits), "ulimit", "Ulimit options", "[]", check_ulimit},
};

static bool asks_for_attestation(const char *value)
{
    bool is_wanted = true;
    return string_is_set(value) && !(parse_bool(value, &is_wanted, NULL) && !is_wanted);
}

bool build_options_check(struct build_options *options, struct error *err)
{
    if (string_is_set(options->builder) && !string_equal(options->builder, "default"))
        return error_set(err, ERROR_NOT_FOUND, "no builder \"%s\" found", options->builder);
    if (string_is_set(options->isolation) && !string_equal(options->isolation, "default"))
        return error_set(err, ERROR_UNSUPPORTED, "isolation \"%s\" is not supported on Linux", options->isolation);
    if (asks_for_attestation(options->provenance) || asks_for_attestation(options->sbom))
        return error_set(err, ERROR_UNSUPPORTED, ATTESTATIONS);
    if (options->loads && options->pushes)
        return error_set(err, ERROR_INVALID, "push and load may not be set together at the moment");
    if (string_equal(options->call, "check") || string_equal(options->call, "lint"))
        options->is_check = true;
    if (options->is_quiet && options->progress && !string_equal(options->progress, "auto") &&
        !string_equal(options->progress, "quiet"))
        return error_set(err, ERROR_INVALID, "progress=%s and quiet cannot be used together", options->progress);
    if (!options->progress)
        options->progress = xstrdup(string_is_set(getenv("BUILDKIT_PROGRESS")) ? getenv("BUILDKIT_PROGRESS") : "auto");
    if (options->is_quiet)
        string_replace(&options->progress, "quiet");
    return true;
}

const struct command build_command = {
    .paths = {"image build", "build", "builder build"},
    .usage = "[OPTIONS] PATH | URL | -",
    .help = "Build an image from a Dockerfile",
    .group = GROUP_COMMON,
    .options = OPTION_TABLE(build_rows),
    .values_size = sizeof(struct build_options),
    .set_defaults = set_defaults,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = build_run,
};
