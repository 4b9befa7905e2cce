/* docker cp: to a container, from one, as a tar from standard input and to standard output. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/pack.h"
#include "archive/unpack.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/cp_path.h"
#include "cli/human.h"
#include "cli/output_file.h"
#include "json/json_record.h"

#define GO_FOLDER (INT64_C(1) << 31)
#define GO_LINK   (INT64_C(1) << 27)
#define GO_DEVICE (INT64_C(1) << 26)

#define PROGRESS_INTERVAL (75 * NANOSECONDS_PER_SECOND / 1000)

struct cp_options {
    bool archive;
    bool follow_link;
    bool quiet;
};

/* --- what is copied, as it is copied --- */

struct copying {
    const char *header; /* NULL: nothing is shown */
    bool is_terminal;
    int64_t copied; /* bytes of the tar */
    int64_t shown_at;
};

static void begin_progress(struct copying *copying, const char *header)
{
    copying->header = header;
    copying->is_terminal = isatty(STDERR_FILENO);
    if (copying->is_terminal)
        fprintf(stderr, "\x1b[s\x1b[?25l%s0B", header);
}

static void add_progress(struct copying *copying, int64_t bytes)
{
    copying->copied += bytes;
    if (!copying->header || !copying->is_terminal)
        return;
    int64_t now = clock_monotonic();
    if (now - copying->shown_at < PROGRESS_INTERVAL)
        return;
    copying->shown_at = now;
    _cleanup_free_ char *size = human_size((double)copying->copied, 3);
    fprintf(stderr, "\x1b[u\x1b[2K%s%s", copying->header, size);
}

static void end_progress(const struct copying *copying, const char *container, const char *path)
{
    if (!copying->header)
        return;
    if (copying->is_terminal)
        fputs("\x1b[?25h\x1b[u\x1b[2K", stderr);
    _cleanup_free_ char *size = human_size((double)copying->copied, 3);
    fprintf(stderr, "Successfully copied %s to %s%s%s\n", size, container, *container ? ":" : "", path);
}

/* --- the container's side --- */

struct remote_status {
    int64_t mode;
    char *link_target;
};

static bool decode_status(const char *header, struct remote_status *out, struct error *err)
{
    _cleanup_free_ uint8_t *data = xmalloc(strlen(header) + 4);
    long length = base64_decode(header, data);
    _cleanup_json_ json_t *json = length < 0 ? NULL : json_parse((const char *)data, (size_t)length, NULL);
    if (!json)
        return error_set(err, ERROR_INTERNAL, "unable to get container path stat");
    out->mode = json_integer_value(json_object_get(json, "mode"));
    out->link_target = xstrdup(string_or_empty(json_string_value(json_object_get(json, "linkTarget"))));
    return true;
}

static char *archive_path(const char *container, const char *path)
{
    _cleanup_free_ char *base = client_path("containers", container, "/archive");
    struct strbuf whole = STRBUF_INIT;
    strbuf_add_string(&whole, base);
    client_query_add(&whole, "path", path);
    return strbuf_take(&whole);
}

static bool ask_status(struct command_call *call, const char *container, const char *path, struct remote_status *out,
                       struct error *err)
{
    _cleanup_free_ char *target = archive_path(container, path);
    _cleanup_free_ char *header = client_head(call->client, target, "x-docker-container-path-stat", err);
    return header && decode_status(header, out, err);
}

/* Where a link in the container leads, seen from its place. */
static char *resolve_link(const char *path, const char *target)
{
    if (*target == '/')
        return xstrdup(target);
    _cleanup_free_ char *folder = NULL, *base = NULL;
    copy_path_split(path, &folder, &base);
    return copy_path_join(folder, target);
}

/* --- to a container --- */

static bool check_mode(int64_t mode, struct error *err)
{
    return !(mode & GO_DEVICE) || error_set(err, ERROR_INVALID, "got a device");
}

