/* Files of containers: archive, changes, export. */
#include <sys/sysmacros.h>

#include "api/request.h"
#include "api/respond.h"
#include "base/base64.h"
#include "base/memory.h"
#include "engine/files.h"

/* Go's os.FileMode, which is what the header has. */
static int64_t go_mode(mode_t mode)
{
    static const struct {
        mode_t type;
        int64_t bits;
    } types[] = {
        {S_IFDIR, INT64_C(1) << 31}, {S_IFLNK, 1 << 27},  {S_IFBLK, 1 << 26},
        {S_IFIFO, 1 << 25},          {S_IFSOCK, 1 << 24}, {S_IFCHR, 1 << 26 | 1 << 21},
    };
    int64_t result = mode & 0777;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if ((mode & S_IFMT) == types[i].type)
            result |= types[i].bits;
    return result | (mode & S_ISUID ? 1 << 23 : 0) | (mode & S_ISGID ? 1 << 22 : 0) | (mode & S_ISVTX ? 1 << 20 : 0);
}

static void add_status_header(struct call *call, const struct path_status *path)
{
    char time[TIME_TEXT_SIZE];
    const struct stat *status = &path->status;
    time_format(status->st_mtim.tv_sec * NANOSECONDS_PER_SECOND + status->st_mtim.tv_nsec, time);
    _cleanup_json_ json_t *json = json_pack("{s:o, s:I, s:I, s:s, s:o}", "name", json_text(path->name), "size",
                                            (json_int_t)status->st_size, "mode", (json_int_t)go_mode(status->st_mode),
                                            "mtime", time, "linkTarget", json_text(path->link_target));
    _cleanup_free_ char *text = json_format(json);
    _cleanup_free_ char *encoded = base64_encode(text, strlen(text));
    strmap_set(&call->exchange->headers, "X-Docker-Container-Path-Stat", encoded);
}

/* The path of the request, which none can do without. */
static const char *read_path(struct call *call, struct error *err)
{
    const char *path = query_text(call, "path");
    if (string_is_set(path))
        return path;
    error_set(err, ERROR_INVALID, "bad parameter: pathcannot be empty");
    return NULL;
}

static struct container_files *open_files(struct call *call, const char **path, struct error *err)
{
    *path = read_path(call, err);
    return *path ? container_files_open(call->engine, call->target, err) : NULL;
}

/* --- tar streams to the client; the head goes out with the first byte, until when an error is one of its own --- */

struct stream {
    struct call *call;
    const char *content_type;
};

static bool begin(struct stream *stream)
{
    struct http_exchange *exchange = stream->call->exchange;
    return exchange->has_answered || http_exchange_begin(exchange, 200, stream->content_type);
}

static bool write_bytes(void *context, const void *data, size_t length)
{
    struct stream *stream = context;
    return begin(stream) && http_exchange_write(stream->call->exchange, data, length);
}

static bool write_file(void *context, int fd, int64_t length)
{
    struct stream *stream = context;
    return begin(stream) && http_exchange_write_file(stream->call->exchange, fd, length);
}

bool containers_archive_head(struct call *call, struct error *err)
{
    const char *path;
    _cleanup_(container_files_closep) struct container_files *files = open_files(call, &path, err);
    struct path_status status = {0};
    if (!files || !container_files_stat(files, path, &status, err))
        return false;
    add_status_header(call, &status);
    path_status_release(&status);
    http_exchange_answer(call->exchange, 200, NULL, "", 0);
    return true;
}

bool containers_archive_get(struct call *call, struct error *err)
{
    const char *path;
    _cleanup_(container_files_closep) struct container_files *files = open_files(call, &path, err);
    struct path_status status = {0};
    if (!files || !container_files_stat(files, path, &status, err))
        return false;
    add_status_header(call, &status);
    path_status_release(&status);
    struct stream stream = {call, "application/x-tar"};
    struct tar_writer tar = {.write = write_bytes, .write_file = write_file, .context = &stream};
    return container_files_read(files, path, &tar, err);
}

bool containers_archive_put(struct call *call, struct error *err)
{
    const struct files_write_options options = {.keeps_kinds = query_bool(call, "noOverwriteDirNonDir"),
                                                .gives_to_user = query_bool(call, "copyUIDGID")};
    const char *path;
    _cleanup_(container_files_closep) struct container_files *files = open_files(call, &path, err);
    if (!files || !container_files_write(files, path, request_read, call, &options, err))
        return false;
    return respond_empty(call, 200);
}

bool containers_export(struct call *call, struct error *err)
{
    struct stream stream = {call, "application/octet-stream"};
    struct tar_writer tar = {.write = write_bytes, .write_file = write_file, .context = &stream};
    return container_export(call->engine, call->target, query_bool(call, "bare"), &tar, err);
}

bool containers_changes(struct call *call, struct error *err)
{
    struct change_list list = {0};
    if (!container_changes(call->engine, call->target, &list, err))
        return false;
    json_t *json = list.count ? json_array() : json_null();
    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(
            json, json_pack("{s:o, s:i}", "Path", json_text(list.items[i].path), "Kind", (int)list.items[i].kind));
    change_list_release(&list);
    return respond_json(call, 200, json);
}

static bool read_config(struct call *call, struct container_config *config, bool *is_there, struct error *err)
{
    _cleanup_json_ json_t *body = NULL;
    if (!request_json(call, true, &body, err))
        return false;
    if (body && !json_is_object(body) && !json_is_null(body))
        return record_from_body(&container_config_type, body, config, err);
    *is_there = body && body_has_config(body);
    return !*is_there || record_from_body(&container_config_type, body, config, err);
}

bool containers_commit(struct call *call, struct error *err)
{
    struct container_config config = {0};
    bool has_config = false;
    if (!read_config(call, &config, &has_config, err))
        return false;
    struct commit_request request = {
        .container = query_text(call, "container"),
        .repository = query_text(call, "repo"),
        .tag = query_text(call, "tag"),
        .author = query_text(call, "author"),
        .comment = query_text(call, "comment"),
        .pauses = !string_is_set(query_text(call, "pause")) || query_bool(call, "pause"),
        .config = has_config ? &config : NULL,
    };
    http_query_all(call->exchange->query, "changes", &request.changes);
    _cleanup_free_ char *id = NULL;
    bool is_done = container_commit(call->engine, &request, &id, err);
    strlist_release(&request.changes);
    record_release(&container_config_type, &config);
    return is_done && respond_json(call, 201, json_pack("{s:s}", "Id", id));
}
