#include <fcntl.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/platform_option.h"
#include "cli/progress.h"

struct load_options {
    char *input;
    char *platform;
    bool is_quiet;
};

static bool load_run(struct command_call *call, struct error *err)
{
    const struct load_options *options = call->values;
    _cleanup_close_ int file = -1;
    if (string_is_set(options->input)) {
        file = open(options->input, O_RDONLY | O_CLOEXEC);
        if (file < 0)
            return error_errno(err, "open %s", options->input);
    } else if (isatty(STDIN_FILENO)) {
        return error_set(err, ERROR_INVALID, "requested load from stdin, but stdin is empty");
    }
    _cleanup_free_ char *platform = NULL;
    if (string_is_set(options->platform) && !require_api_version(call, "platform", "1.48", err))
        return false;
    if (string_is_set(options->platform) && !platform_json(options->platform, &platform, err))
        return error_prefix(err, "invalid platform");
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/images/load");
    client_query_add(&path, "quiet", options->is_quiet || !isatty(STDOUT_FILENO) ? "1" : "0");
    client_query_add(&path, "platform", platform);
    struct client_request request = {
        .method = "POST",
        .path = strbuf_text(&path),
        .content_type = "application/x-tar",
        .has_upload = true,
        .upload = file >= 0 ? file : STDIN_FILENO,
    };
    _cleanup_(client_stream_freep) struct client_stream *stream = client_stream_open(call->client, &request, err);
    return stream && progress_show(stream, NULL, err);
}

#define PLACE(member_) offsetof(struct load_options, member_)
static const struct option load_rows[] = {
    {"input", 'i', OPTION_STRING, PLACE(input), "string", "Read from tar archive file, instead of STDIN"},
    {"quiet", 'q', OPTION_BOOL, PLACE(is_quiet), .help = "Suppress the load output"},
    {"platform", 0, OPTION_STRING, PLACE(platform), "string",
     "Load only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")"},
};

const struct command load_command = {
    .paths = {"image load", "load"},
    .usage = "[OPTIONS]",
    .help = "Load an image from a tar archive or STDIN",
    .options = OPTION_TABLE(load_rows),
    .values_size = sizeof(struct load_options),
    .run = load_run,
};
