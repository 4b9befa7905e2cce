/* Records through JSON and over the wire, with the container model's real tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/wire.h"
#include "model/container.h"
#include "json/json_record.h"
#include "json/json_syntax.h"

static void parse_host_config(const char *text, struct host_config *out)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    if (!record_parse(&host_config_type, text, strlen(text), out, &err))
        fail_msg("%s", error_message(&err));
}

static void assert_refused(const struct record_type *type, const char *text, const char *message)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_free_ char *record = xcalloc(1, type->size);
    assert_false(record_parse(type, text, strlen(text), record, &err));
    assert_int_equal(err.kind, ERROR_INVALID);
    assert_string_equal(error_message(&err), message);
    assert_true(record_is_empty(type, record));
}

static void test_round_trip(void **state)
{
    static const char text[] =
        "{\"Binds\":[\"/a:/b\"],\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}],\"9/udp\":null},"
        "\"RestartPolicy\":{\"Name\":\"always\"},\"memory\":1048576,\"PidsLimit\":-1,\"Init\":true,\"CapAdd\":\"ALL\","
        "\"Mounts\":[{\"Type\":\"bind\",\"Target\":\"/x\",\"BindOptions\":{\"Propagation\":\"rshared\"}}],"
        "\"Unknown\":{\"a\":[1,2]},\"Tmpfs\":{\"/t\":\"size=1m\"},\"DeviceRequests\":[{\"Count\":-1}]}";
    struct host_config first = {0}, second = {0}, third = {0};
    parse_host_config(text, &first);
    assert_int_equal(first.memory, 1048576);
    assert_true(first.pids_limit.is_set && first.pids_limit.value == -1);
    assert_true(first.init.is_set && first.init.value);
    assert_string_equal(first.cap_add.items[0], "ALL");
    assert_string_equal(first.device_requests, "[{\"Count\":-1}]");
    assert_int_equal(first.port_bindings.keys.count, 2);

    _cleanup_strbuf_ struct strbuf wire = STRBUF_INIT;
    wire_encode(&host_config_type, &first, &wire);
    assert_true(wire_decode(&host_config_type, wire.data, wire.length, &second, NULL));
    record_copy(&host_config_type, &third, &second);
    _cleanup_free_ char *a = record_format(&host_config_type, &first), *b = record_format(&host_config_type, &third);
    assert_string_equal(a, b);

    /* Every truncation is refused and leaves an empty record. */
    for (size_t length = 0; length < wire.length; length++) {
        struct host_config partial = {0};
        assert_false(wire_decode(&host_config_type, wire.data, length, &partial, NULL));
        assert_true(record_is_empty(&host_config_type, &partial));
    }
    record_release(&host_config_type, &first);
    record_release(&host_config_type, &second);
    record_release(&host_config_type, &third);
}

static void test_null_and_empty_differ(void **state)
{
    struct container_config config = {0};
    static const char text[] = "{\"Cmd\":[],\"Env\":null,\"Entrypoint\":\"sh\"}";
    assert_true(record_parse(&container_config_type, text, strlen(text), &config, NULL));
    assert_true(strlist_is_given(&config.cmd));
    assert_false(strlist_is_given(&config.env));
    _cleanup_json_ json_t *json = record_to_json(&container_config_type, &config);
    assert_true(json_is_array(json_object_get(json, "Cmd")));
    assert_true(json_is_null(json_object_get(json, "Env")));
    assert_null(json_object_get(json, "StopSignal"));
    assert_int_equal(json_array_size(json_object_get(json, "Entrypoint")), 1);
    record_release(&container_config_type, &config);
}

static void test_errors_name_the_field(void **state)
{
    assert_refused(&host_config_type, "{\"Memory\":\"1g\"}",
                   "json: cannot unmarshal string into Go struct field HostConfig.Resources.Memory of type int64");
    assert_refused(
        &host_config_type, "{\"RestartPolicy\":{\"Name\":3}}",
        "json: cannot unmarshal number into Go struct field RestartPolicy.RestartPolicy.Name of type string");
    assert_refused(&host_config_type, "{\"RestartPolicy\":[]}",
                   "json: cannot unmarshal array into Go struct field HostConfig.RestartPolicy of type "
                   "container.RestartPolicy");
    assert_refused(&host_config_type, "{\"Binds\":[1]}",
                   "json: cannot unmarshal number into Go struct field HostConfig.Binds of type string");
    assert_refused(
        &host_config_type, "{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":1}]}}",
        "json: cannot unmarshal number into Go struct field PortBinding.PortBindings.HostPort of type string");
    assert_refused(&host_config_type, "[]", "json: cannot unmarshal array into Go value of type container.HostConfig");
    assert_refused(&host_config_type, "{\"Memory\":1.5}",
                   "json: cannot unmarshal number 1.5 into Go struct field HostConfig.Resources.Memory of type int64");
    assert_refused(&host_config_type, "{\"Memory\":", "invalid JSON: unexpected EOF");
    assert_refused(&host_config_type, "{\"NetworkMode\":\"a\\u0000b\"}",
                   "invalid JSON: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"a\\u0000b\"' at offset 25");
}

