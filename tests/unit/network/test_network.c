/* Prefixes, the address pool, and the files in /etc; no kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "network/address_pool.h"
#include "network/network.h"

static struct ip_prefix prefix(const char *text)
{
    struct ip_prefix parsed;
    assert_true(ip_prefix_parse(text, &parsed));
    return parsed;
}

static void test_prefixes(void **state)
{
    struct ip_prefix ignored;
    char text[IP_PREFIX_TEXT_SIZE];
    static const char *const wrong[] = {"",          "1.2.3.4",     "1.2.3.4/33",  "1.2.3/8",
                                        "1.2.3.4/x", "300.1.1.1/8", "fd00::1/129", "fd00:::/8",
                                        "/8",        "fd00::1"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_false(ip_prefix_parse(wrong[i], &ignored));
    assert_true(ip_overlaps(prefix("172.17.0.1/16"), prefix("172.17.200.0/24")));
    assert_true(ip_overlaps(prefix("0.0.0.0/0"), prefix("10.0.0.0/8")));
    assert_false(ip_overlaps(prefix("172.17.0.1/16"), prefix("172.18.0.0/16")));
    assert_true(ip_overlaps(prefix("fd00:1::/48"), prefix("fd00:1:0:5::/64")));
    assert_false(ip_overlaps(prefix("::/0"), prefix("10.0.0.0/8")));
    assert_string_equal(ip_prefix_format(prefix("fd00:1::abcd/64"), text), "fd00:1::/64");
    assert_string_equal(ip_format(ip_last(prefix("fd00::/120")), text), "fd00::ff");
}

static void test_lowest_free_address_first(void **state)
{
    struct address_pool pool = {0};
    address_pool_init(&pool, prefix("10.0.0.1/29"));
    assert_true(address_pool_reserve(&pool, prefix("10.0.0.1/32").address));
    struct ip_address address;
    for (uint32_t i = 2; i <= 6; i++) {
        assert_true(address_pool_take(&pool, &address, NULL));
        assert_int_equal((uint32_t)address.value & 7, i);
    }
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_false(address_pool_take(&pool, &address, &err)); /* .0 and .7 are never given */
    assert_string_equal(error_message(&err), "no available IPv4 addresses on this network's address pools");
    address_pool_give_back(&pool, prefix("10.0.0.4/32").address);
    assert_true(address_pool_take(&pool, &address, NULL));
    assert_int_equal((uint32_t)address.value & 7, 4);
    assert_false(address_pool_reserve(&pool, prefix("10.0.1.4/32").address));
    address_pool_release(&pool);
}

static void test_a_large_pool_is_full_at_its_end(void **state)
{
    struct address_pool pool = {0};
    address_pool_init(&pool, prefix("10.1.0.1/22"));
    uint32_t count = 0;
    struct ip_address address;
    while (address_pool_take(&pool, &address, NULL))
        count++;
    assert_int_equal(count, 1022);
    address_pool_release(&pool);
}

static void test_a_pool_of_ipv6(void **state)
{
    struct address_pool pool = {0};
    struct ip_address address;
    char text[INET6_ADDRSTRLEN];
    address_pool_init(&pool, prefix("fd00:1::/64"));
    assert_true(address_pool_take(&pool, &address, NULL));
    assert_string_equal(ip_format(address, text), "fd00:1::1");
    assert_true(address_pool_reserve(&pool, prefix("fd00:1::3/128").address));
    assert_true(address_pool_reserve(&pool, prefix("fd00:1::ffff:ffff:ffff:ffff/128").address));
    assert_true(address_pool_take(&pool, &address, NULL));
    assert_true(address_pool_take(&pool, &address, NULL));
    assert_string_equal(ip_format(address, text), "fd00:1::4");
    pool.range = prefix("fd00:1::8000/126");
    for (int i = 0; i < 4; i++)
        assert_true(address_pool_take(&pool, &address, NULL));
    assert_string_equal(ip_format(address, text), "fd00:1::8003");
    assert_false(address_pool_take(&pool, &address, NULL));
    address_pool_release(&pool);
}

static void test_default_pools(void **state)
{
    static const char *const wrong[] = {"",
                                        "base=10.0.0.0/8",
                                        "base=10.0.0.0/8,size=7",
                                        "base=10.0.0.1/8,size=16",
                                        "base=x,size=16",
                                        "size=24",
                                        "base=10.0.0.0/8,size=33",
                                        "foo=1"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_false(network_check_pool(wrong[i], NULL));
    assert_true(network_check_pool("base=10.0.0.0/8,size=24", NULL));
    assert_true(network_check_pool("base=fd00::/8,size=64", NULL));
}

static void test_hosts_file(void **state)
{
    _cleanup_strlist_ struct strlist addresses = {0}, extra = {0};
    strlist_add(&addresses, "172.17.0.2/16");
    strlist_add(&extra, "foo:1.2.3.4");
    strlist_add(&extra, "gw:host-gateway");
    strlist_add(&extra, "six:::1");
    _cleanup_free_ char *text = network_hosts_file("hh", "dd", &addresses, &extra, "172.17.0.1");
    assert_non_null(strstr(text, "127.0.0.1\tlocalhost\n"));
    assert_non_null(strstr(text, "1.2.3.4\tfoo\n172.17.0.1\tgw\n::1\tsix\n172.17.0.2\thh.dd hh\n"));
}

static void test_resolv_conf_options_replace(void **state)
{
    _cleanup_strlist_ struct strlist dns = {0}, search = {0}, options = {0};
    strlist_add(&dns, "9.9.9.9");
    strlist_add(&search, ".");
    strlist_add(&options, "ndots:2");
    strlist_add(&options, "edns0");
    _cleanup_free_ char *text = network_resolv_conf(false, &dns, &search, &options);
    assert_non_null(strstr(text, "\nnameserver 9.9.9.9\noptions ndots:2 edns0\n"));
    assert_null(strstr(text, "\nsearch"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_lowest_free_address_first),
        cmocka_unit_test(test_a_large_pool_is_full_at_its_end),
        cmocka_unit_test(test_a_pool_of_ipv6),
        cmocka_unit_test(test_default_pools),
        cmocka_unit_test(test_hosts_file),
        cmocka_unit_test(test_resolv_conf_options_replace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
