#include "cli/build_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "archive/unpack.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/build_options.h"
#include "cli/flag_checks.h"
#include "cli/image_pull.h"
#include "cli/output_file.h"
#include "cli/registry_auth.h"
#include "cli/signals.h"
#include "json/json_record.h"

void build_outputs_release(struct build_outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++)
        free(outputs->items[i].destination);
    free(outputs->items);
    strlist_release(&outputs->names);
    *outputs = (struct build_outputs){0};
}

/* --- what is asked for --- */

static bool find_kind(const char *type, bool has_destination, enum build_output_kind *out, struct error *err)
{
    if (string_equal(type, "local"))
        *out = OUTPUT_LOCAL;
    else if (string_equal(type, "tar"))
        *out = OUTPUT_TAR;
    else if (string_equal(type, "oci"))
        *out = OUTPUT_ARCHIVE;
    else if (string_equal(type, "docker"))
        *out = has_destination ? OUTPUT_ARCHIVE : OUTPUT_ENGINE;
    else if (string_equal(type, "image"))
        *out = OUTPUT_ENGINE;
    else if (string_equal(type, "registry"))
        *out = OUTPUT_REGISTRY;
    else if (!*type)
        return error_set(err, ERROR_INVALID, "type is required for output");
    else
        return error_set(err, ERROR_UNSUPPORTED, "unsupported output type \"%s\"", type);
    return true;
}

static bool check_destination(const char *type, struct build_output *output, struct error *err)
{
    bool wants_one = output->kind == OUTPUT_LOCAL || output->kind == OUTPUT_TAR || output->kind == OUTPUT_ARCHIVE;
    if (!wants_one && output->destination)
        return error_set(err, ERROR_INVALID, "dest is not allowed for output of type %s", type);
    if (output->kind == OUTPUT_LOCAL && !string_is_set(output->destination))
        return error_set(err, ERROR_INVALID, "dest is required for local output");
    if (output->kind == OUTPUT_LOCAL && string_equal(output->destination, "-"))
        return error_set(err, ERROR_INVALID, "dest cannot be stdout for local output");
    if (wants_one && !output->destination)
        output->destination = xstrdup("-");
    if (wants_one && string_equal(output->destination, "-") && isatty(STDOUT_FILENO))
        return error_set(err, ERROR_INVALID, "dest file is required for %s output. refusing to write to console", type);
    return true;
}

static bool parse_output(const char *text, struct build_outputs *out, struct error *err)
{
    struct build_output *output = APPEND(out->items, out->count);
    _cleanup_strlist_ struct strlist fields = {0};
    if (!csv_split(text, &fields, err))
        return false;
    if (fields.count == 1 && !strchr(fields.items[0], '=')) {
        output->kind = string_equal(text, "-") ? OUTPUT_TAR : OUTPUT_LOCAL;
        output->destination = xstrdup(fields.items[0]);
        return check_destination(output->kind == OUTPUT_TAR ? "tar" : "local", output, err);
    }
    _cleanup_free_ char *type = xstrdup("");
    bool is_pushed = false;
    for (size_t i = 0; i < fields.count; i++) {
        const char *equals = strchr(fields.items[i], '=');
        if (!equals)
            return error_set(err, ERROR_INVALID, "invalid value %s", fields.items[i]);
        _cleanup_free_ char *key = xstrndup(fields.items[i], (size_t)(equals - fields.items[i]));
        const char *value = equals + 1;
        if (string_equal(key, "type")) {
            string_replace(&type, value);
        } else if (string_equal(key, "dest")) {
            string_replace(&output->destination, value);
        } else if (string_equal(key, "name")) {
            strlist_add(&out->names, value);
        } else if (string_equal(key, "push")) {
            if (!parse_bool(value, &is_pushed, err))
                return error_prefix(err, "non-bool value for push");
        } else {
            return error_set(err, ERROR_UNSUPPORTED, "\"%s\" of --output is not supported", key);
        }
    }
    if (!find_kind(type, string_is_set(output->destination), &output->kind, err))
        return false;
    if (is_pushed && output->kind != OUTPUT_ENGINE)
        return error_set(err, ERROR_INVALID, "push is for output of type image");
    if (is_pushed)
        output->kind = OUTPUT_REGISTRY;
    return check_destination(type, output, err);
}

bool build_outputs_parse(const struct build_options *options, struct build_outputs *out, struct error *err)
{
    for (size_t i = 0; i < options->outputs.count; i++)
        if (!parse_output(options->outputs.items[i], out, err))
            return error_prefix(err, "invalid output \"%s\"", options->outputs.items[i]);
    if (options->loads)
        APPEND(out->items, out->count)->kind = OUTPUT_ENGINE;
    if (options->pushes)
        APPEND(out->items, out->count)->kind = OUTPUT_REGISTRY;
    if (options->is_check && out->count > 0)
        return error_set(err, ERROR_INVALID, "a check has no output");
    for (size_t i = 0; i < out->count; i++)
        if (out->items[i].kind == OUTPUT_REGISTRY && options->tags.count + out->names.count == 0)
            return error_set(err, ERROR_INVALID, "tag is needed when pushing to registry");
    return true;
}

bool build_outputs_leave_no_image(const struct build_outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (outputs->items[i].kind == OUTPUT_ENGINE || outputs->items[i].kind == OUTPUT_REGISTRY)
            return false;
    return outputs->count > 0;
}

/* --- what is done --- */

