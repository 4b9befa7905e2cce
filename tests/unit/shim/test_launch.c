/* Containers held by a shim, through the engine's side of it: test-shim-launch <shim program> [real]. With "real" they
   are containers of the runtime, which takes root; without it processes of the host (fake_runtime.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"
#include "runtime/defaults.h"
#include "shim/client.h"

#define TIMEOUT 10000

static const char *shim_program;
static bool is_real;

struct fixture {
    char folder[64];
    struct shim_options options;
    struct launch launch;
    struct oci_process *process;
    pid_t pid;
    int watch;
    struct shim_exit exit;
};

static void make_root(struct fixture *fixture)
{
    char *root = path_join(fixture->folder, "root");
    static const char *const folders[] = {"", "/bin", "/proc", "/sys", "/dev", "/tmp", "/etc"};
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        _cleanup_free_ char *path = xasprintf("%s%s", root, folders[i]);
        assert_int_equal(mkdir(path, 0755), 0);
    }
    _cleanup_free_ char *busybox = xasprintf("%s/bin/busybox", root);
    const char *argv[] = {"cp", "/bin/busybox", busybox, NULL};
    assert_true(run(argv, NULL, 0, NULL, NULL));
    fixture->launch.config.root.path = root;
}

static int set_up(void **state)
{
    struct fixture *fixture = NEW(struct fixture);
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/shim-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    make_root(fixture);
    fixture->watch = -1;
    const char *name = path_base(fixture->folder);
    /* A long name: the socket's path does not fit into an address. */
    fixture->options = (struct shim_options){
        .id = xstrdup(name),
        .directory = xasprintf("%s/run/%0100d", fixture->folder, 0),
        .log = {.format = SHIM_LOG_JSON, .path = path_join(fixture->folder, "log")},
    };
    _cleanup_free_ char *run_folder = path_join(fixture->folder, "run");
    assert_int_equal(mkdir(run_folder, 0700), 0);
    struct runtime_config *config = &fixture->launch.config;
    fixture->process = config->process = NEW(struct oci_process);
    config->process->cwd = xstrdup("/");
    strlist_add(&config->process->env, "PATH=/bin");
    config->process->capabilities = NEW(struct oci_capabilities);
    defaults_namespaces(&config->linux_.namespaces, false);
    defaults_mounts(&config->mounts, 1 << 20);
    config->linux_.cgroups_path = xasprintf("/%s", name);
    *state = fixture;
    return 0;
}

static struct strlist busybox(const char *script)
{
    struct strlist args = {0};
    strlist_add(&args, "/bin/busybox");
    strlist_add(&args, "sh");
    strlist_add(&args, "-c");
    strlist_add(&args, script);
    return args;
}

static void assert_no_error(bool is_done, struct error *err)
{
    if (!is_done)
        fail_msg("%s", error_message(err));
}

static bool try_start(struct fixture *fixture, const char *script, struct shim_attachment *attachments, size_t count,
                      struct error *err)
{
    struct strlist warnings = {0};
    if (script)
        fixture->process->args = busybox(script);
    fixture->process->terminal = fixture->options.is_terminal;
    bool is_started = shim_launch(shim_program, &fixture->options, &fixture->launch, attachments, count, &fixture->pid,
                                  &fixture->watch, &warnings, err);
    strlist_release(&warnings);
    return is_started;
}

static void start(struct fixture *fixture, const char *script, struct shim_attachment *attachments, size_t count)
{
    struct error err = ERROR_INIT;
    assert_no_error(try_start(fixture, script, attachments, count, &err), &err);
}

static void await(int fd)
{
    struct pollfd polled = {fd, POLLIN, 0};
    assert_int_equal(poll(&polled, 1, TIMEOUT), 1);
}

static int wait_exit(struct fixture *fixture)
{
    await(fixture->watch);
    shim_read_exit(fixture->watch, fixture->options.directory, &fixture->exit);
    fixture->watch = close_fd(fixture->watch);
    return fixture->exit.exit_code;
}

/* Reads until the end of the stream. */
static char *read_all(int fd)
{
    struct strbuf text = STRBUF_INIT;
    for (;;) {
        char chunk[65536];
        await(fd);
        ssize_t n = read(fd, chunk, sizeof(chunk));
        assert_true(n >= 0);
        if (n == 0)
            break;
        strbuf_add(&text, chunk, (size_t)n);
    }
    close(fd);
    return strbuf_take(&text);
}

