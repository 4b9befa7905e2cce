/* The accepting thread and the connections' threads. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "http/connection.h"

/* Handlers unpack archives, parse JSON of bounded depth and call SQLite; only pages that are touched cost memory. */
#define STACK_SIZE     ((size_t)256 * 1024)
#define IDLE_CHECK     2000 /* milliseconds */
#define LINGER_TIMEOUT (1 * NANOSECONDS_PER_SECOND)
#define LAST_CHANCE    (2 * NANOSECONDS_PER_SECOND)

/* What is special about the connections of one listener. */
struct http_listener {
    int (*wrap)(void *context, int fd);
    void *context;
    const void *tag;
};

struct http_server {
    struct http_server_options options;
    struct pollfd *listeners;     /* the first is `wakeup` */
    struct http_listener *traits; /* of each; does not move once the server has started */
    size_t listener_count, trait_count;
    int wakeup;
    pthread_t thread;
    bool is_started;
    pthread_attr_t attributes;

    pthread_mutex_t lock;
    pthread_cond_t ended; /* a connection has ended */
    struct http_connection *connections;
    size_t count;
    size_t running;
    bool is_stopping;
};

struct http_server *http_server_new(const struct http_server_options *options)
{
    struct http_server *server = NEW(struct http_server);
    server->options = *options;
    if (!server->options.max_connections)
        server->options.max_connections = 4096;
    if (!server->options.head_timeout)
        server->options.head_timeout = 30 * NANOSECONDS_PER_SECOND;
    if (!server->options.idle_timeout)
        server->options.idle_timeout = 300 * NANOSECONDS_PER_SECOND;
    server->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *APPEND(server->listeners, server->listener_count) = (struct pollfd){.fd = server->wakeup, .events = POLLIN};
    (void)APPEND(server->traits, server->trait_count);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_t condition;
    pthread_condattr_init(&condition);
    pthread_condattr_setclock(&condition, CLOCK_MONOTONIC);
    pthread_cond_init(&server->ended, &condition);
    pthread_condattr_destroy(&condition);
    pthread_attr_init(&server->attributes);
    pthread_attr_setdetachstate(&server->attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&server->attributes, STACK_SIZE);
    return server;
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    for (size_t i = 0; i < server->listener_count; i++)
        close_fd(server->listeners[i].fd);
    free(server->listeners);
    free(server->traits);
    pthread_attr_destroy(&server->attributes);
    pthread_cond_destroy(&server->ended);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

void http_server_add_listener(struct http_server *server, int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    *APPEND(server->listeners, server->listener_count) = (struct pollfd){.fd = fd, .events = POLLIN};
    (void)APPEND(server->traits, server->trait_count);
}

void http_server_set_listener(struct http_server *server, int (*wrap)(void *context, int fd), void *context,
                              const void *tag)
{
    server->traits[server->trait_count - 1] = (struct http_listener){wrap, context, tag};
}

size_t http_server_connections(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

/* --- connections --- */

/* False where the server is stopping. */
static bool connection_enter(struct http_connection *connection, enum connection_state state)
{
    struct http_server *server = connection->server;
    pthread_mutex_lock(&server->lock);
    bool may_go_on = state == CONNECTION_RUNNING || !server->is_stopping;
    if (may_go_on && connection->state != state) {
        connection->may_be_cut = false;
        connection->state = state;
        if (state == CONNECTION_RUNNING)
            server->running++;
        else
            server->running--;
    }
    pthread_mutex_unlock(&server->lock);
    return may_go_on;
}

static struct http_connection *connection_add(struct http_server *server, int fd)
{
    struct http_connection *connection = NEW(struct http_connection);
    connection->server = server;
    connection->fd = fd;
    pthread_mutex_lock(&server->lock);
    connection->next = server->connections;
    if (connection->next)
        connection->next->previous = connection;
    server->connections = connection;
    server->count++;
    pthread_mutex_unlock(&server->lock);
    return connection;
}

/* Closing happens under the lock, so that http_server_stop never shuts down a descriptor that is someone else's. */
static void connection_end(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    http_reader_free(connection->reader);
    pthread_mutex_lock(&server->lock);
    close_fd(connection->fd);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    if (connection->state == CONNECTION_RUNNING)
        server->running--;
    server->count--;
    pthread_cond_broadcast(&server->ended);
    pthread_mutex_unlock(&server->lock); /* the server may be freed from here on */
    free(connection);
}

void connection_forget_fd(struct http_connection *connection)
{
    pthread_mutex_lock(&connection->server->lock);
    connection->fd = -1;
    pthread_mutex_unlock(&connection->server->lock);
}

void http_exchange_may_be_cut(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    pthread_mutex_lock(&connection->server->lock);
    connection->may_be_cut = true;
    if (connection->server->is_stopping && connection->fd >= 0)
        shutdown(connection->fd, SHUT_RDWR);
    pthread_mutex_unlock(&connection->server->lock);
}

/* Tells the client that no more comes, and gives it a moment to read the answer: closing a TCP socket with unread bytes
   resets the connection, and the answer with it. */
static void linger(int fd)
{
    int64_t deadline = clock_monotonic() + LINGER_TIMEOUT;
    char dropped[4096];
    shutdown(fd, SHUT_WR);
    for (int64_t left; (left = deadline - clock_monotonic()) > 0;) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (poll(&poll_fd, 1, (int)(left / 1000000) + 1) <= 0 || recv(fd, dropped, sizeof(dropped), MSG_DONTWAIT) <= 0)
            return;
    }
}

static void refuse(struct http_connection *connection, const struct error *err)
{
    int status = err->kind == ERROR_TOO_LARGE     ? 431
                 : err->kind == ERROR_UNAVAILABLE ? 408
                 : err->kind == ERROR_INVALID     ? 400
                 : err->kind == ERROR_UNSUPPORTED ? 501
                                                  : 0;
    if (!status)
        return;
    connection_refuse(connection->fd, status, connection->server->options.server_name);
    linger(connection->fd);
}

/* One request; false where the connection ends with it. */
static bool serve(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct http_exchange exchange = {.tag = connection->listener->tag};
    _cleanup_error_ struct error err = ERROR_INIT;
    http_reader_set_deadline(connection->reader, clock_monotonic() + server->options.head_timeout);
    if (!http_read_head(connection->reader, true, &exchange.head, &err)) {
        refuse(connection, &err);
        return false;
    }
    http_reader_set_deadline(connection->reader, 0);
    const char *expect = strmap_get(&exchange.head.headers, "expect");
    int refusal = !exchange_prepare(&exchange, connection)                                    ? 400
                  : expect && !exchange.wants_continue && !exchange.head.is_http_1_0          ? 417
                  : !exchange.head.is_http_1_0 && !strmap_get(&exchange.head.headers, "host") ? 400
                                                                                              : 0;
    bool goes_on = false;
    if (refusal) {
        connection_refuse(connection->fd, refusal, server->options.server_name);
        linger(connection->fd);
    } else {
        server->options.handle(&exchange, server->options.context);
        if (!exchange.has_answered)
            http_exchange_answer(&exchange, 500, NULL, "", 0);
        goes_on = exchange_finish(&exchange);
        if (!goes_on && !exchange.is_hijacked)
            linger(connection->fd);
    }
    exchange_release(&exchange);
    return goes_on;
}

static void *connection_main(void *argument)
{
    struct http_connection *connection = argument;
    struct http_server *server = connection->server;
    connection->reader = http_reader_new(connection->fd);
    int64_t patience = server->options.head_timeout;
    do {
        if (!connection_enter(connection, CONNECTION_IDLE))
            break;
        struct pollfd poll_fd = {.fd = connection->fd, .events = POLLIN};
        int count;
        do
            count = poll(&poll_fd, 1, (int)(patience / 1000000));
        while (count < 0 && errno == EINTR);
        if (count <= 0)
            break;
        connection_enter(connection, CONNECTION_RUNNING);
        patience = server->options.idle_timeout;
    } while (serve(connection));
    connection_end(connection);
    return NULL;
}

/* --- accepting --- */

static void accept_one(struct http_server *server, size_t index)
{
    int fd = accept4(server->listeners[index].fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        /* Out of descriptors or memory: the connection stays in the queue, and asking again at once would spin. */
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log_error("failed to accept a connection: %s", errno_text(errno));
            poll(NULL, 0, 100);
        }
        return;
    }
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)); /* without effect on unix sockets, as is the next */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (http_server_connections(server) >= server->options.max_connections) {
        connection_refuse(fd, 503, server->options.server_name);
        close(fd);
        return;
    }
    const struct http_listener *traits = &server->traits[index];
    if (traits->wrap)
        fd = traits->wrap(traits->context, fd);
    if (fd < 0)
        return;
    struct http_connection *connection = connection_add(server, fd);
    connection->listener = traits;
    pthread_t thread;
    int failure = pthread_create(&thread, &server->attributes, connection_main, connection);
    if (failure) {
        log_error("failed to start a thread for a connection: %s", errno_text(failure));
        connection_refuse(fd, 503, server->options.server_name);
        connection_end(connection);
    }
}

