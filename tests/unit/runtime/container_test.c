/* Runs busybox in real containers made from a temporary folder, and looks at what is left behind. Needs root and a
   static /bin/busybox; skipped (77) without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_v1.h"
#include "runtime/container.h"
#include "runtime/defaults.h"
#include "runtime/seccomp.h"

static char base[] = "/tmp/wherry-runtime-test.XXXXXX";

static void make_image(void)
{
    static const char *const applets[] = {"sh",  "true", "false", "cat", "ls", "id",       "sleep", "mount",
                                          "env", "grep", "stat",  "ps",  "ip", "hostname", "pwd",   "tty"};
    assert_non_null(mkdtemp(base));
    const char *const folders[] = {"lower", "lower/bin", "lower/etc", "lower/tmp", "upper", "work"};
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        _cleanup_free_ char *path = path_join(base, folders[i]);
        assert_int_equal(mkdir(path, 0755), 0);
    }
    _cleanup_strbuf_ struct strbuf program = STRBUF_INIT;
    assert_true(file_read(AT_FDCWD, "/bin/busybox", 64u << 20, &program, NULL));
    _cleanup_free_ char *lower = path_join(base, "lower");
    _cleanup_close_ int root = open(lower, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(file_write(root, "bin/busybox", program.data, program.length, 0755, NULL));
    for (size_t i = 0; i < ARRAY_SIZE(applets); i++) {
        _cleanup_free_ char *name = path_join("bin", applets[i]);
        assert_int_equal(symlinkat("busybox", root, name), 0);
    }
    assert_true(file_write_text(root, "etc/passwd",
                                "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n", 0644, NULL));
    assert_true(file_write_text(root, "etc/group", "root:x:0:\nwheel:x:10:root,bob\nbob:x:1001:\n", 0644, NULL));
    assert_true(file_write_text(root, "bin/garbage", "garbage", 0755, NULL));
    assert_true(file_write_text(root, "bin/noexec", "garbage", 0644, NULL));
}

static void launch_init(struct launch *launch, const char *const *args)
{
    *launch = (struct launch){0};
    struct runtime_config *config = &launch->config;
    config->process = NEW(struct oci_process);
    for (; *args; args++)
        strlist_add(&config->process->args, *args);
    strlist_add(&config->process->env, "PATH=/usr/local/bin:/bin");
    config->process->cwd = xstrdup("/");
    config->process->capabilities = NEW(struct oci_capabilities);
    defaults_capabilities(&config->process->capabilities->bounding);
    defaults_capabilities(&config->process->capabilities->effective);
    defaults_capabilities(&config->process->capabilities->permitted);
    config->hostname = xstrdup("testhost");
    defaults_mounts(&config->mounts, 64 << 20);
    defaults_masked_paths(&config->linux_.masked_paths);
    defaults_readonly_paths(&config->linux_.readonly_paths);
    defaults_namespaces(&config->linux_.namespaces, cgroup_version() == 2);
    config->linux_.resources = NEW(struct oci_resources);
    defaults_device_rules(&config->linux_.resources->devices);
    config->linux_.cgroups_path = xasprintf("/wherry-test-%d", getpid());
    strlist_take(&launch->overlay.lower, path_join(base, "lower"));
    launch->overlay.upper = path_join(base, "upper");
    launch->overlay.work = path_join(base, "work");
    launch->user.user = xstrdup("");
    struct bytes filter;
    assert_true(seccomp_default_filter(&config->process->capabilities->bounding, &filter, NULL));
    launch->seccomp = (struct bytes){xmemdup(filter.data, filter.length), filter.length};
    launch->sets_home = launch->wants_cwd_made = true;
}

struct result {
    int exit_code;
    struct strbuf output;
    char *message; /* of runtime_create */
    struct strlist warnings;
};

static void result_release(struct result *result)
{
    strbuf_release(&result->output);
    free(result->message);
    strlist_release(&result->warnings);
}

static void collect_output(int fd, struct strbuf *out)
{
    char chunk[4096];
    for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
        strbuf_add(out, chunk, (size_t)n);
}

