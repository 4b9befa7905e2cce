/* Requests that are answered before the engine is asked: the API without an engine, on a socket pair. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/api.h"
#include "base/log.h"
#include "base/memory.h"

static char socket_path[100];
static struct http_server *server;

static int start(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(socket_path, sizeof(socket_path), "/tmp/api-test-%d.sock", (int)getpid());
    memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
    unlink(socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
        return -1;
    struct api_options options = {.engine = NULL};
    *state = api_new(&options);
    struct http_server_options server_options = {.handle = api_handle, .context = *state};
    server = http_server_new(&server_options);
    http_server_add_listener(server, fd);
    return http_server_start(server, NULL) ? 0 : -1;
}

static int stop(void **state)
{
    http_server_stop(server, 1000000000);
    http_server_free(server);
    api_free(*state);
    return unlink(socket_path);
}

/* Status and body of the answer; `header` (may be NULL) must have the value given. */
static void check(const char *method, const char *path, const char *type, const char *body, int status,
                  const char *expected, const char *header, const char *value)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    _cleanup_strbuf_ struct strbuf request = STRBUF_INIT, answer = STRBUF_INIT;
    strbuf_addf(&request, "%s %s HTTP/1.1\r\nHost: d\r\nConnection: close\r\n", method, path);
    if (type)
        strbuf_addf(&request, "Content-Type: %s\r\n", type);
    strbuf_addf(&request, "Content-Length: %zu\r\n\r\n%s", strlen(string_or_empty(body)), string_or_empty(body));
    assert_int_equal(send(fd, request.data, request.length, MSG_NOSIGNAL), request.length);

    struct http_reader *reader = http_reader_new(fd);
    struct http_head head;
    assert_true(http_read_head(reader, false, &head, NULL));
    char data[4096];
    ssize_t count;
    while (!string_equal(method, "HEAD") && (count = http_read_body(reader, data, sizeof(data))) > 0)
        strbuf_add(&answer, data, (size_t)count);
    assert_int_equal(head.status, status);
    if (expected)
        assert_string_equal(strbuf_text(&answer), expected);
    if (header)
        assert_string_equal(string_or_empty(strmap_get(&head.headers, header)), value);
    http_head_release(&head);
    http_reader_free(reader);
}

#define ERROR_TEXT(message) "{\"message\":\"" message "\"}\n"

static void test_ping(void **state)
{
    check("GET", "/_ping", NULL, NULL, 200, "OK", "builder-version", "1");
    check("GET", "/v1.24/_ping", NULL, NULL, 200, "OK", "api-version", "1.50");
    check("HEAD", "/_ping", NULL, NULL, 200, "", "ostype", "linux");
    check("GET", "/_ping", NULL, NULL, 200, "OK", "server", "Wherry/" WHERRY_VERSION " (linux)");
    check("GET", "/_ping", NULL, NULL, 200, "OK", "docker-experimental", "false");
}

static void test_unknown_paths(void **state)
{
    check("GET", "/nosuch", NULL, NULL, 404, ERROR_TEXT("page not found"), "api-version", "");
    check("PUT", "/version", NULL, NULL, 404, ERROR_TEXT("page not found"), NULL, NULL);
    check("GET", "/", NULL, NULL, 404, ERROR_TEXT("page not found"), NULL, NULL);
    check("GET", "//v1.45//version", NULL, NULL, 301, "", "location", "/v1.45/version");
    check("GET", "/v1.99/version", NULL, NULL, 400,
          ERROR_TEXT("client version 1.99 is too new. Maximum supported API version is 1.50"), "api-version", "1.50");
    check("POST", "/swarm/init", NULL, NULL, 501,
          ERROR_TEXT("POST /swarm/init is not supported by this version of Wherry"), NULL, NULL);
    check("OPTIONS", "/anything", NULL, NULL, 200, "", NULL, NULL);
}

