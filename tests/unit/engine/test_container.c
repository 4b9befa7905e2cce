/* Whole containers through the engine, from an imported image to the exit code: needs root and the shim's path as its
   argument. Everything is made below a temporary folder, on a bridge of its own, and nothing is left. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"
#include "engine/containers.h"
#include "engine/engine.h"
#include "json/json_record.h"

static char folder[] = "/tmp/wherry-engine-test-XXXXXX";
static const char *shim_program;
static struct engine *engine;
static char *data_root, *exec_root;

static struct engine *open_engine(void)
{
    struct error err = ERROR_INIT;
    const struct engine_options options = {
        .data_root = data_root,
        .exec_root = exec_root,
        .shim_program = shim_program,
        .init_program = "/nonexistent",
        .network = {.bridge_name = "wherrytest0", .bridge_address = "10.213.7.1/24", .has_nat = false},
        .cgroup_parent = "/wherry-engine-test",
    };
    struct engine *opened = engine_open(&options, &err);
    if (!opened)
        fail_msg("%s", error_message(&err));
    engine_serve(opened);
    return opened;
}

static ssize_t read_fd(void *context, void *data, size_t length)
{
    return read(*(int *)context, data, length);
}

static void import_image(void)
{
    static const char *const script =
        "mkdir -p root/bin root/etc root/tmp root/seed && cp /bin/busybox root/bin/ && for a in sh true false sleep "
        "cat "
        "echo ls id env pwd kill stat hostname mount grep; do ln -sf busybox root/bin/$a; done && echo "
        "'root:x:0:0:root:/root:/bin/sh' > root/etc/passwd && echo seeded > root/seed/file && echo no > "
        "root/etc/notexec && tar -C root -c . > image.tar";
    struct error err = ERROR_INIT;
    _cleanup_free_ char *command = xasprintf("cd %s && %s", folder, script);
    const char *const argv[] = {"sh", "-c", command, NULL};
    assert_true(run(argv, NULL, 65536, NULL, NULL));
    _cleanup_free_ char *path = path_join(folder, "image.tar");
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct import_options options = {.repository = "test", .tag = "latest"};
    strlist_add(&options.changes, "CMD [\"true\"]");
    strlist_add(&options.changes, "ENV FROM_IMAGE=1");
    _cleanup_free_ char *id = NULL;
    if (!store_import(engine_store(engine), read_fd, &fd, &options, &id, &err))
        fail_msg("%s", error_message(&err));
    strlist_release(&options.changes);
}

/* Creates a container from the JSON of a request; its id. */
static char *create(const char *name, const char *json)
{
    struct error err = ERROR_INIT;
    struct create_request request = {0};
    struct strlist warnings = {0};
    char *id = NULL;
    if (!record_parse(&container_config_type, json, strlen(json), &request.config, &err) ||
        !record_parse(&create_request_type, json, strlen(json), &request, &err))
        fail_msg("%s", error_message(&err));
    struct container_config config = {0};
    if (!record_parse(&container_config_type, json, strlen(json), &config, &err))
        fail_msg("%s", error_message(&err));
    record_release(&container_config_type, &request.config);
    request.config = config;
    if (!container_create(engine, name, &request, &id, &warnings, &err))
        fail_msg("%s", error_message(&err));
    strlist_release(&warnings);
    return id;
}

static void start(const char *id)
{
    struct error err = ERROR_INIT;
    if (!container_start(engine, id, &err))
        fail_msg("%s", error_message(&err));
}

static int64_t wait_for(const char *id)
{
    struct error err = ERROR_INIT;
    struct container_exit result = {0};
    struct container_wait *wait = container_wait_begin(engine, id, WAIT_NOT_RUNNING, &err);
    assert_non_null(wait);
    assert_true(container_wait_finish(wait, -1, &result, &err));
    free(result.error);
    return result.exit_code;
}

static void remove_container(const char *id)
{
    struct error err = ERROR_INIT;
    const struct container_remove_options options = {.is_forced = true, .removes_volumes = true};
    if (!container_remove(engine, id, &options, &err))
        fail_msg("%s", error_message(&err));
}

static bool add_output(void *context, const void *data, size_t length)
{
    return strbuf_add(context, data, length);
}

/* The log without its frames. */
static char *output_of(const char *id, int64_t tail)
{
    struct error err = ERROR_INIT;
    const struct logs_options options = {.wants_stdout = true, .wants_stderr = true, .tail = tail};
    struct strbuf framed = STRBUF_INIT, plain = STRBUF_INIT;
    bool is_terminal;
    struct container_logs *logs = container_logs_open(engine, id, &options, &is_terminal, &err);
    if (!logs || !container_logs_stream(logs, add_output, &framed, -1, &err))
        fail_msg("%s", error_message(&err));
    for (size_t at = 0; at + 8 <= framed.length;) {
        const unsigned char *head = (const unsigned char *)framed.data + at;
        size_t length = (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 | head[7];
        strbuf_add(&plain, framed.data + at + 8, length);
        at += 8 + length;
    }
    strbuf_release(&framed);
    return strbuf_take(&plain);
}

static void assert_state(const char *id, const char *status)
{
    struct error err = ERROR_INIT;
    _cleanup_json_ json_t *json = container_inspect(engine, id, false, 150, &err);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "State"), "Status")), status);
}

