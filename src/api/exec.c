#include <fcntl.h>

#include "api/request.h"
#include "api/respond.h"
#include "base/memory.h"
#include "engine/containers.h"
#include "http/writer.h"

bool execs_create(struct call *call, struct error *err)
{
    struct exec_request request = {0};
    if (!request_record(call, true, &exec_request_type, &request, err))
        return false;
    _cleanup_free_ char *id = NULL;
    bool is_created;
    if (request.cmd.count == 0) {
        is_created = error_set(err, ERROR_INVALID, "No exec command specified");
    } else {
        if (call->version < 142)
            string_replace(&request.console_size, NULL);
        is_created = exec_create(call->engine, call->target, &request, &id, err);
    }
    record_release(&exec_request_type, &request);
    return is_created && respond_json(call, 201, json_pack("{s:s}", "Id", id));
}

/* The body of POST /exec/{id}/start. */
struct exec_start_request {
    bool detach;
    bool tty;
    char *console_size; /* JSON: [height, width] */
};
static const struct field exec_start_fields[] = {
    FIELD_BOOL(struct exec_start_request, "Detach", detach, 0),
    FIELD_BOOL(struct exec_start_request, "Tty", tty, 0),
    FIELD_JSON(struct exec_start_request, "ConsoleSize", console_size, 0),
};
static const struct record_type exec_start_type =
    RECORD_TYPE("ExecStartOptions", struct exec_start_request, exec_start_fields);

static void read_console_size(const struct exec_start_request *request, int version, int64_t *rows, int64_t *columns)
{
    *rows = *columns = 0;
    if (!request->console_size || !request->tty || version < 142)
        return;
    _cleanup_json_ json_t *size = json_loads(request->console_size, 0, NULL);
    *rows = json_integer_value(json_array_get(size, 0));
    *columns = json_integer_value(json_array_get(size, 1));
}

/* An error after the hijack goes where the output would have gone. */
static void write_error(int fd, bool is_framed, const struct error *err)
{
    _cleanup_free_ char *text = xasprintf("%s\r\n", error_message(err));
    size_t length = strlen(text);
    if (is_framed) {
        unsigned char header[8] = {1,
                                   0,
                                   0,
                                   0,
                                   (unsigned char)(length >> 24),
                                   (unsigned char)(length >> 16),
                                   (unsigned char)(length >> 8),
                                   (unsigned char)length};
        http_send(fd, header, sizeof(header));
    }
    http_send(fd, text, length);
}

static bool start_attached(struct call *call, const struct exec_start_request *request, struct error *err)
{
    bool is_framed = !request->tty;
    bool is_multiplexed = is_framed && call->version >= 142 && call->exchange->head.wants_upgrade;
    int fd = http_exchange_hijack(
        call->exchange,
        is_multiplexed ? "application/vnd.docker.multiplexed-stream" : "application/vnd.docker.raw-stream", err);
    if (fd < 0)
        return false;
    _cleanup_close_ int for_error = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    struct shim_attachment attachment = {
        .fd = fd,
        .wants_stdin = true,
        .wants_stdout = true,
        .wants_stderr = true,
        .is_framed = is_framed,
    };
    int64_t rows, columns;
    read_console_size(request, call->version, &rows, &columns);
    struct error why = ERROR_INIT;
    if (!exec_start(call->engine, call->target, false, rows, columns, &attachment, &why)) {
        write_error(for_error, is_framed, &why);
        error_release(&why);
    }
    return true;
}

bool execs_start(struct call *call, struct error *err)
{
    struct exec_start_request request = {0};
    if (!request_record(call, true, &exec_start_type, &request, err))
        return false;
    bool is_terminal, is_done;
    struct error why = ERROR_INIT;
    bool may_start = exec_check_start(call->engine, call->target, &is_terminal, &why);
    /* Only an exec that is not there is refused before the hijack, as Docker has it. */
    if (!may_start && (request.detach || why.kind == ERROR_NOT_FOUND)) {
        is_done = error_move(err, &why);
    } else if (request.detach) {
        struct shim_attachment none = {.fd = -1};
        is_done = exec_start(call->engine, call->target, true, 0, 0, &none, err) && respond_empty(call, 200);
    } else {
        error_release(&why);
        is_done = start_attached(call, &request, err);
    }
    record_release(&exec_start_type, &request);
    return is_done;
}

bool execs_inspect(struct call *call, struct error *err)
{
    json_t *json = exec_inspect(call->engine, call->target, err);
    return json && respond_json(call, 200, json);
}

bool execs_resize(struct call *call, struct error *err)
{
    int64_t rows, columns;
    return parse_atoi(query_text(call, "h"), ERROR_INVALID, &rows, err) &&
           parse_atoi(query_text(call, "w"), ERROR_INVALID, &columns, err) &&
           exec_resize(call->engine, call->target, rows, columns, err) && respond_empty(call, 200);
}
