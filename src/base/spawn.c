#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/memory.h"

extern char **environ;

/* Descriptors are first moved above every target, so that no dup2 overwrites one that a later dup2 needs. */
static int add_fds(posix_spawn_file_actions_t *actions, const int *fds, size_t count, int *moved)
{
    for (size_t i = 0; i < count; i++) {
        moved[i] = fds[i] < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : fcntl(fds[i], F_DUPFD_CLOEXEC, (int)count + 3);
        if (moved[i] < 0)
            return errno;
    }
    for (size_t i = 0; i < count; i++) {
        /* /dev/null may have come out at a low number. */
        if (moved[i] < (int)count) {
            int high = fcntl(moved[i], F_DUPFD_CLOEXEC, (int)count + 3);
            moved[i] = close_fd(moved[i]);
            if ((moved[i] = high) < 0)
                return errno;
        }
        int why = posix_spawn_file_actions_adddup2(actions, moved[i], (int)i);
        if (why)
            return why;
    }
    return 0;
}

pid_t spawn(const struct spawn_options *options, struct error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                  (options->wants_session ? POSIX_SPAWN_SETSID : 0) |
                                                  (options->wants_group ? POSIX_SPAWN_SETPGROUP : 0)));
    _cleanup_free_ int *moved = xcalloc(options->fd_count + 1, sizeof(int));
    for (size_t i = 0; i < options->fd_count; i++)
        moved[i] = -1;
    int why = options->fds ? add_fds(&actions, options->fds, options->fd_count, moved) : 0;
    pid_t pid = -1;
    if (!why)
        why = posix_spawnp(&pid, options->argv[0], &actions, &attributes, (char *const *)(uintptr_t)options->argv,
                           options->envp ? (char *const *)(uintptr_t)options->envp : environ);
    for (size_t i = 0; i < options->fd_count; i++)
        close_fd(moved[i]);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (why) {
        error_errno_value(err, why, "start %s", options->argv[0]);
        return -1;
    }
    return pid;
}

/* Feeds `input` and collects both outputs until the child has closed them. */
static void exchange(int in, const char *input, int out, struct strbuf *output, int errors, struct strbuf *complaint)
{
    size_t left = input ? strlen(input) : 0;
    if (!left)
        in = close_fd(in);
    while (out >= 0 || errors >= 0) {
        struct pollfd polled[] = {{in, POLLOUT, 0}, {out, POLLIN, 0}, {errors, POLLIN, 0}};
        if (poll(polled, 3, -1) < 0)
            continue;
        if (in >= 0 && polled[0].revents) {
            ssize_t n = write(in, input, MIN(left, (size_t)4096));
            if (n > 0) {
                input += n;
                left -= (size_t)n;
            }
            if (n <= 0 || !left)
                in = close_fd(in);
        }
        char chunk[4096];
        if (polled[1].revents) {
            ssize_t n = read(out, chunk, sizeof(chunk));
            if (n > 0)
                strbuf_add(output, chunk, (size_t)n);
            else
                out = close_fd(out);
        }
        if (polled[2].revents) {
            ssize_t n = read(errors, chunk, sizeof(chunk));
            if (n > 0)
                strbuf_add(complaint, chunk, (size_t)n);
            else
                errors = close_fd(errors);
        }
    }
    close_fd(in);
}

bool run(const char *const *argv, const char *input, size_t limit, struct strbuf *output, struct error *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1};
    pid_t pid = -1;
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
        error_errno(err, "pipe");
    else
        pid =
            spawn(&(struct spawn_options){.argv = argv, .fds = (int[]){in[0], out[1], errors[1]}, .fd_count = 3}, err);
    close_fd(in[0]);
    close_fd(out[1]);
    close_fd(errors[1]);
    if (pid < 0) {
        close_fd(in[1]);
        close_fd(out[0]);
        close_fd(errors[0]);
        return false;
    }
    _cleanup_strbuf_ struct strbuf discarded = {.limit = limit}, complaint = {.limit = 4096};
    struct strbuf *sink = output ? output : &discarded;
    if (output)
        sink->limit = limit;
    exchange(in[1], input, out[0], sink, errors[0], &complaint);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (complaint.length)
        strbuf_truncate(&complaint, strcspn(complaint.data, "\n"));
    return error_set(err, ERROR_INTERNAL, "%s failed: %s", argv[0], strbuf_text(&complaint));
}
