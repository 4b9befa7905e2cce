#include "api/host.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/memory.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif
#define ZFS_SUPER_MAGIC 0x2fc12fc1

char *host_os_release(const char *key)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, "/etc/os-release", 65536, &text, NULL) &&
        !file_read(AT_FDCWD, "/usr/lib/os-release", 65536, &text, NULL))
        return NULL;
    _cleanup_strlist_ struct strlist lines = strlist_split(strbuf_text(&text), '\n');
    size_t length = strlen(key);
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i];
        if (strncmp(line, key, length) != 0 || line[length] != '=')
            continue;
        const char *value = line + length + 1;
        size_t value_length = strlen(value);
        if (value_length >= 2 && (*value == '"' || *value == '\'') && value[value_length - 1] == *value)
            return xstrndup(value + 1, value_length - 2);
        return xstrdup(value);
    }
    return NULL;
}

char *host_kernel_version(void)
{
    struct utsname host;
    uname(&host);
    return xstrdup(host.release);
}

int host_cpu_count(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}

int64_t host_memory(void)
{
    struct sysinfo info;
    return sysinfo(&info) == 0 ? (int64_t)info.totalram * info.mem_unit : 0;
}

static size_t entries(const char *path)
{
    DIR *folder = opendir(path);
    size_t count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return count;
}

size_t host_open_fds(void)
{
    size_t count = entries("/proc/self/fd");
    return count > 0 ? count - 1 : 0; /* the one that reads the folder */
}

size_t host_threads(void)
{
    return entries("/proc/self/task");
}

static char *first_line(const char *path)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, 4096, &text, NULL))
        return xstrdup("");
    const char *line = strbuf_text(&text);
    return xstrndup(line, strcspn(line, "\n"));
}

bool host_sysctl_is_on(const char *path)
{
    _cleanup_free_ char *line = first_line(path);
    return strtol(line, NULL, 10) != 0;
}

const char *host_file_system(const char *path)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } names[] = {
        {EXT4_SUPER_MAGIC, "extfs"},          {XFS_SUPER_MAGIC, "xfs"}, {BTRFS_SUPER_MAGIC, "btrfs"},
        {OVERLAYFS_SUPER_MAGIC, "overlayfs"}, {TMPFS_MAGIC, "tmpfs"},   {ZFS_SUPER_MAGIC, "zfs"},
        {F2FS_SUPER_MAGIC, "f2fs"},           {NFS_SUPER_MAGIC, "nfs"},
    };
    struct statfs status;
    if (statfs(path, &status) == 0)
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
            if ((unsigned long)status.f_type == names[i].magic)
                return names[i].name;
    return "<unknown>";
}
