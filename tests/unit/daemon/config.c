#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "daemon/config.h"
#include "daemon/host.h"
#include "daemon/pidfile.h"

static char folder[] = "/tmp/daemon-test-XXXXXX";
static char file[100];

/* Reads the arguments (ended by NULL) with `text` as the configuration file; NULL where that succeeds, else the
   error's message (caller frees). */
static char *read_config(struct daemon_config *config, const char *text, ...)
{
    char *argv[20];
    int argc = 0;
    va_list arguments;
    va_start(arguments, text);
    for (char *argument; (argument = va_arg(arguments, char *));)
        argv[argc++] = argument;
    va_end(arguments);
    if (text) {
        assert_true(file_write_text(AT_FDCWD, file, text, 0600, NULL));
        argv[argc++] = (char *)"--config-file";
        argv[argc++] = file;
    }
    argv[argc] = NULL;
    struct error err = ERROR_INIT;
    *config = (struct daemon_config){0};
    if (daemon_config_read(argc, argv, config, &err))
        return NULL;
    return err.message;
}

static void check_refused(const char *text, const char *flag, const char *value, const char *expected)
{
    struct daemon_config config;
    _cleanup_free_ char *message = read_config(&config, text, flag, value, NULL);
    assert_non_null(message);
    if (!strstr(message, expected))
        assert_string_equal(message, expected);
}

static void test_flags(void **state)
{
    struct daemon_config config;
    assert_null(read_config(&config, NULL, "--config-file", "/dev/null", "-D", "-H", "unix:///a", "-H", "tcp://:1",
                            "--mtu=9000", "--live-restore=false", "--log-opt", "max-size=1m", "--default-shm-size",
                            "1m", NULL));
    assert_true(config.is_debug);
    assert_false(config.is_live_restore);
    assert_true(config.has_ip_masq);
    assert_int_equal(config.hosts.count, 2);
    assert_int_equal(config.mtu, 9000);
    assert_int_equal(config.default_shm_size, 1 << 20);
    assert_string_equal(config.log_opts.items[0], "max-size=1m");
    assert_string_equal(config.data_root, "/var/lib/wherry");
    daemon_config_release(&config);
    check_refused(NULL, "--nosuch", NULL, "unknown flag: --nosuch");
    check_refused(NULL, "foo", NULL, "\"wherryd\" accepts no argument(s).");
    check_refused(NULL, "-l", "zz", "invalid logging level: zz");
    check_refused(NULL, "-H", "foo://x", "invalid bind address (foo://x): unsupported proto 'foo'");
    check_refused(NULL, "--mtu=-1", NULL, "invalid default MTU: -1");
    check_refused(NULL, "--userns-remap", "x", "--userns-remap is not supported by this version of Wherry");
    check_refused(NULL, "--default-ulimit", "nofile", "invalid ulimit argument: nofile");
    check_refused(NULL, "--default-ulimit", "nofile=5:4",
                  "ulimit soft limit must be less than or equal to hard limit: 5 > 4");
    check_refused(NULL, "--exec-opt", "foo=bar", "Unknown option: foo=bar");
    check_refused(NULL, "--config-file", "/nosuch", "open /nosuch: no such file or directory");
}

static void test_file(void **state)
{
    struct daemon_config config;
    assert_null(read_config(&config,
                            "{\"debug\":true,\"hosts\":[\"unix:///a\"],\"data-root\":\"/x\",\"mtu\":1400,"
                            "\"log-opts\":{\"max-size\":\"1m\"},\"default-shm-size\":\"2m\",\"live-restore\":false}",
                            NULL));
    assert_true(config.is_debug);
    assert_false(config.is_live_restore);
    assert_string_equal(config.hosts.items[0], "unix:///a");
    assert_string_equal(config.data_root, "/x");
    assert_string_equal(config.log_opts.items[0], "max-size=1m");
    assert_int_equal(config.default_shm_size, 2 << 20);
    assert_int_equal(config.mtu, 1400);
    daemon_config_release(&config);
    assert_null(read_config(&config, "", NULL));
    daemon_config_release(&config);

    check_refused("{\"nosuch\":1,\"debug\":true,\"foo\":1}", NULL, NULL,
                  "the following directives don't match any configuration option: nosuch, foo");
    check_refused("{\"host\":[\"unix:///a\"]}", NULL, NULL, "don't match any configuration option: host");
    check_refused("{\"userland-proxy\":true}", NULL, NULL,
                  "the directive userland-proxy is not supported by this version of Wherry");
    check_refused("{\"label\":[\"a=b\"]}", NULL, NULL, "don't match any configuration option: label");
    check_refused("{\"labels\":[\"a=b\", \"a=c\"]}", NULL, NULL, "conflict labels for a=c and a=b");
    check_refused("{\"debug\":true}", "-D", NULL,
                  "the following directives are specified both as a flag and in the configuration file: debug: (from "
                  "flag: true, from file: true)");
    check_refused("{\"hosts\":[\"unix:///a\"]}", "--host", "unix:///b",
                  "hosts: (from flag: [unix:///b], from file: [unix:///a])");
    check_refused("{\"debug\":\"x\"}", NULL, NULL, "json: cannot unmarshal string into Go struct field Config");
    check_refused("{\"hosts\":[1]}", NULL, NULL, "json: cannot unmarshal");
    check_refused("{\"hosts\":[\"foo://x\"]}", NULL, NULL,
                  "merged configuration validation from file and command line flags failed: invalid bind address");
    check_refused("[]", NULL, NULL, "json: cannot unmarshal array into Go value of type map[string]interface {}");
    check_refused("{", NULL, NULL, "JSON");
}