static void *accept_main(void *argument)
{
    struct http_server *server = argument;
    bool may_become_idle = server->options.when_idle != NULL;
    for (;;) {
        int count = poll(server->listeners, server->listener_count, may_become_idle ? IDLE_CHECK : -1);
        if (count < 0 && errno != EINTR)
            break;
        pthread_mutex_lock(&server->lock);
        bool is_stopping = server->is_stopping;
        bool is_busy = server->running > 0;
        pthread_mutex_unlock(&server->lock);
        if (is_stopping)
            break;
        if (count == 0 && !is_busy) {
            server->options.when_idle(server->options.context);
            may_become_idle = false;
        }
        for (size_t i = 1; count > 0 && i < server->listener_count; i++)
            if (server->listeners[i].revents) {
                accept_one(server, i);
                may_become_idle = server->options.when_idle != NULL;
            }
    }
    return NULL;
}

bool http_server_start(struct http_server *server, struct error *err)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int failure = pthread_create(&server->thread, &attributes, accept_main, server);
    pthread_attr_destroy(&attributes);
    if (failure)
        return error_errno_value(err, failure, "failed to start the thread that accepts connections");
    server->is_started = true;
    return true;
}

/* Waits until no connection is left, or `patience` nanoseconds. */
static bool wait_for_end(struct http_server *server, int64_t patience)
{
    int64_t deadline = clock_monotonic() + patience;
    struct timespec until = {.tv_sec = deadline / NANOSECONDS_PER_SECOND, .tv_nsec = deadline % NANOSECONDS_PER_SECOND};
    while (server->count > 0)
        if (pthread_cond_timedwait(&server->ended, &server->lock, &until) == ETIMEDOUT)
            break;
    return server->count == 0;
}

static void shut_down_connections(struct http_server *server, bool running_too)
{
    for (struct http_connection *connection = server->connections; connection; connection = connection->next)
        if (connection->fd >= 0 && (running_too || connection->may_be_cut || connection->state == CONNECTION_IDLE))
            shutdown(connection->fd, SHUT_RDWR);
}

bool http_server_stop(struct http_server *server, int64_t grace)
{
    pthread_mutex_lock(&server->lock);
    server->is_stopping = true;
    pthread_mutex_unlock(&server->lock);
    if (server->is_started) {
        eventfd_write(server->wakeup, 1);
        pthread_join(server->thread, NULL);
        server->is_started = false;
    }
    for (size_t i = 1; i < server->listener_count; i++)
        server->listeners[i].fd = close_fd(server->listeners[i].fd);
    pthread_mutex_lock(&server->lock);
    shut_down_connections(server, false);
    bool is_empty = wait_for_end(server, grace);
    if (!is_empty) {
        shut_down_connections(server, true);
        is_empty = wait_for_end(server, LAST_CHANCE);
    }
    pthread_mutex_unlock(&server->lock);
    return is_empty;
}
