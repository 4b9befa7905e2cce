#include "base/memory.h"
#include "cli/command.h"
#include "cli/output_file.h"
#include "cli/platform_option.h"

struct save_options {
    char *output;
    char *platform;
};

static bool save_run(struct command_call *call, struct error *err)
{
    const struct save_options *options = call->values;
    bool has_file = string_is_set(options->output);
    _cleanup_free_ char *platform = NULL;
    if (string_is_set(options->platform) && !require_api_version(call, "platform", "1.48", err))
        return false;
    if (string_is_set(options->platform) && !platform_json(options->platform, &platform, err))
        return error_prefix(err, "invalid platform");
    _cleanup_output_file_ struct output_file file = OUTPUT_FILE_INIT;
    if (!has_file && isatty(STDOUT_FILENO))
        return error_set(err, ERROR_INVALID, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
    if (has_file && !output_file_open(options->output, &file, err))
        return error_prefix(err, "failed to save image");
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/images/get");
    for (size_t i = 0; i < call->argument_count; i++)
        client_query_add(&path, "names", call->arguments[i]);
    client_query_add(&path, "platform", platform);
    _cleanup_(client_stream_freep) struct client_stream *stream =
        client_stream_get(call->client, strbuf_text(&path), err);
    if (!stream || !stream_copy(stream, has_file ? file.fd : STDOUT_FILENO, err))
        return false;
    return !has_file || output_file_commit(&file, err);
}

#define PLACE(member_) offsetof(struct save_options, member_)
static const struct option save_rows[] = {
    {"output", 'o', OPTION_STRING, PLACE(output), "string", "Write to a file, instead of STDOUT"},
    {"platform", 0, OPTION_STRING, PLACE(platform), "string",
     "Save only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")"},
};

const struct command save_command = {
    .paths = {"image save", "save"},
    .usage = "[OPTIONS] IMAGE [IMAGE...]",
    .help = "Save one or more images to a tar archive (streamed to STDOUT by default)",
    .options = OPTION_TABLE(save_rows),
    .values_size = sizeof(struct save_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = save_run,
};