static void test_exit_code_and_log(void **state)
{
    (void)state;
    _cleanup_free_ char *id =
        create("first",
               "{\"Image\":\"test\",\"Cmd\":[\"sh\",\"-c\",\"echo $FROM_IMAGE $HOSTNAME $HOME; echo bad >&2; exit 7\"],"
               "\"HostConfig\":{\"NetworkMode\":\"none\"}}");
    start("first");
    assert_int_equal(wait_for(id), 7);
    _cleanup_free_ char *expected = xasprintf("1 %.12s /root\nbad\n", id);
    _cleanup_free_ char *output = output_of("/first", -1);
    assert_string_equal(output, expected);
    _cleanup_free_ char *last = output_of(id, 1);
    assert_string_equal(last, "bad\n");
    assert_state(id, "exited");
    start("first"); /* a second time */
    assert_int_equal(wait_for(id), 7);
    remove_container("first");
    assert_null(container_inspect(engine, id, false, 150, NULL));
}

static void test_failures(void **state)
{
    (void)state;
    static const struct {
        const char *json, *message;
        enum error_kind kind;
        int exit_code;
    } rows[] = {
        {"{\"Image\":\"test\",\"Cmd\":[\"nosuch\"]}",
         "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
         "failed: unable to start container process: exec: \"nosuch\": executable file not found in $PATH: unknown",
         ERROR_INVALID, 127},
        {"{\"Image\":\"test\",\"Cmd\":[\"/nosuch\"]}",
         "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
         "failed: unable to start container process: exec: \"/nosuch\": stat /nosuch: no such file or directory: "
         "unknown",
         ERROR_INVALID, 127},
        {"{\"Image\":\"test\",\"Cmd\":[\"/etc/notexec\"]}",
         "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
         "failed: unable to start container process: exec: \"/etc/notexec\": permission denied: unknown",
         ERROR_INVALID, 126},
        {"{\"Image\":\"test\",\"Cmd\":[\"/etc\"]}",
         "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
         "failed: unable to start container process: exec: \"/etc\": is a directory: unknown: permission denied",
         ERROR_INVALID, 126},
        {"{\"Image\":\"test\",\"User\":\"nobody2\"}", "unable to find user nobody2: no matching entries in passwd file",
         ERROR_INTERNAL, 128},
        {"{\"Image\":\"test\",\"HostConfig\":{\"NetworkMode\":\"bogus\"}}", "network bogus not found", ERROR_NOT_FOUND,
         128},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_free_ char *id = create(NULL, rows[i].json);
        assert_false(container_start(engine, id, &err));
        assert_string_equal(error_message(&err), rows[i].message);
        assert_int_equal(err.kind, rows[i].kind);
        _cleanup_json_ json_t *json = container_inspect(engine, id, false, 150, NULL);
        const json_t *shown = json_object_get(json, "State");
        assert_int_equal(json_integer_value(json_object_get(shown, "ExitCode")), rows[i].exit_code);
        assert_string_equal(json_string_value(json_object_get(shown, "Status")), "created");
        remove_container(id);
    }
}

static void test_attach_before_start(void **state)
{
    (void)state;
    int ends[2];
    struct error err = ERROR_INIT;
    _cleanup_free_ char *id =
        create(NULL, "{\"Image\":\"test\",\"Cmd\":[\"cat\"],\"OpenStdin\":true,\"StdinOnce\":true,"
                     "\"HostConfig\":{\"NetworkMode\":\"none\",\"AutoRemove\":true}}");
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct shim_attachment attachment = {
        .fd = ends[1], .wants_stdin = true, .wants_stdout = true, .wants_stderr = true, .is_framed = true};
    bool is_terminal;
    struct container_attach *attach = container_attach_begin(engine, id, &is_terminal, &err);
    assert_non_null(attach);
    assert_true(container_attach_finish(attach, &attachment, NULL, true, &err));
    struct container_wait *wait = container_wait_begin(engine, id, WAIT_REMOVED, &err);
    start(id);
    assert_int_equal(write_full(ends[0], "hello\n", 6), 0);
    shutdown(ends[0], SHUT_WR);
    char answer[64] = "";
    assert_int_equal(read_full(ends[0], answer, sizeof(answer)), 8 + 6);
    assert_memory_equal(answer, "\1\0\0\0\0\0\0\6hello\n", 14);
    close(ends[0]);
    struct container_exit result = {0};
    assert_true(container_wait_finish(wait, -1, &result, &err));
    assert_int_equal(result.exit_code, 0);
    assert_null(container_inspect(engine, id, false, 150, NULL));
}

