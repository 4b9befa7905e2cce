#include "cli/confirm.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"

#define ANSWER_LIMIT 4096

static bool is_yes(const char *answer)
{
    static const char blanks[] = " \t\r\n";
    answer += strspn(answer, blanks);
    return (*answer == 'y' || *answer == 'Y') && !answer[1 + strspn(answer + 1, blanks)];
}

/* A line of standard input, byte by byte, because what follows it is not ours. False after a signal. */
static bool read_answer(int signals, struct strbuf *answer, struct error *err)
{
    while (answer->length < ANSWER_LIMIT) {
        struct pollfd polled[] = {{STDIN_FILENO, POLLIN, 0}, {signals, POLLIN, 0}};
        if (poll(polled, ARRAY_SIZE(polled), -1) < 0) {
            if (errno == EINTR)
                continue;
            return error_errno(err, "poll");
        }
        if (polled[1].revents) {
            putchar('\n');
            return false;
        }
        char byte = 0;
        ssize_t count = read(STDIN_FILENO, &byte, 1);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_errno(err, "read /dev/stdin");
        if (count == 0 || byte == '\n')
            break;
        strbuf_add_char(answer, byte);
    }
    return true;
}

bool confirm(const char *warning, bool *is_confirmed, struct error *err)
{
    _cleanup_free_ char *question = xasprintf("%s\nAre you sure you want to continue?", warning);
    return confirm_question(question, is_confirmed, err);
}

bool confirm_question(const char *question, bool *is_confirmed, struct error *err)
{
    printf("%s [y/N] ", question);
    fflush(stdout);
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &before);
    _cleanup_close_ int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    _cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
    _cleanup_error_ struct error cause = ERROR_INIT;
    bool is_read = read_answer(signals, &answer, &cause);
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof(info)) > 0)
        continue;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (cause.kind != ERROR_NONE) {
        error_move(err, &cause);
        return false;
    }
    *is_confirmed = is_read && is_yes(strbuf_text(&answer));
    return true;
}
