#include "cli/container_create.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/image_pull.h"
#include "cli/terminal.h"
#include "oci/reference.h"
#include "json/json_record.h"

static bool is_image_id(const char *text)
{
    if (string_starts_with(text, "sha256:"))
        text += strlen("sha256:");
    return strlen(text) == 64 && text[strspn(text, "0123456789abcdef")] == '\0';
}

static bool pull_image(const struct command_call *call, const struct container_options *options,
                       const struct reference *reference, struct error *err)
{
    struct image_pull pull = {
        .reference = reference, .platform = options->platform, .out = options->quiet ? NULL : stderr};
    return image_pull(call, &pull, err);
}

static json_t *create_once(const struct command_call *call, const struct container_options *options, json_t *request,
                           struct error *err)
{
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/containers/create");
    client_query_add(&path, "name", options->name);
    client_query_add(&path, "platform", options->platform);
    return client_post_json(call->client, strbuf_text(&path), request, err);
}

static json_t *create_with_pull(const struct command_call *call, const struct container_options *options,
                                json_t *request, struct error *err)
{
    const char *image = call->arguments[0];
    _cleanup_reference_ struct reference reference = {0};
    bool has_reference = !is_image_id(image);
    if (has_reference && !reference_parse(image, &reference, err))
        return NULL;
    if (has_reference && string_equal(options->pull, "always") && !pull_image(call, options, &reference, err))
        return NULL;
    _cleanup_error_ struct error cause = ERROR_INIT;
    json_t *answer = create_once(call, options, request, &cause);
    bool may_pull = string_equal(options->pull, "missing") || !string_is_set(options->pull);
    if (answer || cause.kind != ERROR_NOT_FOUND || !has_reference || !may_pull) {
        if (!answer)
            error_move(err, &cause);
        return answer;
    }
    _cleanup_free_ char *familiar = reference_familiar(&reference);
    if (!options->quiet)
        fprintf(stderr, "Unable to find image '%s' locally\n", familiar);
    return pull_image(call, options, &reference, err) ? create_once(call, options, request, err) : NULL;
}

static bool write_id_file(int fd, const char *path, const char *id, struct error *err)
{
    if (write_full(fd, id, strlen(id)) < 0)
        return error_errno(err, "failed to write the container ID (%s) to file: write %s", id, path);
    return true;
}

char *container_create(const struct command_call *call, const struct container_options *options, json_t *request,
                       struct error *err)
{
    unsigned height = 0, width = 0;
    terminal_size(&height, &width);
    json_object_set_new(json_object_get(request, "HostConfig"), "ConsoleSize",
                        json_pack("[i, i]", (int)height, (int)width));
    _cleanup_close_ int id_file = -1;
    const char *id_path = string_is_set(options->cidfile) ? options->cidfile : NULL;
    if (id_path) {
        if (access(id_path, F_OK) == 0) {
            error_set(err, ERROR_INVALID,
                      "container ID file found, make sure the other container isn't running or delete %s", id_path);
            return NULL;
        }
        id_file = open(id_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (id_file < 0) {
            error_errno(err, "failed to create the container ID file: open %s", id_path);
            return NULL;
        }
    }
    _cleanup_json_ json_t *answer = create_with_pull(call, options, request, err);
    const char *id = json_string_value(json_object_get(answer, "Id"));
    if (answer && !id)
        error_set(err, ERROR_INTERNAL, "the engine's answer to create has no Id");
    if (!id || (id_path && !write_id_file(id_file, id_path, id, err))) {
        if (id_path)
            unlink(id_path);
        return NULL;
    }
    const json_t *warnings = json_object_get(answer, "Warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++)
        fprintf(stderr, "WARNING: %s\n", json_string_value(json_array_get(warnings, i)));
    return xstrdup(id);
}