/* Reads until `text` has come. */
static void read_until(int fd, const char *text)
{
    struct strbuf found = STRBUF_INIT;
    while (!strstr(strbuf_text(&found), text)) {
        char chunk[4096];
        await(fd);
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n <= 0)
            fail_msg("\"%s\" does not come, but \"%s\"", text, strbuf_text(&found));
        strbuf_add(&found, chunk, (size_t)n);
    }
    strbuf_release(&found);
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(write_full(fd, text, strlen(text)), 0);
}

static struct shim_attachment client(int *our_end)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    *our_end = ends[0];
    return (struct shim_attachment){.fd = ends[1], .wants_stdin = true, .wants_stdout = true, .wants_stderr = true};
}

static char *log_text(struct fixture *fixture)
{
    struct strbuf text = STRBUF_INIT;
    assert_true(file_read(AT_FDCWD, fixture->options.log.path, 1 << 24, &text, NULL));
    return strbuf_take(&text);
}

static size_t count_matches(const char *pattern)
{
    glob_t found;
    size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return count;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    close_fd(fixture->watch);
    if (fixture->pid > 0)
        shim_forget(fixture->options.directory);
    assert_int_equal(access(fixture->options.directory, F_OK), -1);
    /* All that a shim leaves behind is ours (see main): a helper that serves a slow client, what a killed shim held. */
    int64_t begun = clock_monotonic();
    while (waitpid(-1, NULL, WNOHANG) != -1 && clock_monotonic() - begun < 5 * NANOSECONDS_PER_SECOND)
        usleep(1000);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    _cleanup_free_ char *cgroups = xasprintf("/sys/fs/cgroup/*/%s", fixture->options.id);
    _cleanup_free_ char *unified = xasprintf("/sys/fs/cgroup/%s", fixture->options.id);
    assert_int_equal(count_matches(cgroups) + count_matches(unified), 0);
    if (fixture->pid > 0)
        assert_int_equal(kill(fixture->pid, 0), -1);
    tree_remove(AT_FDCWD, fixture->folder, NULL);
    free(fixture->options.id);
    free(fixture->options.directory);
    free(fixture->options.log.path);
    record_release(&launch_type, &fixture->launch);
    free(fixture);
    return 0;
}

static void logs_and_frames_output(void **state)
{
    struct fixture *fixture = *state;
    int ours;
    struct shim_attachment attachment = client(&ours);
    attachment.is_framed = true;
    start(fixture, "echo out; sleep 0.1; echo err >&2; exit 3", &attachment, 1);
    assert_int_equal(attachment.fd, -1);
    assert_int_equal(wait_exit(fixture), 3);
    assert_false(fixture->exit.is_oom_killed);
    assert_true(fixture->exit.finished_at <= clock_now());
    _cleanup_free_ char *log = log_text(fixture);
    assert_non_null(strstr(log, "{\"log\":\"out\\n\",\"stream\":\"stdout\",\"time\":\""));
    assert_non_null(strstr(log, "{\"log\":\"err\\n\",\"stream\":\"stderr\",\"time\":\""));
    char frames[25] = {0};
    assert_int_equal(read_full(ours, frames, sizeof(frames)), 24);
    assert_memory_equal(frames, "\1\0\0\0\0\0\0\4out\n\2\0\0\0\0\0\0\4err\n", 24);
    close(ours);
}

static void feeds_stdin_to_its_end(void **state)
{
    struct fixture *fixture = *state;
    int ours;
    struct shim_attachment attachment = client(&ours);
    fixture->options.has_stdin = fixture->options.stdin_once = true;
    start(fixture, "cat; echo done", &attachment, 1);
    send_text(ours, "hello\n");
    read_until(ours, "hello\n");
    send_text(ours, "more");
    shutdown(ours, SHUT_WR);
    _cleanup_free_ char *rest = read_all(ours);
    assert_string_equal(rest, "moredone\n");
    assert_int_equal(wait_exit(fixture), 0);
}

static void feeds_what_a_client_left_behind(void **state)
{
    struct fixture *fixture = *state;
    int ours;
    struct shim_attachment attachment = client(&ours);
    fixture->options.has_stdin = fixture->options.stdin_once = true;
    _cleanup_free_ char *data = xmalloc(150001);
    memset(data, 'x', 150000);
    data[150000] = '\0';
    int size = 400000;
    setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    send_text(ours, data);
    close(ours);
    start(fixture, "sleep 0.3; wc -c", &attachment, 1);
    assert_int_equal(wait_exit(fixture), 0);
    _cleanup_free_ char *log = log_text(fixture);
    assert_non_null(strstr(log, "150000"));
}

