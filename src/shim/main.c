/* wherry-shim: holds one container. Started by wherryd (client.c) with nothing but the socket of protocol.h. */
#include <fcntl.h>
#include <linux/close_range.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "shim/mounts.h"
#include "shim/shim.h"
#include "shim/view.h"

/* After this long without an event, memory that was needed once is given back. */
#define IDLE_MILLISECONDS 2000
/* So long a client that is slow to take the last output of a dead container is waited for. */
#define LINGER_NANOSECONDS (10 * NANOSECONDS_PER_SECOND)

static void ignore(int signal_number)
{
}

/* Handlers, not SIG_IGN: execve resets them for the container. */
static void ignore_signals(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
        sigaction(ignored[i], &(struct sigaction){.sa_handler = ignore, .sa_flags = SA_RESTART}, NULL);
}

/* The kernel should kill anything before the one process whose death ends a container. It was inherited from wherryd
   until now, so that the container did not inherit this; raising one's own chances takes a capability that may be
   missing. */
static void protect_from_oom_killer(void)
{
    file_write_text(AT_FDCWD, "/proc/self/oom_score_adj", "-999", 0, NULL);
}

static bool start(struct shim *shim, struct message *received, struct error *err)
{
    struct message message = *received;
    received->fd_count = 0;
    struct message_start head = {0};
    struct shim_start content = {0};
    struct message_started started = {0};
    bool is_started = message_expect(&message, MESSAGE_START, &message_start_type, &head, err);
    if (is_started && (head.fingerprint != record_fingerprint(&shim_start_type) || message.fd_count < 1))
        is_started = error_set(err, ERROR_INTERNAL, "wherry-shim and wherryd are of different builds");
    is_started = is_started && payload_read(message.fds[0], &shim_start_type, &content, err) &&
                 shim_start(shim, &content, &message, &started.warnings, err);
    message_release(&message);
    record_release(&shim_start_type, &content);
    if (is_started) {
        started.pid = shim->container.pid;
        started.started_at = shim->started_at;
        /* Warnings that do not fit are given up; whether the engine is still there to read does not matter any more. */
        if (!message_send(SHIM_CHANNEL, MESSAGE_STARTED, &message_started_type, &started, NULL, 0, NULL)) {
            strlist_release(&started.warnings);
            message_send(SHIM_CHANNEL, MESSAGE_STARTED, &message_started_type, &started, NULL, 0, NULL);
        }
    }
    strlist_release(&started.warnings);
    return is_started;
}

/* The one message that says what this process is for. */
static bool take_first(struct shim *shim, struct message *message, struct error *err)
{
    switch (message->type) {
    case MESSAGE_VIEW:
        return view_make(message, err);
    case MESSAGE_MOUNTS:
        return mounts_change(message, err);
    default:
        return start(shim, message, err);
    }
}

static void serve(struct shim *shim)
{
    bool is_idle = false;
    while (!shim_is_over(shim)) {
        int timeout = shim_advance(shim);
        if (shim_is_over(shim))
            break;
        if (timeout < 0 && !is_idle)
            timeout = IDLE_MILLISECONDS;
        is_idle = !loop_handle_one(&shim->loop, timeout);
        if (is_idle) {
            session_release_memory(&shim->container.session);
            loop_release_memory(&shim->loop);
            malloc_trim(0);
        }
    }
}

static bool has_work(const struct shim *shim)
{
    const struct session *session = &shim->container.session;
    return shim->execs || session->attachments || output_log_is_flushing(session->log);
}

/* What is left is output that clients or the logger are slow to take. wherryd waits for this process, so another one
 * does that. */
static void linger(struct shim *shim)
{
    int64_t deadline = clock_monotonic() + LINGER_NANOSECONDS;
    bool is_child = false;
    while (has_work(shim)) {
        if (!is_child && fork() != 0)
            return;
        is_child = true;
        int64_t left = deadline - clock_monotonic();
        if (left <= 0)
            return;
        int wanted = shim_advance(shim), most = (int)(left / 1000000) + 1;
        if (has_work(shim))
            loop_handle_one(&shim->loop, wanted < 0 || wanted > most ? most : wanted);
    }
}

int main(int argc, char **argv)
{
    syscall(SYS_close_range, SHIM_CHANNEL + 1, ~0U, 0);
    if (fcntl(SHIM_CHANNEL, F_SETFD, FD_CLOEXEC) < 0) {
        static const char message[] = "wherry-shim is started by wherryd, not by hand\n";
        (void)!write(STDERR_FILENO, message, sizeof(message) - 1);
        return 1;
    }
    mallopt(M_MMAP_THRESHOLD, 64 * 1024);
    mallopt(M_TRIM_THRESHOLD, 64 * 1024);
    ignore_signals();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    struct shim shim = {0};
    struct error err = ERROR_INIT;
    struct message message;
    bool is_received = message_receive(SHIM_CHANNEL, &message, &err);
    bool is_short = is_received && (message.type == MESSAGE_VIEW || message.type == MESSAGE_MOUNTS);
    if (!is_received || !take_first(&shim, &message, &err)) {
        message_send_failure(SHIM_CHANNEL, &err);
        return 1;
    }
    if (is_short)
        return 0;
    protect_from_oom_killer();
    server_add(&shim, SHIM_CHANNEL, true);
    serve(&shim);
    linger(&shim);
    output_log_free(shim.container.session.log);
    return 0;
}
