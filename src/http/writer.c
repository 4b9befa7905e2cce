#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/memory.h"
#include "http/writer.h"

static bool send_vector(int fd, struct iovec *parts, size_t count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    while (message.msg_iovlen > 0) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        size_t left = (size_t)sent;
        while (message.msg_iovlen > 0 && left >= message.msg_iov->iov_len) {
            left -= message.msg_iov->iov_len;
            message.msg_iov++;
            message.msg_iovlen--;
        }
        if (message.msg_iovlen > 0) {
            message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + left;
            message.msg_iov->iov_len -= left;
        }
    }
    return true;
}

bool http_send(int fd, const void *data, size_t length)
{
    struct iovec part = {.iov_base = (void *)data, .iov_len = length};
    return send_vector(fd, &part, 1);
}

/* A value that came from outside cannot start a header of its own. */
static void add_headers(struct strbuf *out, const struct strmap *headers)
{
    for (size_t i = 0; headers && i < headers->count; i++) {
        strbuf_addf(out, "%s: ", headers->items[i].key);
        for (const char *at = headers->items[i].value; *at; at++)
            strbuf_add_char(out, *at == '\r' || *at == '\n' ? ' ' : *at);
        strbuf_add_string(out, "\r\n");
    }
    strbuf_add_string(out, "\r\n");
}

bool http_write_request_head(int fd, const char *method, const char *target, const struct strmap *headers)
{
    _cleanup_strbuf_ struct strbuf head = STRBUF_INIT;
    strbuf_addf(&head, "%s %s HTTP/1.1\r\n", method, target);
    add_headers(&head, headers);
    return http_send(fd, head.data, head.length);
}

bool http_write_chunk(int fd, const void *data, size_t length)
{
    if (length == 0)
        return true; /* would be the last one */
    char size[24];
    int size_length = snprintf(size, sizeof(size), "%zx\r\n", length);
    struct iovec parts[] = {
        {.iov_base = size, .iov_len = (size_t)size_length},
        {.iov_base = (void *)data, .iov_len = length},
        {.iov_base = (void *)"\r\n", .iov_len = 2},
    };
    return send_vector(fd, parts, ARRAY_SIZE(parts));
}

bool http_begin_chunk(int fd, int64_t length)
{
    char size[24];
    int size_length = snprintf(size, sizeof(size), "%llx\r\n", (long long)length);
    return http_send(fd, size, (size_t)size_length);
}

bool http_send_file(int fd, int file, int64_t length)
{
    while (length > 0) {
        ssize_t n = sendfile(fd, file, NULL, (size_t)MIN(length, (int64_t)1 << 30));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EINVAL)
            return false;
        static const char zeroes[16384];
        char buffer[16384];
        if (n <= 0) {
            /* The end of the file, or one that sendfile does not know (of a FUSE or proc file system). */
            n = n < 0 ? read(file, buffer, (size_t)MIN(length, (int64_t)sizeof(buffer))) : 0;
            if (n < 0)
                return false;
            const char *data = n ? buffer : zeroes;
            if (!n)
                n = (ssize_t)MIN(length, (int64_t)sizeof(zeroes));
            if (!http_send(fd, data, (size_t)n))
                return false;
        }
        length -= n;
    }
    return true;
}

bool http_write_last_chunk(int fd)
{
    return http_send(fd, "0\r\n\r\n", 5);
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Request Entity Too Large"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}
