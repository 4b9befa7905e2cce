/* The build itself: sends the context, shows what the engine says of the steps, and does with the image what was asked
 * for. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/build_request.h"
#include "cli/build_view.h"
#include "cli/message_stream.h"
#include "dockerfile/dockerfile.h"
#include "json/json_record.h"

#define TICK_MILLISECONDS 100
#define MAXIMUM_SHOWN     ((size_t)4 << 20) /* bytes of a Dockerfile */

struct build {
    struct build_view view;
    struct build_step *transfer;
};

static void show_transfer(void *context, int64_t bytes)
{
    struct build *build = context;
    build_view_count(&build->view, build->transfer, "transferring context: ", bytes);
}

/* Rows as they come; the display's clock goes on while none do. */
static bool follow(struct build *build, struct client_stream *stream, struct error *err)
{
    _cleanup_message_stream_ struct message_stream messages = {.stream = stream};
    bool is_over = false;
    while (!is_over) {
        _cleanup_json_ json_t *row = NULL;
        struct pollfd polled = {client_stream_fd(stream), POLLIN, 0};
        if (!message_stream_is_ready(&messages)) {
            int ready = poll(&polled, 1, TICK_MILLISECONDS);
            if (ready < 0 && errno != EINTR)
                return error_errno(err, "poll");
            build_view_tick(&build->view);
            if (ready <= 0)
                continue;
        }
        if (!message_stream_poll(&messages, &row, &is_over, err))
            return false;
        if (row)
            build_view_row(&build->view, row);
    }
    const json_t *message = json_object_get(build->view.detail, "message");
    if (build->view.detail)
        return error_set(err, ERROR_INTERNAL, "ERROR: failed to solve: %s",
                         string_or_empty(json_string_value(message)));
    return true;
}

static bool send_build(struct command_call *call, struct build *build, struct build_context *context, struct error *err)
{
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    _cleanup_strmap_ struct strmap headers = {0};
    if (!build_request_path(call, context, &path, err) || !build_request_headers(call, &headers, err))
        return false;
    bool has_body = build_context_has_body(context);
    struct client_request request = {.method = "POST",
                                     .path = strbuf_text(&path),
                                     .content_type = has_body ? "application/x-tar" : "text/plain",
                                     .produce = has_body ? build_context_send : NULL,
                                     .produce_context = context,
                                     .headers = &headers};
    context->progress = show_transfer;
    context->progress_context = build;
    if (has_body)
        build->transfer = build_view_begin(&build->view, "[internal] load build context");
    _cleanup_(client_stream_freep) struct client_stream *stream = client_stream_open(call->client, &request, err);
    if (has_body)
        build_view_end(&build->view, build->transfer, stream ? STEP_DONE : STEP_FAILED);
    return stream && follow(build, stream, err);
}

/* Images without a name that are there already: what the build only passes through is removed, they are not. */
static bool is_image_known(const json_t *images, const char *image)
{
    size_t i;
    json_t *item;
    json_array_foreach(images, i,
                       item) if (string_equal(json_string_value(json_object_get(item, "Id")), image)) return true;
    return false;
}

static json_t *list_unnamed(struct command_call *call, struct error *err)
{
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/images/json");
    client_query_add(&path, "filters", "{\"dangling\":{\"true\":true}}");
    return client_get_json(call->client, strbuf_text(&path), err);
}

static bool write_metadata(const struct build_options *options, const char *image, struct error *err)
{
    _cleanup_json_ json_t *metadata =
        json_pack("{s:s, s:s}", "containerimage.config.digest", image, "containerimage.digest", image);
    _cleanup_free_ char *names = strlist_join(&options->tags, ",");
    if (*names)
        json_object_set_new(metadata, "image.name", json_string(names));
    char *text = json_dumps(metadata, JSON_INDENT(2) | JSON_SORT_KEYS);
    bool is_written = file_replace(options->metadata_file, text, strlen(text), 0644, false, err);
    free(text);
    return is_written || error_prefix(err, "failed to write metadata file");
}