static int reap(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Creates, starts, reads to the end, reaps, destroys; releases the launch. */
static struct result run_launch(struct launch *launch)
{
    struct result result = {.exit_code = -1};
    struct error err = ERROR_INIT;
    int pipe_fds[2];
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    struct runtime_stdio stdio = {.fds = {-1, pipe_fds[1], pipe_fds[1]}, .console = -1};
    struct runtime_container container = RUNTIME_CONTAINER_INIT;
    if (runtime_create(launch, &stdio, &container, &err)) {
        close(pipe_fds[1]);
        assert_true(runtime_start(&container, &err));
        collect_output(stdio.console >= 0 ? stdio.console : pipe_fds[0], &result.output);
        result.exit_code = reap(container.pid);
        runtime_destroy(container.cgroups_path);
        close_fd(stdio.console);
        strlist_copy(&result.warnings, &container.warnings);
        runtime_container_release(&container);
    } else {
        close(pipe_fds[1]);
        result.message = xstrdup(error_message(&err));
        error_release(&err);
    }
    close(pipe_fds[0]);
    record_release(&launch_type, launch);
    return result;
}

static struct result run_args(const char *const *args)
{
    struct launch launch;
    launch_init(&launch, args);
    return run_launch(&launch);
}

#define RUN(...)    run_args((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(text) RUN("sh", "-c", text)

static void assert_output(struct result result, int exit_code, const char *output)
{
    if (result.message)
        print_message("%s\n", result.message);
    assert_int_equal(result.exit_code, exit_code);
    assert_string_equal(strbuf_text(&result.output), output);
    result_release(&result);
}

static void assert_refused(struct result result, const char *message)
{
    assert_non_null(result.message);
    assert_string_equal(result.message, message);
    result_release(&result);
}

static void test_exit_codes(void **state)
{
    assert_output(RUN("true"), 0, "");
    assert_output(SHELL("exit 7"), 7, "");
    assert_output(SHELL("kill -9 $$; sleep 1; exit 3"), 3, "");
}

static void test_isolation(void **state)
{
    assert_output(SHELL("echo $$ $(hostname) $HOME $(pwd)"), 0, "1 testhost /root /\n");
    assert_output(
        SHELL("cat /proc/keys /proc/timer_list; ls /sys/firmware /proc/acpi 2>/dev/null | grep -v ':$'; true"), 0,
        "\n");
    assert_output(SHELL("grep Seccomp: /proc/self/status; unshare -n true 2>&1"), 1,
                  "Seccomp:\t2\nunshare: unshare(0x40000000): Operation not permitted\n");
    assert_output(SHELL("(echo 1 > /proc/sys/kernel/domainname) 2>/dev/null || echo denied"), 0, "denied\n");
    assert_output(SHELL("ls /dev"), 0,
                  "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n");
    assert_output(SHELL("grep -E 'CapEff|CapBnd|Groups' /proc/self/status"), 0,
                  "Groups:\t0 10 \nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n");
    assert_output(
        SHELL("ls /proc/self/fd | cat; ip -o link | grep -c LOOPBACK,UP; cat /dev/kmsg 2>&1 | head -c 3; mount "
              "| grep -c /wherry"),
        0, "0\n1\n2\n3\n1\ncat1\n");
}

static void test_commands_that_are_not_there(void **state)
{
    assert_refused(RUN("nosuch"), "exec: \"nosuch\": executable file not found in $PATH");
    assert_refused(RUN("/nosuch"), "exec: \"/nosuch\": stat /nosuch: no such file or directory");
    assert_refused(RUN("/bin/noexec"), "exec: \"/bin/noexec\": permission denied");
    assert_refused(RUN("/tmp"), "exec: \"/tmp\": is a directory");
    assert_output(RUN("garbage"), 1, "exec /bin/garbage: exec format error\n");
}

static struct launch launch_of(const char *command)
{
    struct launch launch;
    launch_init(&launch, (const char *const[]){"sh", "-c", command, NULL});
    return launch;
}

static void test_users(void **state)
{
    struct launch launch = launch_of("id; echo $HOME; echo x > /dev/stdout; grep CapEff /proc/self/status");
    string_replace(&launch.user.user, "bob");
    assert_output(run_launch(&launch), 0,
                  "uid=1000(bob) gid=1001(bob) groups=10(wheel),1001(bob)\n/home/bob\nx\nCapEff:\t0000000000000000\n");
    launch = launch_of("true");
    string_replace(&launch.user.user, "nobody");
    assert_refused(run_launch(&launch), "unable to find user nobody: no matching entries in passwd file");
}

static void add_mount(struct launch *launch, const char *source, const char *destination, const char *options)
{
    struct oci_mount *mount = record_list_add(&launch->config.mounts, &oci_mount_type);
    mount->type = xstrdup("bind");
    mount->source = xstrdup(source);
    mount->destination = xstrdup(destination);
    mount->options = strlist_split(options, ',');
}

static void test_mounts(void **state)
{
    struct launch launch = launch_of("cat /a/b/passwd; (echo x > /a/b/passwd) 2>/dev/null || echo read-only; pwd");
    _cleanup_free_ char *source = path_join(base, "lower/etc/group");
    add_mount(&launch, source, "/a/b/passwd", "rbind,ro,rprivate");
    string_replace(&launch.config.process->cwd, "/made/here");
    assert_output(run_launch(&launch), 0, "root:x:0:\nwheel:x:10:root,bob\nbob:x:1001:\nread-only\n/made/here\n");

    launch = launch_of("(echo x > /file) 2>/dev/null || echo read-only; echo y > /dev/shm/x");
    launch.config.root.readonly = true;
    assert_output(run_launch(&launch), 0, "read-only\n");

    launch = launch_of("true");
    add_mount(&launch, "/tmp", "/etc/passwd", "rbind");
    assert_refused(run_launch(&launch),
                   "error during container init: error mounting \"/tmp\" to rootfs at \"/etc/passwd\": create mount "
                   "destination for /etc/passwd mount: cannot mkdir in /etc/passwd: not a directory");

    launch = launch_of("true");
    strmap_set(&launch.config.linux_.sysctl, "net.ipv4.nosuch", "1");
    assert_refused(run_launch(&launch),
                   "error during container init: open /proc/sys/net/ipv4/nosuch: no such file or directory");

    launch = launch_of("cat /proc/sys/net/ipv4/ip_forward");
    strmap_set(&launch.config.linux_.sysctl, "net.ipv4.ip_forward", "1");
    assert_output(run_launch(&launch), 0, "1\n");
}

/* A link of the image cannot lead a bind's destination out of the root. */
static void test_bad_links(void **state)
{
    _cleanup_free_ char *link = path_join(base, "lower/out");
    assert_int_equal(symlink("../../../../../../tmp", link), 0);
    struct launch launch = launch_of("ls /tmp");
    add_mount(&launch, "/bin/busybox", "/out/wherry-escaped", "bind");
    assert_output(run_launch(&launch), 0, "wherry-escaped\n");
    assert_int_equal(access("/tmp/wherry-escaped", F_OK), -1);
    unlink(link);
}

static void test_terminal(void **state)
{
    struct launch launch = launch_of("tty; stat -c %a,%u:%g /dev/console; stty size 2>/dev/null; true");
    launch.config.process->terminal = true;
    struct result result = run_launch(&launch);
    assert_int_equal(result.exit_code, 0);
    assert_string_equal(strbuf_text(&result.output), "/dev/pts/0\r\n620,0:5\r\n");
    result_release(&result);
}

static void read_limit(const char *path, const char *directory, const char *file, char *text, size_t size)
{
    _cleanup_free_ char *name = xasprintf("/sys/fs/cgroup/%s/%s/%s", directory, path, file);
    _cleanup_strbuf_ struct strbuf content = STRBUF_INIT;
    assert_true(file_read(AT_FDCWD, name, 4096, &content, NULL));
    snprintf(text, size, "%s", strbuf_text(&content));
}

static void test_limits_and_exec(void **state)
{
    struct launch launch = launch_of("sleep 100");
    struct oci_resources *resources = launch.config.linux_.resources;
    resources->memory = NEW(struct oci_memory);
    resources->memory->limit = (struct opt_int64){true, 64 << 20};
    resources->memory->swap = (struct opt_int64){true, 128 << 20};
    resources->pids = NEW(struct oci_pids);
    resources->pids->limit = 99;
    resources->cpu = NEW(struct oci_cpu);
    resources->cpu->quota = (struct opt_int64){true, 50000};
    resources->cpu->period = (struct opt_int64){true, 100000};
    struct error err = ERROR_INIT;
    struct runtime_stdio stdio = {.fds = {-1, -1, -1}, .console = -1};
    struct runtime_container container = RUNTIME_CONTAINER_INIT;
    assert_true(runtime_create(&launch, &stdio, &container, &err));
    assert_true(runtime_start(&container, &err));

    char text[64];
    bool is_unified = cgroup_version() == 2;
    read_limit(container.cgroups_path, is_unified ? "" : cgroup_v1_directory("memory"),
               is_unified ? "memory.max" : "memory.limit_in_bytes", text, sizeof(text));
    assert_string_equal(text, "67108864\n");
    read_limit(container.cgroups_path, is_unified ? "" : cgroup_v1_directory("pids"), "pids.max", text, sizeof(text));
    assert_string_equal(text, "99\n");
    read_limit(container.cgroups_path, is_unified ? "" : cgroup_v1_directory("cpu"),
               is_unified ? "cpu.max" : "cpu.cfs_quota_us", text, sizeof(text));
    assert_string_equal(text, is_unified ? "50000 100000\n" : "50000\n");

    struct launch_exec exec = {.sets_home = true, .cgroups_path = xstrdup(container.cgroups_path)};
    static const char *const words[] = {"sh", "-c",
                                        "id -u; echo $HOME $(hostname); grep CapEff /proc/self/status; exit 5"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        strlist_add(&exec.process.args, words[i]);
    strlist_add(&exec.process.env, "PATH=/bin");
    exec.user.user = xstrdup("root");
    int pipe_fds[2];
    pid_t pid;
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    struct runtime_stdio exec_stdio = {.fds = {-1, pipe_fds[1], pipe_fds[1]}, .console = -1};
    if (!runtime_exec(container.pid, &exec, &exec_stdio, &pid, &err))
        fail_msg("%s", error_message(&err));
    close(pipe_fds[1]);
    _cleanup_strbuf_ struct strbuf output = STRBUF_INIT;
    collect_output(pipe_fds[0], &output);
    close(pipe_fds[0]);
    assert_int_equal(reap(pid), 5);
    assert_string_equal(strbuf_text(&output), "0\n/root testhost\nCapEff:\t00000000a80425fb\n");

    strlist_release(&exec.process.args);
    strlist_add(&exec.process.args, "nosuch");
    assert_false(runtime_exec(container.pid, &exec, &exec_stdio, &pid, &err));
    assert_string_equal(error_message(&err), "exec: \"nosuch\": executable file not found in $PATH");
    error_release(&err);

    assert_true(cgroup_freeze(container.cgroups_path, true, NULL));
    assert_true(cgroup_freeze(container.cgroups_path, false, NULL));
    assert_true(cgroup_kill_all(container.cgroups_path, 9));
    assert_int_equal(reap(container.pid), 137);
    runtime_destroy(container.cgroups_path);
    runtime_container_release(&container);
    record_release(&launch_exec_type, &exec);
    record_release(&launch_type, &launch);
}

/* A veth pair, without a bridge, that the container sees as eth0. */
static void test_interface(void **state)
{
    struct launch launch =
        launch_of("ip -4 -o addr show eth0; cat /sys/class/net/eth0/address; ip route | grep default");
    struct launch_interface *interface = record_list_add(&launch.interfaces, &launch_interface_type);
    interface->host_name = xasprintf("wrt%d", getpid());
    interface->name = xstrdup("eth0");
    interface->mac = xstrdup("02:42:0a:63:00:02");
    interface->gateway = xstrdup("10.99.0.1");
    interface->gateway6 = xstrdup("fd00:99::1");
    strlist_add(&interface->addresses, "10.99.0.2/24");
    strlist_add(&interface->addresses, "fd00:99::2/64");
    assert_output(run_launch(&launch), 0,
                  "2: eth0    inet 10.99.0.2/24 brd 10.99.0.255 scope global eth0\\       valid_lft forever "
                  "preferred_lft forever\n02:42:0a:63:00:02\ndefault via 10.99.0.1 dev eth0 \n");
    launch = launch_of("true");
    interface = record_list_add(&launch.interfaces, &launch_interface_type);
    interface->parent = xstrdup("nosuchbridge");
    assert_refused(run_launch(&launch), "bridge nosuchbridge: no such device");
}

static void test_nothing_is_left(void **state)
{
    _cleanup_strbuf_ struct strbuf mounts = STRBUF_INIT;
    assert_true(file_read(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &mounts, NULL));
    assert_null(strstr(mounts.data, base));
    _cleanup_free_ char *path = xasprintf("/wherry-test-%d", getpid());
    pid_t *pids;
    size_t count;
    assert_false(cgroup_processes(path, &pids, &count, NULL));
    assert_int_equal(waitpid(-1, NULL, 0), -1);
    assert_int_equal(errno, ECHILD);
}

static void print_duration(void **state)
{
    int64_t best = INT64_MAX;
    for (int i = 0; i < 20; i++) {
        int64_t start = clock_monotonic();
        assert_output(RUN("true"), 0, "");
        best = MIN(best, clock_monotonic() - start);
    }
    print_message("create, start, exit, destroy: %.2f ms\n", (double)best / 1e6);
}

static int remove_image(void **state)
{
    return tree_remove(AT_FDCWD, base, NULL) ? 0 : -1;
}

int main(void)
{
    if (geteuid() != 0 || access("/bin/busybox", X_OK) < 0)
        return 77;
    make_image();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_isolation),
        cmocka_unit_test(test_commands_that_are_not_there),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_mounts),
        cmocka_unit_test(test_bad_links),
        cmocka_unit_test(test_terminal),
        cmocka_unit_test(test_limits_and_exec),
        cmocka_unit_test(test_interface),
        cmocka_unit_test(test_nothing_is_left),
        cmocka_unit_test(print_duration),
    };
    return cmocka_run_group_tests(tests, NULL, remove_image);
}