static bool find_remote(struct command_call *call, const char *container, const char *path, struct copy_place *out,
                        struct error *err)
{
    /* What cannot be asked about may still be made. */
    struct remote_status status = {0};
    _cleanup_copy_place_ struct copy_place place = {.path = xstrdup(path)};
    bool is_there = ask_status(call, container, path, &status, NULL);
    if (is_there && status.mode & GO_LINK) {
        char *target = resolve_link(path, status.link_target);
        free(place.path);
        place.path = target;
        free(TAKE_PTR(status.link_target));
        status.mode = 0;
        is_there = ask_status(call, container, target, &status, NULL);
    }
    free(status.link_target);
    if (!check_mode(status.mode, err))
        return error_prefix(err, "destination \"%s:%s\" must be a directory or a regular file", container, path);
    place.exists = is_there;
    place.is_folder = is_there && status.mode & GO_FOLDER;
    *out = place;
    place = (struct copy_place){0};
    return true;
}

struct upload {
    struct client_upload *to;
    struct copying *copying;
    const struct copy_place *source;
    const char *name; /* of the base in the tar */
};

static bool write_bytes(void *context, const void *data, size_t length)
{
    struct upload *upload = context;
    add_progress(upload->copying, (int64_t)length);
    return client_upload_write(upload->to, data, length);
}

static bool write_file(void *context, int fd, int64_t length)
{
    /* In pieces, so that there is progress to be seen. */
    struct upload *upload = context;
    for (int64_t piece; length > 0; length -= piece) {
        piece = MIN(length, INT64_C(16) << 20);
        if (!client_upload_file(upload->to, fd, piece))
            return false;
        add_progress(upload->copying, piece);
    }
    return true;
}

static bool produce(struct client_upload *to, void *context, struct error *err)
{
    struct upload *upload = context;
    upload->to = to;
    struct tar_writer tar = {.write = write_bytes, .write_file = write_file, .context = upload};
    _cleanup_(pack_freep) struct pack *pack = pack_new(&tar);
    _cleanup_free_ char *folder = NULL, *base = NULL;
    copy_path_split(upload->source->path, &folder, &base);
    _cleanup_close_ int fd = open(*folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "open %s", folder);
    struct error why = ERROR_INIT;
    bool is_sent = pack_add(pack, fd, *base ? base : ".", upload->name, &why) && tar_writer_finish(&tar, &why);
    if (is_sent || why.errno_value == EPIPE || why.errno_value == ECONNRESET) {
        error_release(&why); /* the server has answered already */
        return true;
    }
    return error_move(err, &why);
}

static bool send_archive(struct command_call *call, const char *container, const char *folder, struct upload *upload,
                         struct error *err)
{
    const struct cp_options *options = call->values;
    _cleanup_free_ char *trimmed = xstrdup(*folder ? folder : ".");
    size_t length = strlen(trimmed);
    if (length > 1 && trimmed[length - 1] == '/')
        trimmed[length - 1] = '\0';
    _cleanup_free_ char *target = archive_path(container, trimmed);
    struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, target);
    client_query_add(&path, "noOverwriteDirNonDir", "true");
    if (options->archive)
        client_query_add(&path, "copyUIDGID", "true");
    struct client_request request = {.method = "PUT",
                                     .path = strbuf_text(&path),
                                     .content_type = "application/x-tar",
                                     .has_upload = !upload,
                                     .upload = STDIN_FILENO,
                                     .produce = upload ? produce : NULL,
                                     .produce_context = upload};
    struct strbuf answer = STRBUF_INIT;
    bool is_done = client_request(call->client, &request, &answer, err);
    strbuf_release(&answer);
    strbuf_release(&path);
    return is_done;
}

