#include "runtime/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup_v1.h"
#include "runtime/cgroup_v2.h"

/* How long the kernel may take to bury killed processes. */
#define BURIAL_TRIES 400
#define FREEZE_TRIES 400
#define PAUSE_NANO   5000000
#define PROCS_SIZE   (4u << 20)
#define MAX_NESTED   16

int cgroup_version(void)
{
    static int version;
    struct statfs status;
    if (!version)
        version = statfs(CGROUP_ROOT, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC ? 2 : 1;
    return version;
}

/* The folder of the cgroup in the i-th hierarchy, owned; NULL after the last. */
static char *folder_of(const char *path, size_t index)
{
    size_t count = 1;
    if (cgroup_version() == 2)
        return index ? NULL : xasprintf(CGROUP_ROOT "/%s", path + (*path == '/'));
    const struct cgroup_hierarchy *hierarchies = cgroup_v1_hierarchies(&count);
    if (index >= count)
        return NULL;
    return xasprintf(CGROUP_ROOT "/%s/%s", hierarchies[index].directory, path + (*path == '/'));
}

/* The folder that answers questions about processes: the freezer's, whose members always are the container's. */
static char *main_folder(const char *path)
{
    if (cgroup_version() == 2)
        return folder_of(path, 0);
    const char *directory = cgroup_v1_directory("freezer");
    return directory ? xasprintf(CGROUP_ROOT "/%s/%s", directory, path + (*path == '/')) : folder_of(path, 0);
}

static bool check_path(const char *path, struct error *err)
{
    _cleanup_free_ char *clean = path_clean(string_or_empty(path));
    if (!string_is_set(path) || strcmp(clean, "/") == 0 || string_starts_with(clean, "..") || strcmp(clean, ".") == 0)
        return error_set(err, ERROR_INVALID, "invalid cgroup path \"%s\"", string_or_empty(path));
    return true;
}

bool cgroup_create(const char *path, const struct oci_resources *resources, struct strlist *warnings, struct error *err)
{
    if (!check_path(path, err))
        return false;
    bool is_done = cgroup_version() == 2 ? cgroup_v2_create(path, resources, warnings, err)
                                         : cgroup_v1_create(path, resources, warnings, err);
    if (!is_done)
        cgroup_destroy(path);
    return is_done;
}

bool cgroup_update(const char *path, const struct oci_resources *resources, struct strlist *warnings, struct error *err)
{
    if (!check_path(path, err))
        return false;
    return cgroup_version() == 2 ? cgroup_v2_update(path, resources, warnings, err)
                                 : cgroup_v1_update(path, resources, warnings, err);
}

/* With v1 a thread that moves itself, by `tasks`, does without the lock over all forks of the machine that any other
   move takes, and with it without waiting for an RCU grace period (10 ms and more). */
bool cgroup_join(const char *path, struct error *err)
{
    const char *name = cgroup_version() == 2 ? "cgroup.procs" : "tasks";
    for (size_t i = 0;; i++) {
        _cleanup_free_ char *folder = folder_of(path, i);
        if (!folder)
            return true;
        _cleanup_free_ char *file = path_join(folder, name);
        _cleanup_close_ int fd = open(file, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "0", 1) < 0)
            return error_errno(err, "write %s", file);
    }
}

int cgroup_open(const char *path)
{
    if (cgroup_version() != 2)
        return -1;
    _cleanup_free_ char *folder = folder_of(path, 0);
    return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NANO}, NULL);
}

/* Does `file` of the folder have a line that is, or begins with, `wanted`? */
static bool has_line(const char *folder, const char *file, const char *wanted)
{
    _cleanup_free_ char *path = path_join(folder, file);
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, 65536, &text, NULL))
        return false;
    const char *at = strstr(strbuf_text(&text), wanted);
    return at && (at == text.data || at[-1] == '\n');
}

bool cgroup_freeze(const char *path, bool is_frozen, struct error *err)
{
    bool is_unified = cgroup_version() == 2;
    _cleanup_free_ char *folder = main_folder(path);
    _cleanup_free_ char *file = path_join(folder, is_unified ? "cgroup.freeze" : "freezer.state");
    const char *state = is_unified ? (is_frozen ? "1" : "0") : (is_frozen ? "FROZEN" : "THAWED");
    const char *event = is_unified ? (is_frozen ? "frozen 1" : "frozen 0") : state;
    for (int i = 0; i < FREEZE_TRIES; i++) {
        if (!file_write_text(AT_FDCWD, file, state, 0, err))
            return false;
        if (has_line(folder, is_unified ? "cgroup.events" : "freezer.state", event))
            return true;
        pause_briefly();
    }
    if (is_frozen)
        file_write_text(AT_FDCWD, file, is_unified ? "0" : "THAWED", 0, NULL);
    return error_set(err, ERROR_INTERNAL, "the cgroup %s did not become %s in time", path,
                     is_frozen ? "frozen" : "thawed");
}

