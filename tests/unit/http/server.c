/* A small server of its own on a unix socket, and clients that behave and that do not. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/server.h"

#define MILLISECOND INT64_C(1000000)

static char socket_path[100];

static void *echo_main(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char data[256];
    ssize_t count;
    while ((count = read(fd, data, sizeof(data))) > 0)
        if (send(fd, data, (size_t)count, MSG_NOSIGNAL) < 0)
            break;
    close(fd);
    return NULL;
}

static void handle(struct http_exchange *exchange, void *context)
{
    const char *path = exchange->path;
    if (string_equal(path, "/echo")) {
        _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
        struct error err = ERROR_INIT;
        if (http_exchange_read_all(exchange, 100000, &body, &err))
            http_exchange_answer(exchange, 200, "text/plain", strbuf_text(&body), body.length);
        else
            http_exchange_answer(exchange, err.kind == ERROR_TOO_LARGE ? 413 : 400, NULL, "", 0);
        error_release(&err);
    } else if (string_equal(path, "/stream")) {
        http_exchange_begin(exchange, 200, "text/plain");
        http_exchange_write(exchange, "one", 3);
        http_exchange_write(exchange, "two", 3);
    } else if (string_equal(path, "/ignore")) {
        http_exchange_answer(exchange, 200, NULL, "ok", 2);
    } else if (string_equal(path, "/hijack")) {
        struct error err = ERROR_INIT;
        int fd = http_exchange_hijack(exchange, "application/vnd.docker.raw-stream", &err);
        pthread_t thread;
        assert_true(fd >= 0);
        pthread_create(&thread, NULL, echo_main, (void *)(intptr_t)fd);
        pthread_detach(thread);
    } else if (string_equal(path, "/wait")) {
        http_exchange_begin(exchange, 200, NULL);
        http_exchange_may_be_cut(exchange);
        struct pollfd poll_fd = {.fd = exchange->fd, .events = POLLRDHUP};
        poll(&poll_fd, 1, -1);
    } else if (string_equal(path, "/slow")) {
        usleep(200000);
        http_exchange_answer(exchange, 200, NULL, "slow", 4);
    } else {
        http_exchange_answer(exchange, 404, NULL, "no", 2);
    }
}

static struct http_server *start(struct http_server_options options)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(socket_path, sizeof(socket_path), "/tmp/http-test-%d.sock", (int)getpid());
    memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
    unlink(socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 64), 0);
    options.handle = handle;
    struct http_server *server = http_server_new(&options);
    http_server_add_listener(server, fd);
    assert_true(http_server_start(server, NULL));
    return server;
}

static void stop(struct http_server *server)
{
    assert_true(http_server_stop(server, 2000 * MILLISECOND));
    http_server_free(server);
    unlink(socket_path);
}

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    /* To say nothing fails where the server has closed already, as it may when it refuses a connection. */
    if (*text)
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* The next answer: its status; the body is added to *body. */
static int answer(struct http_reader *reader, struct strbuf *body)
{
    struct http_head head;
    char data[1000];
    ssize_t count;
    if (!http_read_head(reader, false, &head, NULL))
        return -1;
    int status = head.status;
    http_head_release(&head);
    while (status != 101 && (count = http_read_body(reader, data, sizeof(data))) > 0)
        strbuf_add(body, data, (size_t)count);
    return status;
}

/* Everything until the server closes, for one request. */
static void check_exchange(const char *request, int status, const char *expected)
{
    _cleanup_close_ int fd = dial();
    struct http_reader *reader = http_reader_new(fd);
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    say(fd, request);
    assert_int_equal(answer(reader, &body), status);
    if (expected)
        assert_string_equal(strbuf_text(&body), expected);
    http_reader_free(reader);
}

