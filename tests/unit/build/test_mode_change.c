#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "build/mode_change.h"

static void octal_and_symbolic(void **state)
{
    static const struct {
        const char *text;
        mode_t before, after;
    } rows[] = {
        {"0755", S_IFREG | 0600, 0755},
        {"4711", S_IFREG | 0600, 04711},
        {"0", S_IFREG | 0777, 0},
        {"u=rwX,go=rX", S_IFREG | 0600, 0644},
        {"u=rwX,go=rX", S_IFDIR | 0700, 0755},
        {"u=rwX,go=rX", S_IFREG | 0700, 0755},
        {"+x", S_IFREG | 0644, 0755},
        {"a-w", S_IFREG | 0666, 0444},
        {"go=", S_IFREG | 0777, 0700},
        {"g=u", S_IFREG | 0740, 0770},
        {"u+s,+t", S_IFREG | 0755, 05755},
        {"o+w-r", S_IFREG | 0644, 0642},
        {NULL, S_IFREG | 0641, 0641},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(mode_change_apply(rows[i].text, rows[i].before), rows[i].after);
}

static void what_is_none(void **state)
{
    static const char *const texts[] = {"", "8", "07777777", "u", "u=rwx,", "x+u", "u=q", "+x,"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct error err = ERROR_INIT;
        assert_false(mode_change_is_valid(texts[i], &err));
        assert_int_equal(err.kind, ERROR_INVALID);
        error_release(&err);
    }
    assert_true(mode_change_is_valid("u=rwX,go=rX", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(octal_and_symbolic), cmocka_unit_test(what_is_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
