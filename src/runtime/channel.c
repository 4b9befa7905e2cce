#include "runtime/channel.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"

bool channel_open(int ends[2], struct error *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_errno(err, "socketpair");
    return true;
}

static bool send_message(int end, struct channel_message *message, const char *text, int fd)
{
    size_t length = text ? strnlen(text, CHANNEL_TEXT_SIZE - 1) : 0;
    if (length)
        memcpy(message->text, text, length);
    return send_with_fds(end, message, offsetof(struct channel_message, text) + length, &fd, fd >= 0) >= 0;
}

bool channel_send(int end, enum channel_kind kind, const char *text, int fd)
{
    struct channel_message message;
    message.kind = kind;
    message.error_kind = message.errno_value = 0;
    return send_message(end, &message, text, fd);
}

bool channel_send_error(int end, const struct error *err)
{
    struct channel_message message;
    message.kind = CHANNEL_ERROR;
    message.error_kind = err->kind;
    message.errno_value = err->errno_value;
    return send_message(end, &message, error_message(err), -1);
}

void channel_receive(int end, struct channel_message *message)
{
    size_t head = offsetof(struct channel_message, text), fd_count;
    ssize_t n = receive_with_fds(end, message, head + CHANNEL_TEXT_SIZE - 1, &message->fd, 1, &fd_count);
    if (n < (ssize_t)head) {
        message->kind = CHANNEL_END;
        n = (ssize_t)head;
    }
    message->text[(size_t)n - head] = '\0';
    if (!fd_count)
        message->fd = -1;
}
