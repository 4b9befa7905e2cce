#include "shim/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/memory.h"

/* What is read of one output after the end of its process, at most: a process that was left behind may write for ever.
 */
#define DRAIN_LIMIT ((size_t)8 << 20)

/* Reads of so many bytes, that follow each other within so many nanoseconds, are a flood. */
#define FLOOD_READ      4096
#define FLOOD_GAP       INT64_C(1000000)
#define FLOOD_WAIT      500000
#define FLOOD_PIPE_SIZE (256 * 1024)

static bool is_congested(const struct session *session)
{
    for (const struct attachment *attachment = session->attachments; attachment; attachment = attachment->next)
        if (attachment_queued(attachment) >= ATTACHMENT_QUEUE_LIMIT && !attachment->is_finishing)
            return true;
    return output_log_is_congested(session->log);
}

void session_update_flow(struct session *session)
{
    bool is_stopped = is_congested(session);
    for (size_t i = 0; i < ARRAY_SIZE(session->outputs); i++)
        if (is_stopped)
            source_ignore(&session->outputs[i].source);
        else
            source_watch(&session->outputs[i].source, session->loop, EPOLLIN);
}

static void deliver(struct session_output *output, const char *data, size_t length)
{
    struct session *session = output->session;
    if (session->log)
        output_log_add(session->log, output->stream, data, length);
    struct attachment *next;
    for (struct attachment *attachment = session->attachments; attachment; attachment = next) {
        next = attachment->next;
        attachment_deliver(attachment, output->stream, data, length);
    }
}

/* Bytes read; 0 where there is nothing at the moment. At the end the output is closed. */
static size_t read_output(struct session_output *output)
{
    char *data = loop_scratch(output->session->loop);
    ssize_t n = read(output->source.fd, data, LOOP_SCRATCH_SIZE);
    if (n > 0) {
        deliver(output, data, (size_t)n);
        return (size_t)n;
    }
    /* A terminal that nobody has open any more gives EIO. */
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        source_close(&output->source);
    return 0;
}

/* In a flood a moment's wait makes one read and one write of what would be dozens, and as many changes between the two
   processes. Small messages are never held up. */
static void let_gather(struct session_output *output)
{
    if (!output->flood_at || clock_monotonic() - output->flood_at > FLOOD_GAP)
        return;
    if (!output->is_widened) /* it may be refused; then less is gathered */
        (void)fcntl(output->source.fd, F_SETPIPE_SZ, FLOOD_PIPE_SIZE);
    output->is_widened = true;
    nanosleep(&(struct timespec){.tv_nsec = FLOOD_WAIT}, NULL);
}

static void handle_output(struct source *source, uint32_t events)
{
    struct session_output *output = CONTAINER_OF(source, struct session_output, source);
    struct session *session = output->session;
    let_gather(output);
    size_t length = read_output(output);
    /* A read that was full has more behind it already. */
    output->flood_at = length >= FLOOD_READ && length < LOOP_SCRATCH_SIZE ? clock_monotonic() : 0;
    if (is_congested(session))
        session_update_flow(session);
}

static void update_clients(struct session *session)
{
    for (struct attachment *attachment = session->attachments; attachment; attachment = attachment->next)
        attachment_update(attachment);
}

static void close_input(struct session *session)
{
    source_close(&session->input);
    strbuf_release(&session->input_queue);
    update_clients(session);
}

/* Writes what the process takes of it; returns the bytes taken, all of them where it takes no more input. */
static size_t write_input(struct session *session, const char *data, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = write(session->input.fd, data + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return done;
        if (n < 0) {
            close_input(session);
            return length;
        }
        done += (size_t)n;
    }
    return done;
}

static void handle_input(struct source *source, uint32_t events)
{
    struct session *session = CONTAINER_OF(source, struct session, input);
    size_t done = write_input(session, session->input_queue.data, session->input_queue.length);
    if (session->input.fd < 0)
        return;
    strbuf_consume(&session->input_queue, done);
    if (session->input_queue.length)
        return;
    strbuf_release(&session->input_queue);
    source_ignore(source);
    if (session->is_input_ending)
        close_input(session);
    else
        update_clients(session);
}

void session_write_input(struct session *session, const char *data, size_t length)
{
    if (session->input.fd < 0 || session->is_input_ending || !length)
        return;
    size_t done = session->input_queue.length ? 0 : write_input(session, data, length);
    if (done == length)
        return;
    strbuf_add(&session->input_queue, data + done, length - done);
    source_watch(&session->input, session->loop, EPOLLOUT);
    update_clients(session);
}

