#include <string.h>

#include "base/memory.h"
#include "cli/image_pull.h"
#include "cli/progress.h"
#include "cli/registry_auth.h"

bool progress_show_or_hide(struct client_stream *stream, FILE *out, struct error *err)
{
    _cleanup_fclose_ FILE *nobody = out ? NULL : fopen("/dev/null", "we");
    struct progress_options options = {.out = out ? out : nobody};
    return progress_show(stream, &options, err);
}

bool image_pull(const struct command_call *call, const struct image_pull *pull, struct error *err)
{
    const struct reference *reference = pull->reference;
    _cleanup_strmap_ struct strmap headers = {0};
    if (!registry_headers(call, reference->domain, &headers, err))
        return false;
    _cleanup_free_ char *name = reference_familiar_name(reference);
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/images/create");
    client_query_add(&path, "fromImage", name);
    if (!pull->is_all)
        client_query_add(&path, "tag", reference->digest ? reference->digest : reference->tag);
    client_query_add(&path, "platform", string_is_set(pull->platform) ? pull->platform : NULL);
    struct client_request request = {.method = "POST", .path = strbuf_text(&path), .headers = &headers};
    _cleanup_(client_stream_freep) struct client_stream *stream = client_stream_open(call->client, &request, err);
    return stream && progress_show_or_hide(stream, pull->out, err);
}

struct pull_options {
    bool is_all, is_quiet;
    bool is_untrusted; /* without content trust, which there is none of */
    char *platform;
};

static void set_defaults(void *values)
{
    ((struct pull_options *)values)->is_untrusted = true;
}

static bool pull_run(struct command_call *call, struct error *err)
{
    const struct pull_options *options = call->values;
    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse(call->arguments[0], &reference, err))
        return false;
    if (options->is_all && !reference.is_tag_implied)
        return error_set(err, ERROR_INVALID, "tag can't be used with --all-tags/-a");
    if (!options->is_untrusted)
        return error_set(err, ERROR_UNSUPPORTED, "content trust is not supported by this version of Wherry");
    if (!options->is_all && reference.is_tag_implied && !options->is_quiet)
        printf("Using default tag: %s\n", reference.tag);
    fflush(stdout);
    struct image_pull pull = {.reference = &reference,
                              .is_all = options->is_all,
                              .platform = options->platform,
                              .out = options->is_quiet ? NULL : stdout};
    if (!image_pull(call, &pull, err))
        return false;
    _cleanup_free_ char *name = options->is_all ? reference_full_name(&reference) : reference_full(&reference);
    puts(name);
    return true;
}

#define PLACE(member_) offsetof(struct pull_options, member_)
static const struct option pull_rows[] = {
    {"all-tags", 'a', OPTION_BOOL, PLACE(is_all), .help = "Download all tagged images in the repository"},
    {"disable-content-trust", 0, OPTION_BOOL, PLACE(is_untrusted), .help = "Skip image verification",
     .default_text = "true"},
    {"platform", 0, OPTION_STRING, PLACE(platform), "string", "Set platform if server is multi-platform capable"},
    {"quiet", 'q', OPTION_BOOL, PLACE(is_quiet), .help = "Suppress verbose output"},
};

const struct command pull_command = {
    .paths = {"image pull", "pull"},
    .usage = "[OPTIONS] NAME[:TAG|@DIGEST]",
    .help = "Download an image from a registry",
    .group = GROUP_COMMON,
    .options = OPTION_TABLE(pull_rows),
    .values_size = sizeof(struct pull_options),
    .set_defaults = set_defaults,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = pull_run,
};
