/* JSON without a tree says the same as JSON with one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/container.h"
#include "json/json_record.h"
#include "json/json_writer.h"

static void assert_text(const char *text, const char *expected)
{
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    struct json_writer writer = {.out = &out};
    json_writer_text(&writer, NULL, text);
    assert_string_equal(strbuf_text(&out), expected);
}

static void test_texts(void **state)
{
    (void)state;
    assert_text("plain", "\"plain\"");
    assert_text(NULL, "\"\"");
    assert_text("a\"b\\c\n\t\x01", "\"a\\\"b\\\\c\\n\\t\\u0001\"");
    assert_text("<a & b>", "\"\\u003ca \\u0026 b\\u003e\"");
    assert_text("gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\xa2", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\xa2\"");
    assert_text("\xe2\x80\xa8", "\"\\u2028\"");
    /* Cut short, overlong, a surrogate, beyond the last character, a lone continuation. */
    assert_text("\xc3", "\"\\ufffd\"");
    assert_text("\xc0\xaf", "\"\\ufffd\\ufffd\"");
    assert_text("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");
    assert_text("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    assert_text("a\x80z", "\"a\\ufffdz\"");
}

static void test_structure(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    _cleanup_strmap_ struct strmap map = {0};
    struct json_writer writer = {.out = &out};
    strmap_set(&map, "b", "2");
    strmap_set(&map, "a", "1");
    json_writer_begin(&writer, NULL, '{');
    json_writer_int(&writer, "i", -1);
    json_writer_uint(&writer, "u", UINT64_MAX);
    json_writer_begin(&writer, "empty", '[');
    json_writer_end(&writer, ']');
    json_writer_begin(&writer, "list", '[');
    json_writer_bool(&writer, NULL, true);
    json_writer_null(&writer, NULL);
    json_writer_end(&writer, ']');
    json_writer_map(&writer, "map", &map);
    json_writer_end(&writer, '}');
    assert_string_equal(strbuf_text(&out), "{\"i\":-1,\"u\":18446744073709551615,\"empty\":[],\"list\":[true,null],"
                                           "\"map\":{\"a\":\"1\",\"b\":\"2\"}}");
}

static void test_records(void **state)
{
    (void)state;
    static const char text[] =
        "{\"Binds\":[\"/a:/b\"],\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}],\"9/udp\":null},"
        "\"RestartPolicy\":{\"Name\":\"always\"},\"Memory\":1048576,\"PidsLimit\":-1,\"Init\":true,\"CapAdd\":\"ALL\","
        "\"Mounts\":[{\"Type\":\"bind\",\"Target\":\"/x\",\"BindOptions\":{\"Propagation\":\"rshared\"}}],"
        "\"Tmpfs\":{\"/t\":\"size=1m\",\"/"
        "a\":\"<\"},\"DeviceRequests\":[{\"Count\":-1}],\"Ulimits\":[{\"Name\":\"n\"}]}";
    struct host_config empty = {0}, full = {0};
    assert_true(record_parse(&host_config_type, text, strlen(text), &full, NULL));
    const struct host_config *const records[] = {&empty, &full};
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
        struct json_writer writer = {.out = &out};
        json_writer_record(&writer, NULL, &host_config_type, records[i]);
        _cleanup_free_ char *expected = record_format(&host_config_type, records[i]);
        assert_string_equal(strbuf_text(&out), expected);
    }
    record_release(&host_config_type, &full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