static bool copy_to(struct command_call *call, const char *source_path, const char *container, const char *path,
                    struct error *err)
{
    const struct cp_options *options = call->values;
    bool is_stdin = strcmp(source_path, "-") == 0;
    _cleanup_free_ char *local = is_stdin ? NULL : copy_path_local(source_path, err);
    _cleanup_copy_place_ struct copy_place destination = {0}, source = {0};
    if ((!is_stdin && !local) || !find_remote(call, container, path, &destination, err))
        return false;
    if (is_stdin)
        return destination.is_folder
                   ? send_archive(call, container, destination.path, NULL, err)
                   : error_set(err, ERROR_INVALID, "destination \"%s:%s\" must be a directory", container, path);
    _cleanup_copy_plan_ struct copy_plan plan = {0};
    if (!copy_source_find(local, options->follow_link, &source, err) ||
        !copy_plan_make(&source, &destination, &plan, err))
        return false;
    _cleanup_free_ char *folder = NULL, *base = NULL;
    copy_path_split(source.path, &folder, &base);
    struct copying copying = {0};
    struct upload upload = {.copying = &copying, .source = &source};
    upload.name = plan.from ? plan.to : source.rebase_name ? source.rebase_name : *base ? base : "/";
    if (!options->quiet)
        begin_progress(&copying, "Copying to container - ");
    bool is_done = send_archive(call, container, plan.folder, &upload, err);
    end_progress(&copying, container, destination.path);
    return is_done;
}

/* --- from a container --- */

static bool check_output(const char *path, struct error *err)
{
    _cleanup_free_ char *clean = path_clean(path);
    const char *base = path_base(clean);
    _cleanup_free_ char *folder =
        xstrndup(clean, base - clean > 1 ? (size_t)(base - clean) - 1 : (size_t)(base - clean));
    struct stat status;
    if (*folder && stat(folder, &status) < 0 && errno == ENOENT)
        return error_set(err, ERROR_INVALID, "invalid output path: directory \"%s\" does not exist", folder);
    if (stat(path, &status) < 0)
        return errno == ENOENT || error_errno(err, "stat %s", path);
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
        return error_set(err, ERROR_INVALID,
                         "invalid output path: \"%s\" must be a directory or a regular file: got a device", path);
    return true;
}

struct download {
    struct client_stream *stream;
    struct copying *copying;
};

static ssize_t read_download(void *context, void *data, size_t length)
{
    struct download *download = context;
    ssize_t n = client_stream_read(download->stream, data, length);
    if (n > 0)
        add_progress(download->copying, n);
    return n;
}

