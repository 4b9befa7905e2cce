#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/time_option.h"
#include "client/frames.h"
#include "json/json_record.h"

struct logs_options {
    bool details;
    bool follow;
    bool timestamps;
    char *since;
    char *until;
    char *tail;
};

/* Frames are lines: those of one stream that came together are written together. */
struct log_output {
    enum frame_stream stream;
    struct strbuf pending;
};

static bool write_pending(struct log_output *output, struct error *err)
{
    int fd = output->stream == FRAME_STDERR ? STDERR_FILENO : STDOUT_FILENO;
    bool is_written = write_full(fd, strbuf_text(&output->pending), output->pending.length) == 0;
    strbuf_truncate(&output->pending, 0);
    return is_written || error_errno(err, "write");
}

static bool add_frame(void *context, enum frame_stream stream, const void *data, size_t length, struct error *err)
{
    struct log_output *output = context;
    if (stream != output->stream && output->pending.length && !write_pending(output, err))
        return false;
    output->stream = stream;
    strbuf_add(&output->pending, data, length);
    return true;
}

static bool show_logs(struct client_stream *stream, bool is_tty, struct error *err)
{
    struct frame_decoder frames = {0};
    struct log_output output = {.stream = FRAME_STDOUT};
    char piece[65536];
    ssize_t count = 0;
    bool is_shown = true;
    while (is_shown && (count = client_stream_read(stream, piece, sizeof(piece))) > 0)
        is_shown = (is_tty ? add_frame(&output, FRAME_STDOUT, piece, (size_t)count, err)
                           : frames_decode(&frames, piece, (size_t)count, add_frame, &output, err)) &&
                   write_pending(&output, err);
    strbuf_release(&output.pending);
    if (!is_shown)
        return false;
    return count == 0 || error_errno(err, "reading the logs");
}

/* Newer engines say in the answer's type whether it is framed; of others it is asked. */
static bool is_terminal_log(struct command_call *call, const struct client_stream *stream, bool *out, struct error *err)
{
    const char *type = client_stream_header(stream, "content-type");
    *out = string_equal(type, "application/vnd.docker.raw-stream");
    if (*out || string_equal(type, "application/vnd.docker.multiplexed-stream"))
        return true;
    _cleanup_free_ char *path = client_path("containers", call->arguments[0], "/json");
    _cleanup_json_ json_t *container = client_get_json(call->client, path, err);
    *out = json_is_true(json_object_get(json_object_get(container, "Config"), "Tty"));
    return container != NULL;
}

static bool add_time(struct strbuf *path, const char *key, const char *text, struct error *err)
{
    if (!string_is_set(text))
        return true;
    _cleanup_free_ char *timestamp = time_option_parse(text, clock_now(), err);
    if (!timestamp)
        return error_prefix(err, "invalid value for \"%s\"", key);
    client_query_add(path, key, timestamp);
    return true;
}

static bool logs_run(struct command_call *call, struct error *err)
{
    const struct logs_options *options = call->values;
    _cleanup_free_ char *base = client_path("containers", call->arguments[0], "/logs");
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, base);
    client_query_add(&path, "details", options->details ? "1" : NULL);
    client_query_add(&path, "follow", options->follow ? "1" : NULL);
    if (!add_time(&path, "since", options->since, err))
        return false;
    client_query_add(&path, "stderr", "1");
    client_query_add(&path, "stdout", "1");
    client_query_add(&path, "tail", options->tail);
    client_query_add(&path, "timestamps", options->timestamps ? "1" : NULL);
    if (!add_time(&path, "until", options->until, err))
        return false;
    _cleanup_(client_stream_freep) struct client_stream *stream =
        client_stream_get(call->client, strbuf_text(&path), err);
    bool is_tty = false;
    return stream && is_terminal_log(call, stream, &is_tty, err) && show_logs(stream, is_tty, err);
}

static void logs_set_defaults(void *values)
{
    ((struct logs_options *)values)->tail = xstrdup("all");
}

#define AT(member) offsetof(struct logs_options, member)
static const struct option rows[] = {
    {"details", 0, OPTION_BOOL, AT(details), NULL, "Show extra details provided to logs"},
    {"follow", 'f', OPTION_BOOL, AT(follow), NULL, "Follow log output"},
    {"since", 0, OPTION_STRING, AT(since), "string",
     "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)"},
    {"tail", 'n', OPTION_STRING, AT(tail), "string", "Number of lines to show from the end of the logs", "all"},
    {"timestamps", 't', OPTION_BOOL, AT(timestamps), NULL, "Show timestamps"},
    {"until", 0, OPTION_STRING, AT(until), "string",
     "Show logs before a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)"},
};

const struct command logs_command = {
    .paths = {"container logs", "logs"},
    .usage = "[OPTIONS] CONTAINER",
    .help = "Fetch the logs of a container",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct logs_options),
    .set_defaults = logs_set_defaults,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = logs_run,
};
