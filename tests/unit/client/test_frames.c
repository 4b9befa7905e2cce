#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "client/frames.h"

struct sinks {
    struct strbuf output;
    struct strbuf errors;
};

static bool collect(void *context, enum frame_stream stream, const void *data, size_t length, struct error *err)
{
    struct sinks *sinks = context;
    strbuf_add(stream == FRAME_STDERR ? &sinks->errors : &sinks->output, data, length);
    return true;
}

static const char stream[] = "\1\0\0\0\0\0\0\5hello"
                             "\2\0\0\0\0\0\0\3err"
                             "\1\0\0\0\0\0\0\0"
                             "\1\0\0\0\0\0\0\6 world";

/* Whatever the pieces are, what comes out is the same. */
static void test_every_piece_size(void **state)
{
    size_t length = sizeof(stream) - 1;
    for (size_t piece = 1; piece <= length; piece++) {
        struct frame_decoder decoder = {0};
        struct sinks sinks = {0};
        for (size_t at = 0; at < length; at += piece)
            assert_true(frames_decode(&decoder, stream + at, MIN(piece, length - at), collect, &sinks, NULL));
        assert_true(frames_at_boundary(&decoder));
        assert_string_equal(strbuf_text(&sinks.output), "hello world");
        assert_string_equal(strbuf_text(&sinks.errors), "err");
        strbuf_release(&sinks.output);
        strbuf_release(&sinks.errors);
    }
}

static void test_truncated(void **state)
{
    struct frame_decoder decoder = {0};
    struct sinks sinks = {0};
    assert_true(frames_decode(&decoder, stream, 10, collect, &sinks, NULL));
    assert_false(frames_at_boundary(&decoder));
    assert_string_equal(strbuf_text(&sinks.output), "he");
    strbuf_release(&sinks.output);
}

static void test_bad_header(void **state)
{
    struct frame_decoder decoder = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_false(frames_decode(&decoder, "HTTP/1.1", 8, collect, NULL, &err));
    assert_string_equal(error_message(&err), "Unrecognized input header: 72");
}

static void test_system_error(void **state)
{
    struct frame_decoder decoder = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_false(frames_decode(&decoder, "\3\0\0\0\0\0\0\4oops", 12, collect, NULL, &err));
    assert_string_equal(error_message(&err), "error from daemon in stream: oops");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_piece_size),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_bad_header),
        cmocka_unit_test(test_system_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