static void read_pids(const char *folder, pid_t **pids, size_t *count)
{
    _cleanup_free_ char *file = path_join(folder, "cgroup.procs");
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, file, PROCS_SIZE, &text, NULL))
        return;
    char *end;
    for (const char *at = strbuf_text(&text); *at; at = end) {
        long pid = strtol(at, &end, 10);
        if (end == at)
            break;
        /* 0 is a process of a pid namespace that we cannot see. */
        if (pid > 0)
            *APPEND(*pids, *count) = (pid_t)pid;
        end += *end == '\n';
    }
}

static void collect(const char *folder, int depth, pid_t **pids, size_t *count)
{
    read_pids(folder, pids, count);
    DIR *entries = depth < MAX_NESTED ? opendir(folder) : NULL;
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        _cleanup_free_ char *inner = path_join(folder, entry->d_name);
        collect(inner, depth + 1, pids, count);
    }
    if (entries)
        closedir(entries);
}

void cgroup_children(const char *path, struct strlist *out)
{
    for (size_t i = 0;; i++) {
        _cleanup_free_ char *folder = folder_of(path, i);
        if (!folder)
            return;
        DIR *stream = opendir(folder);
        for (struct dirent *entry; stream && (entry = readdir(stream));)
            if (entry->d_type == DT_DIR && entry->d_name[0] != '.' && !strlist_contains(out, entry->d_name))
                strlist_add(out, entry->d_name);
        if (stream)
            closedir(stream);
    }
}

bool cgroup_processes(const char *path, pid_t **pids, size_t *count, struct error *err)
{
    _cleanup_free_ char *folder = main_folder(path);
    if (access(folder, F_OK) < 0)
        return error_errno(err, "open %s", folder);
    *pids = NULL;
    *count = 0;
    collect(folder, 0, pids, count);
    return true;
}

bool cgroup_kill_all(const char *path, int signal_number)
{
    _cleanup_free_ pid_t *pids = NULL;
    size_t count = 0;
    if (!cgroup_processes(path, &pids, &count, NULL))
        return false;
    bool was_any = false;
    for (size_t i = 0; i < count; i++)
        was_any |= kill(pids[i], signal_number) == 0;
    return was_any;
}

bool cgroup_had_oom_kill(const char *path)
{
    const char *directory = cgroup_version() == 2 ? "" : cgroup_v1_directory("memory");
    if (!directory)
        return false;
    _cleanup_free_ char *file = xasprintf(CGROUP_ROOT "/%s/%s/%s", directory, path + (*path == '/'),
                                          *directory ? "memory.oom_control" : "memory.events");
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, file, 4096, &text, NULL))
        return false;
    const char *line = strstr(strbuf_text(&text), "oom_kill ");
    return line && strtoull(line + strlen("oom_kill "), NULL, 10) > 0;
}

/* Removes the folder and those that the container may have made in it. 0, or an errno (EBUSY: processes are left). */
static int remove_folder(const char *folder, int depth)
{
    if (rmdir(folder) == 0 || errno == ENOENT)
        return 0;
    DIR *entries = depth < MAX_NESTED ? opendir(folder) : NULL;
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        _cleanup_free_ char *inner = path_join(folder, entry->d_name);
        remove_folder(inner, depth + 1);
    }
    if (entries)
        closedir(entries);
    return rmdir(folder) == 0 || errno == ENOENT ? 0 : errno;
}

static bool remove_everywhere(const char *path)
{
    bool is_gone = true;
    for (size_t i = 0;; i++) {
        _cleanup_free_ char *folder = folder_of(path, i);
        if (!folder)
            return is_gone;
        is_gone &= remove_folder(folder, 0) == 0;
    }
}

static void kill_rest(const char *path)
{
    _cleanup_free_ char *folder = main_folder(path);
    _cleanup_free_ char *all = path_join(folder, "cgroup.kill"), *state = path_join(folder, "freezer.state");
    if (cgroup_version() == 2 && file_write_text(AT_FDCWD, all, "1", 0, NULL))
        return;
    cgroup_kill_all(path, SIGKILL);
    /* Frozen processes do not die before they thaw; O_CREAT finds no file where there is no freezer. */
    if (cgroup_version() == 1 && access(state, W_OK) == 0)
        file_write_text(AT_FDCWD, state, "THAWED", 0, NULL);
}

void cgroup_destroy(const char *path)
{
    if (!check_path(path, NULL))
        return;
    for (int i = 0; i < BURIAL_TRIES && !remove_everywhere(path); i++) {
        kill_rest(path);
        pause_briefly();
    }
}
