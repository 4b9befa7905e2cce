#include "cli/build_context.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/pack.h"
#include "base/file.h"
#include "base/id.h"
#include "base/memory.h"
#include "cli/git_clone.h"
#include "dockerfile/ignore.h"

#define DOCKERFILE_LIMIT ((size_t)4 << 20)
#define IGNORE_LIMIT     ((size_t)4 << 20)
/* Enough to tell a tar, which has its mark at 257. */
#define HEAD_SIZE 512

static void folder_release(struct build_folder *folder)
{
    close_fd(folder->fd);
    ignore_free(folder->ignore);
    free(folder->prefix);
}

void build_context_release(struct build_context *context)
{
    folder_release(&context->folder);
    for (size_t i = 0; i < context->folder_count; i++)
        folder_release(&context->folders[i]);
    free(context->folders);
    strmap_release(&context->named);
    free(context->remote);
    free(context->dockerfile);
    strbuf_release(&context->head);
    strbuf_release(&context->text);
    strbuf_release(&context->ignore_text);
    git_clone_free(context->clone);
    *context = BUILD_CONTEXT_INIT;
}

/* --- what the arguments mean --- */

static bool is_url(const char *text)
{
    static const char *const starts[] = {"http://", "https://", "git://", "ssh://", "git@", "github.com/"};
    for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
        if (string_starts_with(text, starts[i]))
            return true;
    return false;
}

/* gzip, bzip2, xz, zstd, or a plain tar. */
static bool is_archive(const struct strbuf *head)
{
    static const struct {
        size_t at, length;
        const char *mark;
    } marks[] = {{0, 3, "\x1f\x8b\x08"},
                 {0, 3, "BZh"},
                 {0, 6,
                  "\xfd"
                  "7zXZ\0"},
                 {0, 4, "\x28\xb5\x2f\xfd"},
                 {257, 5, "ustar"}};
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (head->length >= marks[i].at + marks[i].length &&
            memcmp(head->data + marks[i].at, marks[i].mark, marks[i].length) == 0)
            return true;
    return false;
}

static bool read_stdin(struct strbuf *out, size_t wanted, struct error *err)
{
    while (out->length < wanted) {
        size_t piece = MIN(wanted - out->length, (size_t)64 << 10);
        strbuf_reserve(out, piece);
        ssize_t count = read_full(STDIN_FILENO, out->data + out->length, piece);
        if (count < 0)
            return error_errno(err, "reading standard input");
        out->length += (size_t)count;
        out->data[out->length] = '\0';
        if ((size_t)count < piece)
            break;
    }
    return true;
}

static bool read_stdin_dockerfile(struct strbuf *out, struct error *err)
{
    if (!read_stdin(out, DOCKERFILE_LIMIT + 1, err))
        return false;
    return out->length <= DOCKERFILE_LIMIT ||
           error_set(err, ERROR_TOO_LARGE, "the Dockerfile on standard input has more than %zu bytes",
                     DOCKERFILE_LIMIT);
}

static bool open_stdin(const char *file, struct build_context *out, struct error *err)
{
    if (string_equal(file, "-"))
        return error_set(err, ERROR_INVALID, "invalid argument: can't use stdin for both build context and dockerfile");
    if (!read_stdin(&out->head, HEAD_SIZE, err))
        return false;
    if (is_archive(&out->head)) {
        out->is_stdin = true;
        out->dockerfile = xstrdup(file ? file : "Dockerfile");
        return true;
    }
    if (file)
        return error_set(err, ERROR_INVALID,
                         "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles");
    out->dockerfile = xstrdup("Dockerfile");
    out->has_text = true;
    out->text = out->head;
    out->head = STRBUF_INIT;
    return read_stdin_dockerfile(&out->text, err);
}

/* A name of its own beside the context's files. */
static char *private_name(const char *kind)
{
    char id[ID_LENGTH + 1];
    id_generate(id);
    return xasprintf(".%s.%.20s", kind, id);
}

/* <Dockerfile>.dockerignore, where there is one, goes before .dockerignore. Its text is added to *text. */
static bool find_ignore(const char *dockerfile, struct build_folder *folder, struct strbuf *text, struct error *err)
{
    _cleanup_free_ char *own = xasprintf("%s.dockerignore", string_or_empty(dockerfile));
    bool is_own = dockerfile && access(own, F_OK) == 0;
    if (!is_own && faccessat(folder->fd, ".dockerignore", F_OK, 0) < 0)
        return true;
    const char *path = is_own ? own : ".dockerignore";
    if (!file_read(is_own ? AT_FDCWD : folder->fd, path, IGNORE_LIMIT, text, err))
        return false;
    folder->ignore = ignore_parse(strbuf_text(text), text->length, err);
    return folder->ignore || error_prefix(err, "%s", path);
}

