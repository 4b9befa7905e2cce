#include "api/websocket_pump.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/memory.h"

#define CHUNK         16384
#define ANSWERS_MAX   ((size_t)65536) /* of pongs for a client that does not read */
#define LEAVING_LIMIT 10000           /* milliseconds in which a container takes nothing of what a client left behind */

struct pump {
    int client, stream;
    enum websocket_opcode opcode;
    struct websocket_decoder decoder;
    struct strbuf to_client, to_stream;
    bool is_input_over; /* the client has closed, or left: nothing more is read from it */
    bool is_client_gone;
    bool is_stream_over;
    int close_code; /* to be sent; 0: not yet */
};

static void take_data(void *context, const uint8_t *data, size_t length)
{
    struct pump *pump = context;
    if (!pump->is_stream_over)
        strbuf_add(&pump->to_stream, data, length);
}

/* The code of a close frame that may be sent back (RFC 6455, 7.4). */
static int answer_to_close(const uint8_t *data, size_t length)
{
    if (length < 2)
        return length ? WEBSOCKET_CLOSE_PROTOCOL : WEBSOCKET_CLOSE_NORMAL;
    int code = data[0] << 8 | data[1];
    bool is_defined = (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
                      (code >= 3000 && code <= 4999);
    return is_defined ? code : WEBSOCKET_CLOSE_PROTOCOL;
}

static void take_control(void *context, enum websocket_opcode opcode, const uint8_t *data, size_t length)
{
    struct pump *pump = context;
    if (opcode == WEBSOCKET_PING) {
        websocket_add_frame(&pump->to_client, WEBSOCKET_PONG, data, length);
    } else if (opcode == WEBSOCKET_CLOSE) {
        pump->is_input_over = true;
        pump->close_code = answer_to_close(data, length);
    }
}

static void read_client(struct pump *pump)
{
    uint8_t data[CHUNK];
    ssize_t n = recv(pump->client, data, sizeof(data), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        pump->is_input_over = pump->is_client_gone = true;
        return;
    }
    const struct websocket_events events = {take_data, take_control, pump};
    int code = websocket_decode(&pump->decoder, data, (size_t)n, &events);
    if (code) {
        pump->close_code = code;
        pump->is_input_over = true;
    }
}

static void read_stream(struct pump *pump)
{
    uint8_t data[CHUNK];
    ssize_t n = recv(pump->stream, data, sizeof(data), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        websocket_add_frame(&pump->to_client, pump->opcode, data, (size_t)n);
        return;
    }
    pump->is_stream_over = true;
    strbuf_truncate(&pump->to_stream, 0);
}

/* False where the descriptor takes no more, for good. */
static bool flush(int fd, struct strbuf *out)
{
    ssize_t n = send(fd, strbuf_text(out), out->length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    strbuf_consume(out, (size_t)n);
    return true;
}

/* Everything that can be sent, is. */
static void write_both(struct pump *pump)
{
    if (pump->to_client.length && !flush(pump->client, &pump->to_client))
        pump->is_input_over = pump->is_client_gone = true;
    if (pump->is_client_gone)
        strbuf_truncate(&pump->to_client, 0);
    if (pump->to_stream.length && !flush(pump->stream, &pump->to_stream))
        strbuf_truncate(&pump->to_stream, 0); /* what it said last is still to be read */
}

/* What is left to do; false where nothing is. */
static bool plan(const struct pump *pump, struct pollfd events[2])
{
    bool reads = !pump->is_input_over && !pump->to_stream.length && pump->to_client.length < ANSWERS_MAX;
    events[0].fd = pump->is_client_gone ? -1 : pump->client;
    events[0].events =
        (short)((reads ? POLLIN : 0) | (pump->to_client.length ? POLLOUT : 0) | (pump->is_input_over ? 0 : POLLRDHUP));
    bool hears = !pump->is_input_over && !pump->to_client.length;
    /* Not asked where nothing would be done: its hang-up would be reported again and again. */
    events[1].fd = pump->is_stream_over || (!hears && !pump->to_stream.length) ? -1 : pump->stream;
    events[1].events = (short)((hears ? POLLIN : 0) | (pump->to_stream.length ? POLLOUT : 0));
    if (pump->is_stream_over || pump->is_input_over)
        return pump->to_stream.length || pump->to_client.length;
    return true;
}

/* False where it is over. */
static bool step(struct pump *pump, bool *is_leaving)
{
    struct pollfd events[2];
    if (!plan(pump, events))
        return false;
    bool is_blocked = *is_leaving && pump->to_stream.length;
    if (is_blocked)
        events[0].fd = -1; /* else the hang-up would be reported again and again */
    int count = poll(events, 2, is_blocked || pump->is_input_over ? LEAVING_LIMIT : -1);
    if (count < 0)
        return errno == EINTR;
    if (count == 0)
        return false;
    *is_leaving |= (events[0].revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
    /* A client that has gone is read to its end; one that does not read its answers gets no further. */
    if ((events[0].revents & (POLLIN | POLLHUP | POLLRDHUP | POLLERR)) && !pump->to_stream.length)
        read_client(pump);
    if ((events[1].revents & (POLLIN | POLLHUP | POLLERR)) && (!pump->to_client.length || pump->is_client_gone))
        read_stream(pump);
    write_both(pump);
    return true;
}

void websocket_pump(int client, int stream, enum websocket_opcode opcode)
{
    struct pump pump = {.client = client, .stream = stream, .opcode = opcode};
    bool is_leaving = false;
    while (step(&pump, &is_leaving)) {
    }
    if (!pump.is_client_gone) {
        websocket_add_close(&pump.to_client, pump.close_code ? pump.close_code : WEBSOCKET_CLOSE_NORMAL);
        flush(client, &pump.to_client);
    }
    strbuf_release(&pump.to_client);
    strbuf_release(&pump.to_stream);
}
