/* The values of run's flags. Expectations are what docker 28.2 sends or says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cli/detach_keys.h"
#include "cli/env_file.h"
#include "cli/flag_checks.h"
#include "cli/mount_option.h"
#include "cli/port_option.h"
#include "cli/time_option.h"
#include "cli/volume_option.h"
#include "json/json_record.h"

/* "<exposed>,… <port>=<ip>:<host port>;…" or the error. Caller frees. */
static char *publish(const char *value)
{
    struct strlist exposed = {0};
    struct record_map bindings = {0};
    struct error err = ERROR_INIT;
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (port_publish_parse(value, &exposed, &bindings, &err)) {
        _cleanup_free_ char *names = strlist_join(&exposed, ",");
        strbuf_addf(&text, "%s", names);
        for (size_t i = 0; i < bindings.keys.count; i++) {
            struct record_list *list = RECORD_AT(bindings, struct record_list, i);
            struct port_binding *binding = RECORD_AT(*list, struct port_binding, 0);
            strbuf_addf(&text, " %s=%s:%s", bindings.keys.items[i], binding->host_ip, binding->host_port);
        }
    } else {
        strbuf_add_string(&text, error_message(&err));
    }
    while (bindings.keys.count > 0) {
        record_list_release(RECORD_AT(bindings, struct record_list, bindings.keys.count - 1), &port_binding_type);
        record_map_remove(&bindings, &record_list_type, bindings.keys.items[bindings.keys.count - 1]);
    }
    strlist_release(&bindings.keys);
    free(bindings.items);
    strlist_release(&exposed);
    error_release(&err);
    return strbuf_take(&text);
}

