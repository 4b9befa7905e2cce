#include "base/memory.h"
#include "cli/command.h"
#include "cli/output_file.h"

struct export_options {
    char *output;
};

static bool export_run(struct command_call *call, struct error *err)
{
    const struct export_options *options = call->values;
    bool has_file = string_is_set(options->output);
    _cleanup_output_file_ struct output_file file = OUTPUT_FILE_INIT;
    if (!has_file && isatty(STDOUT_FILENO))
        return error_set(err, ERROR_INVALID, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
    if (has_file && !output_file_open(options->output, &file, err))
        return error_prefix(err, "failed to export container");
    _cleanup_free_ char *path = client_path("containers", call->arguments[0], "/export");
    _cleanup_(client_stream_freep) struct client_stream *stream = client_stream_get(call->client, path, err);
    if (!stream || !stream_copy(stream, has_file ? file.fd : STDOUT_FILENO, err))
        return false;
    return !has_file || output_file_commit(&file, err);
}

#define PLACE(member_) offsetof(struct export_options, member_)
static const struct option export_rows[] = {
    {"output", 'o', OPTION_STRING, PLACE(output), "string", "Write to a file, instead of STDOUT"},
};

const struct command export_command = {
    .paths = {"container export", "export"},
    .usage = "[OPTIONS] CONTAINER",
    .help = "Export a container's filesystem as a tar archive",
    .options = OPTION_TABLE(export_rows),
    .values_size = sizeof(struct export_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = export_run,
};
