#include "network/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/memory.h"

#define CONNECTIONS_MAXIMUM 1024
#define FLOWS_MAXIMUM       1024
#define FLOW_NANOSECONDS    (90 * NANOSECONDS_PER_SECOND) /* docker-proxy's UDPConnTrackTimeout */
#define PIPE_BYTES          65536

enum kind { KIND_LISTENER, KIND_SIDE, KIND_FLOW };

/* What the epoll set points at; the first member of each of the three. */
struct source {
    enum kind kind;
    int fd;
};

struct target {
    struct source source; /* the port's socket */
    uint8_t protocol;
    struct sockaddr_storage address;
    socklen_t address_length;
    struct target *next;
};

/* One direction of a connection: bytes wait in a pipe. */
struct direction {
    int pipe[2];
    size_t waiting;
    bool is_ended;  /* no more comes in */
    bool is_closed; /* and the other side was told */
};

struct connection;
struct side {
    struct source source;
    struct connection *connection;
};
struct connection {
    struct side sides[2];           /* the client, the container */
    struct direction directions[2]; /* from the side of the same number */
    bool is_dead;
    struct connection *next;
};

/* Datagrams of one client. */
struct flow {
    struct source source; /* connected to the container */
    const struct target *target;
    struct sockaddr_storage client;
    socklen_t client_length;
    int64_t used_at;
    bool is_dead;
    struct flow *next;
};

struct proxy {
    pthread_t thread;
    pthread_mutex_t mutex; /* held while events are handled */
    int epoll, wake;
    bool is_stopping;
    struct target *targets;
    struct connection *connections;
    size_t connection_count;
    struct flow *flows;
    size_t flow_count;
};

static void watch(struct proxy *proxy, struct source *source, uint32_t events)
{
    epoll_ctl(proxy->epoll, EPOLL_CTL_ADD, source->fd, &(struct epoll_event){.events = events, .data.ptr = source});
}

/* --- connections --- */

static void connection_free(struct connection *connection)
{
    for (int i = 0; i < 2; i++) {
        close_fd(connection->sides[i].source.fd);
        close_fd(connection->directions[i].pipe[0]);
        close_fd(connection->directions[i].pipe[1]);
    }
    free(connection);
}