static void test_publish(void **state)
{
    static const char *const cases[][2] = {
        {"80", "80/tcp 80/tcp=:"},
        {"80:90", "90/tcp 90/tcp=:80"},
        {"80:80/TCP", "80/tcp 80/tcp=:80"},
        {"1-2:11-12/udp", "11/udp,12/udp 11/udp=:1 12/udp=:2"},
        {"8000-8002:80", "80/tcp 80/tcp=:8000-8002"},
        {"[::1]:80:90", "90/tcp 90/tcp=::1:80"},
        {"::1:80:90", "90/tcp 90/tcp=::1:80"},
        {"127.0.0.1::90", "90/tcp 90/tcp=127.0.0.1:"},
        {"published=80,target=90,protocol=udp", "90/udp 90/udp=:80"},
        {"1-3:11-12", "invalid ranges specified for container and host Ports: 11-12 and 1-3"},
        {"x:80:90", "invalid IP address: x"},
        {"80:99999", "invalid containerPort: 99999"},
        {"99999:80", "invalid hostPort: 99999"},
        {"80:90/foo", "invalid proto: foo"},
        {"", "no port specified: <empty>"},
        {"80:", "no port specified: 80:<empty>"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *text = publish(cases[i][0]);
        assert_string_equal(text, cases[i][1]);
    }
}

static void test_expose(void **state)
{
    _cleanup_strlist_ struct strlist exposed = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_true(port_expose_parse("80-82/udp", &exposed, &err));
    assert_true(port_expose_parse("81/udp", &exposed, &err));
    assert_int_equal(exposed.count, 3);
    assert_false(port_expose_parse("80:90", &exposed, &err));
    assert_string_equal(error_message(&err), "invalid port format for --expose: 80:90");
}

static void test_mounts(void **state)
{
    static const char *const cases[][2] = {
        {"type=bind,src=/a,dst=/b,ro", "{\"Source\":\"/a\",\"Target\":\"/b\",\"Type\":\"bind\",\"ReadOnly\":true}"},
        {"type=bind,\"src=/a,b\",dst=/b", "{\"Source\":\"/a,b\",\"Target\":\"/b\",\"Type\":\"bind\"}"},
        {"dst=/b,volume-opt=a=b",
         "{\"Target\":\"/b\",\"Type\":\"volume\",\"VolumeOptions\":{\"DriverConfig\":{\"Options\":{\"a\":\"b\"}}}}"},
        {"type=tmpfs,dst=/b,tmpfs-size=1m,tmpfs-mode=700",
         "{\"Target\":\"/b\",\"Type\":\"tmpfs\",\"TmpfsOptions\":{\"SizeBytes\":1048576,\"Mode\":448}}"},
        {"x", "invalid field 'x' must be a key=value pair"},
        {"", "EOF"},
        {"type=bind,src=/a", "target is required"},
        {"type=bind,dst=/b,volume-nocopy", "cannot mix 'volume-*' options with mount type 'bind'"},
        {"dst=/b,foo=bar", "unexpected key 'foo' in 'foo=bar'"},
        {"type=tmpfs,dst=/b,tmpfs-mode=9", "invalid value for tmpfs-mode: 9"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_json_ json_t *mount = mount_parse(cases[i][0], &err);
        _cleanup_free_ char *text = mount ? json_format(mount) : NULL;
        assert_string_equal(mount ? text : error_message(&err), cases[i][1]);
    }
}

static void test_volumes(void **state)
{
    _cleanup_strlist_ struct strlist binds = {0}, anonymous = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_true(volume_option_parse("/a:/b:ro", &binds, &anonymous, &err));
    assert_true(volume_option_parse("data:/b", &binds, &anonymous, &err));
    assert_true(volume_option_parse("/only", &binds, &anonymous, &err));
    assert_int_equal(binds.count, 2);
    assert_string_equal(anonymous.items[0], "/only");
    assert_true(volume_option_parse("./x:/b", &binds, &anonymous, &err));
    assert_int_equal(binds.items[2][0], '/');
    assert_true(string_ends_with(binds.items[2], "/x:/b"));
    assert_false(volume_option_parse("", &binds, &anonymous, &err));
    assert_false(volume_option_parse("/a:", &binds, &anonymous, &err));
    assert_string_equal(error_message(&err), "invalid spec: /a:: empty section between colons");
    assert_false(volume_option_parse("/a:/b:ro:z", &binds, &anonymous, &err));
    assert_string_equal(error_message(&err), "invalid spec: /a:/b:ro:z: too many colons");
}

static void test_env_file(void **state)
{
    _cleanup_strlist_ struct strlist env = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    setenv("WHERRY_TEST_INHERITED", "yes", 1);
    unsetenv("WHERRY_TEST_MISSING");
    const char *text = "\xef\xbb\xbf"
                       "A=1\n# comment\n\n  C=x y \r\nWHERRY_TEST_INHERITED\nWHERRY_TEST_MISSING\nE=";
    assert_true(env_text_read("f", text, true, &env, &err));
    assert_int_equal(env.count, 4);
    assert_string_equal(env.items[1], "C=x y ");
    assert_string_equal(env.items[2], "WHERRY_TEST_INHERITED=yes");
    assert_string_equal(env.items[3], "E=");
    assert_false(env_text_read("f", "A B=1", true, &env, &err));
    assert_string_equal(error_message(&err), "invalid env file (f): variable 'A B' contains whitespaces");
    assert_false(env_text_read("f", "=x", true, &env, &err));
    assert_string_equal(error_message(&err), "invalid env file (f): no variable name on line '=x'");
}

static void test_detach_keys(void **state)
{
    struct detach_keys keys = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_true(detach_keys_parse("ctrl-p,ctrl-q", &keys, &err));
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    /* a first key that leads nowhere is passed on; one that is repeated may still begin the sequence */
    assert_false(detach_keys_feed(&keys, "a\x10", 2, &out));
    assert_string_equal(strbuf_text(&out), "a");
    assert_false(detach_keys_feed(&keys, "b", 1, &out));
    assert_string_equal(strbuf_text(&out), "a\x10"
                                           "b");
    assert_true(detach_keys_feed(&keys, "\x10\x10\x11", 3, &out));
    assert_true(detach_keys_parse("a,ctrl-@,ctrl-[", &keys, &err));
    assert_int_equal(keys.keys[1], 0);
    assert_int_equal(keys.keys[2], 27);
    assert_false(detach_keys_parse("ctrl-A", &keys, &err));
    assert_false(detach_keys_parse("xy", &keys, &err));
    assert_string_equal(error_message(&err), "Unknown character: 'xy'");
}

static void test_cpus_and_ulimits(void **state)
{
    int64_t nano = 0;
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_true(parse_cpus(&nano, "1.5", &err));
    assert_int_equal(nano, 1500000000);
    assert_true(parse_cpus(&nano, ".000000001", &err));
    assert_int_equal(nano, 1);
    assert_false(parse_cpus(&nano, "0.0000000001", &err));
    assert_string_equal(error_message(&err), "value is too precise");
    assert_false(parse_cpus(&nano, "99999999999999999999", &err));
    struct parsed_ulimit limit = {0};
    assert_true(parse_ulimit("nofile=5:6", &limit, &err));
    assert_int_equal(limit.hard, 6);
    free(limit.name);
    assert_false(parse_ulimit("nofile=5:3", &limit, &err));
    assert_string_equal(error_message(&err), "ulimit soft limit must be less than or equal to hard limit: 5 > 3");
}

static void test_times(void **state)
{
    const unix_nano now = INT64_C(1000000) * NANOSECONDS_PER_SECOND;
    setenv("TZ", "UTC", 1);
    static const char *const cases[][2] = {
        {"10m", "999400"},
        {"1136073600", "1136073600"},
        {"1136073600.5", "1136073600.5"},
        {"2006-01-02T15:04:05Z", "1136214245.000000000"},
        {"2006-01-02", "1136160000.000000000"},
        {"2006-01-02T15:04", "1136214240.000000000"},
        {"2006-01-02T15:04:05.25", "1136214245.250000000"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *text = time_option_parse(cases[i][0], now, NULL);
        assert_non_null(text);
        assert_string_equal(text, cases[i][1]);
    }
    assert_null(time_option_parse("yesterday", now, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_publish),          cmocka_unit_test(test_expose),   cmocka_unit_test(test_mounts),
        cmocka_unit_test(test_volumes),          cmocka_unit_test(test_env_file), cmocka_unit_test(test_detach_keys),
        cmocka_unit_test(test_cpus_and_ulimits), cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
