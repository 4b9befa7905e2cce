/* -v and --mount: what they mean, and what is refused in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/mounts.h"

static void assert_bind(const char *text, const char *type, const char *source, const char *target, bool is_writable,
                        const char *mode)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    struct container_mount mount = {0};
    if (!bind_parse(text, &mount, &err))
        fail_msg("%s: %s", text, error_message(&err));
    assert_string_equal(mount.point.type, type);
    assert_string_equal(string_or_empty(mount.point.name ? mount.point.name : mount.point.source), source);
    assert_string_equal(mount.point.destination, target);
    assert_int_equal(mount.point.is_writable, is_writable);
    assert_string_equal(mount.point.mode, mode);
    record_release(&container_mount_type, &mount);
}

static void assert_refused(const char *text, const char *message)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    struct container_mount mount = {0};
    assert_false(bind_parse(text, &mount, &err));
    assert_string_equal(error_message(&err), message);
}

static void test_binds(void **state)
{
    (void)state;
    assert_bind("/a/./b/:/c//d", "bind", "/a/b", "/c/d", true, "");
    assert_bind("/a:/b:ro", "bind", "/a", "/b", false, "ro");
    assert_bind("/a:/b:ro,rslave", "bind", "/a", "/b", false, "ro,rslave");
    assert_bind("name:/b", "volume", "name", "/b", true, "z");
    assert_bind("name:/b:nocopy,ro", "volume", "name", "/b", false, "nocopy,ro");
    assert_bind("/only", "volume", "", "/only", true, "");
    assert_refused("a:b:c:d", "invalid volume specification: 'a:b:c:d'");
    assert_refused("/etc:relative", "invalid volume specification: '/etc:relative': invalid mount config for type "
                                    "\"bind\": invalid mount path: 'relative' mount path must be absolute");
    assert_refused("vol:/x/..", "invalid volume specification: 'vol:/x/..': invalid mount config for type \"volume\": "
                                "invalid specification: destination can't be '/'");
    assert_refused("/etc:/x:bogus", "invalid mode: bogus");
    assert_refused("/etc:/x:ro,rw", "invalid mode: ro,rw");
    assert_refused("/etc:/x:nocopy", "invalid volume specification: '/etc:/x:nocopy': invalid mount config for type "
                                     "\"bind\": field VolumeOptions must not be specified");
    assert_refused("x y:/b", "create x y: \"x y\" includes invalid characters for a local volume name, only "
                             "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use "
                             "absolute path");
}

static void assert_mount_refused(const struct mount_request *request, const char *message)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    struct container_mount mount = {0};
    assert_false(mount_request_convert(request, &mount, &err));
    assert_string_equal(error_message(&err), message);
}

static void test_mounts(void **state)
{
    (void)state;
    char bind[] = "bind", tmpfs[] = "tmpfs", bogus[] = "bogus", target[] = "/x", source[] = "/no/such/source";
    struct mount_request request = {.type = bogus, .target = target};
    assert_mount_refused(&request, "invalid mount config for type \"bogus\": mount type unknown");
    request.type = bind;
    assert_mount_refused(&request, "invalid mount config for type \"bind\": field Source must not be empty");
    request.source = source;
    assert_mount_refused(&request,
                         "invalid mount config for type \"bind\": bind source path does not exist: /no/such/source");
    request.type = tmpfs;
    assert_mount_refused(&request, "invalid mount config for type \"tmpfs\": field Source must not be specified");
    request.source = NULL;
    request.tmpfs = &(struct tmpfs_options){.size_bytes = 1 << 20, .mode = 01777};
    struct container_mount mount = {0};
    assert_true(mount_request_convert(&request, &mount, NULL));
    assert_string_equal(mount.tmpfs_options, "mode=1777,size=1048576");
    record_release(&container_mount_type, &mount);
}

static void test_tmpfs(void **state)
{
    (void)state;
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_true(tmpfs_check("/x", "size=1m,noexec,mode=755", NULL));
    assert_false(tmpfs_check("/x", "bogus", &err));
    assert_string_equal(error_message(&err), "invalid tmpfs option \"bogus\"");
    assert_false(tmpfs_check("relative", "", &err));
    assert_string_equal(error_message(&err), "invalid mount path: 'relative' mount path must be absolute");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binds),
        cmocka_unit_test(test_mounts),
        cmocka_unit_test(test_tmpfs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
