#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/context_store.h"
#include "cli/tar_header.h"
#include "json/json_record.h"

static bool check_path(const char *path, struct error *err)
{
    if (!string_equal(path, "meta.json") && !string_starts_with(path, "tls/"))
        return error_set(err, ERROR_INVALID, "unexpected context file");
    _cleanup_free_ char *clean = path_clean(path);
    if (!string_equal(clean, path) || strchr(path, '\\'))
        return error_set(err, ERROR_INVALID, "unexpected path format");
    return true;
}

static bool take_meta(const char *directory, const char *name, const char *data, size_t length, struct error *err)
{
    _cleanup_json_ json_t *meta = json_parse(data, length, err);
    if (!meta)
        return false;
    if (!json_is_object(meta))
        return error_set(err, ERROR_INVALID, "invalid context: no metadata found");
    /* The names of the archive's member come first, in docker's order. */
    _cleanup_json_ json_t *context = json_pack("{s:s}", "Name", name);
    static const char *const members[] = {"Metadata", "Endpoints"};
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        json_object_set(context, members[i], json_object_get(meta, members[i]));
    return context_write(directory, context, err);
}

static bool take_tls(const char *directory, const char *name, const char *path, const char *data, size_t length,
                     struct error *err)
{
    const char *endpoint = path + strlen("tls/"), *slash = strchr(endpoint, '/');
    if (!slash || strchr(slash + 1, '/'))
        return error_set(err, ERROR_INVALID, "archive format is invalid");
    _cleanup_free_ char *folder = xstrndup(endpoint, (size_t)(slash - endpoint));
    return context_write_tls_file(directory, name, folder, slash + 1, data, length, err);
}

static bool take_archive(const char *directory, const char *name, const struct strbuf *archive, struct error *err)
{
    bool has_meta = false;
    for (size_t at = 0; at + TAR_BLOCK <= archive->length;) {
        struct tar_header header;
        uint64_t size = 0;
        memcpy(&header, archive->data + at, sizeof(header));
        if (!header.name[0])
            break;
        if (!tar_header_read(&header, &size))
            return error_set(err, ERROR_INVALID, "archive/tar: invalid tar header");
        at += TAR_BLOCK;
        if (size > archive->length - at)
            return error_set(err, ERROR_INVALID, "unexpected EOF");
        const char *data = archive->data + at;
        at += (size_t)(size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
        if (header.type != '0' && header.type != '\0')
            continue;
        _cleanup_free_ char *path = xstrndup(header.name, sizeof(header.name));
        if (!check_path(path, err))
            return false;
        bool is_meta = string_equal(path, "meta.json");
        has_meta = has_meta || is_meta;
        if (is_meta ? !take_meta(directory, name, data, (size_t)size, err)
                    : !take_tls(directory, name, path, data, (size_t)size, err))
            return false;
    }
    return has_meta || error_set(err, ERROR_INVALID, "invalid context: no metadata found");
}

static bool read_input(const char *path, struct strbuf *archive, struct error *err)
{
    if (!string_equal(path, "-"))
        return file_read(AT_FDCWD, path, CONTEXT_FILE_LIMIT, archive, err);
    char piece[4096];
    ssize_t count;
    while ((count = read_full(STDIN_FILENO, piece, sizeof(piece))) > 0) {
        if (archive->length > CONTEXT_FILE_LIMIT)
            return error_set(err, ERROR_TOO_LARGE, "read exceeds the defined limit");
        strbuf_add(archive, piece, (size_t)count);
    }
    return count == 0 || error_errno(err, "read /dev/stdin");
}

static bool context_import_run(struct command_call *call, struct error *err)
{
    const char *name = call->arguments[0];
    if (!context_check_name(name, err))
        return false;
    if (context_exists(call->config_directory, name))
        return error_set(err, ERROR_CONFLICT, "context \"%s\" already exists", name);
    _cleanup_strbuf_ struct strbuf archive = STRBUF_INIT;
    if (!read_input(call->arguments[1], &archive, err))
        return false;
    if (archive.length >= 4 && memcmp(archive.data, "PK\003\004", 4) == 0)
        return error_set(err, ERROR_UNSUPPORTED,
                         "zip archives are not supported: unpack it and import a tar archive of "
                         "its files");
    if (!take_archive(call->config_directory, name, &archive, err)) {
        context_remove(call->config_directory, name, NULL);
        return false;
    }
    printf("%s\n", name);
    fflush(stdout);
    fprintf(stderr, "Successfully imported context \"%s\"\n", name);
    return true;
}

const struct command context_import_command = {
    .paths = {"context import"},
    .usage = "CONTEXT FILE|-",
    .help = "Import a context from a tar or zip file",
    .is_local = true,
    .min_arguments = 2,
    .max_arguments = 2,
    .run = context_import_run,
};
