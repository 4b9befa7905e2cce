/* DNS messages; no network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "network/dns_message.h"

static bool parse(const char *data, size_t length, struct dns_query *out)
{
    return dns_query_parse((const uint8_t *)data, length, out);
}
#define PARSE(text, out) parse(text, sizeof(text) - 1, out)

#define QUESTION "\x12\x34\1\0\0\1\0\0\0\0\0\0\3WeB\2n1\0\0\1\0\1"

static void test_question(void **state)
{
    struct dns_query query;
    assert_true(PARSE(QUESTION, &query));
    assert_string_equal(query.name, "web.n1");
    assert_int_equal(query.id, 0x1234);
    assert_int_equal(query.type, DNS_A);
    assert_int_equal(query.question_end, sizeof(QUESTION) - 1);
    assert_int_equal(query.largest_answer, 512);
    assert_true(PARSE("\x12\x34\1\0\0\1\0\0\0\0\0\1\1a\0\0\1\0\1\0\0\x29\x05\x00\0\0\0\0\0\0", &query));
    assert_int_equal(query.largest_answer, 1280);
}

static void test_what_is_no_question(void **state)
{
    struct dns_query query;
    for (size_t length = 0; length < sizeof(QUESTION) - 1; length++)
        assert_false(parse(QUESTION, length, &query));
    assert_false(PARSE("\x12\x34\x81\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1", &query));  /* an answer */
    assert_false(PARSE("\x12\x34\x28\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1", &query));  /* an update */
    assert_false(PARSE("\x12\x34\1\0\0\2\0\0\0\0\0\0\1a\0\0\1\0\1", &query));    /* two questions */
    assert_false(PARSE("\x12\x34\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1", &query)); /* compressed */
    assert_false(PARSE("\x12\x34\1\0\0\1\0\0\0\0\0\0\3a.b\0\0\1\0\1", &query));  /* a dot in a label */
}

static void test_answers(void **state)
{
    struct dns_query query;
    struct ip_address address = {IP_V4, 0x0a010203}, v6;
    uint8_t data[sizeof(QUESTION) - 1 + 20];
    struct dns_answer answer = {.data = data, .capacity = sizeof(data)};
    assert_true(PARSE(QUESTION, &query));
    dns_answer_begin(&answer, (const uint8_t *)QUESTION, &query, DNS_NO_ERROR);
    assert_true(dns_answer_add_address(&answer, address));
    assert_memory_equal(data, "\x12\x34\x81\x80\0\1\0\1\0\0\0\0", 12);
    assert_memory_equal(data + answer.length - 4, "\x0a\1\2\3", 4);
    assert_false(dns_answer_add_address(&answer, address)); /* there is no room */
    assert_int_equal(data[7], 1);
    uint8_t more[sizeof(QUESTION) - 1 + 28];
    struct dns_answer answer6 = {.data = more, .capacity = sizeof(more)};
    assert_true(ip_parse("fd00::102", &v6));
    dns_answer_begin(&answer6, (const uint8_t *)QUESTION, &query, DNS_NO_ERROR);
    assert_true(dns_answer_add_address(&answer6, v6));
    assert_memory_equal(more + answer6.length - 18, "\0\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2", 18);
}

static void test_reverse(void **state)
{
    struct ip_address address;
    char text[INET6_ADDRSTRLEN];
    assert_true(dns_reverse_parse("4.3.2.1.in-addr.arpa", &address));
    assert_string_equal(ip_format(address, text), "1.2.3.4");
    assert_true(
        dns_reverse_parse("b.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", &address));
    assert_string_equal(ip_format(address, text), "2001:db8::b");
    static const char *const wrong[] = {"",
                                        "4.3.2.in-addr.arpa",
                                        "4.3.2.300.in-addr.arpa",
                                        "4.3.2.1.in-addr.arpa.x",
                                        "b.0.0.ip6.arpa",
                                        "g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_false(dns_reverse_parse(wrong[i], &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_question),
        cmocka_unit_test(test_what_is_no_question),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_reverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
