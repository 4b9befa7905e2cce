#include "runtime/command_line/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/file.h"

void foreground_begin(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
}

static void copy_size(int console)
{
    struct winsize size;
    if (console >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        ioctl(console, TIOCSWINSZ, &size);
}

/* One chunk; false at the end. A pty whose other side has closed answers EIO. */
static bool copy(int from, int to)
{
    char chunk[8192];
    ssize_t n = read(from, chunk, sizeof(chunk));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    return n > 0 && write_full(to, chunk, (size_t)n) == 0;
}

/* True, with the exit code, when it was our child that ended. */
static bool handle_signal(int signals, pid_t pid, int console, int *exit_code)
{
    struct signalfd_siginfo info;
    int status;
    if (read(signals, &info, sizeof(info)) != sizeof(info))
        return false;
    if (info.ssi_signo == SIGWINCH)
        copy_size(console);
    else if (info.ssi_signo != SIGCHLD)
        kill(pid, (int)info.ssi_signo);
    else if (waitpid(pid, &status, WNOHANG) == pid) {
        *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return true;
    }
    return false;
}

int foreground_wait(pid_t pid, int console)
{
    sigset_t all;
    sigfillset(&all);
    _cleanup_close_ int signals = signalfd(-1, &all, SFD_CLOEXEC);
    struct termios before, raw;
    bool is_raw = console >= 0 && tcgetattr(STDIN_FILENO, &before) == 0;
    if (is_raw) {
        raw = before;
        cfmakeraw(&raw);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    copy_size(console);
    int exit_code = -1, input = console >= 0 ? STDIN_FILENO : -1;
    for (bool has_ended = false; !has_ended;) {
        struct pollfd polled[] = {{signals, POLLIN, 0}, {console, POLLIN, 0}, {input, POLLIN, 0}};
        if (poll(polled, ARRAY_SIZE(polled), -1) < 0)
            continue;
        if (polled[1].revents && !copy(console, STDOUT_FILENO))
            console = close_fd(console);
        if (polled[2].revents && (console < 0 || !copy(STDIN_FILENO, console)))
            input = -1;
        if (polled[0].revents)
            has_ended = handle_signal(signals, pid, console, &exit_code);
    }
    /* What it wrote last is still there. */
    struct pollfd rest = {console, POLLIN, 0};
    while (console >= 0 && poll(&rest, 1, 0) > 0 && copy(console, STDOUT_FILENO)) {
    }
    close_fd(console);
    if (is_raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return exit_code;
}

bool console_send(const char *path, int console, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(err, ERROR_INVALID, "the path of the console socket is too long");
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    static const char name[] = "/dev/ptmx";
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        send_with_fds(fd, name, sizeof(name) - 1, &console, 1) < 0)
        return error_errno(err, "console socket %s", path);
    return true;
}
