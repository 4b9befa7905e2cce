/* The parts of the runtime that need no kernel: users, options, formats, policies, tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/wire.h"
#include "runtime/cgroup_v1.h"
#include "runtime/cgroup_v2.h"
#include "runtime/command.h"
#include "runtime/defaults.h"
#include "runtime/mount_options.h"
#include "runtime/seccomp.h"
#include "runtime/user.h"
#include "json/json_record.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n# a comment\n\nbob:x:1000:1001:Bob:/home/bob:/bin/sh\n"
                             "short:x:7\nhuge:x:99999999999:0::/:\n";
static const char group[] = "root:x:0:\nwheel:x:10:root,bob\nbobby:x:1001:\nstaff:x:50:bobx,bob";

/* "uid gid group,group home", or the message. */
static char *resolve(const char *user, const char *extra)
{
    struct launch_user wanted = {.user = xstrdup(user)};
    if (extra)
        strlist_add(&wanted.extra_groups, extra);
    struct error err = ERROR_INIT;
    struct strbuf text = STRBUF_INIT;
    _cleanup_resolved_user_ struct resolved_user found = {0};
    if (user_resolve(&wanted, passwd, group, &found, &err)) {
        strbuf_addf(&text, "%u:%u", found.uid, found.gid);
        for (size_t i = 0; i < found.group_count; i++)
            strbuf_addf(&text, "%c%u", i ? ',' : ' ', found.groups[i]);
        strbuf_addf(&text, " %s", found.home);
    } else {
        strbuf_add_string(&text, error_message(&err));
    }
    error_release(&err);
    free(wanted.user);
    strlist_release(&wanted.extra_groups);
    return strbuf_take(&text);
}

static void test_users(void **state)
{
    /* Answers of the real engine with the same files. */
    static const struct {
        const char *user, *extra, *answer;
    } rows[] = {
        {"", NULL, "0:0 0,10 /root"},
        {"bob", NULL, "1000:1001 1001,10,50 /home/bob"},
        {"1000", NULL, "1000:1001 1001,10,50 /home/bob"},
        {"bob:50", NULL, "1000:50 50 /home/bob"},
        {"bob:staff", NULL, "1000:50 50 /home/bob"},
        {":50", NULL, "0:50 50 /root"},
        {"1234", NULL, "1234:0 0 /"},
        {"1234:77", NULL, "1234:77 77 /"},
        {"short", NULL, "7:0 0 /"},
        {"bob", "wheel", "1000:1001 1001,10,50 /home/bob"},
        {"bob", "4242", "1000:1001 1001,10,50,4242 /home/bob"},
        {"nobody", NULL, "unable to find user nobody: no matching entries in passwd file"},
        {"bob:nogroup", NULL, "unable to find group nogroup: no matching entries in group file"},
        {"bob", "nogroup", "Unable to find group nogroup: no matching entries in group file"},
        {"99999999998", NULL, "uids and gids must be in range 0-2147483647"},
        {"huge", NULL, "uids and gids must be in range 0-2147483647"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_free_ char *answer = resolve(rows[i].user, rows[i].extra);
        assert_string_equal(answer, rows[i].answer);
    }
}

static void test_mount_options(void **state)
{
    struct strlist texts = strlist_split("rw,nosuid,ro,strictatime,rbind,rslave,rro,mode=755,sync", ',');
    struct mount_options options;
    assert_true(mount_options_parse(&texts, &options, NULL));
    assert_true(options.set == (MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY | MOUNT_ATTR_STRICTATIME));
    assert_true(options.clear == MOUNT_ATTR__ATIME);
    assert_true(options.recursive_set == MOUNT_ATTR_RDONLY);
    assert_true(options.is_bind && options.is_recursive_bind);
    assert_true(options.propagation == (MS_SLAVE | MS_REC));
    assert_int_equal(options.data.count, 2);
    assert_string_equal(mount_options_data(&options, "mode"), "755");
    mount_options_release(&options);
    strlist_add(&texts, "tmpcopyup");
    assert_false(mount_options_parse(&texts, &options, NULL));
    strlist_release(&texts);
}

static void test_cgroup_formats(void **state)
{
    size_t count;
    struct cgroup_hierarchy *found =
        cgroup_v1_parse("9:name=systemd:/\n4:cpu,cpuacct:/a:b\n3:memory:/x\n0::/user.slice\n", &count);
    assert_int_equal(count, 3);
    assert_string_equal(found[0].directory, "systemd");
    assert_string_equal(found[0].controllers, "name=systemd");
    assert_string_equal(found[1].directory, "cpu,cpuacct");
    for (size_t i = 0; i < count; i++) {
        free(found[i].directory);
        free(found[i].controllers);
    }
    free(found);

    char text[64];
    struct oci_device_rule rule = {.allow = true, .type = (char *)(uintptr_t) "c", .major = {true, 136}};
    cgroup_v1_format_rule(&rule, text, sizeof(text));
    assert_string_equal(text, "c 136:* rwm");
    assert_int_equal(cgroup_v2_weight(1024), 39);
    assert_int_equal(cgroup_v2_weight(2), 1);
    assert_int_equal(cgroup_v2_weight(262144), 10000);
    assert_int_equal(cgroup_v2_io_weight(10), 1);
    assert_int_equal(cgroup_v2_io_weight(1000), 10000);
    cgroup_v2_format_cpu_max(50000, 0, text, sizeof(text));
    assert_string_equal(text, "50000 100000");
    cgroup_v2_format_cpu_max(-1, 20000, text, sizeof(text));
    assert_string_equal(text, "max 20000");
}

static void test_command_find(void **state)
{
    char folder[] = "/tmp/wherry-parts-test.XXXXXX";
    assert_non_null(mkdtemp(folder));
    _cleanup_close_ int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(fd, "first", 0755), 0);
    assert_int_equal(mkdirat(fd, "second", 0755), 0);
    assert_true(file_write_text(fd, "first/tool", "x", 0644, NULL));
    assert_true(file_write_text(fd, "second/tool", "x", 0755, NULL));
    struct strlist env = {0};
    strlist_addf(&env, "PATH=%s/first::%s/second", folder, folder);
    struct error err = ERROR_INIT;
    /* What may not be executed is passed over. */
    _cleanup_free_ char *found = command_find("tool", &env, &err), *wanted = xasprintf("%s/second/tool", folder);
    assert_string_equal(found, wanted);
    assert_null(command_find("missing", &env, &err));
    assert_string_equal(error_message(&err), "exec: \"missing\": executable file not found in $PATH");
    assert_null(command_find("", &env, &err));
    assert_null(command_find("/no/such", &env, &err));
    assert_string_equal(error_message(&err), "exec: \"/no/such\": stat /no/such: no such file or directory");
    error_release(&err);
    strlist_release(&env);
    tree_remove(AT_FDCWD, folder, NULL);
}