static void loses_nothing_of_much_output(void **state)
{
    struct fixture *fixture = *state;
    int ours;
    struct shim_attachment attachment = client(&ours);
    start(fixture, "yes 0123456789abcdef | head -c 8000000", &attachment, 1);
    usleep(300000); /* the queue fills, and the container waits */
    struct pollfd polled = {fixture->watch, POLLIN, 0};
    assert_int_equal(poll(&polled, 1, 0), 0);
    _cleanup_free_ char *output = read_all(ours);
    assert_int_equal(strlen(output), 8000000);
    assert_int_equal(wait_exit(fixture), 0);
    struct stat status;
    assert_int_equal(stat(fixture->options.log.path, &status), 0);
    assert_true(status.st_size > 8000000);
}

static void does_not_let_a_slow_client_hold_the_end(void **state)
{
    struct fixture *fixture = *state;
    int ours;
    struct shim_attachment attachment = client(&ours);
    start(fixture, "yes 0123456789abcdef | head -c 600000", &attachment, 1);
    assert_int_equal(wait_exit(fixture), 0);
    shim_forget(fixture->options.directory);
    _cleanup_free_ char *output = read_all(ours);
    assert_int_equal(strlen(output), 600000);
}

static void goes_on_when_a_client_hangs_up(void **state)
{
    struct fixture *fixture = *state;
    int ours[2];
    struct shim_attachment attachments[] = {client(&ours[0]), client(&ours[1])};
    fixture->options.has_stdin = true;
    start(fixture, "echo ready; read line; echo \"got $line\"", attachments, 2);
    read_until(ours[0], "ready\n");
    close(ours[0]);
    read_until(ours[1], "ready\n");
    send_text(ours[1], "it\n");
    _cleanup_free_ char *rest = read_all(ours[1]);
    assert_string_equal(rest, "got it\n");
    assert_int_equal(wait_exit(fixture), 0);
}

static void attaches_detaches_and_resizes_a_terminal(void **state)
{
    struct fixture *fixture = *state;
    struct error err = ERROR_INIT;
    int ours;
    struct shim_attachment attachment = client(&ours);
    char keys[] = "1011";
    attachment.detach_keys = keys;
    fixture->options.is_terminal = fixture->options.has_stdin = true;
    fixture->options.initial_rows = 31;
    fixture->options.initial_columns = 101;
    start(fixture, "busybox stty size; read a; busybox stty size; read b; exit 9", &attachment, 1);
    read_until(ours, "31 101\r\n");
    assert_no_error(shim_resize(fixture->options.directory, NULL, 40, 120, &err), &err);
    send_text(ours, "x\n");
    read_until(ours, "40 120\r\n");
    send_text(ours, "\x10\x11");
    free(read_all(ours));
    int again;
    struct shim_attachment second = client(&again);
    assert_no_error(shim_attach(fixture->options.directory, &second, &err), &err);
    send_text(again, "y\n");
    free(read_all(again));
    assert_int_equal(wait_exit(fixture), 9);
}