static bool use_image(struct command_call *call, const struct build_outputs *outputs, const json_t *unnamed,
                      const char *image, struct error *err)
{
    const struct build_options *options = call->values;
    if (string_is_set(options->iidfile) && !file_replace(options->iidfile, image, strlen(image), 0644, false, err))
        return error_prefix(err, "failed to write image ID file");
    if (string_is_set(options->metadata_file) && !write_metadata(options, image, err))
        return false;
    bool is_written = build_outputs_write(call, outputs, image, err);
    if (unnamed && !is_image_known(unnamed, image)) {
        _cleanup_free_ char *path = client_path("images", image, "");
        is_written = client_delete(call->client, path, is_written ? err : NULL) && is_written;
    }
    return is_written;
}

/* For the lines that warnings are about; where it is not here, or wrong, they are told without. */
static bool read_dockerfile(const struct build_context *context, struct dockerfile *out)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    const char *name = context->is_private ? "Dockerfile" : path_base(context->dockerfile);
    if (context->has_text)
        strbuf_add(&text, context->text.data, context->text.length);
    else if (context->folder.fd < 0 || !file_read(context->folder.fd, context->dockerfile, MAXIMUM_SHOWN, &text, NULL))
        return false;
    return dockerfile_parse(strbuf_text(&text), text.length, name, out, NULL, NULL);
}

/* The exit status of a check with findings is 1, as docker has it. */
static bool end_check(struct command_call *call, const struct build_context *context, const struct build_view *view)
{
    _cleanup_dockerfile_ struct dockerfile file = {0};
    bool is_known = read_dockerfile(context, &file);
    build_view_warnings(view, true, is_known ? &file : NULL);
    if (json_array_size(view->warnings) > 0)
        call->exit_code = EXIT_CODE_FAILURE;
    return true;
}

static bool build_image(struct command_call *call, struct build_context *context, const struct build_outputs *outputs,
                        struct error *err)
{
    struct build_options *options = call->values;
    _cleanup_json_ json_t *unnamed = NULL;
    if (build_outputs_leave_no_image(outputs) && options->tags.count == 0) {
        unnamed = list_unnamed(call, err);
        if (!unnamed)
            return false;
    }
    struct build build = {0};
    build_view_init(&build.view,
                    options->is_check && string_equal(options->progress, "auto") ? "quiet" : options->progress, stderr);
    build.view.hidden_name = context->is_private ? context->dockerfile : NULL;
    bool is_built = send_build(call, &build, context, err);
    if (is_built && build.view.image)
        build_view_image(&build.view, &options->tags);
    build_view_finish(&build.view);
    if (!is_built)
        build_view_report(&build.view);
    else if (options->is_check)
        is_built = end_check(call, context, &build.view);
    else
        build_view_warnings(&build.view, false, NULL);
    if (is_built && !options->is_check && !build.view.image)
        is_built = error_set(err, ERROR_INTERNAL, "the engine did not say which image it made");
    if (is_built && !options->is_check)
        is_built = use_image(call, outputs, unnamed, build.view.image, err);
    if (is_built && options->is_quiet && !options->is_check)
        puts(build.view.image);
    build_view_release(&build.view);
    return is_built;
}

bool build_run(struct command_call *call, struct error *err)
{
    struct build_options *options = call->values;
    _cleanup_build_outputs_ struct build_outputs outputs = {0};
    _cleanup_build_context_ struct build_context context = BUILD_CONTEXT_INIT;
    if (!build_options_check(options, err) || !build_outputs_parse(options, &outputs, err))
        return false;
    for (size_t i = 0; i < outputs.names.count; i++)
        strlist_add(&options->tags, outputs.names.items[i]);
    const char *file = string_is_set(options->file) ? options->file : NULL;
    signal(SIGPIPE, SIG_IGN); /* an engine that answers before it has read everything closes the connection */
    return build_context_open(call->arguments[0], file, &options->build_contexts, &context, err) &&
           build_image(call, &context, &outputs, err);
}
