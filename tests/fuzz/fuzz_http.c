/* Feeds broken messages to the HTTP reader, over a socket and over a pipe, which must agree.

       fuzz_http [rounds [seed]]     mutates messages of its own, the same ones for the same seed; a unit test runs this
       clang -DWITH_LIBFUZZER -fsanitize=fuzzer,address …    libFuzzer drives it

   Sanitizers make it worth more. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "http/message.h"
#include "mutate.h"

#define MESSAGES_MAX 8

static void expect(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* Everything that was understood, as text, and how it ended. */
static void describe(int fd, bool is_request, struct strbuf *out)
{
    struct http_reader *reader = http_reader_new(fd);
    for (size_t i = 0; i < MESSAGES_MAX; i++) {
        struct http_head head;
        struct error err = ERROR_INIT;
        if (!http_read_head(reader, is_request, &head, &err)) {
            strbuf_addf(out, "no head: %d %s\n", (int)err.kind, error_message(&err));
            error_release(&err);
            break;
        }
        strbuf_addf(out, "%s %s %d %lld\n", string_or_empty(head.method), string_or_empty(head.target), head.status,
                    (long long)head.content_length);
        for (size_t header = 0; header < head.headers.count; header++)
            strbuf_addf(out, "%s: %s\n", head.headers.items[header].key, head.headers.items[header].value);
        if (is_request) {
            expect(head.method && head.target, "a request without a method or target");
            const char *query = strchr(head.target, '?');
            _cleanup_strmap_ struct strmap pairs = {0};
            http_query_parse(query ? query + 1 : "", &pairs);
            _cleanup_free_ char *bad_escape = http_query_bad_escape(query ? query + 1 : "");
            http_unescape(head.target);
        }
        int64_t total = 0;
        char data[512];
        ssize_t count;
        while ((count = http_read_body(reader, data, 1 + (size_t)total % sizeof(data))) > 0) {
            strbuf_add(out, data, (size_t)count);
            total += count;
        }
        strbuf_addf(out, "\nbody: %lld %s\n", (long long)total, count < 0 ? "broken" : "whole");
        if (count == 0 && !head.is_chunked && head.content_length >= 0 && head.status / 100 != 1 &&
            head.status != 204 && head.status != 304)
            expect(total == head.content_length, "a body that is not as long as its head says");
        http_head_release(&head);
        if (count < 0)
            break;
        expect(http_body_is_over(reader), "a body that ended and is not over");
    }
    http_reader_free(reader);
}

static void read_message(const char *data, size_t length)
{
    for (int is_request = 0; is_request < 2; is_request++) {
        struct strbuf seen[2] = {STRBUF_INIT, STRBUF_INIT};
        for (int is_pipe = 0; is_pipe < 2; is_pipe++) {
            int fds[2];
            if ((is_pipe ? pipe(fds) : socketpair(AF_UNIX, SOCK_STREAM, 0, fds)) < 0 ||
                write(fds[1], data, length) != (ssize_t)length)
                abort();
            close(fds[1]);
            describe(fds[0], is_request, &seen[is_pipe]);
            close(fds[0]);
        }
        expect(string_equal(strbuf_text(&seen[0]), strbuf_text(&seen[1])), "socket and pipe do not agree");
        strbuf_release(&seen[0]);
        strbuf_release(&seen[1]);
    }
}

#ifdef WITH_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length < 32768)
        read_message((const char *)data, length);
    return 0;
}
#else
int main(int argc, char **argv)
{
    static const char *const seeds[] = {
        "GET /v1.50/containers/json?all=1&filters=%7B%22a%22%3A%5B%5D%7D HTTP/1.1\r\nHost: d\r\nUser-Agent: x\r\n\r\n",
        "POST /containers/create?name=a+b%20c HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
        "Content-Length: 14\r\n\r\n{\"Image\":\"bb\"}GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n",
        "POST /images/load HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
        "5\r\nhello\r\na;name=value\r\n0123456789\r\n0\r\nX: y\r\n\r\nHEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n",
        "POST /exec/1/start HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: "
        "2\r\n\r\n{}raw",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: "
        "chunked\r\n\r\n4\r\nab\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.0 200 OK\r\n\r\nuntil the end",
    };
    static const char *const words[] = {"\r\n",
                                        "\n",
                                        "\r",
                                        "\r\n\r\n",
                                        ":",
                                        " ",
                                        "\t",
                                        "0\r\n\r\n",
                                        "ffffffffffffffff\r\n",
                                        "-1",
                                        "%00",
                                        "%",
                                        "&",
                                        "=",
                                        "?",
                                        "#",
                                        "HTTP/1.1",
                                        "HTTP/9.9",
                                        "Content-Length: 5\r\n",
                                        "é",
                                        "Host: ",
                                        "chunk",
                                        "gzip,",
                                        "Transfer-Encoding: chunked\r\n",
                                        "99999999999999999999",
                                        "Connection: close\r\n"};
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (unsigned long round = 0; round < rounds; round++) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        strbuf_add_string(&text, seeds[draw(ARRAY_SIZE(seeds))]);
        mutate(&text, words, ARRAY_SIZE(words));
        read_message(strbuf_text(&text), draw(8) ? text.length : draw(text.length + 1));
    }
    return 0;
}
#endif