static bool unpack_here(struct download *download, const struct copy_place *source, const char *path, struct error *err)
{
    _cleanup_copy_place_ struct copy_place destination = {0};
    _cleanup_copy_plan_ struct copy_plan plan = {0};
    if (!copy_destination_find(path, &destination, err) || !copy_plan_make(source, &destination, &plan, err))
        return false;
    _cleanup_free_ char *shown = path_clean(plan.folder), *folder = NULL, *base = NULL;
    _cleanup_close_ int root = open(shown, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return error_errno(err, "open %s", shown);
    struct unpack_options options = {.root = root, .folder = "", .shown = shown, .keeps_kinds = true};
    copy_path_split(source->path, &folder, &base);
    size_t count = 0;
    if (source->rebase_name)
        options.renames[count++] = (struct unpack_rename){base, source->rebase_name};
    if (plan.from)
        options.renames[count++] = (struct unpack_rename){plan.from, plan.to};
    struct tar_reader tar = {.read = read_download, .context = download};
    return unpack(&tar, &options, err);
}

/* With -L the file that the link leads to is copied, under the link's name. */
static void follow_source(struct command_call *call, const char *container, struct copy_place *source)
{
    struct remote_status status = {0};
    if (ask_status(call, container, source->path, &status, NULL) && status.mode & GO_LINK) {
        _cleanup_free_ char *path = TAKE_PTR(source->path), *target = resolve_link(path, status.link_target);
        source->path = copy_path_keep_name(path, target, &source->rebase_name);
    }
    free(status.link_target);
}

static bool copy_from(struct command_call *call, const char *container, const char *source_path, const char *path,
                      struct error *err)
{
    const struct cp_options *options = call->values;
    bool is_stdout = strcmp(path, "-") == 0;
    _cleanup_free_ char *local = is_stdout ? xstrdup(path) : copy_path_local(path, err);
    if (!local || !check_output(local, err))
        return false;
    _cleanup_copy_place_ struct copy_place source = {.path = xstrdup(source_path), .exists = true};
    if (options->follow_link)
        follow_source(call, container, &source);
    _cleanup_free_ char *target = archive_path(container, source.path);
    _cleanup_(client_stream_freep) struct client_stream *stream = client_stream_get(call->client, target, err);
    struct remote_status status = {0};
    if (!stream ||
        !decode_status(string_or_empty(client_stream_header(stream, "x-docker-container-path-stat")), &status, err))
        return false;
    free(status.link_target);
    if (is_stdout)
        return stream_copy(stream, STDOUT_FILENO, err);
    source.is_folder = status.mode & GO_FOLDER;
    struct copying copying = {0};
    struct download download = {stream, &copying};
    if (!options->quiet)
        begin_progress(&copying, "Copying from container - ");
    bool is_done = unpack_here(&download, &source, local, err);
    end_progress(&copying, "", local);
    return is_done;
}

/* "container:path"; a path that begins with "/" or "." is a local one, whatever is in it. */
static char *split_argument(const char *argument, const char **path)
{
    const char *colon = strchr(argument, ':');
    *path = argument;
    if (*argument == '/' || *argument == '.' || !colon)
        return xstrdup("");
    *path = colon + 1;
    return xstrndup(argument, (size_t)(colon - argument));
}

static bool cp_run(struct command_call *call, struct error *err)
{
    struct cp_options *options = call->values;
    const char *source = NULL, *destination = NULL;
    if (!*call->arguments[0])
        return error_set(err, ERROR_INVALID, "source can not be empty");
    if (!*call->arguments[1])
        return error_set(err, ERROR_INVALID, "destination can not be empty");
    if (!option_is_given(call->parse, "quiet"))
        options->quiet = !isatty(STDOUT_FILENO);
    _cleanup_free_ char *from = split_argument(call->arguments[0], &source);
    _cleanup_free_ char *to = split_argument(call->arguments[1], &destination);
    if (*from && *to)
        return error_set(err, ERROR_INVALID, "copying between containers is not supported");
    signal(SIGPIPE, SIG_IGN); /* a server that answers before it has read everything closes the connection */
    if (*from)
        return copy_from(call, from, source, destination, err);
    if (*to)
        return copy_to(call, source, to, destination, err);
    return error_set(err, ERROR_INVALID, "must specify at least one container source");
}

#define PLACE(member_) offsetof(struct cp_options, member_)
static const struct option cp_rows[] = {
    {"archive", 'a', OPTION_BOOL, PLACE(archive), NULL, "Archive mode (copy all uid/gid information)"},
    {"follow-link", 'L', OPTION_BOOL, PLACE(follow_link), NULL, "Always follow symbol link in SRC_PATH"},
    {"quiet", 'q', OPTION_BOOL, PLACE(quiet), NULL,
     "Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached"},
};

const struct command cp_command = {
    .paths = {"container cp", "cp"},
    .usage = "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\twherry cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    .help = "Copy files/folders between a container and the local filesystem",
    .long_help = "Copy files/folders between a container and the local filesystem\n\n"
                 "Use '-' as the source to read a tar archive from stdin\n"
                 "and extract it to a directory destination in a container.\n"
                 "Use '-' as the destination to stream a tar archive of a\n"
                 "container source to stdout.",
    .options = OPTION_TABLE(cp_rows),
    .values_size = sizeof(struct cp_options),
    .min_arguments = 2,
    .max_arguments = 2,
    .run = cp_run,
};
