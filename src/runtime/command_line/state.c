#include "runtime/command_line/state.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "json/json_record.h"

static const struct field state_fields[] = {
    FIELD_STRING(struct container_state, "ociVersion", oci_version, 0),
    FIELD_STRING(struct container_state, "id", id, 0),
    FIELD_INT64(struct container_state, "pid", pid, 0),
    FIELD_UINT64(struct container_state, "startTime", start_time, 0),
    FIELD_STRING(struct container_state, "bundle", bundle, 0),
    FIELD_STRING(struct container_state, "cgroupsPath", cgroups_path, 0),
    FIELD_STRING(struct container_state, "created", created, 0),
};
const struct record_type container_state_type = RECORD_TYPE("state", struct container_state, state_fields);
const char *const container_status_names[] = {"created", "running", "stopped"};

char *state_directory(const char *root, const char *id, struct error *err)
{
    bool is_valid = *id && strcmp(id, ".") != 0 && strcmp(id, "..") != 0 && strlen(id) <= 255;
    for (const char *at = id; *at && is_valid; at++)
        is_valid = isalnum((unsigned char)*at) || strchr("_+-.", *at);
    if (!is_valid) {
        error_set(err, ERROR_INVALID, "invalid container ID format: \"%s\"", id);
        return NULL;
    }
    return path_join(root, id);
}

char *state_fifo(const char *directory)
{
    return path_join(directory, "start.fifo");
}

bool state_save(const char *directory, const struct container_state *state, struct error *err)
{
    _cleanup_free_ char *path = path_join(directory, "state.json"), *text = record_format(&container_state_type, state);
    return file_replace(path, text, strlen(text), 0600, false, err);
}

bool state_load(const char *root, const char *id, struct container_state *state, struct error *err)
{
    _cleanup_free_ char *directory = state_directory(root, id, err);
    if (!directory)
        return false;
    _cleanup_free_ char *path = path_join(directory, "state.json");
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    struct error why = ERROR_INIT;
    if (!file_read(AT_FDCWD, path, 1 << 20, &text, &why)) {
        if (why.errno_value != ENOENT)
            return error_move(err, &why);
        error_release(&why);
        return error_set(err, ERROR_NOT_FOUND, "container \"%s\" does not exist", id);
    }
    return record_parse(&container_state_type, strbuf_text(&text), text.length, state, err);
}

uint64_t process_start_time(pid_t pid)
{
    _cleanup_free_ char *path = xasprintf("/proc/%d/stat", pid);
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (pid <= 0 || !file_read(AT_FDCWD, path, 4096, &text, NULL))
        return 0;
    /* The command's name, in parentheses, may have anything in it. After it: state is field 3, start time field 22. */
    const char *at = strrchr(strbuf_text(&text), ')');
    if (!at || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X')
        return 0;
    at += 2;
    for (int field = 3; field < 22 && *at; field++)
        at += strcspn(at, " "), at += *at == ' ';
    return strtoull(at, NULL, 10);
}

enum container_status state_status(const char *root, const struct container_state *state)
{
    uint64_t start = process_start_time((pid_t)state->pid);
    if (!start || start != state->start_time)
        return STATUS_STOPPED;
    _cleanup_free_ char *directory = path_join(root, state->id), *fifo = state_fifo(directory);
    return access(fifo, F_OK) == 0 ? STATUS_CREATED : STATUS_RUNNING;
}
