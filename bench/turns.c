/* turns ROUNDS -- COMMAND [ARG...] -- COMMAND [ARG...] ...

   Runs the commands one after the other, ROUNDS times (and once before, to warm up), so that the machine's moods meet
   all of them alike, and prints the median wall time of each in milliseconds, a line each. A command that fails ends
   it. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 16
#define MAX_ROUNDS   1000
/* What a command leaves to the kernel and to its engine, a network namespace's end for one, should not meet the next.
 */
#define SETTLE_MICROSECONDS 50000

extern char **environ;

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double run(char **command)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    int status = -1;
    double begin = milliseconds();
    if (posix_spawnp(&pid, command[0], &actions, NULL, command, environ) != 0 || waitpid(pid, &status, 0) < 0 ||
        status) {
        fprintf(stderr, "%s failed (%d)\n", command[0], status);
        exit(1);
    }
    double end = milliseconds();
    usleep(SETTLE_MICROSECONDS);
    posix_spawn_file_actions_destroy(&actions);
    return end - begin;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    static double times[MAX_COMMANDS][MAX_ROUNDS];
    char **commands[MAX_COMMANDS];
    int count = 0, rounds = argc > 1 ? atoi(argv[1]) : 0;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--") != 0)
            continue;
        argv[i] = NULL;
        if (i + 1 < argc && count < MAX_COMMANDS)
            commands[count++] = &argv[i + 1];
    }
    if (rounds < 1 || rounds > MAX_ROUNDS || count == 0)
        return 2;
    for (int round = -1; round < rounds; round++)
        for (int i = 0; i < count; i++) {
            double time = run(commands[i]);
            if (round >= 0)
                times[i][round] = time;
        }
    for (int i = 0; i < count; i++) {
        qsort(times[i], (size_t)rounds, sizeof(double), compare);
        printf("%.2f\n", (times[i][(rounds - 1) / 2] + times[i][rounds / 2]) / 2);
    }
    return 0;
}
