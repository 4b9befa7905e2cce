/* The options of a log: names at create, values at start, in Docker's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "engine/container.h"
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

/* The first pair names the driver. */
static void expect(const char *driver, const char *const *pairs, const char *create_reason, const char *start_reason)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    static const struct engine_options options = {.logger_program = "/wherry-logger"};
    struct container_record record = {.id = xstrdup("0123456789abcdef"), .name = xstrdup("n")};
    struct log_config *log = &record.host_config.log_config;
    struct shim_log resolved = {0};
    log->type = xstrdup(driver);
    for (; pairs[0]; pairs += 2)
        strmap_set(&log->config, pairs[0], pairs[1]);
    bool is_good = log_config_check(log, &err);
    assert_string_equal(error_message(&err), create_reason ? create_reason : "");
    assert_int_equal(is_good, !create_reason);
    if (is_good) {
        is_good = log_config_resolve(&record, &options, "/tmp", &resolved, &err);
        assert_string_equal(error_message(&err), start_reason ? start_reason : "");
        assert_int_equal(is_good, !start_reason);
    }
    record_release(&shim_log_type, &resolved);
    record_release(&container_record_type, &record);
}
#define PAIRS(...)                   ((const char *const[]){__VA_ARGS__, NULL, NULL})
#define REFUSED(driver, reason, ...) expect(driver, PAIRS(__VA_ARGS__), reason, NULL)
#define FAILS(driver, reason, ...)   expect(driver, PAIRS(__VA_ARGS__), NULL, reason)
#define WORKS(driver, ...)           expect(driver, PAIRS(__VA_ARGS__), NULL, NULL)

/* Each message is Docker 26.1's. */
static void test_create(void **state)
{
    (void)state;
    REFUSED("json-file", "unknown log opt 'nosuch' for json-file log driver", "nosuch", "1");
    REFUSED("local", "unknown log opt 'tag' for log driver local", "tag", "1");
    REFUSED("gelf", "unknown log opt \"x\" for gelf log driver", "gelf-address", "udp://a:1", "x", "1");
    REFUSED("nosuch", "error looking up logging plugin nosuch: plugin \"nosuch\" not found", "x", "1");
    REFUSED("splunk", "the logging driver splunk is not supported by Wherry", "x", "1");
    REFUSED("json-file", "logger: logging mode not supported: bad", "mode", "bad");
    REFUSED("json-file", "error parsing option max-buffer-size: invalid size: 'bad'", "mode", "non-blocking",
            "max-buffer-size", "bad");
    REFUSED("json-file", "logger: max-buffer-size option is only supported with 'mode=non-blocking'", "max-buffer-size",
            "1m");
    REFUSED("syslog", "invalid value for option cache-disabled: x", "cache-disabled", "x");
    REFUSED("syslog", "unsupported scheme: ''", "syslog-address", "tcp");
    REFUSED("syslog", "unsupported scheme: 'foo'", "syslog-address", "foo://x");
    REFUSED("syslog", "stat /nosuch: no such file or directory", "syslog-address", "unix:///nosuch");
    REFUSED("syslog", "address h:1:2: too many colons in address", "syslog-address", "tcp://h:1:2");
    REFUSED("syslog", "invalid syslog facility", "syslog-facility", "99");
    REFUSED("syslog", "Invalid syslog format", "syslog-format", "bogus");
    REFUSED("fluentd", "invalid fluentd-address (bogus://x): unsupported scheme: 'bogus'", "fluentd-address",
            "bogus://x");
    REFUSED("fluentd", "invalid fluentd-address (unix://): path is empty", "fluentd-address", "unix://");
    REFUSED("fluentd", "invalid fluentd-address (h:bad): parse \"tcp://h:bad\": invalid port \":bad\" after host",
            "fluentd-address", "h:bad");
    REFUSED("fluentd", "time: missing unit in duration \"1\"", "fluentd-retry-wait", "1");
    REFUSED("fluentd",
            "invalid value for fluentd-async-reconnect-interval: value (\"1ms\") must be between 100ms and 10s",
            "fluentd-async-reconnect-interval", "1ms");
    REFUSED("fluentd", "conflicting options: cannot specify both 'fluentd-async' and 'fluentd-async-connect",
            "fluentd-async", "true", "fluentd-async-connect", "true");
    REFUSED("gelf", "gelf-address is a required parameter", "tag", "x");
    REFUSED("gelf", "gelf: please provide gelf-address as proto://host:port", "gelf-address", "udp://x");
    REFUSED("gelf", "compression is only supported on UDP", "gelf-address", "tcp://a:1", "gelf-compression-type",
            "gzip");
    REFUSED("gelf", "\"gelf-tcp-max-reconnect\" is only valid for TCP", "gelf-address", "udp://a:1",
            "gelf-tcp-max-reconnect", "1");
    WORKS("json-file", "cache-disabled", "true", "mode", "blocking");
    WORKS("syslog", "syslog-address", "udp://1.2.3.4", "syslog-facility", "local3", "syslog-format", "rfc5424micro");
    WORKS("none", "anything", "goes");
}

static void test_start(void **state)
{
    (void)state;
    WORKS("json-file", "max-size", "10m", "max-file", "3", "compress", "true");
    FAILS("json-file", "invalid size: 'bad'", "max-size", "bad");
    FAILS("json-file", "max-size must be a positive number", "max-size", "0");
    FAILS("json-file", "max-file cannot be less than 1", "max-file", "0");
    FAILS("json-file", "strconv.Atoi: parsing \"x\": invalid syntax", "max-file", "x");
    FAILS("json-file", "strconv.ParseBool: parsing \"yes\": invalid syntax", "compress", "yes");
    FAILS("json-file", "compress cannot be true when max-file is less than 2 or max-size is not set", "compress",
          "true", "max-size", "1k");
    FAILS("json-file", "error parsing regexp: missing closing ): `(`", "env-regex", "(");
    FAILS("json-file", "template: log-tag:1: unclosed action", "tag", "{{.Name");
    FAILS("json-file",
          "template: log-tag:1:2: executing \"log-tag\" at <.Bogus>: can't evaluate field Bogus in type *logger.Info",
          "tag", "{{.Bogus}}");
    WORKS("json-file", "tag", "{{.Name}}/{{ .ID | upper }}");
    FAILS("local", "invalid value for max-size: bad: invalid size: 'bad'", "max-size", "bad");
    FAILS("local", "compression cannot be enabled when max file count is 1", "max-file", "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
