#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/message.h"

static void test_unescape(void **state)
{
    char good[] = "a%20b%2Fc+d%e2%82%ac", bad[] = "a%2", worse[] = "%zz", nul[] = "a%00b";
    assert_true(http_unescape(good));
    assert_string_equal(good, "a b/c+d\xe2\x82\xac");
    assert_false(http_unescape(bad));
    assert_false(http_unescape(worse));
    assert_false(http_unescape(nul));
}

static void test_query(void **state)
{
    _cleanup_(strmap_release) struct strmap map = {0};
    http_query_parse("a=1&b&c=x%3Dy&&a=2&d=p+q&%65=%zz&=v", &map);
    assert_string_equal(strmap_get(&map, "a"), "2");
    assert_string_equal(strmap_get(&map, "b"), "");
    assert_string_equal(strmap_get(&map, "c"), "x=y");
    assert_string_equal(strmap_get(&map, "d"), "p q");
    assert_string_equal(strmap_get(&map, "e"), "%zz");
    assert_null(strmap_get(&map, "z"));
    _cleanup_strlist_ struct strlist all = {0};
    http_query_all("n=a&m=x&n=b%26c", "n", &all);
    assert_int_equal(all.count, 2);
    assert_string_equal(all.items[1], "b&c");
}

static void test_bad_escape(void **state)
{
    static const char *const bad[][2] = {{"a=%zz&b", "%zz"}, {"a=%4", "%4"}, {"%&b=1", "%"}, {"x=%00y", "%00"}};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        _cleanup_free_ char *found = http_query_bad_escape(bad[i][0]);
        assert_string_equal(found, bad[i][1]);
    }
    assert_null(http_query_bad_escape("a=%20b&c=%7e"));
}

static void test_escape(void **state)
{
    _cleanup_free_ char *text = http_escape("a b/c?d=\"\xe2\x82\xac\"~-_.");
    assert_string_equal(text, "a%20b%2Fc%3Fd%3D%22%E2%82%AC%22~-_.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unescape),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_bad_escape),
        cmocka_unit_test(test_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
