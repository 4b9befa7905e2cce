/* Columns, sizes, ages, ports and filters as docker prints them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/filter_option.h"
#include "cli/human.h"
#include "cli/ports_text.h"
#include "cli/table.h"
#include "json/json_record.h"

static void test_table(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"", ""},
        {"a\tb\n", "a         b\n"},
        {"ID\tNAME\tX\n0123456789ab\tn\ty\n", "ID             NAME      X\n0123456789ab   n         y\n"},
        {"a\t\tc\n", "a                   c\n"},
        {"é…\tb\nabcdefghij\tc\n", "é…           b\nabcdefghij   c\n"},
        {"a\tb\nplain\nlonger-than-ten\tc\n", "a         b\nplain\nlonger-than-ten   c\n"},
        {"a\t\n", "a         \n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
        table_align_listing(cases[i].text, &out);
        assert_string_equal(strbuf_text(&out), cases[i].expected);
    }
}

static void check_text(char *actual, const char *expected)
{
    assert_string_equal(actual, expected);
    free(actual);
}

static void test_human(void **state)
{
    check_text(human_size(0, 3), "0B");
    check_text(human_size(999, 3), "999B");
    check_text(human_size(1984172, 3), "1.98MB");
    check_text(human_size(1984172, 4), "1.984MB");
    check_text(human_size(1e12, 3), "1TB");
    check_text(human_bytes(25276502016.0), "23.54GiB");
    static const struct {
        int64_t seconds;
        const char *expected;
    } ages[] = {
        {0, "Less than a second"}, {1, "1 second"},       {59, "59 seconds"},      {60, "About a minute"},
        {119, "About a minute"},   {120, "2 minutes"},    {3600, "About an hour"}, {2 * 3600, "2 hours"},
        {47 * 3600, "47 hours"},   {48 * 3600, "2 days"}, {14 * 86400, "2 weeks"}, {60 * 86400, "2 months"},
        {800 * 86400, "2 years"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(ages); i++)
        check_text(duration_describe(ages[i].seconds * NANOSECONDS_PER_SECOND), ages[i].expected);
    check_text(human_age(INT64_MIN / 2), "292 years ago");
    check_text(short_id("sha256:0123456789abcdef"), "0123456789ab");
    check_text(ellipsis("sh -c 'echo \"a b\" <x>'", 20), "sh -c 'echo \"a b\" <…");
    check_text(ellipsis("short", 20), "short");
}

static void test_ports(void **state)
{
    static const struct {
        const char *json;
        const char *expected;
    } cases[] = {
        {"[]", ""},
        {"[{\"PrivatePort\":70,\"Type\":\"tcp\"},{\"PrivatePort\":71,\"Type\":\"tcp\"}]", "70-71/tcp"},
        {"[{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"},"
         "{\"IP\":\"::\",\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"}]",
         "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"},
        {"[{\"IP\":\"1.2.3.4\",\"PrivatePort\":90,\"PublicPort\":90,\"Type\":\"tcp\"},"
         "{\"IP\":\"1.2.3.4\",\"PrivatePort\":91,\"PublicPort\":91,\"Type\":\"tcp\"},"
         "{\"PrivatePort\":5,\"Type\":\"udp\"}]",
         "5/udp, 1.2.3.4:90-91->90-91/tcp"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_json_ json_t *json = json_loads(cases[i].json, 0, NULL);
        check_text(ports_text(json), cases[i].expected);
    }
}

static void test_filters(void **state)
{
    _cleanup_strlist_ struct strlist filters = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_null(filter_json(&filters));
    assert_true(filter_parse(&filters, "Label = a=b ", &err));
    assert_true(filter_parse(&filters, "label=c", &err));
    check_text(filter_json(&filters), "{\"label\":{\"a=b\":true,\"c\":true}}");
    assert_false(filter_parse(&filters, "x", &err));
    assert_string_equal(error_message(&err), "bad format of filter (expected name=value)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_human),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
