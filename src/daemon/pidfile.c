#include "daemon/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "base/file.h"
#include "base/memory.h"

/* Process ids are used again: a living process of another name (after a reboot, say) is not wherryd. */
static bool is_wherryd(pid_t pid)
{
    char path[64];
    _cleanup_strbuf_ struct strbuf name = STRBUF_INIT, own = STRBUF_INIT;
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    return pid != getpid() && kill(pid, 0) == 0 && file_read(AT_FDCWD, path, 64, &name, NULL) &&
           file_read(AT_FDCWD, "/proc/self/comm", 64, &own, NULL) &&
           string_equal(strbuf_text(&name), strbuf_text(&own));
}

bool pidfile_write(const char *path, struct error *err)
{
    _cleanup_strbuf_ struct strbuf before = STRBUF_INIT;
    int64_t pid;
    if (file_read(AT_FDCWD, path, 64, &before, NULL)) {
        if (before.length > 0 && before.data[before.length - 1] == '\n')
            strbuf_truncate(&before, before.length - 1);
        if (parse_int64(strbuf_text(&before), &pid) && pid > 0 && is_wherryd((pid_t)pid))
            return error_set(err, ERROR_CONFLICT,
                             "ensure wherryd is not running or delete %s: process with PID %lld is "
                             "still running",
                             path, (long long)pid);
    }
    char text[32];
    int length = snprintf(text, sizeof(text), "%d", (int)getpid());
    return file_replace(path, text, (size_t)length, 0644, false, err);
}