static void test_answers(void **state)
{
    struct http_server *server = start((struct http_server_options){0});
    check_exchange("GET /none HTTP/1.1\r\nHost: d\r\n\r\n", 404, "no");
    check_exchange("GET /stream HTTP/1.1\r\nHost: d\r\n\r\n", 200, "onetwo");
    check_exchange("GET /stream HTTP/1.0\r\n\r\n", 200, "onetwo");
    check_exchange("POST /echo HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", 200,
                   "ab");
    check_exchange("POST /echo HTTP/1.1\r\nHost: d\r\nContent-Length: 200000\r\n\r\n", 413, "");
    check_exchange("POST /echo HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "");
    check_exchange("GET http://d/ignore?x HTTP/1.1\r\nHost: d\r\n\r\n", 200, "ok");
    check_exchange("GET /ignore HTTP/1.1\r\n\r\n", 400, NULL); /* no Host */
    check_exchange("GET /%zz HTTP/1.1\r\nHost: d\r\n\r\n", 400, NULL);
    check_exchange("GET /ignore HTTP/1.1\r\nHost: d\r\nExpect: miracles\r\n\r\n", 417, NULL);
    check_exchange("nonsense\r\n\r\n", 400, NULL);
    stop(server);
}

static void test_keep_alive_and_pipelining(void **state)
{
    struct http_server *server = start((struct http_server_options){0});
    _cleanup_close_ int fd = dial();
    struct http_reader *reader = http_reader_new(fd);
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    say(fd, "POST /echo HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\n\r\na"
            "POST /ignore HTTP/1.1\r\nHost: d\r\nContent-Length: 3\r\n\r\nxyz" /* a body nobody reads */
            "GET /stream HTTP/1.1\r\nHost: d\r\n\r\n"
            "POST /echo HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\n\r\nb");
    for (int i = 0; i < 4; i++)
        assert_int_equal(answer(reader, &body), 200);
    assert_string_equal(strbuf_text(&body), "aokonetwob");
    say(fd, "GET /ignore HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
    assert_int_equal(answer(reader, &body), 200);
    assert_int_equal(answer(reader, &body), -1);
    http_reader_free(reader);
    stop(server);
}

static void test_expect_continue(void **state)
{
    struct http_server *server = start((struct http_server_options){0});
    _cleanup_close_ int fd = dial();
    struct http_reader *reader = http_reader_new(fd);
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    say(fd, "POST /echo HTTP/1.1\r\nHost: d\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_int_equal(answer(reader, &body), 100);
    say(fd, "hi");
    assert_int_equal(answer(reader, &body), 200);
    assert_string_equal(strbuf_text(&body), "hi");
    http_reader_free(reader);
    /* A handler that does not want the body: no 100, and the connection cannot go on. */
    check_exchange("POST /ignore HTTP/1.1\r\nHost: d\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", 200, "ok");
    stop(server);
}

static void test_hijack(void **state)
{
    struct http_server *server = start((struct http_server_options){0});
    _cleanup_close_ int fd = dial();
    struct http_reader *reader = http_reader_new(fd);
    char data[16] = "";
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    say(fd, "POST /hijack HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly");
    assert_int_equal(answer(reader, &body), 101);
    assert_int_equal(recv(fd, data, 5, MSG_WAITALL), 5);
    assert_string_equal(data, "early");
    say(fd, "later");
    assert_int_equal(recv(fd, data, 5, MSG_WAITALL), 5);
    assert_string_equal(data, "later");
    /* The stream outlives the server. */
    stop(server);
    say(fd, "after");
    assert_int_equal(recv(fd, data, 5, MSG_WAITALL), 5);
    shutdown(fd, SHUT_WR);
    assert_int_equal(recv(fd, data, 5, 0), 0);
    http_reader_free(reader);
}

/* Other routes do not honour Upgrade. */
static void test_upgrade_elsewhere(void **state)
{
    struct http_server *server = start((struct http_server_options){0});
    check_exchange("GET /ignore HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200, "ok");
    stop(server);
}

static void test_slow_clients(void **state)
{
    struct http_server *server = start((struct http_server_options){
        .head_timeout = 100 * MILLISECOND,
        .idle_timeout = 100 * MILLISECOND,
    });
    int64_t before = clock_monotonic();
    char data[16];
    _cleanup_close_ int silent = dial();
    check_exchange("GET /ig", 408, NULL);
    assert_int_equal(recv(silent, data, sizeof(data), 0), 0);
    check_exchange("GET /slow HTTP/1.1\r\nHost: d\r\n\r\n", 200, "slow"); /* a handler may take longer */
    assert_true(clock_monotonic() - before < 3000 * MILLISECOND);
    stop(server);
}

static void test_connection_limit(void **state)
{
    struct http_server *server = start((struct http_server_options){.max_connections = 2});
    _cleanup_close_ int first = dial(), second = dial();
    while (http_server_connections(server) < 2)
        usleep(1000);
    check_exchange("", 503, NULL);
    first = close_fd(first);
    while (http_server_connections(server) > 1)
        usleep(1000);
    check_exchange("GET /ignore HTTP/1.1\r\nHost: d\r\n\r\n", 200, "ok");
    stop(server);
}

static void *stop_main(void *server)
{
    assert_true(http_server_stop(server, 2000 * MILLISECOND));
    return NULL;
}

/* A running request ends well, idle connections and endless answers are cut at once. */
static void test_graceful_stop(void **state)
{
    struct http_server *server = start((struct http_server_options){0});
    _cleanup_close_ int idle = dial(), waiting = dial(), running = dial();
    char data[4096];
    say(waiting, "GET /wait HTTP/1.1\r\nHost: d\r\n\r\n");
    assert_true(recv(waiting, data, sizeof(data), 0) > 0);
    say(running, "GET /slow HTTP/1.1\r\nHost: d\r\n\r\n");
    usleep(50000);
    int64_t before = clock_monotonic();
    pthread_t thread;
    pthread_create(&thread, NULL, stop_main, server);
    assert_int_equal(recv(idle, data, sizeof(data), 0), 0);
    assert_true(recv(running, data, sizeof(data), 0) > 0);
    pthread_join(thread, NULL);
    assert_true(clock_monotonic() - before < 1500 * MILLISECOND);
    http_server_free(server);
    unlink(socket_path);
}

/* Clients that leave in the middle of everything. */
static void test_leaving_clients(void **state)
{
    struct http_server *server = start((struct http_server_options){0});
    static const char *const beginnings[] = {
        "",
        "GET /ig",
        "GET /wait HTTP/1.1\r\nHost: d\r\n\r\n",
        "GET /stream HTTP/1.1\r\nHost: d\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: d\r\nContent-Length: 100\r\n\r\nabc",
    };
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
            int fd = dial();
            say(fd, beginnings[i]);
            close(fd);
        }
    int64_t deadline = clock_monotonic() + 5000 * MILLISECOND;
    while (http_server_connections(server) > 0 && clock_monotonic() < deadline)
        usleep(1000);
    assert_int_equal(http_server_connections(server), 0);
    stop(server);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),           cmocka_unit_test(test_keep_alive_and_pipelining),
        cmocka_unit_test(test_expect_continue),   cmocka_unit_test(test_hijack),
        cmocka_unit_test(test_upgrade_elsewhere), cmocka_unit_test(test_slow_clients),
        cmocka_unit_test(test_connection_limit),  cmocka_unit_test(test_graceful_stop),
        cmocka_unit_test(test_leaving_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
