#include "network/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "network/dns_message.h"
#include "network/dns_names.h"

#define SERVERS_MAXIMUM   3    /* as resolv.conf(5) */
#define TASKS_MAXIMUM     1024 /* questions and connections at a time, of one container */
#define MESSAGE_SIZE      65535
#define ATTEMPT_TIME      (4 * NANOSECONDS_PER_SECOND)
#define CONNECTION_TIME   (10 * NANOSECONDS_PER_SECOND)
#define DATAGRAMS_AT_ONCE 32

struct member;

enum kind { KIND_UDP, KIND_LISTENER, KIND_TASK, KIND_CONNECTION };
/* What the epoll set points at. */
struct source {
    enum kind kind;
    int fd;
    struct member *member;
};

struct server_address {
    struct sockaddr_storage address;
    socklen_t length;
};

/* A container. */
struct member {
    struct source udp, listener;
    char container_id[ID_LENGTH + 1];
    struct server_address servers[SERVERS_MAXIMUM];
    size_t server_count;
    bool has_ndots;
    size_t task_count;
    struct member *next;
};

/* A TCP connection from a container: one message after the other. */
struct connection {
    struct source source;
    uint8_t *input; /* with the two bytes of the length */
    size_t input_length;
    bool is_waiting; /* a task works on its question */
    bool is_dead;
    int64_t deadline;
    struct connection *next;
};

/* A question that was passed on. */
struct task {
    struct source source;          /* the socket to the server */
    struct connection *connection; /* who asked; NULL: `client`, over UDP */
    struct sockaddr_in client;
    uint8_t *question;
    size_t question_length;
    struct dns_query query;
    uint16_t id;   /* our own, drawn for each question */
    size_t server; /* the one that is asked */
    int64_t deadline;
    uint8_t *input; /* over TCP: the answer so far */
    size_t input_length;
    bool is_sent; /* over TCP */
    bool is_dead;
    struct task *next;
};

struct dns_server {
    struct network_manager *manager;
    pthread_t thread;
    pthread_mutex_t mutex; /* held while events are handled */
    bool has_thread, is_stopping;
    int epoll, wake;
    struct member *members;
    struct connection *connections;
    struct task *tasks;
    unsigned turn; /* of round robin */
    uint8_t buffer[MESSAGE_SIZE + 2];
};

static void watch(struct dns_server *server, struct source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, source->fd, &event) < 0 && errno == EEXIST)
        epoll_ctl(server->epoll, EPOLL_CTL_MOD, source->fd, &event);
}

/* --- answers --- */

