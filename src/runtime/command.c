#include "runtime/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* 0 when `path` is a file that the caller may execute, else an errno. */
static int check_executable(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    /* faccessat also knows of noexec mounts, and root needs one execute bit at least. */
    if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
        return errno;
    return status.st_mode & 0111 ? 0 : EACCES;
}

char *command_find(const char *name, const struct strlist *env, struct error *err)
{
    if (strchr(name, '/')) {
        int why = check_executable(name);
        if (!why)
            return xstrdup(name);
        bool is_missing = why != EISDIR && why != EACCES && why != EPERM;
        error_set(err, ERROR_INVALID, "exec: \"%s\": %s%s%s%s", name, is_missing ? "stat " : "", is_missing ? name : "",
                  is_missing ? ": " : "", errno_text(why));
        if (err)
            err->errno_value = why;
        return NULL;
    }
    const char *path = env_get(env, "PATH");
    for (const char *at = string_or_empty(path); *name && *at;) {
        size_t length = strcspn(at, ":");
        _cleanup_free_ char *candidate = length ? xasprintf("%.*s/%s", (int)length, at, name) : xasprintf("./%s", name);
        if (check_executable(candidate) == 0)
            return TAKE_PTR(candidate);
        at += length + (at[length] == ':');
    }
    error_set(err, ERROR_INVALID, "exec: \"%s\": executable file not found in $PATH", name);
    if (err)
        err->errno_value = ENOENT;
    return NULL;
}

_Noreturn void command_execute(const char *path, const struct strlist *args, const struct strlist *env)
{
    static char *const nothing[] = {NULL};
    execve(path, args->items, env->items ? env->items : nothing);
    char text[512];
    int length = snprintf(text, sizeof(text), "exec %s: %s\n", path, errno_text(errno));
    if (write(STDERR_FILENO, text, MIN((size_t)length, sizeof(text) - 1)) < 0)
        _exit(1);
    _exit(1);
}
