/* The options of a log: names at create, values at start, in Docker's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "engine/log_config.h"

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t size; /* -1: refused */
        const char *reason;
    } rows[] = {
        {"1", 1, NULL},
        {"10m", 10000000, NULL},
        {"1.5k", 1500, NULL},
        {"1kB", 1000, NULL},
        {"2 GiB", 2000000000, NULL},
        {"7b", 7, NULL},
        {"0", 0, NULL},
        {"bad", -1, "invalid size: 'bad'"},
        {"", -1, "invalid size: ''"},
        {"-1", -1, "invalid size: '-1'"},
        {"1x", -1, "invalid suffix: 'x'"},
        {"1kbb", -1, "invalid suffix: 'kbb'"},
        {"99999999p", -1, "invalid size: '99999999p'"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_error_ struct error err = ERROR_INIT;
        int64_t size = -1;
        assert_int_equal(human_size_parse(rows[i].text, &size, &err), rows[i].size >= 0);
        assert_int_equal(size, rows[i].size);
        if (rows[i].reason)
            assert_string_equal(error_message(&err), rows[i].reason);
    }
}

static void expect(const char *const *pairs, bool is_named_well, const char *reason)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    struct log_config log = {0};
    struct json_file_options options = {0};
    for (; pairs[0]; pairs += 2)
        strmap_set(&log.config, pairs[0], pairs[1]);
    bool is_good = log_config_check(&log, &err);
    assert_int_equal(is_good, is_named_well);
    if (is_good)
        is_good = log_config_read(&log, &options, &err);
    assert_int_equal(is_good, reason == NULL);
    if (reason)
        assert_string_equal(error_message(&err), reason);
    strmap_release(&log.config);
}
#define PAIRS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_names(void **state)
{
    (void)state;
    expect(PAIRS("nosuch", "1"), false, "unknown log opt 'nosuch' for json-file log driver");
    expect(PAIRS("mode", "bad"), false, "logger: logging mode not supported: bad");
    expect(PAIRS("mode", "non-blocking"), false, "log mode 'non-blocking' is not supported by this version");
    expect(PAIRS("max-buffer-size", "1m"), false,
           "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    expect(PAIRS("labels", "a"), false, "log opt 'labels' is not supported by this version");
}

static void test_values(void **state)
{
    (void)state;
    expect(PAIRS("max-size", "10m", "max-file", "3", "compress", "true"), true, NULL);
    expect(PAIRS("mode", "blocking"), true, NULL);
    expect(PAIRS("max-size", "bad"), true, "invalid size: 'bad'");
    expect(PAIRS("max-size", "0"), true, "max-size must be a positive number");
    expect(PAIRS("max-file", "0"), true, "max-file cannot be less than 1");
    expect(PAIRS("max-file", "x"), true, "strconv.Atoi: parsing \"x\": invalid syntax");
    expect(PAIRS("compress", "yes"), true, "strconv.ParseBool: parsing \"yes\": invalid syntax");
    expect(PAIRS("compress", "true", "max-size", "1k"), true,
           "compress cannot be true when max-file is less than 2 or max-size is not set");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
