#include <fcntl.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "oci/reference.h"

struct import_options {
    struct strlist changes;
    char *message;
    char *platform;
};

static bool import_run(struct command_call *call, struct error *err)
{
    const struct import_options *options = call->values;
    const char *source = call->arguments[0], *name = call->argument_count > 1 ? call->arguments[1] : NULL;
    bool is_url = string_starts_with(source, "http://") || string_starts_with(source, "https://");
    bool is_stdin = string_equal(source, "-");
    _cleanup_close_ int file = -1;
    if (!is_url && !is_stdin) {
        file = open(source, O_RDONLY | O_CLOEXEC);
        if (file < 0)
            return error_errno(err, "open %s", source);
    }
    _cleanup_reference_ struct reference reference = {0};
    if (string_is_set(name) && !reference_parse(name, &reference, err))
        return false;
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/images/create");
    for (size_t i = 0; i < options->changes.count; i++)
        client_query_add(&path, "changes", options->changes.items[i]);
    client_query_add(&path, "fromSrc", is_url ? source : "-");
    client_query_add(&path, "message", string_is_set(options->message) ? options->message : NULL);
    client_query_add(&path, "platform", string_is_set(options->platform) ? options->platform : NULL);
    client_query_add(&path, "repo", string_is_set(name) ? name : NULL);
    struct client_request request = {
        .method = "POST",
        .path = strbuf_text(&path),
        .content_type = is_url ? NULL : "application/x-tar",
        .has_upload = !is_url,
        .upload = is_stdin ? STDIN_FILENO : file,
    };
    _cleanup_(client_stream_freep) struct client_stream *stream = client_stream_open(call->client, &request, err);
    return stream && progress_show(stream, NULL, err);
}

#define PLACE(member_) offsetof(struct import_options, member_)
static const struct option import_rows[] = {
    {"change", 'c', OPTION_LIST, PLACE(changes), "list", "Apply Dockerfile instruction to the created image"},
    {"message", 'm', OPTION_STRING, PLACE(message), "string", "Set commit message for imported image"},
    {"platform", 0, OPTION_STRING, PLACE(platform), "string", "Set platform if server is multi-platform capable"},
};

const struct command import_command = {
    .paths = {"image import", "import"},
    .usage = "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
    .help = "Import the contents from a tarball to create a filesystem image",
    .options = OPTION_TABLE(import_rows),
    .values_size = sizeof(struct import_options),
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = import_run,
};
