#include "shim/protocol.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/wire.h"

static const struct field log_fields[] = {
    FIELD_INT64(struct shim_log, "format", format, 0),
    FIELD_STRING(struct shim_log, "path", path, 0),
    FIELD_INT64(struct shim_log, "maxSize", max_size, 0),
    FIELD_INT64(struct shim_log, "maxFiles", max_files, 0),
    FIELD_BOOL(struct shim_log, "compresses", compresses, 0),
    FIELD_STRING(struct shim_log, "attributes", attributes, 0),
    FIELD_STRING(struct shim_log, "loggerProgram", logger_program, 0),
    FIELD_BOOL(struct shim_log, "isNonBlocking", is_non_blocking, 0),
    FIELD_INT64(struct shim_log, "maxBuffer", max_buffer, 0),
    FIELD_RECORD(struct shim_log, "settings", settings, 0, struct logger_settings, &logger_settings_type),
};
const struct record_type shim_log_type = RECORD_TYPE("ShimLog", struct shim_log, log_fields);

static const struct field options_fields[] = {
    FIELD_STRING(struct shim_options, "id", id, 0),
    FIELD_STRING(struct shim_options, "directory", directory, 0),
    FIELD_RECORD(struct shim_options, "log", log, 0, struct shim_log, &shim_log_type),
    FIELD_BOOL(struct shim_options, "hasStdin", has_stdin, 0),
    FIELD_BOOL(struct shim_options, "stdinOnce", stdin_once, 0),
    FIELD_BOOL(struct shim_options, "isTerminal", is_terminal, 0),
    FIELD_INT64(struct shim_options, "initialRows", initial_rows, 0),
    FIELD_INT64(struct shim_options, "initialColumns", initial_columns, 0),
};
static const struct record_type options_type = RECORD_TYPE("ShimOptions", struct shim_options, options_fields);

static const struct field attach_fields[] = {
    FIELD_BOOL(struct shim_attachment, "wantsStdin", wants_stdin, 0),
    FIELD_BOOL(struct shim_attachment, "wantsStdout", wants_stdout, 0),
    FIELD_BOOL(struct shim_attachment, "wantsStderr", wants_stderr, 0),
    FIELD_BOOL(struct shim_attachment, "isFramed", is_framed, 0),
    FIELD_STRING(struct shim_attachment, "detachKeys", detach_keys, 0),
};
const struct record_type message_attach_type = RECORD_TYPE("ShimAttachment", struct shim_attachment, attach_fields);

static const struct field shim_start_fields[] = {
    FIELD_RECORD(struct shim_start, "options", options, 0, struct shim_options, &options_type),
    FIELD_RECORD(struct shim_start, "launch", launch, 0, struct launch, &launch_type),
    FIELD_RECORDS(struct shim_start, "attachments", attachments, 0, &message_attach_type),
};
const struct record_type shim_start_type = RECORD_TYPE("ShimStart", struct shim_start, shim_start_fields);

static const struct field start_fields[] = {
    FIELD_UINT64(struct message_start, "fingerprint", fingerprint, 0),
};
const struct record_type message_start_type = RECORD_TYPE("Start", struct message_start, start_fields);

static const struct field started_fields[] = {
    FIELD_INT64(struct message_started, "pid", pid, 0),
    FIELD_INT64(struct message_started, "startedAt", started_at, 0),
    FIELD_STRINGS(struct message_started, "warnings", warnings, 0),
};
const struct record_type message_started_type = RECORD_TYPE("Started", struct message_started, started_fields);

static const struct field failed_fields[] = {
    FIELD_INT64(struct message_failed, "kind", kind, 0),
    FIELD_INT64(struct message_failed, "errno", errno_value, 0),
    FIELD_STRING(struct message_failed, "message", message, 0),
};
const struct record_type message_failed_type = RECORD_TYPE("Failed", struct message_failed, failed_fields);

static const struct field exited_fields[] = {
    FIELD_INT32(struct shim_exit, "exitCode", exit_code, 0),
    FIELD_BOOL(struct shim_exit, "isOomKilled", is_oom_killed, 0),
    FIELD_INT64(struct shim_exit, "finishedAt", finished_at, 0),
};
const struct record_type message_exited_type = RECORD_TYPE("Exited", struct shim_exit, exited_fields);

