#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "http/websocket.h"

struct seen {
    struct strbuf data, control;
};

static void on_data(void *context, const uint8_t *data, size_t length)
{
    struct seen *seen = context;
    strbuf_add(&seen->data, data, length);
}

static void on_control(void *context, enum websocket_opcode opcode, const uint8_t *data, size_t length)
{
    struct seen *seen = context;
    strbuf_addf(&seen->control, "%d:%.*s;", (int)opcode, (int)length, (const char *)data);
}

/* A client's frame. */
static void add_frame(struct strbuf *out, int first, const char *text, size_t length)
{
    const uint8_t mask[4] = {1, 0x82, 0x33, 0xf4};
    _cleanup_strbuf_ struct strbuf plain = STRBUF_INIT;
    websocket_add_frame(&plain, WEBSOCKET_BINARY, text, length);
    size_t head = plain.length - length;
    plain.data[0] = (char)first;
    plain.data[1] = (char)(plain.data[1] | 0x80);
    strbuf_add(out, plain.data, head);
    strbuf_add(out, mask, sizeof(mask));
    for (size_t i = 0; i < length; i++)
        strbuf_add_char(out, (char)(text[i] ^ mask[i % 4]));
}

static int decode(const struct strbuf *frames, size_t piece, struct seen *seen)
{
    struct websocket_decoder decoder = {0};
    const struct websocket_events events = {on_data, on_control, seen};
    _cleanup_free_ uint8_t *copy = xmalloc(frames->length + 1);
    memcpy(copy, frames->data, frames->length);
    int code = 0;
    for (size_t at = 0; at < frames->length && !code; at += piece)
        code = websocket_decode(&decoder, copy + at, MIN(piece, frames->length - at), &events);
    return code;
}

static void test_messages_in_any_pieces(void **state)
{
    static char large[70000];
    memset(large, 'x', sizeof(large));
    _cleanup_strbuf_ struct strbuf frames = STRBUF_INIT;
    add_frame(&frames, 0x82, "whole;", 6);
    add_frame(&frames, 0x81, "", 0);
    add_frame(&frames, 0x01, "in ", 3);
    add_frame(&frames, 0x89, "between", 7);
    add_frame(&frames, 0x00, "three ", 6);
    add_frame(&frames, 0x80, "parts;", 6);
    add_frame(&frames, 0x8a, "", 0);
    add_frame(&frames, 0x82, large, 300);
    add_frame(&frames, 0x82, large, sizeof(large));
    add_frame(&frames, 0x88, "", 0);
    for (size_t piece = 1; piece < 200000; piece = piece * 3 + 1) {
        struct seen seen = {0};
        assert_int_equal(decode(&frames, piece, &seen), 0);
        assert_int_equal(seen.data.length, 21 + 300 + sizeof(large));
        assert_memory_equal(seen.data.data, "whole;in three parts;xxx", 24);
        assert_string_equal(strbuf_text(&seen.control), "9:between;10:;8:;");
        strbuf_release(&seen.data);
        strbuf_release(&seen.control);
    }
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        int code;
    } frames[] = {
        {"\x82\x01", 2, WEBSOCKET_CLOSE_PROTOCOL},             /* not masked */
        {"\xc2\x81", 2, WEBSOCKET_CLOSE_PROTOCOL},             /* a reserved bit */
        {"\x83\x81", 2, WEBSOCKET_CLOSE_PROTOCOL},             /* an unknown opcode */
        {"\x8b\x81", 2, WEBSOCKET_CLOSE_PROTOCOL},             /* an unknown control opcode */
        {"\x09\x80", 2, WEBSOCKET_CLOSE_PROTOCOL},             /* a control frame in parts */
        {"\x89\xfe", 2, WEBSOCKET_CLOSE_PROTOCOL},             /* a long control frame */
        {"\x80\x80", 2, WEBSOCKET_CLOSE_PROTOCOL},             /* continues nothing */
        {"\x02\x80mask\x82\x80", 8, WEBSOCKET_CLOSE_PROTOCOL}, /* begins within a message */
        {"\x82\xff\0\0\0\0\x02\0\0\x01mask", 14, WEBSOCKET_CLOSE_TOO_BIG},
        {"\x82\xff\x80\0\0\0\0\0\0\0mask", 14, WEBSOCKET_CLOSE_TOO_BIG},
        {"\x82\xff\0\0\0\0\x02\0\0\0mask", 14, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
        for (size_t piece = 1; piece < 20; piece += 18) {
            struct seen seen = {0};
            _cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
            strbuf_add(&bytes, frames[i].bytes, frames[i].length);
            assert_int_equal(decode(&bytes, piece, &seen), frames[i].code);
            strbuf_release(&seen.data);
            strbuf_release(&seen.control);
        }
}

static void test_what_is_sent(void **state)
{
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    websocket_add_close(&out, WEBSOCKET_CLOSE_NORMAL);
    assert_int_equal(out.length, 4);
    assert_memory_equal(out.data, "\x88\x02\x03\xe8", 4);
    static const char zeroes[65536];
    strbuf_truncate(&out, 0);
    websocket_add_frame(&out, WEBSOCKET_TEXT, zeroes, 126);
    assert_int_equal(out.length, 4 + 126);
    assert_memory_equal(out.data, "\x81\x7e\x00\x7e", 4);
    strbuf_truncate(&out, 0);
    websocket_add_frame(&out, WEBSOCKET_BINARY, zeroes, sizeof(zeroes));
    assert_int_equal(out.length, 10 + sizeof(zeroes));
    assert_memory_equal(out.data, "\x82\x7f\0\0\0\0\0\x01\0\0", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_in_any_pieces),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_what_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