static void test_stop_pause_exec(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    _cleanup_free_ char *id =
        create("second", "{\"Image\":\"test\",\"Cmd\":[\"sh\",\"-c\",\"trap 'exit 3' TERM; while :; do sleep 0.05; "
                         "done\"],\"HostConfig\":{\"Memory\":67108864,\"PidsLimit\":50}}");
    start(id);
    assert_false(container_start(engine, id, &err));
    assert_int_equal(err.kind, ERROR_NOT_MODIFIED);
    error_release(&err);
    if (!container_pause(engine, id, true, &err))
        fail_msg("%s", error_message(&err));
    assert_state(id, "paused");
    assert_true(container_pause(engine, id, false, &err));

    struct exec_request request = {.attach_stdout = true};
    static const char *const command[] = {"sh", "-c", "echo $HOSTNAME; exit 4"};
    for (size_t i = 0; i < ARRAY_SIZE(command); i++)
        strlist_add(&request.cmd, command[i]);
    _cleanup_free_ char *exec_id = NULL;
    assert_true(exec_create(engine, id, &request, &exec_id, &err));
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct shim_attachment attachment = {.fd = ends[1], .is_framed = true};
    if (!exec_start(engine, exec_id, false, 0, 0, &attachment, &err))
        fail_msg("%s", error_message(&err));
    char answer[64] = "";
    assert_int_equal(read_full(ends[0], answer, sizeof(answer) - 1), 8 + 13);
    assert_memory_equal(answer + 8, id, 12);
    close(ends[0]);
    _cleanup_json_ json_t *shown = exec_inspect(engine, exec_id, &err);
    assert_int_equal(json_integer_value(json_object_get(shown, "ExitCode")), 4);

    if (!container_stop(engine, id, NULL, 5, &err))
        fail_msg("%s", error_message(&err));
    assert_int_equal(wait_for(id), 3);
    assert_false(container_kill(engine, id, NULL, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    error_release(&err);
    remove_container(id);
}

static void test_restart_policy(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    _cleanup_free_ char *id =
        create(NULL, "{\"Image\":\"test\",\"Cmd\":[\"false\"],\"HostConfig\":{\"NetworkMode\":"
                     "\"none\",\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":2}}}");
    start(id);
    assert_int_equal(wait_for(id), 1);
    _cleanup_json_ json_t *json = container_inspect(engine, id, false, 150, &err);
    assert_int_equal(json_integer_value(json_object_get(json, "RestartCount")), 2);
    remove_container(id);
}

static void test_mounts(void **state)
{
    (void)state;
    _cleanup_free_ char *json = xasprintf(
        "{\"Image\":\"test\",\"Cmd\":[\"sh\",\"-c\",\"cat /seed/file && echo x > /b/made && mount | grep -c ' /t ' && "
        "grep -c localhost /etc/hosts\"],\"Volumes\":{\"/seed\":{}},\"HostConfig\":{\"Binds\":[\"%s/new/folder:/b\"],"
        "\"Tmpfs\":{\"/t\":\"size=1m\"}}}",
        folder);
    _cleanup_free_ char *id = create(NULL, json);
    start(id);
    int64_t code = wait_for(id);
    _cleanup_free_ char *output = output_of(id, -1);
    assert_string_equal(output, "seeded\n1\n2\n");
    assert_int_equal(code, 0);
    _cleanup_free_ char *made = xasprintf("%s/new/folder/made", folder);
    assert_int_equal(access(made, F_OK), 0);
    remove_container(id);
}

static void test_engine_restart(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    _cleanup_free_ char *running = create("running", "{\"Image\":\"test\",\"Cmd\":[\"sleep\",\"100\"]}");
    _cleanup_free_ char *ends = create("ends", "{\"Image\":\"test\",\"Cmd\":[\"sh\",\"-c\",\"sleep 0.3; exit 9\"]}");
    start(running);
    start(ends);
    assert_true(engine_close(engine));
    usleep(600000);
    engine = open_engine();
    assert_state("running", "running");
    assert_int_equal(wait_for("ends"), 9);
    assert_true(container_stop(engine, "running", NULL, 0, &err));
    assert_int_equal(wait_for("running"), 137);
    remove_container("running");
    remove_container("ends");
}

static int group_setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    data_root = path_join(folder, "data");
    exec_root = path_join(folder, "run");
    engine = open_engine();
    import_image();
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    assert_true(engine_close(engine));
    tree_remove(AT_FDCWD, folder, NULL);
    free(data_root);
    free(exec_root);
    return 0;
}

int main(int argc, char **argv)
{
    if (geteuid() != 0 || argc < 2)
        return 77;
    shim_program = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_code_and_log),   cmocka_unit_test(test_failures),
        cmocka_unit_test(test_attach_before_start), cmocka_unit_test(test_stop_pause_exec),
        cmocka_unit_test(test_restart_policy),      cmocka_unit_test(test_mounts),
        cmocka_unit_test(test_engine_restart),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
