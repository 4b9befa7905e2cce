#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "build/run.h"

static void parses(void **state)
{
    struct run_mount mount = {0};
    assert_true(run_mount_parse("target=sub/../x", "/work", &mount, NULL));
    assert_int_equal(mount.type, RUN_MOUNT_BIND);
    assert_string_equal(mount.target, "/work/x");
    assert_true(mount.is_read_only);
    run_mount_release(&mount);

    assert_true(run_mount_parse("type=cache,dst=/c,sharing=locked,uid=5,gid=6,mode=0700", "/", &mount, NULL));
    assert_string_equal(mount.id, "/c");
    assert_int_equal(mount.sharing, RUN_MOUNT_LOCKED);
    assert_int_equal(mount.uid, 5);
    assert_int_equal(mount.gid, 6);
    assert_int_equal(mount.mode, 0700);
    assert_false(mount.is_read_only);
    run_mount_release(&mount);

    assert_true(run_mount_parse("type=tmpfs,target=/t,size=64m", "/", &mount, NULL));
    assert_int_equal(mount.size, 64 << 20);
    run_mount_release(&mount);

    assert_true(run_mount_parse("required,target=/s,type=secret", "/", &mount, NULL));
    assert_string_equal(mount.id, "s");
    assert_true(mount.is_required);
    run_mount_release(&mount);

    assert_true(run_mount_parse("type=secret,id=a,env=A", "/", &mount, NULL));
    assert_null(mount.target);
    run_mount_release(&mount);
}

static void refuses(void **state)
{
    static const char *const texts[] = {"",
                                        "type=bind",
                                        "type=nosuch,target=/x",
                                        "type=ssh",
                                        "type=secret",
                                        "type=cache,target=/x,sharing=no",
                                        "type=cache,target=/x,mode=9",
                                        "target=/x,uid=-1",
                                        "target=/x,rw=perhaps",
                                        "type=tmpfs,target=/x,size=many",
                                        "target=/x,nosuch=1",
                                        "target=/"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct run_mount mount = {0};
        struct error err = ERROR_INIT;
        assert_false(run_mount_parse(texts[i], "/", &mount, &err));
        assert_null(mount.target);
        assert_int_not_equal(err.kind, ERROR_NONE);
        error_release(&err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parses), cmocka_unit_test(refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