/* The Dockerfile's path on this machine, links resolved. Caller frees. */
static char *find_dockerfile(const char *folder, const char *file, struct error *err)
{
    _cleanup_free_ char *path = file ? xstrdup(file) : path_join(folder, "Dockerfile");
    char *found = realpath(path, NULL);
    if (!found && !file && errno == ENOENT) {
        _cleanup_free_ char *lower = path_join(folder, "dockerfile");
        found = realpath(lower, NULL);
    }
    if (!found)
        error_errno(err, "unable to evaluate symlinks in Dockerfile path: lstat %s", path);
    return found;
}

/* What is sent under such a name is none of the context's files: the ignore file that goes with it says so. */
static void name_privately(struct build_context *out)
{
    out->dockerfile = private_name("dockerfile");
    out->has_text = out->is_private = true;
}

static bool place_dockerfile(const char *folder, const char *path, struct build_context *out, struct error *err)
{
    size_t length = strlen(folder);
    bool is_inside = string_starts_with(path, folder) && (path[length] == '/' || string_equal(folder, "/"));
    const char *relative = path + length + (path[length] == '/');
    if (is_inside && !(out->folder.ignore && ignore_matches(out->folder.ignore, relative))) {
        out->dockerfile = xstrdup(relative);
        return true;
    }
    name_privately(out);
    return file_read(AT_FDCWD, path, DOCKERFILE_LIMIT, &out->text, err);
}

static bool open_folder(const char *argument, const char *file, struct build_context *out, struct error *err)
{
    struct stat status;
    if (stat(argument, &status) < 0)
        return errno == ENOENT ? error_set(err, ERROR_NOT_FOUND, "path \"%s\" not found", argument)
                               : error_errno(err, "stat %s", argument);
    if (!S_ISDIR(status.st_mode))
        return error_set(err, ERROR_INVALID, "context must be a directory: %s", argument);
    _cleanup_free_ char *folder = realpath(argument, NULL);
    out->folder.fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (out->folder.fd < 0)
        return error_errno(err, "open %s", argument);
    out->folder.prefix = xstrdup("");
    if (string_equal(file, "-")) {
        name_privately(out);
        return find_ignore(NULL, &out->folder, &out->ignore_text, err) && read_stdin_dockerfile(&out->text, err);
    }
    _cleanup_free_ char *dockerfile = find_dockerfile(folder, file, err);
    return dockerfile && find_ignore(dockerfile, &out->folder, &out->ignore_text, err) &&
           place_dockerfile(folder, dockerfile, out, err);
}

/* The repository becomes a folder of this machine, with the user's own keys. */
static bool open_git(const char *url, const char *file, struct build_context *out, struct error *err)
{
    out->clone = git_clone_new(url, err);
    if (!out->clone)
        return false;
    const char *folder = git_clone_folder(out->clone);
    bool is_elsewhere = !file || string_equal(file, "-") || *file == '/';
    _cleanup_free_ char *path = is_elsewhere ? xstrdup(file) : path_join(folder, file);
    return open_folder(folder, path, out, err);
}

static bool open_named(const char *value, struct build_context *out, struct error *err)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals == value || !equals[1])
        return error_set(err, ERROR_INVALID, "invalid context value: %s, expected key=value", value);
    _cleanup_free_ char *name = xstrndup(value, (size_t)(equals - value));
    const char *place = equals + 1;
    if (string_starts_with(place, "docker-image://")) {
        _cleanup_free_ char *image = xasprintf("image:%s", place + strlen("docker-image://"));
        strmap_set(&out->named, name, image);
        return true;
    }
    if (is_url(place) || strstr(place, "://"))
        return error_set(err, ERROR_UNSUPPORTED,
                         "a named context is a folder or docker-image://IMAGE: %s is not supported", place);
    struct build_folder *folder = APPEND(out->folders, out->folder_count);
    folder->fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0)
        return error_errno(err, "failed to get build context %s: stat %s", name, place);
    folder->prefix = private_name("context");
    _cleanup_free_ char *text = xasprintf("folder:%s", folder->prefix);
    strmap_set(&out->named, name, text);
    _cleanup_strbuf_ struct strbuf ignored = STRBUF_INIT;
    return find_ignore(NULL, folder, &ignored, err);
}

bool build_context_open(const char *argument, const char *file, const struct strlist *named, struct build_context *out,
                        struct error *err)
{
    bool is_open;
    if (string_equal(argument, "-")) {
        is_open = open_stdin(file, out, err);
    } else if (is_git_url(argument)) {
        is_open = open_git(argument, file, out, err);
    } else if (is_url(argument)) {
        is_open = !string_equal(file, "-") ||
                  error_set(err, ERROR_UNSUPPORTED, "a Dockerfile on standard input needs a context on this machine");
        out->remote = xstrdup(argument);
        out->dockerfile = xstrdup(file ? file : "Dockerfile");
    } else {
        is_open = open_folder(argument, file, out, err);
    }
    if (!is_open)
        return error_prefix(err, "unable to prepare context");
    for (size_t i = 0; i < named->count; i++)
        if (!open_named(named->items[i], out, err))
            return false;
    if (out->folder_count > 0 && (out->remote || out->is_stdin))
        return error_set(err, ERROR_UNSUPPORTED, "folders as named contexts need a main context that is a folder, too");
    return true;
}