static void kills(void **state)
{
    struct fixture *fixture = *state;
    struct error err = ERROR_INIT;
    start(fixture, "trap 'exit 5' USR1; echo ready; while :; do sleep 0.05; done", NULL, 0);
    usleep(100000);
    assert_no_error(shim_kill(fixture->options.directory, SIGUSR1, false, &err), &err);
    assert_int_equal(wait_exit(fixture), 5);
    assert_false(shim_kill(fixture->options.directory, SIGKILL, false, &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    error_release(&err);
    assert_false(shim_attach(fixture->options.directory, &(struct shim_attachment){.fd = dup(2)}, NULL));
}

static void tells_of_a_signal(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, "sleep 100", NULL, 0);
    assert_true(shim_kill(fixture->options.directory, SIGKILL, false, NULL));
    assert_int_equal(wait_exit(fixture), 137);
}

static struct launch_exec exec_of(struct fixture *fixture, const char *script)
{
    struct launch_exec exec = {.process.args = busybox(script), .process.cwd = xstrdup("/")};
    strlist_add(&exec.process.env, "PATH=/bin");
    exec.cgroups_path = xstrdup(fixture->launch.config.linux_.cgroups_path);
    return exec;
}

static int finish_exec(int watch)
{
    struct shim_exit exit;
    await(watch);
    assert_true(shim_read_exec_exit(watch, &exit, NULL));
    close(watch);
    return exit.exit_code;
}

static void execs(void **state)
{
    struct fixture *fixture = *state;
    struct error err = ERROR_INIT;
    int ours, watch;
    pid_t pid;
    start(fixture, "sleep 100", NULL, 0);
    struct launch_exec exec = exec_of(fixture, "cat; exit 4");
    struct shim_attachment attachment = client(&ours);
    assert_no_error(
        shim_exec(fixture->options.directory, "one", &exec, NULL, false, 0, 0, &attachment, &pid, &watch, &err), &err);
    send_text(ours, "typed");
    shutdown(ours, SHUT_WR);
    assert_int_equal(finish_exec(watch), 4);
    _cleanup_free_ char *output = read_all(ours);
    assert_string_equal(output, "typed");
    record_release(&launch_exec_type, &exec);

    /* Without a client; ended by a signal. */
    exec = exec_of(fixture, "kill -TERM $$");
    assert_no_error(shim_exec(fixture->options.directory, "two", &exec, NULL, false, 0, 0, NULL, &pid, &watch, &err),
                    &err);
    assert_int_equal(finish_exec(watch), 143);
    record_release(&launch_exec_type, &exec);

    exec = exec_of(fixture, "busybox stty size; read a; busybox stty size");
    exec.process.terminal = true;
    attachment = client(&ours);
    assert_no_error(
        shim_exec(fixture->options.directory, "three", &exec, NULL, true, 20, 30, &attachment, &pid, &watch, &err),
        &err);
    read_until(ours, "20 30\r\n");
    assert_no_error(shim_resize(fixture->options.directory, "three", 21, 31, &err), &err);
    send_text(ours, "\n");
    read_until(ours, "21 31\r\n");
    assert_int_equal(finish_exec(watch), 0);
    close(ours);
    record_release(&launch_exec_type, &exec);
    assert_false(shim_resize(fixture->options.directory, "nosuch", 21, 31, &err));
    assert_string_equal(err.message, "No such exec instance: nosuch");
    error_release(&err);

    exec = exec_of(fixture, "");
    string_replace(&exec.process.args.items[0], "/nosuch");
    assert_false(shim_exec(fixture->options.directory, "four", &exec, NULL, false, 0, 0, NULL, &pid, &watch, &err));
    assert_non_null(strstr(err.message, "exec: \"/nosuch\": stat /nosuch: no such file or directory"));
    error_release(&err);
    record_release(&launch_exec_type, &exec);

    /* The end of the container is the end of its execs. */
    exec = exec_of(fixture, "sleep 100");
    assert_no_error(shim_exec(fixture->options.directory, "five", &exec, NULL, false, 0, 0, NULL, &pid, &watch, &err),
                    &err);
    record_release(&launch_exec_type, &exec);
    if (!is_real)
        kill(pid, SIGKILL);
    assert_true(shim_kill(fixture->options.directory, SIGKILL, false, NULL));
    assert_int_equal(finish_exec(watch), 137);
    assert_int_equal(wait_exit(fixture), 137);
}

static void waits_no_longer_than_docker_for_what_an_exec_left(void **state)
{
    struct fixture *fixture = *state;
    int ours, watch;
    pid_t pid;
    start(fixture, "sleep 100", NULL, 0);
    struct launch_exec exec = exec_of(fixture, "(sleep 0.3; echo late; sleep 4) & echo now");
    struct shim_attachment attachment = client(&ours);
    int64_t begun = clock_monotonic();
    assert_true(
        shim_exec(fixture->options.directory, "one", &exec, NULL, false, 0, 0, &attachment, &pid, &watch, NULL));
    record_release(&launch_exec_type, &exec);
    assert_int_equal(finish_exec(watch), 0);
    _cleanup_free_ char *output = read_all(ours);
    assert_string_equal(output, "now\nlate\n");
    int64_t took = (clock_monotonic() - begun) / 1000000;
    assert_in_range(took, 1900, 2900);
    assert_true(shim_kill(fixture->options.directory, SIGKILL, false, NULL));
    assert_int_equal(wait_exit(fixture), 137);
}

static void is_found_again(void **state)
{
    struct fixture *fixture = *state;
    struct error err = ERROR_INIT;
    struct shim_status status;
    int watch;
    start(fixture, "sleep 0.4; exit 6", NULL, 0);
    fixture->watch = close_fd(fixture->watch);
    assert_no_error(shim_reconnect(fixture->options.directory, &status, &watch, &err), &err);
    assert_int_equal(status.pid, fixture->pid);
    assert_false(status.has_exited);
    assert_true(status.started_at > 0);
    fixture->watch = watch;
    assert_int_equal(wait_exit(fixture), 6);
    /* And once more, when it is over. */
    assert_no_error(shim_reconnect(fixture->options.directory, &status, &watch, &err), &err);
    assert_int_equal(watch, -1);
    assert_true(status.has_exited);
    assert_int_equal(status.exit.exit_code, 6);
    assert_int_equal(status.exit.finished_at, fixture->exit.finished_at);
    shim_forget(fixture->options.directory);
    assert_false(shim_reconnect(fixture->options.directory, &status, &watch, &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    error_release(&err);
}

static void dies_with_its_shim(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, "sleep 100", NULL, 0);
    _cleanup_free_ char *path = xasprintf("/proc/%d/stat", fixture->pid);
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    assert_true(file_read(AT_FDCWD, path, 4096, &text, NULL));
    int shim;
    assert_int_equal(sscanf(strrchr(text.data, ')'), ") %*c %d", &shim), 1);
    kill(shim, SIGKILL);
    assert_int_equal(wait_exit(fixture), 137);
}

static void tells_of_lack_of_memory(void **state)
{
    struct fixture *fixture = *state;
    if (!is_real)
        skip();
    struct oci_resources *resources = fixture->launch.config.linux_.resources = NEW(struct oci_resources);
    resources->memory = NEW(struct oci_memory);
    resources->memory->limit = (struct opt_int64){true, 8 << 20};
    start(fixture, "exec tail /dev/zero", NULL, 0);
    assert_int_equal(wait_exit(fixture), 137);
    assert_true(fixture->exit.is_oom_killed);
}

static void ends_what_shares_the_pids_of_the_host(void **state)
{
    struct fixture *fixture = *state;
    if (!is_real)
        skip();
    struct record_list *namespaces = &fixture->launch.config.linux_.namespaces;
    for (size_t i = 0; i < namespaces->count; i++)
        if (string_equal(RECORD_AT(*namespaces, struct oci_namespace, i)->type, "pid"))
            record_list_remove(namespaces, &oci_namespace_type, i--);
    int64_t begun = clock_monotonic();
    start(fixture, "sleep 100 & sleep 0.1; exit 2", NULL, 0);
    struct launch_exec exec = exec_of(fixture, "sleep 100");
    int watch;
    pid_t pid;
    assert_true(shim_exec(fixture->options.directory, "one", &exec, NULL, false, 0, 0, NULL, &pid, &watch, NULL));
    record_release(&launch_exec_type, &exec);
    assert_int_equal(finish_exec(watch), 137);
    assert_int_equal(wait_exit(fixture), 2);
    assert_in_range((clock_monotonic() - begun) / 1000000, 0, 1500);
}

static void leaves_nothing_when_it_cannot_start(void **state)
{
    struct fixture *fixture = *state;
    struct error err = ERROR_INIT;
    fixture->process->args = busybox("");
    string_replace(&fixture->process->args.items[0], "/nosuch");
    assert_false(try_start(fixture, NULL, NULL, 0, &err));
    assert_non_null(strstr(err.message, "exec: \"/nosuch\": stat /nosuch: no such file or directory"));
    error_release(&err);
    string_replace(&fixture->options.log.path, "/nosuch/log");
    assert_false(try_start(fixture, NULL, NULL, 0, &err));
    assert_string_equal(err.message,
                        "failed to initialize logging driver: open /nosuch/log: no such file or directory");
    error_release(&err);
    const char *program = shim_program;
    shim_program = "/nosuch/shim";
    assert_false(try_start(fixture, NULL, NULL, 0, &err));
    assert_string_equal(err.message, "start /nosuch/shim: no such file or directory");
    error_release(&err);
    shim_program = program;
}

int main(int argc, char **argv)
{
    is_real = argc > 2;
    shim_program = argv[1];
    if (is_real && geteuid() != 0)
        return 77;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(logs_and_frames_output),
        TEST(feeds_stdin_to_its_end),
        TEST(feeds_what_a_client_left_behind),
        TEST(loses_nothing_of_much_output),
        TEST(does_not_let_a_slow_client_hold_the_end),
        TEST(goes_on_when_a_client_hangs_up),
        TEST(attaches_detaches_and_resizes_a_terminal),
        TEST(kills),
        TEST(tells_of_a_signal),
        TEST(execs),
        TEST(waits_no_longer_than_docker_for_what_an_exec_left),
        TEST(is_found_again),
        TEST(dies_with_its_shim),
        TEST(tells_of_lack_of_memory),
        TEST(ends_what_shares_the_pids_of_the_host),
        TEST(leaves_nothing_when_it_cannot_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
