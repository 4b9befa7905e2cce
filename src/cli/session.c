#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "client/frames.h"
#include "json/json_record.h"

#define PIECE ((size_t)32 << 10)

struct loop {
    struct session *session;
    struct frame_decoder frames;
    struct strbuf pending; /* input that the other side has not taken yet */
    bool is_input_open;    /* standard input may have more */
    bool is_half_closed;   /* our side of the connection is shut down */
    bool is_output_open;   /* the connection may have more */
    bool is_waiting;       /* wait has not answered yet */
};

void session_set_keys(struct session *session, const char *text)
{
    if (!string_is_set(text) || !detach_keys_parse(text, &session->keys, NULL))
        detach_keys_parse(DETACH_KEYS_DEFAULT, &session->keys, NULL);
}

void session_resize(const struct session *session)
{
    unsigned height = 0, width = 0;
    if (!session->resize_path || !terminal_size(&height, &width) || (height == 0 && width == 0))
        return;
    _cleanup_free_ char *path = xasprintf("%s?h=%u&w=%u", session->resize_path, height, width);
    client_post(session->client, path, NULL, NULL);
}

static bool write_output(void *context, enum frame_stream stream, const void *data, size_t length, struct error *err)
{
    int fd = stream == FRAME_STDERR ? STDERR_FILENO : STDOUT_FILENO;
    if (write_full(fd, data, length) < 0)
        return error_errno(err, "write /dev/%s", fd == STDERR_FILENO ? "stderr" : "stdout");
    return true;
}

static bool show(struct loop *loop, const void *data, size_t length, struct error *err)
{
    if (loop->session->is_tty)
        return write_output(NULL, FRAME_STDOUT, data, length, err);
    return frames_decode(&loop->frames, data, length, write_output, NULL, err);
}

static bool read_output(struct loop *loop, struct error *err)
{
    char piece[PIECE];
    ssize_t count = recv(loop->session->hijack->fd, piece, sizeof(piece), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (count <= 0) {
        loop->is_output_open = false;
        return true;
    }
    return show(loop, piece, (size_t)count, err);
}

/* Sends what is pending, and shuts our side down once there will be no more. */
static void send_input(struct loop *loop)
{
    int fd = loop->session->hijack->fd;
    while (loop->pending.length > 0) {
        ssize_t count = send(fd, loop->pending.data, loop->pending.length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0) {
            /* nobody reads any more; the output may still have something to say */
            strbuf_truncate(&loop->pending, 0);
            loop->is_input_open = false;
            loop->is_half_closed = true;
            return;
        }
        strbuf_consume(&loop->pending, (size_t)count);
    }
    if (!loop->is_input_open && !loop->is_half_closed) {
        shutdown(fd, SHUT_WR);
        loop->is_half_closed = true;
    }
}

static void read_input(struct loop *loop)
{
    struct session *session = loop->session;
    char piece[PIECE];
    ssize_t count = read(STDIN_FILENO, piece, sizeof(piece));
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count <= 0)
        loop->is_input_open = false;
    else if (session->is_tty && session->keys.count > 0)
        session->is_detached = detach_keys_feed(&session->keys, piece, (size_t)count, &loop->pending);
    else
        strbuf_add(&loop->pending, piece, (size_t)count);
    send_input(loop);
}

static void take_signals(struct loop *loop)
{
    struct session *session = loop->session;
    struct signalfd_siginfo info;
    while (read(session->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        int number = (int)info.ssi_signo;
        if (number == SIGWINCH) {
            if (session->is_tty)
                session_resize(session);
        } else if (!session->forwards_signals) {
            signal_die(number);
        } else if (session->container) {
            _cleanup_free_ char *rest = xasprintf("/kill?signal=%s", signal_name(number));
            _cleanup_free_ char *path = client_path("containers", session->container, rest);
            client_post(session->client, path, NULL, NULL);
        }
    }
}

static bool take_wait(struct loop *loop, struct error *err)
{
    struct session *session = loop->session;
    _cleanup_json_ json_t *answer = client_stream_json(session->wait, err);
    loop->is_waiting = false;
    if (!answer)
        return false;
    session->exit_code = json_integer_value(json_object_get(answer, "StatusCode"));
    const char *message = json_string_value(json_object_get(json_object_get(answer, "Error"), "Message"));
    if (string_is_set(message))
        session->wait_error = xstrdup(message);
    return true;
}

static bool loop_step(struct loop *loop, struct error *err)
{
    struct session *session = loop->session;
    if (session->may_have_ended && loop->is_waiting && !loop->is_output_open)
        return take_wait(loop, err);
    bool wants_input = loop->is_input_open && loop->is_output_open && loop->pending.length == 0;
    struct pollfd polled[] = {
        {loop->is_output_open ? session->hijack->fd : -1, (short)(POLLIN | (loop->pending.length ? POLLOUT : 0)), 0},
        {wants_input ? STDIN_FILENO : -1, POLLIN, 0},
        {session->signals, POLLIN, 0},
        {loop->is_waiting && !loop->is_output_open ? client_stream_fd(session->wait) : -1, POLLIN, 0},
    };
    if (poll(polled, ARRAY_SIZE(polled), -1) < 0)
        return errno == EINTR || error_errno(err, "poll");
    if (polled[2].revents)
        take_signals(loop);
    if ((polled[0].revents & (POLLIN | POLLHUP | POLLERR)) && !read_output(loop, err))
        return false;
    if (polled[0].revents & POLLOUT)
        send_input(loop);
    if (polled[1].revents)
        read_input(loop);
    return !polled[3].revents || take_wait(loop, err);
}

bool session_run(struct session *session, struct error *err)
{
    struct loop loop = {
        .session = session,
        .is_input_open = session->has_stdin,
        .is_output_open = session->hijack != NULL,
        .is_waiting = session->wait != NULL,
    };
    if (session->is_tty && session->has_stdin && session->hijack)
        terminal_make_raw();
    bool is_good = true;
    if (session->hijack) {
        send_input(&loop);
        is_good = session->hijack->rest.length == 0 ||
                  show(&loop, session->hijack->rest.data, session->hijack->rest.length, err);
    }
    while (is_good && !session->is_detached && (loop.is_output_open || loop.is_waiting))
        is_good = loop_step(&loop, err);
    terminal_restore();
    strbuf_release(&loop.pending);
    return is_good;
}