static void test_hosts(void **state)
{
    assert_true(host_check("unix:///run/x.sock", NULL));
    assert_true(host_check("tcp://127.0.0.1:2375", NULL));
    assert_true(host_check("tcp://[::1]:2375", NULL));
    assert_true(host_check("tcp://", NULL));
    assert_true(host_check("fd://", NULL));
    assert_true(host_check("unix:///run/ro.sock,role=read,group=root", NULL));
    assert_true(host_check("fd://,role=read", NULL));
    assert_false(host_check("unix:///run/ro.sock,role=write", NULL));
    assert_true(host_check("unix:///run/a.sock,label=team=a,role=read", NULL));
    assert_true(host_check("unix:///run/a.sock,label=team", NULL));
    assert_false(host_check("unix:///run/a.sock,label=", NULL));
    assert_false(host_check("unix:///run/a.sock,label==a", NULL));
    assert_false(host_check("unix:///run/a.sock,label=name=web", NULL)); /* an attribute of every event */
    assert_false(host_check("unix:///run/ro.sock,", NULL));
    assert_false(host_check("unix:///run/ro.sock,role=read,x=y", NULL));
    assert_false(host_check("tcp://127.0.0.1:2375,group=root", NULL));
    assert_false(host_check("tcp://a:b", NULL));
    assert_false(host_check("tcp://[::1", NULL));
    assert_false(host_check("/run/x.sock", NULL));
}

static void test_stale_socket(void **state)
{
    _cleanup_free_ char *host = xasprintf("unix://%s/deep/x.sock", folder);
    _cleanup_free_ char *for_readers = xasprintf("unix://%s/ro.sock,role=read,group=0", folder);
    const char *path = host + strlen("unix://");
    struct listener *listeners = NULL;
    size_t count = 0;
    assert_true(host_listen(host, NULL, TCP_PORT, &listeners, &count, NULL));
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0660);
    assert_true(host_is_answering(path));
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_false(host_listen(host, NULL, TCP_PORT, &listeners, &count, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    close(listeners[0].fd); /* a crash: the file stays */
    assert_false(host_is_answering(path));
    assert_true(host_listen(host, NULL, TCP_PORT, &listeners, &count, NULL));
    assert_true(host_listen(for_readers, "no-such-group", TCP_PORT, &listeners, &count, NULL));
    assert_null(listeners[1].role);
    _cleanup_free_ char *role = role_describe(listeners[2].role);
    assert_string_equal(role, " (role read)");
    assert_string_equal(strrchr(listeners[2].name, '/'), "/ro.sock");
    close(listeners[1].fd);
    close(listeners[2].fd);
    listeners_unlink(listeners, count);
    listeners_free(listeners, count);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_false(host_listen(host, "no-such-group", TCP_PORT, &listeners, &count, NULL));
}

static void test_pidfile(void **state)
{
    _cleanup_free_ char *path = path_join(folder, "pid");
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    assert_true(file_write_text(AT_FDCWD, path, "1\n", 0600, NULL)); /* alive, but not this program */
    assert_true(pidfile_write(path, NULL));
    assert_true(file_read(AT_FDCWD, path, 64, &text, NULL));
    _cleanup_free_ char *own = xasprintf("%d", (int)getpid());
    assert_string_equal(strbuf_text(&text), own);
    assert_true(pidfile_write(path, NULL)); /* its own */
}

static int make_folder(void **state)
{
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof(file), "%s/daemon.json", folder);
    return 0;
}

static int remove_folder(void **state)
{
    return tree_remove(AT_FDCWD, folder, NULL) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),        cmocka_unit_test(test_file),    cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_stale_socket), cmocka_unit_test(test_pidfile),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
