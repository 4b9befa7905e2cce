#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/context_option.h"
#include "cli/context_store.h"
#include "cli/tar_header.h"
#include "json/json_record.h"

static void add_member(struct strbuf *archive, const char *name, char type, unsigned mode, const void *data,
                       size_t length)
{
    struct tar_header header;
    static const char zeros[TAR_BLOCK];
    tar_header_fill(&header, name, type, mode, length);
    strbuf_add(archive, &header, sizeof(header));
    if (length == 0)
        return;
    strbuf_add(archive, data, length);
    strbuf_add(archive, zeros, (TAR_BLOCK - length % TAR_BLOCK) % TAR_BLOCK);
}

static bool add_tls(const struct command_call *call, const char *name, struct strbuf *archive, struct error *err)
{
    _cleanup_json_ json_t *all = context_tls_files(call->config_directory, name);
    _cleanup_free_ char *folder = context_folder(call->config_directory, "tls", name);
    add_member(archive, "tls", '5', 0700, NULL, 0);
    const char *endpoint;
    json_t *files, *file;
    size_t i;
    json_object_foreach(all, endpoint, files)
    {
        _cleanup_free_ char *below = xasprintf("tls/%s", endpoint);
        add_member(archive, below, '5', 0700, NULL, 0);
        json_array_foreach(files, i, file)
        {
            _cleanup_strbuf_ struct strbuf content = STRBUF_INIT;
            _cleanup_free_ char *path = xasprintf("%s/%s/%s", folder, endpoint, json_string_value(file)),
                                *member = xasprintf("%s/%s", below, json_string_value(file));
            if (!file_read(AT_FDCWD, path, CONTEXT_FILE_LIMIT, &content, err))
                return false;
            add_member(archive, member, '0', 0600, strbuf_text(&content), content.length);
        }
    }
    return true;
}

static bool write_out(const char *path, const struct strbuf *archive, struct error *err)
{
    if (string_equal(path, "-")) {
        if (isatty(STDOUT_FILENO))
            return error_set(err, ERROR_INVALID, "cowardly refusing to export to a terminal, specify a file path");
        return write_full(STDOUT_FILENO, archive->data, archive->length) == 0 || error_errno(err, "write /dev/stdout");
    }
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, "open %s", path);
    if (write_full(fd, archive->data, archive->length) < 0)
        return error_errno(err, "write %s", path);
    fprintf(stderr, "Written file \"%s\"\n", path);
    return true;
}

static bool context_export_run(struct command_call *call, struct error *err)
{
    const char *name = call->arguments[0];
    if (!string_equal(name, CONTEXT_DEFAULT) && !context_check_name(name, err))
        return false;
    _cleanup_json_ json_t *context = context_get(call, name, err);
    if (!context)
        return false;
    _cleanup_free_ char *text = json_format(context), *path = call->argument_count > 1
                                                                  ? xstrdup(call->arguments[1])
                                                                  : xasprintf("%s.dockercontext", name);
    _cleanup_strbuf_ struct strbuf archive = STRBUF_INIT;
    static const char end[2 * TAR_BLOCK];
    add_member(&archive, "meta.json", '0', 0644, text, strlen(text));
    if (!add_tls(call, name, &archive, err))
        return false;
    strbuf_add(&archive, end, sizeof(end));
    return write_out(path, &archive, err);
}

const struct command context_export_command = {
    .paths = {"context export"},
    .usage = "[OPTIONS] CONTEXT [FILE|-]",
    .help = "Export a context to a tar archive FILE or a tar stream on STDOUT.",
    .is_local = true,
    .min_arguments = 1,
    .max_arguments = 2,
    .run = context_export_run,
};
