#include <fcntl.h>

#include "api/access.h"
#include "api/detach.h"
#include "api/request.h"
#include "api/respond.h"
#include "base/base64.h"
#include "base/memory.h"
#include "engine/containers.h"
#include "http/writer.h"
#include "shim/detach_keys.h"

/* Two numbers, of which those that are missing are none; NULL passes. */
static bool check_console_size(const char *text, const char *type_name, struct error *err)
{
    if (!text)
        return true;
    _cleanup_json_ json_t *size = json_loads(text, JSON_DECODE_ANY, NULL);
    const char *found = json_is_array(size)    ? NULL
                        : json_is_null(size)   ? NULL
                        : json_is_object(size) ? "object"
                        : json_is_string(size) ? "string"
                        : json_is_number(size) ? "number"
                                               : "bool";
    if (found)
        return error_set(err, ERROR_INVALID,
                         "invalid JSON: json: cannot unmarshal %s into Go struct field %s.ConsoleSize of type [2]uint",
                         found, type_name);
    for (size_t i = 0; i < MIN(json_array_size(size), (size_t)2); i++) {
        const json_t *number = json_array_get(size, i);
        if (!json_is_integer(number) || json_integer_value(number) < 0)
            return error_set(err, ERROR_INVALID,
                             "invalid JSON: json: cannot unmarshal a value that is no size into Go struct field "
                             "%s.ConsoleSize of type uint",
                             type_name);
    }
    return true;
}

/* How Docker refuses them here. */
static bool check_detach_keys(const char *text, struct error *err)
{
    _cleanup_free_ char *keys = NULL;
    return !string_is_set(text) || detach_keys_from_text(text, &keys, NULL) ||
           error_set(err, ERROR_INTERNAL, "Invalid escape keys (%s) provided", text);
}

bool execs_create(struct call *call, struct error *err)
{
    struct exec_request request = {0};
    if (!request_record(call, true, &exec_request_type, &request, err))
        return false;
    _cleanup_free_ char *id = NULL;
    bool is_created;
    if (!access_check_exec(call, &request, err) || !check_console_size(request.console_size, "ExecConfig", err)) {
        is_created = false;
    } else if (request.cmd.count == 0) {
        is_created = error_set(err, ERROR_INVALID, "No exec command specified");
    } else {
        if (call->version < 142)
            string_replace(&request.console_size, NULL);
        is_created =
            check_detach_keys(request.detach_keys, err) && exec_create(call->engine, call->target, &request, &id, err);
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
    RECORD_TYPE("types.ExecStartCheck", struct exec_start_request, exec_start_fields);

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

/* `keys`: hexadecimal, of a terminal's; NULL where there is none. */
static bool start_attached(struct call *call, const struct exec_start_request *request, char *keys, struct error *err)
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
        .detach_keys = keys,
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
    bool is_terminal = false, is_done;
    _cleanup_free_ char *key_text = NULL, *keys = NULL;
    struct error why = ERROR_INIT;
    if (!check_console_size(request.console_size, "ExecStartCheck", err)) {
        record_release(&exec_start_type, &request);
        return false;
    }
    bool may_start = exec_check_start(call->engine, call->target, &is_terminal, &key_text, &why);
    /* Only an exec that is not there is refused before the hijack, as Docker has it. */
    if (!may_start && (request.detach || why.kind == ERROR_NOT_FOUND)) {
        is_done = error_move(err, &why);
    } else if (request.detach) {
        struct shim_attachment none = {.fd = -1};
        is_done = exec_start(call->engine, call->target, true, 0, 0, &none, err) && respond_empty(call, 200);
    } else {
        error_release(&why);
        if (is_terminal)
            (void)detach_keys_from_text(key_text, &keys, NULL); /* they were checked when it was made */
        is_done = start_attached(call, &request, keys, err);
    }
    record_release(&exec_start_type, &request);
    return is_done;
}

/* Docker shows the bytes that they stand for, in base64. */
static void show_detach_keys(json_t *exec)
{
    _cleanup_free_ char *hex = NULL;
    const char *text = json_string_value(json_object_get(exec, "DetachKeys"));
    if (!string_is_set(text) || !detach_keys_from_text(text, &hex, NULL))
        return;
    unsigned char bytes[DETACH_KEYS_MAX];
    size_t count = 0;
    while (count < sizeof(bytes) && sscanf(hex + 2 * count, "%2hhx", &bytes[count]) == 1)
        count++;
    _cleanup_free_ char *shown = base64_encode(bytes, count);
    json_object_set_new(exec, "DetachKeys", json_string(shown));
}

bool execs_inspect(struct call *call, struct error *err)
{
    json_t *json = exec_inspect(call->engine, call->target, err);
    if (json)
        show_detach_keys(json);
    return json && respond_json(call, 200, json);
}

bool execs_resize(struct call *call, struct error *err)
{
    int64_t rows, columns;
    return parse_atoi(query_text(call, "h"), ERROR_INVALID, &rows, err) &&
           parse_atoi(query_text(call, "w"), ERROR_INVALID, &columns, err) &&
           exec_resize(call->engine, call->target, rows, columns, err) && respond_empty(call, 200);
}
