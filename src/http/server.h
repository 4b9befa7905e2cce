/* The HTTP/1.1 server: one thread a connection, with a small stack. It knows nothing of routes; its handler is called
   once a request, on the connection's thread, and may take as long as it likes.

   Limits: the head (HTTP_MAX_HEAD), the time a head may take, the number of connections, and how long a connection may
   be idle. A body is only limited by who reads it (http_exchange_read_all). A client that leaves is seen by writes that
   fail, and by POLLRDHUP on exchange->fd for handlers that wait for something else. */
#pragma once

#include "http/message.h"

struct http_connection;

struct http_exchange {
    struct http_head head; /* the request */
    char *path;            /* decoded: "/v1.50/images/a/b/json"; owned */
    const char *query;     /* as it came, without '?'; "" where there is none */
    struct strmap headers; /* of the answer; a handler adds to them before it answers */
    int fd;                /* of the connection, for poll (POLLRDHUP) */
    const void *tag;       /* of the listener; NULL: none */
    bool has_answered;     /* a head was sent, or the connection was hijacked */

    struct http_connection *connection; /* private to the room from here */
    bool wants_continue;
    bool is_stream;
    bool is_chunked;
    bool is_hijacked;
    bool is_last; /* the connection ends after this exchange */
};

typedef void (*http_handler)(struct http_exchange *exchange, void *context);

struct http_server_options {
    http_handler handle;
    void *context;
    const char *server_name;          /* the Server header of answers that the server makes itself; may be NULL */
    size_t max_connections;           /* 0: 4096 */
    int64_t head_timeout;             /* nanoseconds from a head's first byte (or the accept) to its end; 0: 30 s */
    int64_t idle_timeout;             /* nanoseconds between two requests; 0: 300 s */
    void (*when_idle)(void *context); /* no request has run for two seconds since the last connection; may be NULL */
};

struct http_server;
struct http_server *http_server_new(const struct http_server_options *options);
/* Takes the listening socket. Before http_server_start. */
void http_server_add_listener(struct http_server *server, int fd);
/* How the connections of the listener that was added last differ: `wrap` (may be NULL) turns a client's socket, which
   it takes, into the descriptor that is served (-1: refused); `tag` is what their exchanges carry. */
void http_server_set_listener(struct http_server *server, int (*wrap)(void *context, int fd), void *context,
                              const void *tag);
/* Starts to accept, on a thread of its own. All signals must be blocked in the caller's thread. */
bool http_server_start(struct http_server *server, struct error *err);
/* Closes the listeners and the idle connections; waits `grace` nanoseconds for running requests, then shuts their
   sockets down and waits two more seconds. False where some handler still runs: then the server must not be freed. */
bool http_server_stop(struct http_server *server, int64_t grace);
void http_server_free(struct http_server *server);
/* Connections that are open now. */
size_t http_server_connections(struct http_server *server);

/* --- for handlers --- */

/* Body bytes: count, 0 at the end, -1 with errno. Sends "100 Continue" first where the client waits for it. */
ssize_t http_exchange_read(struct http_exchange *exchange, void *data, size_t length);
/* Reading the body fails with ETIMEDOUT after this point of CLOCK_MONOTONIC, in nanoseconds; 0, as at first: never. */
void http_exchange_set_deadline(struct http_exchange *exchange, int64_t deadline);
/* The whole body; ERROR_TOO_LARGE beyond `limit` bytes, ERROR_CANCELLED where the client left. */
bool http_exchange_read_all(struct http_exchange *exchange, size_t limit, struct strbuf *out, struct error *err);

/* A whole answer. `content_type` may be NULL. False when the client is gone. */
bool http_exchange_answer(struct http_exchange *exchange, int status, const char *content_type, const void *body,
                          size_t length);
/* A whole answer whose body is the next `length` bytes of a file. */
bool http_exchange_answer_file(struct http_exchange *exchange, int status, const char *content_type, int file,
                               int64_t length);
/* An answer in pieces of known length in all: exactly so many bytes must be written. */
bool http_exchange_begin_length(struct http_exchange *exchange, int status, const char *content_type, int64_t length);
/* An answer in pieces: the head now, then as many writes as it takes; the server ends it when the handler returns. */
bool http_exchange_begin(struct http_exchange *exchange, int status, const char *content_type);
bool http_exchange_write(struct http_exchange *exchange, const void *data, size_t length);
/* The next `length` bytes of a file, as one piece; zeroes in place of those that it does not have any more. */
bool http_exchange_write_file(struct http_exchange *exchange, int fd, int64_t length);
/* This answer may take for ever (a wait, a log that is followed): http_server_stop does not give it its grace. */
void http_exchange_may_be_cut(struct http_exchange *exchange);
/* Cuts a stream short, so that the client sees it is incomplete. */
void http_exchange_abort(struct http_exchange *exchange);

/* Sends "101 UPGRADED" (or 200 where the client did not ask for an upgrade), and gives the connection away: the caller
   owns the descriptor. What is left of a body is dropped (dockerode sends its options twice). -1 with err where the
   client is gone. Only routes that call this honour Upgrade. */
int http_exchange_hijack(struct http_exchange *exchange, const char *content_type, struct error *err);
/* Sends "101 Switching Protocols" with these headers alone. The handler then speaks on exchange->fd whatever was
   agreed; the connection is still the server's and ends when the handler returns. The server may shut it down. */
bool http_exchange_switch(struct http_exchange *exchange, const struct strmap *headers);