/* Docker 26.1's answers. */
static void test_create_bodies(void **state)
{
    const char *path = "/v1.45/containers/create", *json = "application/json";
    const char *eof = ERROR_TEXT("invalid JSON: got EOF while reading request body");
    const char *empty = ERROR_TEXT("config cannot be empty in order to create a container");
    check("POST", path, NULL, "", 400, eof, NULL, NULL);
    check("POST", path, json, "", 400, eof, NULL, NULL);
    check("POST", path, json, " \n ", 400, eof, NULL, NULL);
    check("POST", path, json, "{", 400, ERROR_TEXT("invalid JSON: unexpected EOF"), NULL, NULL);
    check("POST", path, json, "x", 400,
          ERROR_TEXT("invalid JSON: invalid character 'x' looking for beginning of value"), NULL, NULL);
    check("POST", path, json, "{}{}", 400, ERROR_TEXT("unexpected content after JSON"), NULL, NULL);
    check("POST", path, json, "null", 400, empty, NULL, NULL);
    check("POST", path, json, "{}", 400, empty, NULL, NULL);
    check("POST", path, "APPLICATION/json; charset=utf-8", "{}", 400, empty, NULL, NULL);
    check("POST", path, "text/plain", "{}", 400,
          ERROR_TEXT("unsupported Content-Type header (text/plain): must be 'application/json'"), NULL, NULL);
    check("POST", path, ";;", "{}", 400, ERROR_TEXT("malformed Content-Type header (;;): mime: no media type"), NULL,
          NULL);
    _cleanup_strbuf_ struct strbuf deep = STRBUF_INIT;
    for (int i = 0; i < 20000; i++)
        strbuf_add_string(&deep, "{\"a\":");
    check("POST", path, json, strbuf_text(&deep), 400, NULL, NULL, NULL);
}

static void test_parameters(void **state)
{
    check("POST", "/v1.45/containers/x/stop?t=y", NULL, NULL, 500,
          ERROR_TEXT("strconv.Atoi: parsing \\\"y\\\": invalid syntax"), NULL, NULL);
    check("POST", "/v1.45/containers/x/resize", NULL, NULL, 400,
          ERROR_TEXT("strconv.Atoi: parsing \\\"\\\": invalid syntax"), NULL, NULL);
    check("POST", "/v1.45/containers/x/rename", NULL, NULL, 400, ERROR_TEXT("Neither old nor new names may be empty"),
          NULL, NULL);
    check("POST", "/v1.45/containers/x/wait?condition=y", NULL, NULL, 400, ERROR_TEXT("invalid condition: \\\"y\\\""),
          NULL, NULL);
    check("GET", "/v1.45/containers/x/logs", NULL, NULL, 400,
          ERROR_TEXT("Bad parameters: you must choose at least one stream"), NULL, NULL);
    check("GET", "/v1.45/containers/x/logs?stdout=1&since=y", NULL, NULL, 500,
          ERROR_TEXT("strconv.ParseInt: parsing \\\"y\\\": invalid syntax"), NULL, NULL);
    check("GET", "/v1.45/containers/json?filters=x", NULL, NULL, 400, ERROR_TEXT("invalid filter"), NULL, NULL);
    check("GET", "/v1.45/containers/json?limit=x", NULL, NULL, 500,
          ERROR_TEXT("strconv.Atoi: parsing \\\"x\\\": invalid syntax"), NULL, NULL);
    check("POST", "/v1.45/containers/x/exec", NULL, NULL, 400, ERROR_TEXT("No exec command specified"), NULL, NULL);
    check("POST", "/v1.45/containers/x/start", "application/json", "{\"Binds\":[]}", 400,
          ERROR_TEXT("starting container with non-empty request body was deprecated since API v1.22 and removed in "
                     "v1.24"),
          NULL, NULL);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ping),
        cmocka_unit_test(test_unknown_paths),
        cmocka_unit_test(test_create_bodies),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