void session_end_input(struct session *session)
{
    if (session->is_terminal || session->input.fd < 0)
        return;
    session->is_input_ending = true;
    if (!session->input_queue.length)
        close_input(session);
}

/* A pipe whose end for the shim does not block. */
static bool make_pipe(int *reading, int *writing, bool is_output, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, "pipe");
    *reading = ends[0];
    *writing = ends[1];
    fcntl(ends[is_output ? 0 : 1], F_SETFL, O_NONBLOCK);
    return true;
}

bool session_open(struct session *session, struct loop *loop, const struct session_plan *plan,
                  struct runtime_stdio *stdio, struct error *err)
{
    *session = SESSION_INIT;
    session->loop = loop;
    session->is_terminal = plan->is_terminal;
    session->has_stdin = plan->wants_stdin;
    session->closes_stdin = plan->closes_stdin;
    session->input.handle = handle_input;
    for (size_t i = 0; i < ARRAY_SIZE(session->outputs); i++) {
        session->outputs[i].session = session;
        session->outputs[i].stream = i ? STREAM_STDERR : STREAM_STDOUT;
        session->outputs[i].source.handle = handle_output;
    }
    /* The shim's own first three descriptors are /dev/null. */
    for (int i = 0; i < 3; i++)
        stdio->fds[i] = i;
    stdio->console = -1;
    if (plan->is_terminal)
        return true;
    bool is_open = !plan->wants_stdin || make_pipe(&stdio->fds[0], &session->input.fd, false, err);
    for (int i = 0; i < 2 && is_open && plan->wants_output; i++)
        is_open = make_pipe(&session->outputs[i].source.fd, &stdio->fds[i + 1], true, err);
    if (!is_open)
        session_release(session, stdio);
    return is_open;
}

static void close_process_ends(struct runtime_stdio *stdio)
{
    for (int i = 0; i < 3; i++)
        if (stdio->fds[i] > STDERR_FILENO)
            stdio->fds[i] = close_fd(stdio->fds[i]);
}

void session_begin(struct session *session, struct runtime_stdio *stdio)
{
    close_process_ends(stdio);
    if (stdio->console >= 0) {
        int console = TAKE_FD(stdio->console);
        fcntl(console, F_SETFL, O_RDWR | O_NONBLOCK);
        session->terminal_peer = ioctl(console, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (session->has_stdin)
            session->input.fd = fcntl(console, F_DUPFD_CLOEXEC, 3);
        session->outputs[0].source.fd = console;
    }
    session_update_flow(session);
}

void session_release(struct session *session, struct runtime_stdio *stdio)
{
    if (stdio) {
        close_process_ends(stdio);
        stdio->console = close_fd(stdio->console);
    }
    session_cut(session);
    while (session->attachments) {
        struct attachment *attachment = session->attachments;
        session->attachments = attachment->next;
        source_close(&attachment->source);
        strbuf_release(&attachment->queue);
        free(attachment);
    }
    output_log_free(TAKE_PTR(session->log));
}

void session_resize(struct session *session, int64_t rows, int64_t columns)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    if (session->is_terminal && session->outputs[0].source.fd >= 0 && rows > 0 && columns > 0)
        ioctl(session->outputs[0].source.fd, TIOCSWINSZ, &size);
}

void session_process_ended(struct session *session)
{
    session->terminal_peer = close_fd(session->terminal_peer);
    for (size_t i = 0; i < ARRAY_SIZE(session->outputs); i++) {
        size_t total = 0, count = 1;
        while (session->outputs[i].source.fd >= 0 && count && total < DRAIN_LIMIT)
            total += count = read_output(&session->outputs[i]);
    }
}

bool session_is_drained(const struct session *session)
{
    return session->outputs[0].source.fd < 0 && session->outputs[1].source.fd < 0;
}

void session_cut(struct session *session)
{
    for (size_t i = 0; i < ARRAY_SIZE(session->outputs); i++)
        source_close(&session->outputs[i].source);
    source_close(&session->input);
    strbuf_release(&session->input_queue);
    session->terminal_peer = close_fd(session->terminal_peer);
}

void session_finish(struct session *session)
{
    session_cut(session);
    if (session->log)
        output_log_finish(session->log);
    struct attachment *next;
    for (struct attachment *attachment = session->attachments; attachment; attachment = next) {
        next = attachment->next;
        attachment_finish(attachment);
    }
}

void session_release_memory(struct session *session)
{
    if (session->log)
        output_log_release_memory(session->log);
}