static const char config_json[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"terminal\":true,\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7,8]},"
    "\"args\":[\"sh\"],\"env\":[\"A=b\"],\"cwd\":\"/\",\"capabilities\":{\"bounding\":[\"CAP_KILL\"]},\"rlimits\":[{"
    "\"type\":\"RLIMIT_NOFILE\",\"hard\":10,\"soft\":9}],\"noNewPrivileges\":true},\"root\":{\"path\":\"rootfs\","
    "\"readonly\":true},\"hostname\":\"h\",\"mounts\":[{\"destination\":\"/"
    "proc\",\"type\":\"proc\",\"source\":\"proc\","
    "\"options\":[\"ro\"]}],\"linux\":{\"namespaces\":[{\"type\":\"pid\"}],\"resources\":{\"devices\":[{\"allow\":"
    "false,"
    "\"access\":\"rwm\"}],\"memory\":{\"limit\":1000000}},\"cgroupsPath\":\"/x\",\"seccomp\":{\"defaultAction\":"
    "\"SCMP_ACT_ALLOW\"},\"maskedPaths\":[\"/proc/kcore\"]}}";

/* JSON → record → wire → record → JSON gives the same text. */
static void test_tables(void **state)
{
    struct launch launch = {0}, copy = {0};
    struct error err = ERROR_INIT;
    if (!record_parse(&runtime_config_type, config_json, strlen(config_json), &launch.config, &err))
        fail_msg("%s", error_message(&err));
    strlist_add(&launch.overlay.lower, "/layer");
    launch.seccomp = (struct bytes){xmemdup("12345678", 8), 8};
    struct launch_interface *interface = record_list_add(&launch.interfaces, &launch_interface_type);
    strlist_add(&interface->addresses, "172.17.0.2/16");
    _cleanup_strbuf_ struct strbuf wire = STRBUF_INIT;
    wire_encode(&launch_type, &launch, &wire);
    assert_true(wire_decode(&launch_type, wire.data, wire.length, &copy, &err));
    _cleanup_free_ char *before = record_format(&runtime_config_type, &launch.config);
    _cleanup_free_ char *after = record_format(&runtime_config_type, &copy.config);
    assert_string_equal(before, after);
    json_t *given = json_parse(config_json, strlen(config_json), NULL),
           *written = json_parse(after, strlen(after), NULL);
    assert_true(json_equal(given, written));
    json_decref(given);
    json_decref(written);
    assert_int_equal(copy.seccomp.length, 8);
    assert_string_equal(RECORD_AT(copy.interfaces, struct launch_interface, 0)->addresses.items[0], "172.17.0.2/16");
    record_release(&launch_type, &launch);
    record_release(&launch_type, &copy);
}

static void test_seccomp(void **state)
{
    struct strlist capabilities = {0};
    defaults_capabilities(&capabilities);
    struct bytes first, second, admin;
    struct error err = ERROR_INIT;
    if (!seccomp_default_filter(&capabilities, &first, &err))
        fail_msg("%s", error_message(&err));
    assert_true(seccomp_default_filter(&capabilities, &second, &err));
    assert_ptr_equal(first.data, second.data);
    strlist_add(&capabilities, "CAP_SYS_ADMIN");
    assert_true(seccomp_default_filter(&capabilities, &admin, &err));
    assert_ptr_not_equal(first.data, admin.data);
    assert_true(first.length > 1000 && first.length / sizeof(struct sock_filter) < BPF_MAXINSNS);

    static const char profile[] =
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\"}],\"syscalls\":[{"
        "\"names\":[\"chmod\",\"no_such_call\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":13,\"args\":[{\"index\":1,"
        "\"value\":511,\"op\":\"SCMP_CMP_EQ\"}],\"excludes\":{\"caps\":[\"CAP_NET_ADMIN\"]}}]}";
    struct bytes compiled;
    if (!seccomp_compile(profile, &capabilities, &compiled, &err))
        fail_msg("%s", error_message(&err));
    free(compiled.data);
    assert_false(seccomp_compile("{\"defaultAction\":\"SCMP_ACT_NOTHING\"}", &capabilities, &compiled, &err));
    assert_string_equal(error_message(&err), "seccomp: invalid action SCMP_ACT_NOTHING");
    error_release(&err);
    strlist_release(&capabilities);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),          cmocka_unit_test(test_mount_options),
        cmocka_unit_test(test_cgroup_formats), cmocka_unit_test(test_command_find),
        cmocka_unit_test(test_tables),         cmocka_unit_test(test_seccomp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
