#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/message.h"
#include "http/writer.h"

/* A reader on one end; `text` arrives on it `piece` bytes at a time, with pauses where the piece is small, and then the
   stream ends unless it stays open. */
struct input {
    int fds[2];
    struct http_reader *reader;
};

static void input_open(struct input *input, bool is_socket)
{
    assert_int_equal(is_socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, input->fds) : pipe(input->fds), 0);
    input->reader = http_reader_new(input->fds[0]);
}

static void input_send(struct input *input, const char *text)
{
    assert_int_equal(write(input->fds[1], text, strlen(text)), strlen(text));
}

static void input_end(struct input *input)
{
    input->fds[1] = close_fd(input->fds[1]);
}

static void input_close(struct input *input)
{
    http_reader_free(input->reader);
    close_fd(input->fds[0]);
    close_fd(input->fds[1]);
}

static ssize_t read_all(struct http_reader *reader, struct strbuf *out, size_t piece)
{
    char data[4096];
    ssize_t count;
    while ((count = http_read_body(reader, data, piece)) > 0)
        strbuf_add(out, data, (size_t)count);
    return count;
}

static void test_request_head(void **state)
{
    struct input input;
    struct http_head head;
    input_open(&input, true);
    input_send(&input, "POST /v1.50/x?a=b HTTP/1.1\r\nHost: d\r\nX-One: a\r\nx-one:  b \r\nContent-Length: 5\r\n"
                       "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello");
    assert_true(http_read_head(input.reader, true, &head, NULL));
    assert_string_equal(head.method, "POST");
    assert_string_equal(head.target, "/v1.50/x?a=b");
    assert_string_equal(strmap_get(&head.headers, "x-one"), "a, b");
    assert_string_equal(strmap_get(&head.headers, "upgrade"), "tcp");
    assert_int_equal(head.content_length, 5);
    assert_true(head.wants_upgrade);
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    assert_int_equal(read_all(input.reader, &body, 3), 0);
    assert_string_equal(strbuf_text(&body), "hello");
    assert_true(http_body_is_over(input.reader));
    http_head_release(&head);
    input_close(&input);
}

static void test_pipelined_and_split(void **state)
{
    for (int is_socket = 0; is_socket < 2; is_socket++) {
        struct input input;
        struct http_head head;
        input_open(&input, is_socket);
        input_send(&input, "POST /a HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: z\r\n\r\n"
                           "GET /b HTTP/1.1\r\nHost: d\r\n\r\n");
        assert_true(http_read_head(input.reader, true, &head, NULL));
        assert_true(head.is_chunked);
        http_head_release(&head);
        _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
        assert_int_equal(read_all(input.reader, &body, 2), 0);
        assert_string_equal(strbuf_text(&body), "abcdefg");
        assert_true(http_read_head(input.reader, true, &head, NULL));
        assert_string_equal(head.target, "/b");
        assert_null(strmap_get(&head.headers, "trailer"));
        http_head_release(&head);
        input_end(&input);
        _cleanup_error_ struct error err = ERROR_INIT;
        assert_false(http_read_head(input.reader, true, &head, &err));
        assert_int_equal(err.kind, ERROR_CANCELLED);
        input_close(&input);
    }
}

