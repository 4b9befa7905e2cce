#include "shim/logger_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"
#include "base/wire.h"

/* Beyond this the container waits (blocking). */
#define CONGESTED_AT ((size_t)256 * 1024)
/* A logger that waits for its server says so itself before this. */
#define READY_MILLISECONDS 60000
#define LONGEST_REASON     4096
#define END_MILLISECONDS   200

struct logger_link {
    struct loop *loop;
    struct source source; /* -1: the logger has died */
    pid_t pid;
    struct strbuf queue;
    bool is_blocking, is_finishing, is_finished, was_congested;
    size_t queue_limit; /* bytes, for non-blocking */
    void (*ready)(void *context);
    void *context;
};

static void close_link(struct logger_link *link)
{
    source_close(&link->source);
    strbuf_release(&link->queue);
}

static void handle_link(struct source *source, uint32_t events)
{
    struct logger_link *link = CONTAINER_OF(source, struct logger_link, source);
    if (events & (EPOLLERR | EPOLLHUP))
        close_link(link);
    else
        logger_link_flush(link);
    if (link->was_congested && !logger_link_is_congested(link)) {
        link->was_congested = false;
        link->ready(link->context);
    }
}

static bool send_settings(int fd, const struct logger_settings *settings, struct error *err)
{
    _cleanup_strbuf_ struct strbuf wire = STRBUF_INIT;
    strbuf_add(&wire, "\0\0\0\0", 4);
    wire_encode(&logger_settings_type, settings, &wire);
    uint32_t length = (uint32_t)(wire.length - 4);
    memcpy(wire.data, &length, sizeof(length));
    return write_full(fd, wire.data, wire.length) == 0 || error_errno(err, "send the settings to wherry-logger");
}

static bool await_ready(int fd, struct error *err)
{
    struct pollfd polled = {fd, POLLIN, 0};
    uint32_t length;
    char text[LONGEST_REASON + 1] = "";
    int count;
    while ((count = poll(&polled, 1, READY_MILLISECONDS)) < 0 && errno == EINTR) {
    }
    if (count <= 0)
        return error_set(err, ERROR_INTERNAL, "the log driver's server does not answer");
    if (read_full(fd, &length, sizeof(length)) != sizeof(length) || length > LONGEST_REASON ||
        read_full(fd, text, length) != (ssize_t)length)
        return error_set(err, ERROR_INTERNAL, "wherry-logger ended before it was ready");
    return length == 0 || error_set(err, ERROR_INTERNAL, "%s", text);
}

struct logger_link *logger_link_open(const struct shim_log *options, struct loop *loop, void (*ready)(void *context),
                                     void *context, struct error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        error_errno(err, "socketpair");
        return NULL;
    }
    _cleanup_close_ int ours = ends[0], theirs = ends[1];
    const char *argv[] = {options->logger_program, options->settings.id, NULL};
    pid_t pid = spawn(
        &(struct spawn_options){.argv = argv, .fds = (int[]){theirs, -1, -1}, .fd_count = 3, .wants_group = true}, err);
    theirs = close_fd(theirs);
    if (pid < 0)
        return NULL;
    if (!send_settings(ours, &options->settings, err) || !await_ready(ours, err)) {
        ours = close_fd(ours);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return NULL;
    }
    fcntl(ours, F_SETFL, O_NONBLOCK);
    struct logger_link *link = NEW(struct logger_link);
    link->loop = loop;
    link->pid = pid;
    link->source = (struct source){.fd = TAKE_FD(ours), .handle = handle_link};
    link->is_blocking = !options->is_non_blocking;
    link->queue_limit = (size_t)options->max_buffer;
    link->ready = ready;
    link->context = context;
    source_watch(&link->source, loop, 0);
    return link;
}

void logger_link_add(struct logger_link *link, const struct log_piece *piece)
{
    struct logger_head head = {.time = piece->time,
                               .ordinal = piece->ordinal,
                               .is_stderr = piece->stream == STREAM_STDERR,
                               .is_partial = piece->partial_id != NULL,
                               .is_last = piece->partial_id && piece->ends_line,
                               .ends_line = piece->ends_line};
    uint32_t length = (uint32_t)(sizeof(head) + piece->length);
    size_t queued = link->queue.length;
    if (link->source.fd < 0 || (!link->is_blocking && queued && queued + length > link->queue_limit))
        return;
    if (piece->partial_id)
        memcpy(head.partial_id, piece->partial_id, sizeof(head.partial_id));
    strbuf_add(&link->queue, &length, sizeof(length));
    strbuf_add(&link->queue, &head, sizeof(head));
    strbuf_add(&link->queue, piece->data, piece->length);
}

void logger_link_flush(struct logger_link *link)
{
    size_t done = 0;
    while (link->source.fd >= 0 && done < link->queue.length) {
        ssize_t n = send(link->source.fd, link->queue.data + done, link->queue.length - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            close_link(link);
            return;
        }
        done += (size_t)n;
    }
    strbuf_consume(&link->queue, done);
    link->was_congested |= logger_link_is_congested(link);
    if (link->queue.length) {
        source_watch(&link->source, link->loop, EPOLLOUT);
        return;
    }
    strbuf_release(&link->queue);
    source_watch(&link->source, link->loop, 0);
    if (link->is_finishing && !link->is_finished) {
        link->is_finished = true;
        shutdown(link->source.fd, SHUT_WR);
    }
}

bool logger_link_is_congested(const struct logger_link *link)
{
    return link->is_blocking && !link->is_finishing && link->queue.length > CONGESTED_AT;
}

void logger_link_finish(struct logger_link *link)
{
    link->is_finishing = true;
    logger_link_flush(link);
}

bool logger_link_is_flushing(const struct logger_link *link)
{
    return link->source.fd >= 0 && !link->is_finished;
}

void logger_link_free(struct logger_link *link)
{
    if (!link)
        return;
    struct pollfd polled = {link->source.fd, 0, 0};
    bool has_ended = link->source.fd < 0 || (link->is_finished && poll(&polled, 1, END_MILLISECONDS) > 0);
    close_link(link);
    if (has_ended)
        waitpid(link->pid, NULL, 0);
    free(link);
}
