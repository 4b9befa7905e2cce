/* Small things with exact words: names, signals, durations, errors of a start, validation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "engine/names.h"
#include "engine/security.h"
#include "engine/show.h"
#include "engine/signal_name.h"
#include "engine/start_error.h"
#include "engine/validate.h"

static void test_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        _cleanup_free_ char *name = name_generate(i % 3);
        assert_true(name_is_valid(name));
        assert_non_null(strchr(name, '_'));
    }
    assert_false(name_is_valid("x"));
    assert_false(name_is_valid(""));
    assert_false(name_is_valid("-ab"));
    assert_false(name_is_valid("a b"));
    assert_true(name_is_valid("0a.b-c_"));
}

static void test_signals(void **state)
{
    (void)state;
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_int_equal(signal_parse("KILL", NULL), 9);
    assert_int_equal(signal_parse("sigterm", NULL), 15);
    assert_int_equal(signal_parse("10", NULL), 10);
    assert_int_equal(signal_parse("RTMIN+3", NULL), 37);
    assert_int_equal(signal_parse("SIGRTMAX-1", NULL), 63);
    assert_int_equal(signal_parse("BOGUS", &err), -1);
    assert_string_equal(error_message(&err), "invalid signal: BOGUS");
    assert_int_equal(signal_parse("99", &err), -1);
    assert_string_equal(error_message(&err), "the linux daemon does not support signal 99");
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {{0, "Less than a second"}, {1, "1 second"},         {59, "59 seconds"},      {60, "About a minute"},
                {120, "2 minutes"},        {3599, "59 minutes"},    {3600, "About an hour"}, {7200, "2 hours"},
                {86400 * 3, "3 days"},     {86400 * 21, "3 weeks"}, {86400 * 90, "3 months"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_free_ char *text = duration_describe(rows[i].seconds * NANOSECONDS_PER_SECOND);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_capabilities(void **state)
{
    (void)state;
    struct host_config host = {0};
    _cleanup_strlist_ struct strlist out = {0};
    strlist_add(&host.cap_drop, "all");
    strlist_add(&host.cap_add, "net_admin");
    security_capabilities(&host, &out);
    assert_int_equal(out.count, 1);
    assert_string_equal(out.items[0], "CAP_NET_ADMIN");
    _cleanup_error_ struct error err = ERROR_INIT;
    strlist_add(&host.cap_add, "bogus");
    assert_false(security_check(&host, &err));
    assert_string_equal(error_message(&err), "invalid CapAdd: unknown capability: \"CAP_BOGUS\"");
    strlist_release(&host.cap_add);
    strlist_release(&host.cap_drop);
}

static void assert_refused(struct create_request *request, const char *message)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_strlist_ struct strlist warnings = {0};
    assert_false(validate_request(request, &warnings, &err));
    assert_string_equal(error_message(&err), message);
}

static void test_limits(void **state)
{
    (void)state;
    char cpus[] = "0-8000", policy[] = "always";
    assert_refused(&(struct create_request){.host_config.memory = 1000}, "Minimum memory limit allowed is 6MB");
    assert_refused(&(struct create_request){.host_config.memory_swap = INT64_C(100) << 20},
                   "You should always set the Memory limit when using Memoryswap limit, see usage");
    assert_refused(&(struct create_request){.host_config = {.nano_cpus = 1, .cpu_period = 50000}},
                   "Conflicting options: Nano CPUs and CPU Period cannot both be set");
    assert_refused(&(struct create_request){.host_config.oom_score_adj = 5000},
                   "Invalid value 5000, range for oom score adj is [-1000, 1000]");
    assert_refused(&(struct create_request){.host_config = {.auto_remove = true, .restart_policy.name = policy}},
                   "can't create 'AutoRemove' container with restart policy");
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_strlist_ struct strlist warnings = {0};
    assert_false(validate_request(&(struct create_request){.host_config.cpuset_cpus = cpus}, &warnings, &err));
    assert_true(string_starts_with(error_message(&err), "Requested CPUs are not available - requested 0-8000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),        cmocka_unit_test(test_signals), cmocka_unit_test(test_durations),
        cmocka_unit_test(test_capabilities), cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
