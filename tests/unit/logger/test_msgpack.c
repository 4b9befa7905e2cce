/* MessagePack by the bytes of its specification: the shortest form of each value, at the borders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "logger/msgpack.h"

static void expect(struct strbuf *out, const char *hex)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < out->length && i < 12; i++)
        strbuf_addf(&text, "%02x", (unsigned char)out->data[i]);
    assert_string_equal(strbuf_text(&text), hex);
    strbuf_release(out);
}

static void integers(void **state)
{
    static const struct {
        int64_t value;
        const char *hex;
    } rows[] = {
        {0, "00"},
        {127, "7f"},
        {128, "cc80"},
        {255, "ccff"},
        {256, "cd0100"},
        {65535, "cdffff"},
        {65536, "ce00010000"},
        {4294967295, "ceffffffff"},
        {4294967296, "cf0000000100000000"},
        {INT64_MAX, "cf7fffffffffffffff"},
        {-1, "ff"},
        {-32, "e0"},
        {-33, "d3ffffffffffffffdf"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct strbuf out = STRBUF_INIT;
        msgpack_add_integer(&out, rows[i].value);
        expect(&out, rows[i].hex);
    }
}

static void containers(void **state)
{
    static const struct {
        uint32_t count;
        const char *array, *map;
    } rows[] = {
        {0, "90", "80"},
        {15, "9f", "8f"},
        {16, "dc0010", "de0010"},
        {65535, "dcffff", "deffff"},
        {65536, "dd00010000", "df00010000"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct strbuf out = STRBUF_INIT;
        msgpack_add_array(&out, rows[i].count);
        expect(&out, rows[i].array);
        msgpack_add_map(&out, rows[i].count);
        expect(&out, rows[i].map);
    }
}

static void texts(void **state)
{
    static const struct {
        size_t length;
        const char *head;
    } rows[] = {{0, "a0"}, {31, "bf"}, {32, "d920"}, {255, "d9ff"}, {256, "da0100"}, {65536, "db00010000"}};
    _cleanup_free_ char *text = xmalloc(65536);
    memset(text, 'x', 65536);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct strbuf out = STRBUF_INIT;
        msgpack_add_string(&out, text, rows[i].length);
        size_t head = strlen(rows[i].head) / 2;
        assert_int_equal(out.length, head + rows[i].length);
        strbuf_truncate(&out, head);
        expect(&out, rows[i].head);
    }
}

static void event_times(void **state)
{
    struct strbuf out = STRBUF_INIT;
    msgpack_add_event_time(&out, 0x01020304, 0xa0b0c0d);
    expect(&out, "d700010203040a0b0c0d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(containers),
        cmocka_unit_test(texts),
        cmocka_unit_test(event_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
