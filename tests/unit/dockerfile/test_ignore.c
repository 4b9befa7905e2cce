/* Patterns of .dockerignore, beside what moby/patternmatcher makes of the same ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "dockerfile/ignore.h"

static void matching(void **state _unused_)
{
    static const struct {
        const char *patterns, *path;
        bool is_ignored;
    } rows[] = {
        {"", "a", false},
        {"# a\n\n  a  \n", "a", true},
        {"\xef\xbb\xbf#a\n", "a", false},
        {" #a", "#a", true},
        {"a", "a/b/c", true},
        {"a", "b/a", false},
        {"/a", "a", true},
        {"./a/../b/", "b/c", true},
        {"*.o", "x.o", true},
        {"*.o", "d/x.o", false},
        {"*/*.o", "d/x.o", true},
        {"*/*.o", "d/e/x.o", false},
        {"**/*.o", "x.o", true},
        {"**/*.o", "d/e/x.o", true},
        {"**/b", "b", true},
        {"**/b", "a/b/c", true},
        {"**/b", "ab", false},
        {"**b", "ab", true},
        {"**", "a/b", true},
        {"a/**", "a/b/c", true},
        {"a/**", "a", false},
        {"a/**/c", "a/c", true},
        {"a/**/c", "a/b/b/c", true},
        {"a/**/c", "a/bc", false},
        {"a**c", "axc", false},
        {"a**c", "ax/c", true},
        {"**/a/**/b?", "x/a/y/bz", true},
        {"**/a/**/b?", "x/a/y/b/", false},
        {"a?c", "abc", true},
        {"a?c",
         "a\xc3\xa9"
         "c",
         true},
        {"a?c", "a/c", false},
        {"a[b-d]e", "ace", true},
        {"a[^b-d]e", "ace", false},
        {"a[^b-d]e", "axe", true},
        {"a\\*b", "a*b", true},
        {"a\\*b", "axb", false},
        {"a.b", "axb", false},
        {"a+(b)", "a+(b)", true},
        {"*\n!a", "a", false},
        {"*\n!a", "b", true},
        {"*\n! a/b", "a/b", false},
        {"*\n!a", "a/b", false},
        {"a\n!a/b\na/b/c", "a/b/c", true},
        {"a\n!a/b\na/b/c", "a/b/d", false},
        {"!a", "a", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(ignore_freep) struct ignore *ignore = ignore_parse(rows[i].patterns, strlen(rows[i].patterns), NULL);
        assert_non_null(ignore);
        if (ignore_matches(ignore, rows[i].path) != rows[i].is_ignored)
            fail_msg("%s: %s", rows[i].patterns, rows[i].path);
    }
}

static void returning(void **state _unused_)
{
    static const struct {
        const char *patterns, *folder;
        bool may_return;
    } rows[] = {
        {"a", "a", false},         {"a\n!b", "a", false},      {"a\n!a/b", "a", true},  {"a\n!a/b/c", "a/b", true},
        {"a\n!a/b", "a/b", false}, {"a\n!ab/c", "a", false},   {"*\n!**/x", "a", true}, {"*\n!a*/x", "ab", true},
        {"*\n!b*/x", "ab", false}, {"*\n!a/*/x", "a/b", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(ignore_freep) struct ignore *ignore = ignore_parse(rows[i].patterns, strlen(rows[i].patterns), NULL);
        if (ignore_may_return_below(ignore, rows[i].folder) != rows[i].may_return)
            fail_msg("%s: %s", rows[i].patterns, rows[i].folder);
    }
}

static void refused(void **state _unused_)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_null(ignore_parse("!", 1, &err));
    assert_string_equal(error_message(&err), "illegal exclusion pattern: \"!\"");
    assert_null(ignore_parse("a\n[", 3, &err));
    assert_string_equal(error_message(&err), "syntax error in pattern");
    assert_int_equal(err.kind, ERROR_INVALID);
    struct strlist patterns = {0};
    strlist_add(&patterns, "a/*");
    strlist_add(&patterns, "#b");
    _cleanup_(ignore_freep) struct ignore *ignore = ignore_new(&patterns, NULL);
    assert_true(ignore_matches(ignore, "a/x"));
    assert_true(ignore_matches(ignore, "#b"));
    strlist_release(&patterns);
}

static void wildcards(void **state _unused_)
{
    assert_true(wildcard_matches("a*[c-e]?", "abcdf"));
    assert_false(wildcard_matches("a*", "a/b"));
    assert_false(wildcard_matches("[", "["));
    assert_false(wildcard_is_valid("a["));
    assert_true(wildcard_is_valid("a[b]*"));
    assert_true(has_wildcard("a?"));
    assert_false(has_wildcard("a\\*"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching),
        cmocka_unit_test(returning),
        cmocka_unit_test(refused),
        cmocka_unit_test(wildcards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