static void send_answer(struct connection *connection, const struct member *member, const struct sockaddr_in *client,
                        const uint8_t *data, size_t length)
{
    if (!connection) {
        (void)!sendto(member->udp.fd, data, length, MSG_NOSIGNAL, (const struct sockaddr *)client, sizeof(*client));
        return;
    }
    /* One answer at a time fits into the socket's buffer; a client that does not read is let go. */
    uint8_t size[2] = {(uint8_t)(length >> 8), (uint8_t)length};
    struct iovec parts[] = {{size, sizeof(size)}, {(void *)(uintptr_t)data, length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (sendmsg(connection->source.fd, &message, MSG_NOSIGNAL) != (ssize_t)(length + 2))
        connection->is_dead = true;
    connection->is_waiting = false;
    connection->deadline = clock_monotonic() + CONNECTION_TIME;
}

static void answer_code(struct connection *connection, const struct member *member, const struct sockaddr_in *client,
                        const uint8_t *question, const struct dns_query *query, enum dns_code code)
{
    uint8_t data[DNS_HEADER_SIZE + DNS_NAME_SIZE + 8];
    struct dns_answer answer = {.data = data, .capacity = sizeof(data)};
    dns_answer_begin(&answer, question, query, code);
    send_answer(connection, member, client, data, answer.length);
}

/* --- passing on --- */

static bool ask_server(struct dns_server *server, struct task *task);

static void task_failed(struct dns_server *server, struct task *task)
{
    task->source.fd = close_fd(task->source.fd);
    while (++task->server < task->source.member->server_count)
        if (ask_server(server, task))
            return;
    task->is_dead = true;
    if (task->connection && task->connection->is_dead)
        return;
    task->question[0] = (uint8_t)(task->query.id >> 8);
    task->question[1] = (uint8_t)task->query.id;
    answer_code(task->connection, task->source.member, &task->client, task->question, &task->query, DNS_SERVER_FAILURE);
}

static bool ask_server(struct dns_server *server, struct task *task)
{
    const struct server_address *to = &task->source.member->servers[task->server];
    bool is_tcp = task->connection != NULL;
    task->source.fd =
        socket(to->address.ss_family, (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    task->input_length = 0;
    task->is_sent = false;
    task->deadline = clock_monotonic() + ATTEMPT_TIME;
    bool is_asked =
        task->source.fd >= 0 && (connect(task->source.fd, (const struct sockaddr *)&to->address, to->length) == 0 ||
                                 (is_tcp && errno == EINPROGRESS));
    if (is_asked && !is_tcp)
        is_asked = send(task->source.fd, task->question, task->question_length, MSG_NOSIGNAL) >= 0;
    if (!is_asked) {
        task->source.fd = close_fd(task->source.fd);
        return false;
    }
    watch(server, &task->source, is_tcp ? EPOLLOUT : EPOLLIN);
    return true;
}

static void pass_on(struct dns_server *server, struct member *member, struct connection *connection,
                    const struct sockaddr_in *client, const uint8_t *question, size_t length,
                    const struct dns_query *query)
{
    struct task *task = NEW(struct task);
    task->source = (struct source){KIND_TASK, -1, member};
    task->connection = connection;
    task->client = client ? *client : (struct sockaddr_in){0};
    task->question = xmemdup(question, length);
    task->question_length = length;
    task->query = *query;
    if (getrandom(&task->id, sizeof(task->id), 0) != sizeof(task->id))
        task->id = query->id;
    memcpy(task->question, &task->id, sizeof(task->id));
    task->next = server->tasks;
    server->tasks = task;
    member->task_count++;
    if (connection)
        connection->is_waiting = true;
    task->server = (size_t)-1;
    task_failed(server, task); /* asks the first */
}

/* The answer in `data` is the server's: to our id, which becomes the client's again. */
static void take_answer(struct task *task, uint8_t *data, size_t length)
{
    if (length < DNS_HEADER_SIZE || memcmp(data, &task->id, sizeof(task->id)) != 0 || !(data[2] & 0x80))
        return;
    data[0] = (uint8_t)(task->query.id >> 8);
    data[1] = (uint8_t)task->query.id;
    task->is_dead = true;
    if (!task->connection || !task->connection->is_dead)
        send_answer(task->connection, task->source.member, &task->client, data, length);
}

static void read_tcp_answer(struct dns_server *server, struct task *task)
{
    if (!task->input)
        task->input = xmalloc(MESSAGE_SIZE + 2);
    ssize_t n = recv(task->source.fd, task->input + task->input_length, MESSAGE_SIZE + 2 - task->input_length, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        task_failed(server, task);
        return;
    }
    task->input_length += (size_t)n;
    size_t wanted = task->input_length < 2 ? SIZE_MAX : (size_t)(task->input[0] << 8 | task->input[1]) + 2;
    if (task->input_length < wanted)
        return;
    take_answer(task, task->input + 2, wanted - 2);
    if (!task->is_dead)
        task_failed(server, task);
}

static void handle_task(struct dns_server *server, struct task *task, uint32_t events)
{
    if (task->is_dead || task->source.fd < 0)
        return;
    if (!task->connection) {
        ssize_t n = recv(task->source.fd, server->buffer, sizeof(server->buffer), 0);
        if (n >= 0)
            take_answer(task, server->buffer, (size_t)n);
        else if (errno != EAGAIN && errno != EINTR)
            task_failed(server, task);
        return;
    }
    if (task->is_sent) {
        read_tcp_answer(server, task);
        return;
    }
    uint8_t size[2] = {(uint8_t)(task->question_length >> 8), (uint8_t)task->question_length};
    struct iovec parts[] = {{size, sizeof(size)}, {task->question, task->question_length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if ((events & EPOLLERR) ||
        sendmsg(task->source.fd, &message, MSG_NOSIGNAL) != (ssize_t)(task->question_length + 2)) {
        task_failed(server, task);
        return;
    }
    task->is_sent = true;
    watch(server, &task->source, EPOLLIN);
}

/* --- questions --- */

/* Those of the family that was asked for; none is an answer, too. */
static void answer_addresses(struct dns_server *server, struct member *member, struct connection *connection,
                             const struct sockaddr_in *client, const uint8_t *question, const struct dns_query *query,
                             const struct ip_address *all, size_t all_count)
{
    uint8_t data[4096];
    struct ip_address addresses[DNS_ADDRESSES_MAXIMUM];
    size_t capacity = connection ? sizeof(data) : MIN(query->largest_answer, sizeof(data)), count = 0;
    for (size_t i = 0; i < all_count; i++)
        if (all[i].family == (query->type == DNS_A ? IP_V4 : IP_V6))
            addresses[count++] = all[i];
    struct dns_answer answer = {.data = data, .capacity = capacity};
    dns_answer_begin(&answer, question, query, DNS_NO_ERROR);
    unsigned first = server->turn++;
    bool is_whole = true, is_asked = query->type == DNS_A || query->type == DNS_AAAA;
    for (size_t i = 0; i < count && is_asked && is_whole; i++)
        is_whole = dns_answer_add_address(&answer, addresses[(first + i) % count]);
    if (!is_whole)
        dns_answer_set_truncated(&answer);
    send_answer(connection, member, client, data, answer.length);
}

static bool answer_reverse(struct dns_server *server, struct member *member, struct connection *connection,
                           const struct sockaddr_in *client, const uint8_t *question, const struct dns_query *query)
{
    struct ip_address address;
    if (!dns_reverse_parse(query->name, &address))
        return false;
    _cleanup_free_ char *name = network_reverse(server->manager, member->container_id, address);
    uint8_t data[DNS_HEADER_SIZE + 2 * DNS_NAME_SIZE + 64];
    struct dns_answer answer = {.data = data, .capacity = sizeof(data)};
    if (!name && !network_owns_address(server->manager, member->container_id, address))
        return false;
    dns_answer_begin(&answer, question, query, name ? DNS_NO_ERROR : DNS_NAME_ERROR);
    if (name && !dns_answer_add_name(&answer, name))
        return false;
    send_answer(connection, member, client, data, answer.length);
    return true;
}

/* Answers from the book of names; false where it does not know. A name of ours has no records of other types, and
   nobody else is asked for them. */
static bool answer_self(struct dns_server *server, struct member *member, struct connection *connection,
                        const struct sockaddr_in *client, const uint8_t *question, const struct dns_query *query)
{
    struct ip_address addresses[DNS_ADDRESSES_MAXIMUM];
    if (query->class_number != 1)
        return false;
    if (query->type == DNS_PTR && answer_reverse(server, member, connection, client, question, query))
        return true;
    size_t count = network_resolve(server->manager, member->container_id, query->name, addresses);
    if (count)
        answer_addresses(server, member, connection, client, question, query, addresses, count);
    return count > 0;
}

static void take_question(struct dns_server *server, struct member *member, struct connection *connection,
                          const struct sockaddr_in *client, const uint8_t *data, size_t length)
{
    struct dns_query query;
    if (!dns_query_parse(data, length, &query)) {
        /* What is no question gets no answer: one that is spoofed would go to a third. */
        if (connection)
            connection->is_dead = true;
        return;
    }
    if (answer_self(server, member, connection, client, data, &query))
        return;
    bool is_for_addresses = query.type == DNS_A || query.type == DNS_AAAA;
    if (is_for_addresses && member->has_ndots && !strchr(query.name, '.'))
        answer_code(connection, member, client, data, &query, DNS_NO_ERROR);
    else if (member->server_count == 0 || member->task_count >= TASKS_MAXIMUM ||
             !network_has_way_out(server->manager, member->container_id))
        answer_code(connection, member, client, data, &query, DNS_SERVER_FAILURE);
    else
        pass_on(server, member, connection, client, data, length, &query);
}

static void handle_udp(struct dns_server *server, struct member *member)
{
    for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
        struct sockaddr_in client = {0};
        socklen_t size = sizeof(client);
        ssize_t n =
            recvfrom(member->udp.fd, server->buffer, sizeof(server->buffer), 0, (struct sockaddr *)&client, &size);
        if (n < 0)
            return;
        take_question(server, member, NULL, &client, server->buffer, (size_t)n);
    }
}

static void handle_listener(struct dns_server *server, struct member *member)
{
    int fd = accept4(member->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (member->task_count >= TASKS_MAXIMUM) {
        close_fd(fd);
        return;
    }
    struct connection *connection = NEW(struct connection);
    connection->source = (struct source){KIND_CONNECTION, fd, member};
    connection->deadline = clock_monotonic() + CONNECTION_TIME;
    connection->input = xmalloc(MESSAGE_SIZE + 2);
    connection->next = server->connections;
    server->connections = connection;
    member->task_count++;
    watch(server, &connection->source, EPOLLIN);
}

/* One after the other: the next waits until the last was answered. */
static void take_questions(struct dns_server *server, struct connection *connection)
{
    while (!connection->is_dead && !connection->is_waiting && connection->input_length >= 2) {
        size_t size = (size_t)(connection->input[0] << 8 | connection->input[1]) + 2;
        if (connection->input_length < size)
            break;
        take_question(server, connection->source.member, connection, NULL, connection->input + 2, size - 2);
        memmove(connection->input, connection->input + size, connection->input_length - size);
        connection->input_length -= size;
    }
}

static void handle_connection(struct dns_server *server, struct connection *connection)
{
    if (connection->is_dead)
        return;
    size_t space = MESSAGE_SIZE + 2 - connection->input_length;
    ssize_t n = space ? recv(connection->source.fd, connection->input + connection->input_length, space, 0) : -1;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        connection->is_dead = true;
        return;
    }
    connection->input_length += (size_t)n;
    take_questions(server, connection);
}

/* --- the thread --- */

static void free_task(struct task *task)
{
    close_fd(task->source.fd);
    free(task->question);
    free(task->input);
    free(task);
}

static void free_connection(struct connection *connection)
{
    close_fd(connection->source.fd);
    free(connection->input);
    free(connection);
}

/* With what belongs to `gone`, too. */
static void collect(struct dns_server *server, const struct member *gone)
{
    for (struct task **place = &server->tasks; *place;) {
        struct task *task = *place;
        bool is_dead = task->is_dead || task->source.member == gone || (task->connection && task->connection->is_dead);
        if (!is_dead) {
            place = &task->next;
            continue;
        }
        *place = task->next;
        task->source.member->task_count--;
        free_task(task);
    }
    for (struct connection **place = &server->connections; *place;) {
        struct connection *connection = *place;
        if (!connection->is_dead && connection->source.member != gone) {
            place = &connection->next;
            continue;
        }
        *place = connection->next;
        connection->source.member->task_count--;
        free_connection(connection);
    }
}

static void handle_deadlines(struct dns_server *server)
{
    int64_t now = clock_monotonic();
    for (struct task *task = server->tasks; task; task = task->next)
        if (!task->is_dead && task->deadline <= now)
            task_failed(server, task);
    for (struct connection *connection = server->connections; connection; connection = connection->next) {
        if (!connection->is_waiting && connection->deadline <= now)
            connection->is_dead = true;
        take_questions(server, connection);
    }
}

static void handle(struct dns_server *server, struct source *source, uint32_t events)
{
    switch (source->kind) {
    case KIND_UDP:
        handle_udp(server, source->member);
        break;
    case KIND_LISTENER:
        handle_listener(server, source->member);
        break;
    case KIND_TASK:
        handle_task(server, (struct task *)source, events);
        break;
    case KIND_CONNECTION:
        handle_connection(server, (struct connection *)source);
        break;
    }
}

static void *run(void *context)
{
    struct dns_server *server = context;
    for (;;) {
        /* The set is asked under the lock, so that what was removed meanwhile is not in its answer. */
        struct epoll_event events[32];
        struct pollfd set = {.fd = server->epoll, .events = POLLIN};
        pthread_mutex_lock(&server->mutex);
        int timeout = server->tasks || server->connections ? 500 : -1;
        pthread_mutex_unlock(&server->mutex);
        poll(&set, 1, timeout);
        pthread_mutex_lock(&server->mutex);
        int count = epoll_wait(server->epoll, events, ARRAY_SIZE(events), 0);
        eventfd_t value;
        eventfd_read(server->wake, &value);
        for (int i = 0; i < count; i++)
            if (events[i].data.ptr)
                handle(server, events[i].data.ptr, events[i].events);
        handle_deadlines(server);
        collect(server, NULL);
        bool is_stopping = server->is_stopping;
        pthread_mutex_unlock(&server->mutex);
        if (is_stopping)
            return NULL;
    }
}

struct dns_server *dns_server_new(struct network_manager *manager)
{
    struct dns_server *server = NEW(struct dns_server);
    server->manager = manager;
    pthread_mutex_init(&server->mutex, NULL);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->wake, &event);
    return server;
}

static void free_member(struct dns_server *server, struct member *member)
{
    collect(server, member);
    close_fd(member->udp.fd);
    close_fd(member->listener.fd);
    free(member);
}

void dns_server_free(struct dns_server *server)
{
    if (!server)
        return;
    pthread_mutex_lock(&server->mutex);
    server->is_stopping = true;
    pthread_mutex_unlock(&server->mutex);
    eventfd_write(server->wake, 1);
    if (server->has_thread)
        pthread_join(server->thread, NULL);
    while (server->members) {
        struct member *member = server->members;
        server->members = member->next;
        free_member(server, member);
    }
    close_fd(server->epoll);
    close_fd(server->wake);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

static bool read_server(const char *text, struct server_address *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->address;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(53);
        out->length = sizeof(*v4);
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
        return false;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(53);
    out->length = sizeof(*v6);
    return true;
}

/* With the mutex held. */
static void remove_member(struct dns_server *server, const char *container_id)
{
    for (struct member **place = &server->members; *place; place = &(*place)->next) {
        struct member *member = *place;
        if (!string_equal(member->container_id, container_id))
            continue;
        *place = member->next;
        free_member(server, member);
        return;
    }
}

void dns_server_add(struct dns_server *server, const struct dns_client *client)
{
    struct member *member = NEW(struct member);
    member->udp = (struct source){KIND_UDP, client->udp, member};
    member->listener = (struct source){KIND_LISTENER, client->tcp, member};
    member->has_ndots = client->has_ndots;
    snprintf(member->container_id, sizeof(member->container_id), "%s", client->container_id);
    for (size_t i = 0; i < client->servers->count && member->server_count < SERVERS_MAXIMUM; i++)
        member->server_count += read_server(client->servers->items[i], &member->servers[member->server_count]);
    pthread_mutex_lock(&server->mutex);
    remove_member(server, client->container_id);
    member->next = server->members;
    server->members = member;
    watch(server, &member->udp, EPOLLIN);
    watch(server, &member->listener, EPOLLIN);
    /* Who has no network of the user's own needs no thread. */
    if (!server->has_thread)
        server->has_thread = pthread_create(&server->thread, NULL, run, server) == 0;
    pthread_mutex_unlock(&server->mutex);
}

void dns_server_remove(struct dns_server *server, const char *container_id)
{
    pthread_mutex_lock(&server->mutex);
    remove_member(server, container_id);
    pthread_mutex_unlock(&server->mutex);
}
