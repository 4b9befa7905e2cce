/* Variables, quotes and escapes; the messages are those of Docker's frontend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "dockerfile/expand.h"

static const char *look_up(void *context _unused_, const char *name)
{
    static const struct {
        const char *name, *value;
    } rows[] = {{"x", "foo"},          {"empty", ""},       {"path", "/usr/local/bin/tool.tar.gz"},
                {"words", "one  two"}, {"star", "a*b?c\\"}, {"quoted", "a \"b\""},
                {"u", "h\xc3\xa9llo"}, {"lines", "ab\ncb"}, {"HOME_1", "home"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (string_equal(rows[i].name, name))
            return rows[i].value;
    return NULL;
}

static void note_undefined(void *context, const char *name)
{
    strlist_add(context, name);
}

static void words(void **state _unused_)
{
    static const struct {
        const char *text, *result;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"$x", "foo"},
        {"${x}bar$x", "foobarfoo"},
        {"$HOME_1/$unset.", "home/."},
        {"\\$x '$x' \"$x\"", "$x $x foo"},
        {"\"a\\\"b\\$x\\q\"", "a\"b$x\\q"},
        {"a\\ b\\", "a b"},
        {"$ $", "$ $"},
        {"$1a$@$-", "a"},
        {"a<<b<", "a<<b<"},
        {"${unset:-def}${unset-d}${empty:-e}${empty-f}${x:-g}", "defdefoo"},
        {"${unset:+a}${unset+b}${empty:+c}${empty+d}${x:+e}", "de"},
        {"${x:?no}${empty?no}", "foo"},
        {"${unset:-${x}}${unset:-\"a b\"}${unset:-'}'}", "fooa b}"},
        {"${unset:-a\\}b}", "a}b"},
        {"${path#*/}", "usr/local/bin/tool.tar.gz"},
        {"${path##*/}", "tool.tar.gz"},
        {"${path%.*}", "/usr/local/bin/tool.tar"},
        {"${path%%.*}", "/usr/local/bin/tool"},
        {"${path%/*}", "/usr/local/bin"},
        {"${x#bar}${x#?}${x%%*}", "foooo"},
        {"${star#a\\*}", "b?c\\"},
        {"${star%\\?c\\\\}", "a*b"},
        {"${u#h?}${u%?llo}", "lloh"},
        {"${path/\\//_}", "_usr/local/bin/tool.tar.gz"},
        {"${path//\\//_}", "_usr_local_bin_tool.tar.gz"},
        {"${path/l*l/X}", "/usr/X.tar.gz"},
        {"${x//o/0}${x/o/}", "f00fo"},
        {"${x//z/0}${unset/a/b}", "foo"},
        {"${x/*/all}${x//*/all}", "allall"},
        {"${lines/*b/X}", "X\ncb"},
        {"${x:#f}", "oo"},
        {"${empty//*/e}", "e"},
    };
    struct expansion expansion = {.escape = '\\', .lookup = look_up};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_free_ char *result = expand_word(&expansion, rows[i].text, &err);
        if (!result)
            fail_msg("%s: %s", rows[i].text, error_message(&err));
        if (!string_equal(result, rows[i].result))
            fail_msg("%s: %s, not %s", rows[i].text, result, rows[i].result);
    }
}

static void refused(void **state _unused_)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"${unset:?}", "failed to process \"${unset:?}\": unset: is not allowed to be unset"},
        {"${unset?say so}", "failed to process \"${unset?say so}\": unset: say so"},
        {"${empty:?}", "failed to process \"${empty:?}\": empty: is not allowed to be empty"},
        {"${x", "failed to process \"${x\": unsupported modifier (\xef\xbf\xbd) in substitution"},
        {"${x!b}", "failed to process \"${x!b}\": unsupported modifier (!) in substitution"},
        {"${x:=b}", "failed to process \"${x:=b}\": unsupported modifier (:=) in substitution"},
        {"${}", "failed to process \"${}\": syntax error: bad substitution"},
        {"${", "failed to process \"${\": syntax error: missing '}'"},
        {"${x:-a", "failed to process \"${x:-a\": syntax error: missing '}'"},
        {"${x/a}", "failed to process \"${x/a}\": syntax error: missing '/' in ${}"},
        {"${x#\\a}", "failed to process \"${x#\\\\a}\": invalid pattern (\\a) in substitution: invalid escape '\\a'"},
        {"\"b", "failed to process \"\\\"b\": unexpected end of statement while looking for matching double-quote"},
        {"'b", "failed to process \"'b\": unexpected end of statement while looking for matching single-quote"},
    };
    struct expansion expansion = {.escape = '\\', .lookup = look_up};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_error_ struct error err = ERROR_INIT;
        assert_null(expand_word(&expansion, rows[i].text, &err));
        assert_int_equal(err.kind, ERROR_INVALID);
        assert_string_equal(error_message(&err), rows[i].message);
    }
    _cleanup_strbuf_ struct strbuf deep = STRBUF_INIT;
    for (int i = 0; i < 100000; i++)
        strbuf_add_string(&deep, "${a:-");
    assert_null(expand_word(&expansion, strbuf_text(&deep), NULL));
}

static void splitting(void **state _unused_)
{
    static const struct {
        const char *text, *joined;
    } rows[] = {
        {"a b", "a|b"},          {"$words", "one|two"}, {"\"$words\" c", "one  two|c"},
        {"x$words", "xone|two"}, {"$unset a", "a"},     {"'a b'c d", "a bc|d"},
        {"a\\ b", "a b"},        {"  $empty  ", ""},    {"80 $unset/tcp", "80|/tcp"},
    };
    struct expansion expansion = {.escape = '\\', .lookup = look_up};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_strlist_ struct strlist list = {0};
        assert_true(expand_words(&expansion, rows[i].text, &list, NULL));
        _cleanup_free_ char *joined = strlist_join(&list, "|");
        assert_string_equal(joined, rows[i].joined);
    }
}

static void settings(void **state _unused_)
{
    struct expansion heredoc = {.escape = '\\', .lookup = look_up, .keeps_quotes = true};
    _cleanup_free_ char *content = expand_word(&heredoc, "it's \"$x\"\n\\$x\n", NULL);
    assert_string_equal(content, "it's \"foo\"\n$x\n");
    struct expansion windows = {.escape = '`', .lookup = look_up};
    _cleanup_free_ char *path = expand_word(&windows, "c:\\$x`$x", NULL);
    assert_string_equal(path, "c:\\foo$x");
    _cleanup_strlist_ struct strlist unset = {0};
    struct expansion noted = {.escape = '\\', .lookup = look_up, .context = &unset, .undefined = note_undefined};
    free(expand_word(&noted, "$a ${b} ${c:-x} ${d+x} ${e/f/g} $x", NULL));
    _cleanup_free_ char *names = strlist_join(&unset, " ");
    assert_string_equal(names, "a b e");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(refused),
        cmocka_unit_test(splitting),
        cmocka_unit_test(settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
