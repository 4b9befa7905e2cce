/* `wherry system dial-stdio`: what ssh:// addresses run on the other machine. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"

#define PIECE ((size_t)32 << 10)

/* Copies what is there to read. *from becomes -1 at its end, which is passed on. */
static bool pass_on(int *from, int to, struct error *err)
{
    char piece[PIECE];
    ssize_t count = read(*from, piece, sizeof(piece));
    if (count < 0 && errno == EINTR)
        return true;
    if (count > 0)
        return write_full(to, piece, (size_t)count) == 0 || error_errno(err, "write");
    *from = -1;
    if (to != STDOUT_FILENO)
        shutdown(to, SHUT_WR);
    return true;
}

static bool dial_stdio_run(struct command_call *call, struct error *err)
{
    _cleanup_close_ int engine = client_dial(call->client, err);
    if (engine < 0)
        return error_prefix(err, "failed to open the raw stream connection");
    int input = STDIN_FILENO, output = engine;
    while (output >= 0) {
        struct pollfd polled[] = {{input, POLLIN, 0}, {output, POLLIN, 0}};
        if (poll(polled, ARRAY_SIZE(polled), -1) < 0) {
            if (errno == EINTR)
                continue;
            return error_errno(err, "poll");
        }
        if (polled[0].revents && !pass_on(&input, engine, err))
            return false;
        if (polled[1].revents && !pass_on(&output, STDOUT_FILENO, err))
            return false;
    }
    return true;
}

const struct command dial_stdio_command = {
    .paths = {"system dial-stdio"},
    .usage = "",
    .help = "Proxy the stdio stream to the daemon connection. Should not be invoked manually.",
    .is_hidden = true,
    .run = dial_stdio_run,
};