static void check_syntax(const char *text, const char *problem)
{
    _cleanup_free_ char *found = json_syntax_problem(text, strlen(text));
    if (problem)
        assert_string_equal(found, problem);
    else
        assert_null(found);
}

static void test_syntax_in_words_of_go(void **state)
{
    check_syntax(" {\"a\" : [1, -2.5e+3, {}, [], true, null, \"\\u00e9\\n\"] } behind", NULL);
    check_syntax("{\"a\":1,}", "invalid character '}' looking for beginning of object key string");
    check_syntax("{\"a\" 1}", "invalid character '1' after object key");
    check_syntax("{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair");
    check_syntax("[1 2]", "invalid character '2' after array element");
    check_syntax("[1,]", "invalid character ']' looking for beginning of value");
    check_syntax("[}", "invalid character '}' looking for beginning of value");
    check_syntax("\"a\nb\"", "invalid character '\\n' in string literal");
    check_syntax("\"\\x\"", "invalid character 'x' in string escape code");
    check_syntax("\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape");
    check_syntax("nul1", "invalid character '1' in literal null (expecting 'l')");
    check_syntax("-x", "invalid character 'x' in numeric literal");
    check_syntax("1.x", "invalid character 'x' after decimal point in numeric literal");
    check_syntax("\xc3\xa9", "invalid character '\xc3\x83' looking for beginning of value");
    check_syntax("[\"a\"", "unexpected EOF");
}

static void test_depth_is_limited(void **state)
{
    char deep[2 * JSON_MAX_DEPTH + 8];
    memset(deep, '[', JSON_MAX_DEPTH + 1);
    memset(deep + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_null(json_parse(deep, 2 * JSON_MAX_DEPTH + 2, &err));
    assert_int_equal(err.kind, ERROR_INVALID);
    /* Brackets in strings do not nest. */
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    strbuf_addf(&text, "[\"%.*s\"]", JSON_MAX_DEPTH + 1, deep);
    _cleanup_json_ json_t *json = json_parse(text.data, text.length, NULL);
    assert_non_null(json);
}

static void test_text_is_escaped_as_go_does(void **state)
{
    _cleanup_json_ json_t *json = json_pack("{s:s}", "a", "<b>&");
    _cleanup_free_ char *text = json_format(json);
    assert_string_equal(text, "{\"a\":\"\\u003cb\\u003e\\u0026\"}");
}

static void collect(void *context, const json_t *element)
{
    _cleanup_free_ char *text = json_format(element);
    strbuf_addf(context, "%s;", text);
}

static void test_elements(void **state)
{
    (void)state;
    static const struct {
        const char *text, *elements, *problem;
    } cases[] = {
        {"[]", "", NULL},
        {" [ ]\n", "", NULL},
        {"[1]", "1;", NULL},
        {"[{\"a\":[1,{\"b\":\"]},[\\\"\"}]} , \"x,y\",[ ],null]\n", "{\"a\":[1,{\"b\":\"]},[\\\"\"}]};\"x,y\";[];null;",
         NULL},
        {"", "", "an array was expected"},
        {"{}", "", "an array was expected"},
        {"[", "", "unexpected EOF"},
        {"[1,", "1;", "unexpected EOF"},
        {"[1,]", "1;", "invalid JSON"},
        {"[1", "1;", "unexpected EOF"},
        {"[1}", "1;", "invalid character '}' after array element"},
        {"[1}2]", "1;", "invalid character '}' after array element"},
        {"[{]", "", "invalid JSON"},
        {"[\"a]", "", "invalid JSON"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strbuf_ struct strbuf elements = STRBUF_INIT;
        _cleanup_error_ struct error err = ERROR_INIT;
        bool is_good = json_parse_elements(cases[i].text, strlen(cases[i].text), collect, &elements, &err);
        assert_int_equal(is_good, !cases[i].problem);
        assert_string_equal(strbuf_text(&elements), cases[i].elements);
        if (cases[i].problem)
            assert_non_null(strstr(error_message(&err), cases[i].problem));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_null_and_empty_differ),
        cmocka_unit_test(test_errors_name_the_field),
        cmocka_unit_test(test_depth_is_limited),
        cmocka_unit_test(test_syntax_in_words_of_go),
        cmocka_unit_test(test_text_is_escaped_as_go_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
