#include "shim/exit_record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

bool exit_record_write(const char *directory, const struct shim_status *status, struct error *err)
{
    _cleanup_free_ char *path = path_join(directory, "exit");
    _cleanup_free_ char *text =
        xasprintf("exit_code %d\nis_oom_killed %d\nsignal %d\nfinished_at %lld\npid %d\nstarted_at %lld\n",
                  status->exit.exit_code, status->exit.is_oom_killed, status->exit.signal_number,
                  (long long)status->exit.finished_at, (int)status->pid, (long long)status->started_at);
    return file_replace(path, text, strlen(text), 0600, false, err);
}

bool exit_record_read(const char *directory, struct shim_status *out, struct error *err)
{
    _cleanup_free_ char *path = path_join(directory, "exit");
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, 4096, &text, err)) {
        if (err && err->errno_value == ENOENT)
            err->kind = ERROR_NOT_FOUND;
        return false;
    }
    _cleanup_strlist_ struct strlist lines = strlist_split(strbuf_text(&text), '\n');
    struct shim_status status = {.has_exited = true};
    for (size_t i = 0; i < lines.count; i++) {
        char *space = strchr(lines.items[i], ' ');
        int64_t value;
        if (!space || !parse_int64(space + 1, &value))
            continue;
        *space = '\0';
        if (string_equal(lines.items[i], "exit_code"))
            status.exit.exit_code = (int)value;
        else if (string_equal(lines.items[i], "is_oom_killed"))
            status.exit.is_oom_killed = value != 0;
        else if (string_equal(lines.items[i], "signal"))
            status.exit.signal_number = (int)value;
        else if (string_equal(lines.items[i], "finished_at"))
            status.exit.finished_at = value;
        else if (string_equal(lines.items[i], "pid"))
            status.pid = (pid_t)value;
        else if (string_equal(lines.items[i], "started_at"))
            status.started_at = value;
    }
    *out = status;
    return true;
}

void exit_record_remove(const char *directory)
{
    _cleanup_free_ char *path = path_join(directory, "exit");
    unlink(path);
}
