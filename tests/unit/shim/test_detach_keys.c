#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "shim/detach_keys.h"

/* Types `typed` one key at a time and all at once; "!" at the end of what is passed on stands for the detachment. */
static void assert_passed(const char *hex, const char *typed, const char *expected)
{
    for (int is_whole = 0; is_whole < 2; is_whole++) {
        struct detach_keys keys;
        struct strbuf out = STRBUF_INIT;
        assert_true(detach_keys_parse(hex, &keys));
        size_t length = strlen(typed), step = is_whole ? length : 1;
        for (size_t i = 0; i < length; i += step)
            if (detach_keys_filter(&keys, (const uint8_t *)typed + i, step, &out)) {
                strbuf_add_char(&out, '!');
                break;
            }
        assert_string_equal(strbuf_text(&out), expected);
        strbuf_release(&out);
    }
}

static void finds_the_sequence(void **state)
{
    assert_passed("1011", "ab\x10\x11xyz", "ab!");
    assert_passed("1011", "a\x10\x10\x11", "a\x10!");
    assert_passed("1011", "\x10z\x11", "\x10z\x11");
    assert_passed("1011", "a\x10", "a"); /* held back: it may go on */
    assert_passed("01", "q\x01", "q!");
}

static void finds_it_behind_a_false_start(void **state)
{
    assert_passed("616162", "aaab", "a!");         /* aab */
    assert_passed("6162616263", "abababc", "ab!"); /* ababc */
    assert_passed("6162616263", "ababd", "ababd");
    assert_passed("616162", "aacaab", "aac!");
}

static void passes_all_without_a_sequence(void **state)
{
    assert_passed("", "\x10\x11", "\x10\x11");
    assert_passed(NULL, "\x10\x11", "\x10\x11");
}

static void refuses_what_is_not_hexadecimal(void **state)
{
    struct detach_keys keys;
    assert_false(detach_keys_parse("1", &keys));
    assert_false(detach_keys_parse("zz", &keys));
    assert_false(detach_keys_parse("0101010101010101010101010101010101010101010101010101010101010101010101", &keys));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_sequence),
        cmocka_unit_test(finds_it_behind_a_false_start),
        cmocka_unit_test(passes_all_without_a_sequence),
        cmocka_unit_test(refuses_what_is_not_hexadecimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
