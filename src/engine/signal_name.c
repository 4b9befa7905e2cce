#include "engine/signal_name.h"

#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"ABRT", SIGABRT},     {"ALRM", SIGALRM},   {"BUS", SIGBUS},   {"CHLD", SIGCHLD}, {"CLD", SIGCHLD},
    {"CONT", SIGCONT},     {"FPE", SIGFPE},     {"HUP", SIGHUP},   {"ILL", SIGILL},   {"INT", SIGINT},
    {"IO", SIGIO},         {"IOT", SIGABRT},    {"KILL", SIGKILL}, {"PIPE", SIGPIPE}, {"POLL", SIGPOLL},
    {"PROF", SIGPROF},     {"PWR", SIGPWR},     {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV}, {"STKFLT", SIGSTKFLT},
    {"STOP", SIGSTOP},     {"SYS", SIGSYS},     {"TERM", SIGTERM}, {"TRAP", SIGTRAP}, {"TSTP", SIGTSTP},
    {"TTIN", SIGTTIN},     {"TTOU", SIGTTOU},   {"URG", SIGURG},   {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
    {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH}, {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},
};
/* Numbers as a container's libc sees them, whatever our own libc keeps for itself. */
#define FIRST_REALTIME 34
#define LAST_REALTIME  64

static int realtime_signal(const char *name)
{
    int64_t offset = 0;
    if (strncasecmp(name, "RTMIN", 5) == 0) {
        if (name[5] && (name[5] != '+' || !parse_int64(name + 6, &offset)))
            return -1;
        offset += FIRST_REALTIME;
    } else if (strncasecmp(name, "RTMAX", 5) == 0) {
        if (name[5] && (name[5] != '-' || !parse_int64(name + 6, &offset)))
            return -1;
        offset = LAST_REALTIME - offset;
    }
    return offset >= FIRST_REALTIME && offset <= LAST_REALTIME ? (int)offset : -1;
}

int signal_parse(const char *text, struct error *err)
{
    int64_t number;
    if (parse_int64(text, &number)) {
        if (number > 0 && number <= LAST_REALTIME)
            return (int)number;
        if (number == 0)
            error_set(err, ERROR_INVALID, "invalid signal: %s", text);
        else
            error_set(err, ERROR_INVALID, "the linux daemon does not support signal %s", text);
        return -1;
    }
    const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        if (strcasecmp(name, signals[i].name) == 0)
            return signals[i].number;
    int realtime = realtime_signal(name);
    if (realtime < 0)
        error_set(err, ERROR_INVALID, "invalid signal: %s", text);
    return realtime;
}

char *signal_name_of(int number)
{
    const char *name = number > 0 ? sigabbrev_np(number) : NULL;
    return name ? xasprintf("SIG%s", name) : NULL;
}