static const struct field state_fields[] = {
    FIELD_INT32(struct shim_status, "pid", pid, 0),
    FIELD_INT64(struct shim_status, "startedAt", started_at, 0),
    FIELD_BOOL(struct shim_status, "hasExited", has_exited, 0),
    FIELD_RECORD(struct shim_status, "exit", exit, 0, struct shim_exit, &message_exited_type),
};
const struct record_type message_state_type = RECORD_TYPE("State", struct shim_status, state_fields);

static const struct field resize_fields[] = {
    FIELD_STRING(struct message_resize, "execID", exec_id, 0),
    FIELD_INT64(struct message_resize, "rows", rows, 0),
    FIELD_INT64(struct message_resize, "columns", columns, 0),
};
const struct record_type message_resize_type = RECORD_TYPE("Resize", struct message_resize, resize_fields);

static const struct field kill_fields[] = {
    FIELD_INT64(struct message_kill, "signal", signal_number, 0),
    FIELD_BOOL(struct message_kill, "isAll", is_all, 0),
};
const struct record_type message_kill_type = RECORD_TYPE("Kill", struct message_kill, kill_fields);

static const struct field network_fields[] = {
    FIELD_UINT64(struct message_network, "fingerprint", fingerprint, 0),
};
const struct record_type message_network_type = RECORD_TYPE("Network", struct message_network, network_fields);

static const struct field exec_fields[] = {
    FIELD_UINT64(struct message_exec, "fingerprint", fingerprint, 0),
    FIELD_STRING(struct message_exec, "execID", exec_id, 0),
    FIELD_BOOL(struct message_exec, "isTerminal", is_terminal, 0),
    FIELD_INT64(struct message_exec, "rows", rows, 0),
    FIELD_INT64(struct message_exec, "columns", columns, 0),
    FIELD_BOOL(struct message_exec, "hasAttachment", has_attachment, 0),
    FIELD_RECORD(struct message_exec, "attachment", attachment, 0, struct shim_attachment, &message_attach_type),
};
const struct record_type message_exec_type = RECORD_TYPE("Exec", struct message_exec, exec_fields);

static const struct field exec_signal_fields[] = {
    FIELD_STRING(struct message_exec_signal, "execID", exec_id, 0),
    FIELD_INT64(struct message_exec_signal, "signal", signal_number, 0),
};
const struct record_type message_exec_signal_type =
    RECORD_TYPE("ExecSignal", struct message_exec_signal, exec_signal_fields);

static const struct field exec_start_fields[] = {
    FIELD_RECORD(struct shim_exec_start, "launch", launch, 0, struct launch_exec, &launch_exec_type),
    FIELD_STRING(struct shim_exec_start, "description", description, 0),
};
const struct record_type shim_exec_start_type = RECORD_TYPE("ExecStart", struct shim_exec_start, exec_start_fields);

static const struct field exec_status_fields[] = {
    FIELD_STRING(struct shim_exec_status, "id", id, 0),
    FIELD_STRING(struct shim_exec_status, "description", description, 0),
    FIELD_INT32(struct shim_exec_status, "pid", pid, 0),
    FIELD_BOOL(struct shim_exec_status, "hasExited", has_exited, 0),
    FIELD_BOOL(struct shim_exec_status, "isTold", is_told, 0),
    FIELD_RECORD(struct shim_exec_status, "exit", exit, 0, struct shim_exit, &message_exited_type),
};
const struct record_type shim_exec_status_type = RECORD_TYPE("ExecStatus", struct shim_exec_status, exec_status_fields);

static const struct field exec_list_fields[] = {
    FIELD_RECORDS(struct shim_exec_list, "execs", execs, 0, &shim_exec_status_type),
};
const struct record_type shim_exec_list_type = RECORD_TYPE("ExecList", struct shim_exec_list, exec_list_fields);

bool message_send(int socket, enum message_type type, const struct record_type *record_type, const void *record,
                  const int *fds, size_t fd_count, struct error *err)
{
    _cleanup_strbuf_ struct strbuf packet = STRBUF_INIT;
    uint32_t number = type;
    strbuf_add(&packet, &number, sizeof(number));
    if (record_type)
        wire_encode(record_type, record, &packet);
    if (packet.length > MESSAGE_SIZE)
        return error_set(err, ERROR_TOO_LARGE, "%s message of %zu bytes is too large", record_type->name,
                         packet.length);
    if (send_with_fds(socket, packet.data, packet.length, fds, fd_count) < 0)
        return error_errno(err, "send to the other side of the shim's socket");
    return true;
}

