#include "cli/signals.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/macros.h"
#include "cli/terminal.h"

static const struct {
    int number;
    const char *name;
    bool ends_us;
} forwarded[] = {
    {SIGHUP, "HUP", true},   {SIGINT, "INT", true},    {SIGQUIT, "QUIT", true}, {SIGTERM, "TERM", true},
    {SIGUSR1, "USR1", true}, {SIGUSR2, "USR2", true},  {SIGALRM, "ALRM", true}, {SIGCONT, "CONT", false},
    {SIGIO, "IO", false},    {SIGPROF, "PROF", false}, {SIGPWR, "PWR", false},  {SIGVTALRM, "VTALRM", false},
};

int signals_open(bool forwards)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++) {
        if (forwards || forwarded[i].ends_us)
            sigaddset(&set, forwarded[i].number);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

const char *signal_name(int number)
{
    for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++) {
        if (forwarded[i].number == number)
            return forwarded[i].name;
    }
    return NULL;
}

void signal_die(int number)
{
    terminal_restore();
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    signal(number, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    _exit(128 + number);
}
