/* What the registry room knows without a registry: challenges, credentials, endpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/challenge.h"
#include "registry/endpoint.h"
#include "registry/registry.h"

static void test_challenges(void **state)
{
    _cleanup_challenges_ struct challenge_list list = {0};
    challenges_parse(
        "Basic realm=\"a \\\"b\\\"\", Bearer realm=\"https://x/t\",Service=\"r\", scope=\"repository:a/b:pull,push\"",
        &list);
    assert_int_equal(list.count, 2);
    const struct challenge *basic = challenge_find(&list, "basic"), *bearer = challenge_find(&list, "bearer");
    assert_string_equal(strmap_get(&basic->parameters, "realm"), "a \"b\"");
    assert_string_equal(strmap_get(&bearer->parameters, "realm"), "https://x/t");
    assert_string_equal(strmap_get(&bearer->parameters, "service"), "r");
    assert_string_equal(strmap_get(&bearer->parameters, "scope"), "repository:a/b:pull,push");
    assert_null(challenge_find(&list, "digest"));
}

static void test_broken_challenges(void **state)
{
    static const char *const broken[] = {"", ",,,", "=", "\"", "Bearer realm=\"open", "Bearer realm", "Bearer =x"};
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        _cleanup_challenges_ struct challenge_list list = {0};
        challenges_parse(broken[i], &list);
        for (size_t c = 0; c < list.count; c++)
            assert_null(strmap_get(&list.items[c].parameters, "realm"));
    }
}

static void test_auth(void **state)
{
    _cleanup_registry_auth_ struct registry_auth auth = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_true(registry_auth_parse("eyJ1c2VybmFtZSI6InU_Iiwic2VydmVyYWRkcmVzcyI6ImgifQ==", &auth, &err));
    assert_string_equal(auth.username, "u?");
    registry_auth_release(&auth);
    assert_true(registry_auth_parse("eyJhdXRoIjoiZFhObGNqcDQifQ", &auth, &err)); /* without padding */
    assert_string_equal(auth.username, "user");
    assert_string_equal(auth.password, "x");
    assert_true(registry_auth_parse("", &auth, &err));
    assert_false(registry_auth_parse("!", &auth, &err));
    assert_int_equal(err.kind, ERROR_INVALID);
}

static void check_endpoints(const char *domain, const char *first, const char *second)
{
    struct strlist insecure = {0}, mirrors = {0};
    strlist_add(&insecure, "lab.invalid:5000");
    strlist_add(&insecure, "192.0.2.0/24");
    strlist_add(&mirrors, "http://192.0.2.9:80/");
    _cleanup_endpoints_ struct endpoint_list list = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_true(endpoints_find(&insecure, &mirrors, domain, &list, &err));
    assert_string_equal(list.items[0].url, first);
    assert_int_equal(list.count, second ? 2 : 1);
    if (second)
        assert_string_equal(list.items[1].url, second);
    strlist_release(&insecure);
    strlist_release(&mirrors);
}

static void test_endpoints(void **state)
{
    check_endpoints("docker.io", "http://192.0.2.9:80", "https://registry-1.docker.io");
    check_endpoints("127.0.0.1:5000", "https://127.0.0.1:5000", "http://127.0.0.1:5000");
    check_endpoints("[::1]:5000", "https://[::1]:5000", "http://[::1]:5000");
    check_endpoints("lab.invalid:5000", "https://lab.invalid:5000", "http://lab.invalid:5000");
    check_endpoints("192.0.2.77", "https://192.0.2.77", "http://192.0.2.77");
    check_endpoints("198.51.100.1:443", "https://198.51.100.1:443", NULL);
}

static void test_configuration(void **state)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_true(insecure_registry_check("host:5000", &err));
    assert_true(insecure_registry_check("2001:db8::/32", &err));
    assert_false(insecure_registry_check("host:99999", &err));
    assert_false(insecure_registry_check("a/b", &err));
    assert_true(mirror_check("https://mirror.example/", &err));
    assert_false(mirror_check("https://user@mirror.example/", &err));
    assert_false(mirror_check("https://mirror.example/?a", &err));
    assert_false(mirror_check("ftp://mirror.example", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_challenges), cmocka_unit_test(test_broken_challenges), cmocka_unit_test(test_auth),
        cmocka_unit_test(test_endpoints),  cmocka_unit_test(test_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
