#include <string.h>

#include "base/memory.h"
#include "cli/image_pull.h"
#include "cli/platform_option.h"
#include "cli/registry_auth.h"

struct push_options {
    bool is_all, is_quiet;
    bool is_unsigned; /* without content trust, which there is none of */
    char *platform;
};

static void set_defaults(void *values)
{
    ((struct push_options *)values)->is_unsigned = true;
}

static bool send(struct command_call *call, const struct reference *reference, const char *platform, struct error *err)
{
    const struct push_options *options = call->values;
    _cleanup_strmap_ struct strmap headers = {0};
    if (!registry_headers(call, reference->domain, &headers, err))
        return false;
    _cleanup_free_ char *name = reference_familiar_name(reference);
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_addf(&path, "/images/%s/push", name);
    client_query_add(&path, "tag", options->is_all ? NULL : reference->tag);
    client_query_add(&path, "platform", platform);
    struct client_request request = {.method = "POST", .path = strbuf_text(&path), .headers = &headers};
    _cleanup_(client_stream_freep) struct client_stream *stream = client_stream_open(call->client, &request, err);
    return stream && progress_show_or_hide(stream, options->is_quiet ? NULL : stdout, err);
}

static bool push_run(struct command_call *call, struct error *err)
{
    const struct push_options *options = call->values;
    _cleanup_reference_ struct reference reference = {0};
    _cleanup_free_ char *platform = NULL;
    if (string_is_set(options->platform)) {
        if (!require_api_version(call, "platform", "1.46", err))
            return false;
        if (!platform_json(options->platform, &platform, err))
            return error_prefix(err, "invalid platform");
    }
    if (!reference_parse(call->arguments[0], &reference, err))
        return false;
    if (options->is_all && !reference.is_tag_implied)
        return error_set(err, ERROR_INVALID, "tag can't be used with --all-tags/-a");
    if (!options->is_unsigned)
        return error_set(err, ERROR_UNSUPPORTED, "content trust is not supported by this version of Wherry");
    if (reference.digest)
        return error_set(err, ERROR_INVALID, "cannot push a digest reference");
    if (!options->is_all && reference.is_tag_implied && !options->is_quiet)
        printf("Using default tag: %s\n", reference.tag);
    fflush(stdout);
    if (!send(call, &reference, platform, err))
        return false;
    if (!options->is_quiet)
        return true;
    _cleanup_free_ char *name = options->is_all ? reference_full_name(&reference) : reference_full(&reference);
    puts(name);
    return true;
}

#define PLACE(member_) offsetof(struct push_options, member_)
static const struct option push_rows[] = {
    {"all-tags", 'a', OPTION_BOOL, PLACE(is_all), .help = "Push all tags of an image to the repository"},
    {"disable-content-trust", 0, OPTION_BOOL, PLACE(is_unsigned), .help = "Skip image signing", .default_text = "true"},
    {"platform", 0, OPTION_STRING, PLACE(platform), "string",
     "Push a platform-specific manifest as a single-platform image to the registry.\n"
     "Image index won't be pushed, meaning that other manifests, including attestations won't be preserved.\n"
     "'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)"},
    {"quiet", 'q', OPTION_BOOL, PLACE(is_quiet), .help = "Suppress verbose output"},
};

const struct command push_command = {
    .paths = {"image push", "push"},
    .usage = "[OPTIONS] NAME[:TAG]",
    .help = "Upload an image to a registry",
    .group = GROUP_COMMON,
    .options = OPTION_TABLE(push_rows),
    .values_size = sizeof(struct push_options),
    .set_defaults = set_defaults,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = push_run,
};
