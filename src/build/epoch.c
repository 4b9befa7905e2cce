#include "build/epoch.h"

#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>

bool epoch_clamp(const char *folder, int64_t seconds, struct error *err)
{
    char *const roots[] = {(char *)(uintptr_t)folder, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    if (!walk)
        return error_errno(err, "read %s", folder);
    const FTSENT *entry;
    bool is_done = true;
    while (is_done && (entry = fts_read(walk))) {
        /* A folder is met before and after what is in it. */
        if (entry->fts_info == FTS_D || entry->fts_info == FTS_NS || entry->fts_info == FTS_ERR ||
            entry->fts_info == FTS_DNR || entry->fts_statp->st_mtim.tv_sec < seconds)
            continue;
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds}};
        if (utimensat(AT_FDCWD, entry->fts_accpath, times, AT_SYMLINK_NOFOLLOW) < 0)
            is_done = error_errno(err, "set the time of %s", entry->fts_path);
    }
    fts_close(walk);
    return is_done;
}
