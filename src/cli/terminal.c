#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static bool is_raw;

void terminal_restore(void)
{
    if (is_raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    is_raw = false;
}

void terminal_make_raw(void)
{
    static bool is_registered;
    if (is_raw || tcgetattr(STDIN_FILENO, &saved) < 0)
        return;
    if (!is_registered)
        atexit(terminal_restore);
    is_registered = true;
    struct termios raw = saved;
    cfmakeraw(&raw);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

bool terminal_size(unsigned *height, unsigned *width)
{
    struct winsize size = {0};
    bool is_terminal = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    *height = is_terminal ? size.ws_row : 0;
    *width = is_terminal ? size.ws_col : 0;
    return is_terminal;
}

bool terminal_check(bool has_stdin, bool wants_tty, struct error *err)
{
    if (has_stdin && wants_tty && !isatty(STDIN_FILENO))
        return error_set(err, ERROR_INVALID, "the input device is not a TTY");
    return true;
}
