#include "runtime/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/memory.h"

int rlimit_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } rows[] = {
        {"RLIMIT_AS", RLIMIT_AS},
        {"RLIMIT_CORE", RLIMIT_CORE},
        {"RLIMIT_CPU", RLIMIT_CPU},
        {"RLIMIT_DATA", RLIMIT_DATA},
        {"RLIMIT_FSIZE", RLIMIT_FSIZE},
        {"RLIMIT_LOCKS", RLIMIT_LOCKS},
        {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
        {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
        {"RLIMIT_NICE", RLIMIT_NICE},
        {"RLIMIT_NOFILE", RLIMIT_NOFILE},
        {"RLIMIT_NPROC", RLIMIT_NPROC},
        {"RLIMIT_RSS", RLIMIT_RSS},
        {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
        {"RLIMIT_RTTIME", RLIMIT_RTTIME},
        {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
        {"RLIMIT_STACK", RLIMIT_STACK},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].number;
    return -1;
}

bool limits_set_rlimits(const struct record_list *rlimits, struct strlist *warnings, struct error *err)
{
    for (size_t i = 0; i < rlimits->count; i++) {
        const struct oci_rlimit *wanted = RECORD_AT(*rlimits, struct oci_rlimit, i);
        int number = rlimit_number(string_or_empty(wanted->type));
        if (number < 0)
            return error_set(err, ERROR_INVALID, "wrong rlimit value: %s", string_or_empty(wanted->type));
        struct rlimit limit = {.rlim_cur = wanted->soft, .rlim_max = wanted->hard}, own;
        if (setrlimit((__rlimit_resource_t)number, &limit) == 0)
            continue;
        if (errno != EPERM || getrlimit((__rlimit_resource_t)number, &own) < 0)
            return error_errno(err, "error setting rlimit type %d", number);
        /* Without CAP_SYS_RESOURCE the hard limit cannot grow (nor NOFILE pass fs.nr_open): as far as it goes. */
        limit.rlim_max = MIN(limit.rlim_max, own.rlim_max);
        limit.rlim_cur = MIN(limit.rlim_cur, limit.rlim_max);
        if (setrlimit((__rlimit_resource_t)number, &limit) < 0)
            return error_errno(err, "error setting rlimit type %d", number);
        strlist_addf(warnings, "%s is limited to %llu: raising it is not permitted here", wanted->type,
                     (unsigned long long)limit.rlim_max);
    }
    return true;
}

bool limits_set_oom_score(int64_t adjustment, struct strlist *warnings, struct error *err)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)adjustment);
    struct error why = ERROR_INIT;
    if (file_write(AT_FDCWD, "/proc/self/oom_score_adj", text, strlen(text), 0, &why))
        return true;
    if (why.errno_value != EACCES && why.errno_value != EPERM)
        return error_move(err, &why);
    error_release(&why);
    strlist_addf(warnings, "oom_score_adj %s was not set: lowering it is not permitted here", text);
    return true;
}

bool limits_set_sysctls(const struct strmap *sysctls, struct error *err)
{
    for (size_t i = 0; i < sysctls->count; i++) {
        const char *key = sysctls->items[i].key, *value = sysctls->items[i].value;
        _cleanup_free_ char *path = xasprintf("/proc/sys/%s", key);
        if (strstr(key, ".."))
            return error_set(err, ERROR_INVALID, "sysctl \"%s\" is invalid", key);
        /* With a '/' in it the dots are part of names ("net/ipv4/conf/eth0.1/forwarding"). */
        for (char *dot = path; !strchr(key, '/') && (dot = strchr(dot, '.'));)
            *dot = '/';
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
            return error_errno(err, "open %s", path);
        if (write(fd, value, strlen(value)) < 0)
            return error_errno(err, "write %s", path);
    }
    return true;
}