void message_send_failure(int socket, struct error *why)
{
    /* The rest of an absurdly long message is not worth a second transport. */
    if (why->message && strlen(why->message) > MESSAGE_SIZE / 2)
        why->message[MESSAGE_SIZE / 2] = '\0';
    struct message_failed failed = {why->kind ? why->kind : ERROR_INTERNAL, why->errno_value, why->message};
    message_send(socket, MESSAGE_FAILED, &message_failed_type, &failed, NULL, 0, NULL);
    error_release(why);
}

bool message_receive(int socket, struct message *message, struct error *err)
{
    message->fd_count = 0;
    ssize_t n = receive_with_fds(socket, message->data, sizeof(message->data), message->fds, MESSAGE_FD_COUNT,
                                 &message->fd_count);
    if (n < 0)
        return error_errno(err, "receive from the shim's socket");
    uint32_t number;
    if ((size_t)n < sizeof(number)) {
        message_release(message);
        return error_set(err, ERROR_UNAVAILABLE, "the other side of the shim's socket has gone");
    }
    memcpy(&number, message->data, sizeof(number));
    message->type = number;
    message->length = (size_t)n - sizeof(number);
    return true;
}

bool message_expect(const struct message *message, enum message_type type, const struct record_type *record_type,
                    void *record, struct error *err)
{
    const char *data = message->data + sizeof(uint32_t);
    if (message->type == MESSAGE_FAILED) {
        struct message_failed failed = {0};
        if (!wire_decode(&message_failed_type, data, message->length, &failed, err))
            return false;
        error_set(err, (enum error_kind)failed.kind, "%s", string_or_empty(failed.message));
        if (err)
            err->errno_value = (int)failed.errno_value;
        record_release(&message_failed_type, &failed);
        return false;
    }
    if (message->type != type)
        return error_set(err, ERROR_INTERNAL, "message %d came over the shim's socket where %d was expected",
                         (int)message->type, (int)type);
    return !record_type || wire_decode(record_type, data, message->length, record, err);
}

void message_release(struct message *message)
{
    for (size_t i = 0; i < message->fd_count; i++)
        message->fds[i] = close_fd(message->fds[i]);
    message->fd_count = 0;
}

int payload_write(const struct record_type *type, const void *record, struct error *err)
{
    _cleanup_strbuf_ struct strbuf content = STRBUF_INIT;
    wire_encode(type, record, &content);
    if (content.is_overrun) {
        error_set(err, ERROR_TOO_LARGE, "%s is larger than %zu bytes", type->name, STRBUF_DEFAULT_LIMIT);
        return -1;
    }
    _cleanup_close_ int fd = memfd_create(type->name, MFD_CLOEXEC);
    if (fd < 0 || write_full(fd, content.data, content.length) < 0) {
        error_errno(err, "write %s to a memfd", type->name);
        return -1;
    }
    return TAKE_FD(fd);
}

bool payload_read(int fd, const struct record_type *type, void *record, struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_errno(err, "stat the memfd of %s", type->name);
    size_t size = (size_t)status.st_size;
    void *data = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0) : NULL;
    if (data == MAP_FAILED)
        return error_errno(err, "map the memfd of %s", type->name);
    bool is_read = wire_decode(type, data, size, record, err);
    if (data)
        munmap(data, size);
    return is_read;
}

/* FNV-1a. */
static void mix(uint64_t *hash, const void *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        *hash = (*hash ^ ((const unsigned char *)data)[i]) * UINT64_C(0x100000001b3);
}

static void mix_type(uint64_t *hash, const struct record_type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const struct field *field = &type->fields[i];
        unsigned char kind = (unsigned char)field->kind;
        mix(hash, field->name, strlen(field->name) + 1);
        mix(hash, &kind, 1);
        if (field->type)
            mix_type(hash, field->type);
    }
}

uint64_t record_fingerprint(const struct record_type *type)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    mix_type(&hash, type);
    return hash;
}