/* What follows an upgrade stays in the socket: the descriptor can go to another process. */
static void test_nothing_is_read_ahead(void **state)
{
    struct input input;
    struct http_head head;
    char rest[16];
    input_open(&input, true);
    input_send(&input, "POST /attach HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\nConnection: Upgrade\r\n"
                       "Upgrade: tcp\r\n\r\n2\r\n{}\r\n0\r\n\r\nstdin");
    assert_true(http_read_head(input.reader, true, &head, NULL));
    http_head_release(&head);
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT, taken = STRBUF_INIT;
    assert_int_equal(read_all(input.reader, &body, 100), 0);
    assert_string_equal(strbuf_text(&body), "{}");
    http_take_rest(input.reader, &taken);
    assert_int_equal(taken.length, 0);
    assert_int_equal(read(input.fds[0], rest, sizeof(rest)), 5);
    assert_memory_equal(rest, "stdin", 5);
    input_close(&input);

    input_open(&input, false);
    input_send(&input, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nstdout");
    assert_true(http_read_head(input.reader, false, &head, NULL));
    assert_int_equal(head.status, 101);
    http_head_release(&head);
    http_take_rest(input.reader, &taken);
    assert_string_equal(strbuf_text(&taken), "stdout");
    input_close(&input);
}

static void test_answers(void **state)
{
    struct input input;
    struct http_head head;
    input_open(&input, true);
    input_send(&input, "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                       "HTTP/1.1 200 OK\r\n\r\nuntil the end");
    input_end(&input);
    assert_true(http_read_head(input.reader, false, &head, NULL));
    assert_int_equal(head.status, 204);
    assert_true(http_body_is_over(input.reader));
    http_head_release(&head);
    assert_true(http_read_head(input.reader, false, &head, NULL));
    assert_int_equal(head.content_length, 0);
    assert_true(http_body_is_over(input.reader));
    http_head_release(&head);
    assert_true(http_read_head(input.reader, false, &head, NULL));
    assert_false(head.keeps_alive);
    http_head_release(&head);
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    assert_int_equal(read_all(input.reader, &body, 4), 0);
    assert_string_equal(strbuf_text(&body), "until the end");
    input_close(&input);
}

static void check_refused(const char *text, enum error_kind kind)
{
    struct input input;
    struct http_head head;
    _cleanup_error_ struct error err = ERROR_INIT;
    input_open(&input, true);
    input_send(&input, text);
    input_end(&input);
    assert_false(http_read_head(input.reader, true, &head, &err));
    assert_int_equal(err.kind, kind);
    input_close(&input);
}

static void test_malformed_heads(void **state)
{
    check_refused("GARBAGE\r\n\r\n", ERROR_INVALID);
    check_refused("GET / HTTP/1.1\r\nHost: d", ERROR_INVALID); /* cut short */
    check_refused("GET /_ping\r\n\r\n", ERROR_INVALID);
    check_refused("GET / HTTP/2.0\r\nHost: d\r\n\r\n", ERROR_INVALID);
    check_refused("GET / HTTP/1.1\r\nHost: d\r\nBad Name: x\r\n\r\n", ERROR_INVALID);
    check_refused("POST / HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: gzip\r\n\r\n", ERROR_UNSUPPORTED);
    check_refused("POST / HTTP/1.1\r\nHost: d\r\nContent-Length: -1\r\n\r\n", ERROR_INVALID);
    check_refused("POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                  ERROR_INVALID);
    check_refused("POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 99999999999999999999\r\n\r\n", ERROR_INVALID);

    _cleanup_strbuf_ struct strbuf large = STRBUF_INIT, many = STRBUF_INIT;
    strbuf_add_string(&large, "GET / HTTP/1.1\r\nA: ");
    for (int i = 0; i < HTTP_MAX_HEAD; i++)
        strbuf_add_char(&large, 'x');
    check_refused(strbuf_text(&large), ERROR_TOO_LARGE);
    strbuf_add_string(&many, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 300; i++)
        strbuf_addf(&many, "h%d: x\r\n", i);
    strbuf_add_string(&many, "\r\n");
    check_refused(strbuf_text(&many), ERROR_TOO_LARGE);
    /* Repeats of one name are joined: they count too. */
    strbuf_truncate(&many, 0);
    strbuf_add_string(&many, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 300; i++)
        strbuf_add_string(&many, "h: x\r\n");
    strbuf_add_string(&many, "\r\n");
    check_refused(strbuf_text(&many), ERROR_TOO_LARGE);
}

static void check_broken_body(const char *text)
{
    struct input input;
    struct http_head head;
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    input_open(&input, true);
    input_send(&input, text);
    input_end(&input);
    assert_true(http_read_head(input.reader, true, &head, NULL));
    http_head_release(&head);
    assert_int_equal(read_all(input.reader, &body, 4096), -1);
    assert_int_equal(errno, EPROTO);
    input_close(&input);
}

static void test_broken_bodies(void **state)
{
#define CHUNKED_POST "POST / HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n"
    check_broken_body(CHUNKED_POST "zz\r\n");
    check_broken_body(CHUNKED_POST "5\r\nabc");
    check_broken_body(CHUNKED_POST "5\r\nabcdeX\r\n0\r\n\r\n");
    check_broken_body(CHUNKED_POST "ffffffffffffffff1\r\n");
    check_broken_body("POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 5\r\n\r\nabc");
    _cleanup_strbuf_ struct strbuf trailers = STRBUF_INIT;
    strbuf_add_string(&trailers, CHUNKED_POST "0\r\n");
    for (int i = 0; i < 10000; i++)
        strbuf_add_string(&trailers, "a: bcdefgh\r\n");
    check_broken_body(strbuf_text(&trailers));
}

static void test_deadline(void **state)
{
    struct input input;
    struct http_head head;
    _cleanup_error_ struct error err = ERROR_INIT;
    input_open(&input, true);
    input_send(&input, "GET / HT");
    http_reader_set_deadline(input.reader, clock_monotonic() + 20 * 1000000);
    assert_false(http_read_head(input.reader, true, &head, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    input_close(&input);
}

static void test_writers(void **state)
{
    struct input input;
    struct http_head head;
    struct strmap headers = {0};
    strmap_set(&headers, "Host", "d");
    strmap_set(&headers, "X-Evil", "a\r\nInjected: b");
    strmap_set(&headers, "Transfer-Encoding", "chunked");
    input_open(&input, true);
    assert_true(http_write_request_head(input.fds[1], "PUT", "/x", &headers));
    assert_true(http_write_chunk(input.fds[1], "abc", 3));
    assert_true(http_write_chunk(input.fds[1], "", 0));
    assert_true(http_write_last_chunk(input.fds[1]));
    assert_true(http_read_head(input.reader, true, &head, NULL));
    assert_null(strmap_get(&head.headers, "injected"));
    http_head_release(&head);
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    assert_int_equal(read_all(input.reader, &body, 4096), 0);
    assert_string_equal(strbuf_text(&body), "abc");
    strmap_release(&headers);
    input_close(&input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_head),
        cmocka_unit_test(test_pipelined_and_split),
        cmocka_unit_test(test_nothing_is_read_ahead),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_malformed_heads),
        cmocka_unit_test(test_broken_bodies),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