static bool push(struct command_call *call, const char *tag, struct error *err)
{
    _cleanup_reference_ struct reference reference = {0};
    _cleanup_strmap_ struct strmap headers = {0};
    if (!reference_parse(tag, &reference, err) || !registry_headers(call, reference.domain, &headers, err))
        return false;
    _cleanup_free_ char *name = reference_familiar_name(&reference);
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_addf(&path, "/images/%s/push", name);
    client_query_add(&path, "tag", reference.tag);
    struct client_request request = {.method = "POST", .path = strbuf_text(&path), .headers = &headers};
    _cleanup_(client_stream_freep) struct client_stream *stream = client_stream_open(call->client, &request, err);
    return stream && progress_show_or_hide(stream, stderr, err);
}

/* Bytes of an answer, until a signal: what was made for it has to be removed first. */
struct guarded_stream {
    struct client_stream *stream;
    int signals;
    int signal; /* the one that came, or 0 */
};

static ssize_t read_guarded(void *context, void *data, size_t length)
{
    struct guarded_stream *guarded = context;
    struct pollfd polled[] = {{client_stream_fd(guarded->stream), POLLIN, 0}, {guarded->signals, POLLIN, 0}};
    struct signalfd_siginfo info;
    while (poll(polled, ARRAY_SIZE(polled), -1) < 0)
        if (errno != EINTR)
            return -1;
    while (polled[1].revents && read(guarded->signals, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGWINCH)
            continue;
        guarded->signal = (int)info.ssi_signo;
        errno = ECANCELED;
        return -1;
    }
    return client_stream_read(guarded->stream, data, length);
}

static bool copy_guarded(struct guarded_stream *guarded, int fd, struct error *err)
{
    char buffer[16384];
    for (;;) {
        ssize_t count = read_guarded(guarded, buffer, sizeof(buffer));
        if (count == 0)
            return true;
        if (count < 0)
            return error_errno(err, "reading the files of the image");
        if (write_full(fd, buffer, (size_t)count) < 0)
            return error_errno(err, "write");
    }
}

static bool write_tar(struct guarded_stream *guarded, const char *destination, struct error *err)
{
    if (string_equal(destination, "-"))
        return copy_guarded(guarded, STDOUT_FILENO, err);
    _cleanup_output_file_ struct output_file file = OUTPUT_FILE_INIT;
    return output_file_open(destination, &file, err) && copy_guarded(guarded, file.fd, err) &&
           output_file_commit(&file, err);
}

static bool write_folder(struct guarded_stream *guarded, const char *destination, struct error *err)
{
    if (!directory_make(destination, 0755, err))
        return false;
    _cleanup_close_ int root = open(destination, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return error_errno(err, "open %s", destination);
    struct unpack_options options = {.root = root, .folder = "", .shown = destination};
    struct tar_reader tar = {.read = read_guarded, .context = guarded};
    return unpack(&tar, &options, err);
}

/* The files of an image are those of a container that never runs. */
static bool write_files(struct command_call *call, const struct build_output *output, const char *image,
                        struct error *err)
{
    struct guarded_stream guarded = {.signals = signals_open(false)};
    _cleanup_json_ json_t *body = json_pack("{s:s, s:[s], s:n, s:{s:s}}", "Image", image, "Cmd", "/", "Entrypoint",
                                            "HostConfig", "NetworkMode", "none");
    _cleanup_json_ json_t *answer = client_post_json(call->client, "/containers/create", body, err);
    if (!answer)
        return false;
    const char *id = string_or_empty(json_string_value(json_object_get(answer, "Id")));
    _cleanup_free_ char *export = client_path("containers", id, "/export?bare=1"),
                        *gone = client_path("containers", id, "?force=1&v=1");
    guarded.stream = client_stream_get(call->client, export, err);
    bool is_written = guarded.stream != NULL;
    if (is_written)
        is_written = output->kind == OUTPUT_TAR ? write_tar(&guarded, output->destination, err)
                                                : write_folder(&guarded, output->destination, err);
    client_stream_free(guarded.stream);
    is_written = client_delete(call->client, gone, is_written ? err : NULL) && is_written;
    if (guarded.signal)
        signal_die(guarded.signal);
    close_fd(guarded.signals);
    return is_written;
}

static bool write_archive(struct command_call *call, const char *destination, const char *image, struct error *err)
{
    const struct build_options *options = call->values;
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/images/get");
    for (size_t i = 0; i < options->tags.count; i++)
        client_query_add(&path, "names", options->tags.items[i]);
    if (options->tags.count == 0)
        client_query_add(&path, "names", image);
    _cleanup_(client_stream_freep) struct client_stream *stream =
        client_stream_get(call->client, strbuf_text(&path), err);
    if (!stream)
        return false;
    if (string_equal(destination, "-"))
        return stream_copy(stream, STDOUT_FILENO, err);
    _cleanup_output_file_ struct output_file file = OUTPUT_FILE_INIT;
    return output_file_open(destination, &file, err) && stream_copy(stream, file.fd, err) &&
           output_file_commit(&file, err);
}

static bool write_output(struct command_call *call, const struct build_outputs *outputs, size_t index,
                         const char *image, struct error *err)
{
    const struct build_options *options = call->values;
    const struct build_output *output = &outputs->items[index];
    switch (output->kind) {
    case OUTPUT_ENGINE:
        return true;
    case OUTPUT_REGISTRY:
        for (size_t i = 0; i < options->tags.count; i++)
            if (!push(call, options->tags.items[i], err))
                return false;
        return true;
    case OUTPUT_ARCHIVE:
        return write_archive(call, output->destination, image, err);
    case OUTPUT_LOCAL:
    case OUTPUT_TAR:
        return write_files(call, output, image, err);
    }
    return true;
}

bool build_outputs_write(struct command_call *call, const struct build_outputs *outputs, const char *image,
                         struct error *err)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (!write_output(call, outputs, i, image, err))
            return false;
    return true;
}
