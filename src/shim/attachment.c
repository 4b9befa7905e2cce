#include "shim/attachment.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/memory.h"
#include "shim/session.h"

#define INPUT_CHUNK 16384

static void free_attachment(struct attachment *attachment)
{
    struct session *session = attachment->session;
    struct attachment **place = &session->attachments;
    while (*place != attachment)
        place = &(*place)->next;
    *place = attachment->next;
    source_close(&attachment->source);
    strbuf_release(&attachment->queue);
    free(attachment);
    session_update_flow(session);
}

/* The client has hung up. Where its typing would end the process's input, so does its leaving. */
static void drop(struct attachment *attachment)
{
    if (attachment->wants_stdin && !attachment->is_finishing && attachment->session->closes_stdin)
        session_end_input(attachment->session);
    free_attachment(attachment);
}

/* A socket that is closed with unread data in it resets the connection, and the client would lose the end of the
 * output. */
static void close_stream(struct attachment *attachment)
{
    char *scratch = loop_scratch(attachment->session->loop);
    shutdown(attachment->source.fd, SHUT_WR);
    for (int i = 0; i < 16 && recv(attachment->source.fd, scratch, LOOP_SCRATCH_SIZE, MSG_DONTWAIT) > 0; i++) {
    }
    free_attachment(attachment);
}

void attachment_finish(struct attachment *attachment)
{
    attachment->is_finishing = true;
    if (attachment_queued(attachment))
        attachment_update(attachment);
    else
        close_stream(attachment);
}

void attachment_update(struct attachment *attachment)
{
    const struct session *session = attachment->session;
    if (attachment->has_hung_up && session->input_queue.length) {
        source_ignore(&attachment->source); /* else the hang-up would be reported again and again */
        return;
    }
    bool is_read = attachment->wants_stdin && !attachment->is_finishing && !session->input_queue.length;
    source_watch(&attachment->source, session->loop,
                 (is_read ? EPOLLIN : 0) | (attachment_queued(attachment) ? EPOLLOUT : 0));
}

/* The client's input is over. */
static void input_ended(struct attachment *attachment)
{
    attachment->wants_stdin = false;
    if (attachment->session->is_terminal) {
        attachment_finish(attachment);
        return;
    }
    if (attachment->session->closes_stdin)
        session_end_input(attachment->session);
    attachment_update(attachment);
}

static void read_input(struct attachment *attachment)
{
    uint8_t data[INPUT_CHUNK];
    ssize_t n = recv(attachment->source.fd, data, sizeof(data), MSG_DONTWAIT);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            drop(attachment);
        return;
    }
    if (n == 0) {
        input_ended(attachment);
        return;
    }
    if (!attachment->keys.length) {
        session_write_input(attachment->session, (const char *)data, (size_t)n);
        return;
    }
    _cleanup_strbuf_ struct strbuf passed = STRBUF_INIT;
    bool is_detached = detach_keys_filter(&attachment->keys, data, (size_t)n, &passed);
    session_write_input(attachment->session, strbuf_text(&passed), passed.length);
    if (!is_detached)
        return;
    if (attachment->session->detached)
        attachment->session->detached(attachment->session);
    attachment_finish(attachment);
}

static void write_queue(struct attachment *attachment)
{
    bool was_full = attachment_queued(attachment) >= ATTACHMENT_QUEUE_LIMIT;
    ssize_t n = send(attachment->source.fd, attachment->queue.data + attachment->queue_start,
                     attachment_queued(attachment), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            drop(attachment);
        return;
    }
    attachment->queue_start += (size_t)n;
    if (!attachment_queued(attachment)) {
        strbuf_release(&attachment->queue);
        attachment->queue_start = 0;
        if (attachment->is_finishing) {
            close_stream(attachment);
            return;
        }
        attachment_update(attachment);
    } else if (attachment->queue_start >= ATTACHMENT_QUEUE_LIMIT / 2) {
        strbuf_consume(&attachment->queue, attachment->queue_start);
        attachment->queue_start = 0;
    }
    if (was_full)
        session_update_flow(attachment->session);
}

static void hung_up(struct attachment *attachment)
{
    if (!attachment->wants_stdin || attachment->is_finishing || !attachment->session->input_queue.length) {
        drop(attachment);
        return;
    }
    attachment->has_hung_up = true;
    attachment->wants_stdout = attachment->wants_stderr = false;
    strbuf_release(&attachment->queue);
    attachment->queue_start = 0;
    attachment_update(attachment);
    session_update_flow(attachment->session);
}

static void handle(struct source *source, uint32_t events)
{
    struct attachment *attachment = CONTAINER_OF(source, struct attachment, source);
    if (events & EPOLLIN)
        read_input(attachment);
    else if (events & (EPOLLHUP | EPOLLERR))
        hung_up(attachment);
    else if (events & EPOLLOUT)
        write_queue(attachment);
}

bool attachment_add(struct session *session, struct shim_attachment *plan, struct error *err)
{
    struct detach_keys keys;
    if (!detach_keys_parse(plan->detach_keys, &keys))
        return error_set(err, ERROR_INVALID, "invalid detach keys (%s)", plan->detach_keys);
    struct attachment *attachment = NEW(struct attachment);
    attachment->source = (struct source){.fd = TAKE_FD(plan->fd), .handle = handle};
    attachment->session = session;
    attachment->wants_stdin = plan->wants_stdin && session->has_stdin;
    attachment->wants_stdout = plan->wants_stdout;
    attachment->wants_stderr = plan->wants_stderr;
    attachment->is_framed = plan->is_framed && !session->is_terminal;
    if (session->is_terminal)
        attachment->keys = keys;
    attachment->next = session->attachments;
    session->attachments = attachment;
    attachment_update(attachment);
    return true;
}

/* What was sent of header and data together is cut off them; the rest is queued. */
static void queue_rest(struct attachment *attachment, const char *header, size_t header_length, const char *data,
                       size_t length, size_t sent)
{
    size_t header_sent = MIN(sent, header_length);
    strbuf_add(&attachment->queue, header + header_sent, header_length - header_sent);
    strbuf_add(&attachment->queue, data + (sent - header_sent), length - (sent - header_sent));
    attachment_update(attachment);
}

void attachment_deliver(struct attachment *attachment, enum output_stream stream, const char *data, size_t length)
{
    if (attachment->is_finishing || !(stream == STREAM_STDERR ? attachment->wants_stderr : attachment->wants_stdout))
        return;
    /* Docker's frame: the stream, three zeroes, the length in network order. */
    char header[8] = {(char)stream,        0,           0, 0, (char)(length >> 24), (char)(length >> 16),
                      (char)(length >> 8), (char)length};
    size_t header_length = attachment->is_framed ? sizeof(header) : 0, sent = 0;
    if (!attachment_queued(attachment)) {
        struct iovec parts[] = {{header, header_length}, {(void *)(uintptr_t)data, length}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts)};
        ssize_t n = sendmsg(attachment->source.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            drop(attachment);
            return;
        }
        sent = n < 0 ? 0 : (size_t)n;
    }
    if (sent < header_length + length)
        queue_rest(attachment, header, header_length, data, length, sent);
}
