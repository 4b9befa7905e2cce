#include "distribution/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/memory.h"
#include "http/writer.h"

#define SOCKET_NAME "control"
#define MAX_ANSWER  ((size_t)64 << 10)

/* The folder's path may be longer than a socket's address. */
static bool address_of(int folder, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    int length = snprintf(out->sun_path, sizeof(out->sun_path), "/proc/self/fd/%d/" SOCKET_NAME, folder);
    return length > 0 && (size_t)length < sizeof(out->sun_path);
}

void collected_describe(const struct collected *collected, struct strbuf *out)
{
    strbuf_addf(out, "removed %lld manifests, %lld links of repositories to blobs, %lld blobs of %lld bytes\n",
                (long long)collected->manifests, (long long)collected->links, (long long)collected->blobs,
                (long long)collected->bytes);
}

static void handle(struct http_exchange *exchange, void *context)
{
    _cleanup_strmap_ struct strmap query = {0};
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    _cleanup_error_ struct error err = ERROR_INIT;
    struct collected collected;
    int64_t grace;
    if (!string_equal(exchange->path, "/collect") || !string_equal(exchange->head.method, "POST")) {
        http_exchange_answer(exchange, 404, "text/plain", "", 0);
        return;
    }
    http_query_parse(exchange->query, &query);
    if (!parse_int64(string_or_empty(strmap_get(&query, "grace")), &grace) || grace < 0) {
        http_exchange_answer(exchange, 400, "text/plain", "", 0);
        return;
    }
    bool is_done =
        distribution_collect(context, grace, string_equal(strmap_get(&query, "untagged"), "1"), &collected, &err);
    if (is_done)
        collected_describe(&collected, &text);
    else
        strbuf_add_string(&text, error_message(&err));
    http_exchange_answer(exchange, is_done ? 200 : 500, "text/plain", strbuf_text(&text), text.length);
}

struct http_server *control_start(struct distribution *distribution, struct error *err)
{
    struct sockaddr_un address;
    const char *data = distribution->settings->data;
    _cleanup_close_ int folder = open(data, O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (folder < 0 || fd < 0 || !address_of(folder, &address)) {
        error_errno(err, "open %s", data);
        return NULL;
    }
    unlinkat(folder, SOCKET_NAME, 0); /* the folder is locked: nobody listens on it */
    mode_t mask = umask(0177);
    bool is_listening = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 16) == 0;
    int cause = errno;
    umask(mask);
    if (!is_listening) {
        error_errno_value(err, cause, "listen on %s/" SOCKET_NAME, data);
        return NULL;
    }
    const struct http_server_options options = {.handle = handle, .context = distribution, .max_connections = 16};
    struct http_server *server = http_server_new(&options);
    http_server_add_listener(server, TAKE_FD(fd));
    if (http_server_start(server, err))
        return server;
    http_server_free(server);
    return NULL;
}

void control_stop(struct distribution *distribution, struct http_server *server)
{
    if (!server)
        return;
    _cleanup_free_ char *path = xasprintf("%s/" SOCKET_NAME, distribution->settings->data);
    unlink(path);
    if (http_server_stop(server, NANOSECONDS_PER_SECOND))
        http_server_free(server);
}

bool control_ask_collect(const char *data, int64_t grace, bool includes_untagged, struct strbuf *out, struct error *err)
{
    struct sockaddr_un address;
    _cleanup_close_ int folder = open(data, O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (folder < 0 || fd < 0 || !address_of(folder, &address) ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return error_set(err, ERROR_UNAVAILABLE, "another process uses %s, and answers no questions: %s", data,
                         errno_text(errno));
    _cleanup_strmap_ struct strmap headers = {0};
    strmap_set(&headers, "Host", "control");
    strmap_set(&headers, "Content-Length", "0");
    _cleanup_free_ char *target =
        xasprintf("/collect?grace=%lld&untagged=%d", (long long)grace, includes_untagged ? 1 : 0);
    struct http_head head = {0};
    struct http_reader *reader = http_reader_new(fd);
    out->limit = MAX_ANSWER;
    bool is_done = http_write_request_head(fd, "POST", target, &headers) ? http_read_head(reader, false, &head, err)
                                                                         : error_errno(err, "ask the server");
    while (is_done) {
        char data_read[1024];
        ssize_t count = http_read_body(reader, data_read, sizeof(data_read));
        if (count < 0)
            is_done = error_errno(err, "read the server's answer");
        if (count <= 0 || !strbuf_add(out, data_read, (size_t)count))
            break;
    }
    if (is_done && head.status != 200)
        is_done = error_set(err, ERROR_INTERNAL, "the server could not collect: %s", strbuf_text(out));
    http_head_release(&head);
    http_reader_free(reader);
    return is_done;
}