/* False where the connection is broken. */
static bool move(struct direction *direction, int from, int to)
{
    for (bool is_moving = true; is_moving;) {
        is_moving = false;
        if (!direction->is_ended && direction->waiting < PIPE_BYTES) {
            ssize_t n = splice(from, NULL, direction->pipe[1], NULL, PIPE_BYTES - direction->waiting,
                               SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
            if (n == 0)
                direction->is_ended = true;
            else if (n < 0 && errno != EAGAIN && errno != ENOTCONN)
                return false;
            if (n > 0) {
                direction->waiting += (size_t)n;
                is_moving = true;
            }
        }
        if (direction->waiting) {
            ssize_t n =
                splice(direction->pipe[0], NULL, to, NULL, direction->waiting, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
            if (n < 0 && errno != EAGAIN && errno != ENOTCONN)
                return false;
            if (n > 0) {
                direction->waiting -= (size_t)n;
                is_moving = true;
            }
        }
    }
    if (direction->is_ended && !direction->waiting && !direction->is_closed) {
        shutdown(to, SHUT_WR);
        direction->is_closed = true;
    }
    return true;
}

static void carry(struct connection *connection, uint32_t events)
{
    int client = connection->sides[0].source.fd, container = connection->sides[1].source.fd;
    bool is_alive = !(events & EPOLLERR) && move(&connection->directions[0], client, container) &&
                    move(&connection->directions[1], container, client);
    bool is_over = connection->directions[0].is_closed && connection->directions[1].is_closed;
    connection->is_dead = connection->is_dead || !is_alive || is_over;
}

static bool open_pipes(struct connection *connection)
{
    for (int i = 0; i < 2; i++)
        if (pipe2(connection->directions[i].pipe, O_CLOEXEC | O_NONBLOCK) < 0)
            return false;
    return true;
}

static void accept_connection(struct proxy *proxy, const struct target *target)
{
    int client = accept4(target->source.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return;
    struct connection *connection = NEW(struct connection);
    int container = socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    connection->sides[0] = (struct side){{KIND_SIDE, client}, connection};
    connection->sides[1] = (struct side){{KIND_SIDE, container}, connection};
    for (int i = 0; i < 2; i++)
        connection->directions[i] = (struct direction){.pipe = {-1, -1}};
    bool is_open = proxy->connection_count < CONNECTIONS_MAXIMUM && container >= 0 && open_pipes(connection) &&
                   (connect(container, (const struct sockaddr *)&target->address, target->address_length) == 0 ||
                    errno == EINPROGRESS);
    if (!is_open) {
        connection_free(connection);
        return;
    }
    connection->next = proxy->connections;
    proxy->connections = connection;
    proxy->connection_count++;
    for (int i = 0; i < 2; i++)
        watch(proxy, &connection->sides[i].source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

/* --- datagrams --- */

static struct flow *find_flow(struct proxy *proxy, const struct target *target, const struct sockaddr_storage *client,
                              socklen_t length)
{
    for (struct flow *flow = proxy->flows; flow; flow = flow->next)
        if (flow->target == target && flow->client_length == length && memcmp(&flow->client, client, length) == 0 &&
            !flow->is_dead)
            return flow;
    if (proxy->flow_count >= FLOWS_MAXIMUM)
        return NULL;
    int fd = socket(target->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&target->address, target->address_length) < 0) {
        close_fd(fd);
        return NULL;
    }
    struct flow *flow = NEW(struct flow);
    *flow = (struct flow){
        .source = {KIND_FLOW, fd}, .target = target, .client = *client, .client_length = length, .next = proxy->flows};
    proxy->flows = flow;
    proxy->flow_count++;
    watch(proxy, &flow->source, EPOLLIN);
    return flow;
}

static void take_datagram(struct proxy *proxy, const struct target *target)
{
    char data[65536];
    struct sockaddr_storage client = {0};
    socklen_t length = sizeof(client);
    ssize_t n = recvfrom(target->source.fd, data, sizeof(data), 0, (struct sockaddr *)&client, &length);
    struct flow *flow = n < 0 ? NULL : find_flow(proxy, target, &client, length);
    if (!flow)
        return;
    flow->used_at = clock_monotonic();
    (void)!send(flow->source.fd, data, (size_t)n, MSG_NOSIGNAL);
}

static void answer_datagram(struct flow *flow)
{
    char data[65536];
    ssize_t n = recv(flow->source.fd, data, sizeof(data), 0);
    if (n < 0 || flow->is_dead)
        return;
    flow->used_at = clock_monotonic();
    (void)!sendto(flow->target->source.fd, data, (size_t)n, MSG_NOSIGNAL, (struct sockaddr *)&flow->client,
                  flow->client_length);
}

/* --- the thread --- */

/* After all events of a turn, none of which can point at what is freed here any more. */
static void collect(struct proxy *proxy)
{
    int64_t oldest = clock_monotonic() - FLOW_NANOSECONDS;
    for (struct connection **place = &proxy->connections; *place;) {
        struct connection *connection = *place;
        if (!connection->is_dead) {
            place = &connection->next;
            continue;
        }
        *place = connection->next;
        proxy->connection_count--;
        connection_free(connection);
    }
    for (struct flow **place = &proxy->flows; *place;) {
        struct flow *flow = *place;
        if (!flow->is_dead && flow->used_at > oldest) {
            place = &flow->next;
            continue;
        }
        *place = flow->next;
        proxy->flow_count--;
        close_fd(flow->source.fd);
        free(flow);
    }
}

static void handle(struct proxy *proxy, struct source *source, uint32_t events)
{
    struct target *target = (struct target *)source;
    switch (source->kind) {
    case KIND_LISTENER:
        if (target->protocol == IPPROTO_UDP)
            take_datagram(proxy, target);
        else
            accept_connection(proxy, target);
        break;
    case KIND_SIDE:
        carry(((struct side *)source)->connection, events);
        break;
    case KIND_FLOW:
        answer_datagram((struct flow *)source);
        break;
    }
}

static void *run(void *context)
{
    struct proxy *proxy = context;
    for (;;) {
        /* The set is asked under the lock, so that what was removed meanwhile is not in its answer. */
        struct epoll_event events[32];
        struct pollfd set = {.fd = proxy->epoll, .events = POLLIN};
        pthread_mutex_lock(&proxy->mutex);
        int timeout = proxy->flows ? 10000 : -1;
        pthread_mutex_unlock(&proxy->mutex);
        poll(&set, 1, timeout);
        pthread_mutex_lock(&proxy->mutex);
        int count = epoll_wait(proxy->epoll, events, ARRAY_SIZE(events), 0);
        eventfd_t value;
        eventfd_read(proxy->wake, &value);
        for (int i = 0; i < count; i++)
            if (events[i].data.ptr)
                handle(proxy, events[i].data.ptr, events[i].events);
        collect(proxy);
        bool is_stopping = proxy->is_stopping;
        pthread_mutex_unlock(&proxy->mutex);
        if (is_stopping)
            return NULL;
    }
}

struct proxy *proxy_new(void)
{
    struct proxy *proxy = NEW(struct proxy);
    pthread_mutex_init(&proxy->mutex, NULL);
    proxy->epoll = epoll_create1(EPOLL_CLOEXEC);
    proxy->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (proxy->epoll >= 0 && proxy->wake >= 0 && epoll_ctl(proxy->epoll, EPOLL_CTL_ADD, proxy->wake, &event) == 0 &&
        pthread_create(&proxy->thread, NULL, run, proxy) == 0)
        return proxy;
    close_fd(proxy->epoll);
    close_fd(proxy->wake);
    pthread_mutex_destroy(&proxy->mutex);
    free(proxy);
    return NULL;
}

void proxy_free(struct proxy *proxy)
{
    if (!proxy)
        return;
    pthread_mutex_lock(&proxy->mutex);
    proxy->is_stopping = true;
    for (struct connection *connection = proxy->connections; connection; connection = connection->next)
        connection->is_dead = true;
    for (struct flow *flow = proxy->flows; flow; flow = flow->next)
        flow->is_dead = true;
    pthread_mutex_unlock(&proxy->mutex);
    eventfd_write(proxy->wake, 1);
    pthread_join(proxy->thread, NULL);
    while (proxy->targets) {
        struct target *target = proxy->targets;
        proxy->targets = target->next;
        free(target);
    }
    close_fd(proxy->epoll);
    close_fd(proxy->wake);
    pthread_mutex_destroy(&proxy->mutex);
    free(proxy);
}

void proxy_add(struct proxy *proxy, int socket, uint8_t protocol, struct ip_address address, uint16_t port)
{
    struct target *target = NEW(struct target);
    *target = (struct target){.source = {KIND_LISTENER, socket}, .protocol = protocol};
    target->address_length = ip_sockaddr(address, port, &target->address);
    pthread_mutex_lock(&proxy->mutex);
    target->next = proxy->targets;
    proxy->targets = target;
    watch(proxy, &target->source, EPOLLIN);
    pthread_mutex_unlock(&proxy->mutex);
}

void proxy_remove(struct proxy *proxy, int socket)
{
    pthread_mutex_lock(&proxy->mutex);
    for (struct target **place = &proxy->targets; *place; place = &(*place)->next) {
        struct target *target = *place;
        if (target->source.fd != socket)
            continue;
        epoll_ctl(proxy->epoll, EPOLL_CTL_DEL, socket, NULL);
        for (struct flow *flow = proxy->flows; flow; flow = flow->next)
            flow->is_dead = flow->is_dead || flow->target == target;
        *place = target->next;
        free(target);
        break;
    }
    pthread_mutex_unlock(&proxy->mutex);
    eventfd_write(proxy->wake, 1);
}
