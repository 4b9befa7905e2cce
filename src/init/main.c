/* wherry-init: the first process of a container run with --init. It starts the program, hands every signal on to it,
   buries what dies in the container, and ends as the program ends (what tini does). Static, libc only.

       wherry-init [--] PROGRAM [ARGUMENT...] */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/macros.h"

#define EXIT_NOT_FOUND      127
#define EXIT_NOT_EXECUTABLE 126

static void complain(const char *what, const char *name)
{
    fprintf(stderr, "%s %s: %s\n", what, name, errno_text(errno));
}

/* The program has a process group of its own, which gets the terminal, so that ^C reaches it once. */
static _Noreturn void run_program(char **argv, const sigset_t *mask)
{
    setpgid(0, 0);
    if (tcsetpgrp(STDIN_FILENO, getpid()) < 0 && errno != ENOTTY && errno != ENXIO && errno != EBADF)
        complain("wherry-init: hand over the terminal to", argv[0]);
    sigprocmask(SIG_SETMASK, mask, NULL);
    signal(SIGTTOU, SIG_DFL);
    signal(SIGTTIN, SIG_DFL);
    execvp(argv[0], argv);
    int code = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
    complain("wherry-init: exec", argv[0]);
    _exit(code);
}

/* Reaps everything that has ended; true, with the exit code, when the program is among it. */
static bool reap(pid_t program, int *exit_code)
{
    bool has_ended = false;
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid != program)
            continue;
        has_ended = true;
        *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return has_ended;
}

int main(int argc, char **argv)
{
    argv++;
    if (argc > 1 && strcmp(*argv, "--version") == 0) {
        printf("wherry-init version " WHERRY_VERSION "\n");
        return 0;
    }
    if (argc > 1 && strcmp(*argv, "--") == 0)
        argv++;
    if (!*argv) {
        fprintf(stderr, "usage: wherry-init [--] PROGRAM [ARGUMENT...]\n");
        return 1;
    }
    /* Faults are our own; everything else is waited for, and handed on. */
    static const int own[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU};
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        sigdelset(&all, own[i]);
    sigprocmask(SIG_SETMASK, &all, &before);
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);

    pid_t program = fork();
    if (program == 0)
        run_program(argv, &before);
    if (program < 0) {
        complain("wherry-init: start", argv[0]);
        return 1;
    }
    for (int exit_code = 0;;) {
        int number = sigwaitinfo(&all, NULL);
        if (number == SIGCHLD) {
            if (reap(program, &exit_code))
                return exit_code;
        } else if (number > 0) {
            kill(program, number);
        }
    }
}