bool build_context_has_body(const struct build_context *context)
{
    return !context->remote;
}

/* --- sending --- */

struct sending {
    struct client_upload *upload;
    struct build_context *context;
    const struct build_folder *folder; /* the one that is walked */
    int64_t sent;
};

static void add_progress(struct sending *sending, int64_t bytes)
{
    sending->sent += bytes;
    if (sending->context->progress)
        sending->context->progress(sending->context->progress_context, sending->sent);
}

static bool write_bytes(void *context, const void *data, size_t length)
{
    struct sending *sending = context;
    if (!client_upload_write(sending->upload, data, length))
        return false;
    add_progress(sending, (int64_t)length);
    return true;
}

static bool write_file(void *context, int fd, int64_t length)
{
    struct sending *sending = context;
    for (int64_t piece; length > 0; length -= piece) {
        piece = MIN(length, INT64_C(16) << 20);
        if (!client_upload_file(sending->upload, fd, piece))
            return false;
        add_progress(sending, piece);
    }
    return true;
}

static bool skips(void *context, const char *path)
{
    const struct sending *sending = context;
    bool is_main = sending->folder == &sending->context->folder;
    /* It went first. */
    if (is_main && !sending->context->has_text && string_equal(path, sending->context->dockerfile))
        return true;
    return sending->folder->ignore && ignore_matches(sending->folder->ignore, path);
}

static bool enters(void *context, const char *path)
{
    const struct sending *sending = context;
    return sending->folder->ignore && ignore_may_return_below(sending->folder->ignore, path);
}

static bool send_folder(struct sending *sending, struct tar_writer *tar, const struct build_folder *folder,
                        struct error *err)
{
    if (folder->fd < 0)
        return true;
    struct pack_filter filter = {.skips = skips, .enters = enters, .context = sending};
    _cleanup_(pack_freep) struct pack *pack = pack_new(tar);
    sending->folder = folder;
    pack_restrict(pack, &filter, true);
    bool is_main = folder == &sending->context->folder;
    if (is_main && !sending->context->has_text &&
        !pack_add_entry(pack, folder->fd, sending->context->dockerfile, sending->context->dockerfile, err))
        return false;
    return pack_add(pack, folder->fd, ".", folder->prefix, err);
}

static bool send_text(struct tar_writer *tar, const char *name, const struct strbuf *text, struct error *err)
{
    return tar_writer_file(tar, name, (int64_t)text->length, 0, err) &&
           tar_writer_data(tar, strbuf_text(text), text->length, err);
}

/* The Dockerfile that is no part of the folder, and an ignore file of its own that hides both. */
static bool send_dockerfile(struct build_context *context, struct tar_writer *tar, struct error *err)
{
    if (!context->has_text)
        return true;
    if (!send_text(tar, context->dockerfile, &context->text, err))
        return false;
    if (!context->is_private)
        return true;
    _cleanup_free_ char *name = xasprintf("%s.dockerignore", context->dockerfile);
    strbuf_addf(&context->ignore_text, "\n%s\n%s\n", context->dockerfile, name);
    return send_text(tar, name, &context->ignore_text, err);
}

static bool send_all(struct sending *sending, struct error *err)
{
    struct build_context *context = sending->context;
    struct tar_writer tar = {.write = write_bytes, .write_file = write_file, .context = sending};
    if (!send_dockerfile(context, &tar, err))
        return false;
    for (size_t i = 0; i < context->folder_count; i++)
        if (!send_folder(sending, &tar, &context->folders[i], err))
            return false;
    return send_folder(sending, &tar, &context->folder, err) && tar_writer_finish(&tar, err);
}

static bool send_stdin(struct sending *sending, struct error *err)
{
    _cleanup_free_ char *buffer = xmalloc((size_t)64 << 10);
    bool is_sent = write_bytes(sending, sending->context->head.data, sending->context->head.length);
    while (is_sent) {
        ssize_t count = read_full(STDIN_FILENO, buffer, (size_t)64 << 10);
        if (count < 0)
            return error_errno(err, "reading standard input");
        if (count == 0)
            break;
        is_sent = write_bytes(sending, buffer, (size_t)count);
    }
    return true;
}

bool build_context_send(struct client_upload *upload, void *context, struct error *err)
{
    struct sending sending = {.upload = upload, .context = context};
    if (sending.context->is_stdin)
        return send_stdin(&sending, err);
    struct error why = ERROR_INIT;
    if (send_all(&sending, &why))
        return true;
    if (why.errno_value == EPIPE || why.errno_value == ECONNRESET) {
        error_release(&why); /* the engine has answered already */
        return true;
    }
    error_prefix(&why, "error checking context");
    return error_move(err, &why);
}
