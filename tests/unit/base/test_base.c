/* Strings, paths, times, files. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/spawn.h"

static void test_path_clean(void **state)
{
    static const char *const cases[][2] = {
        {"/a/./b/../c//", "/a/c"}, {"", "."},        {"/", "/"},    {"/../..", "/"},
        {"a/../..", ".."},         {"../a", "../a"}, {"./a/", "a"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *cleaned = path_clean(cases[i][0]);
        assert_string_equal(cleaned, cases[i][1]);
    }
}

static void test_lists(void **state)
{
    _cleanup_strlist_ struct strlist list = {0};
    for (int i = 0; i < 100; i++)
        strlist_addf(&list, "%d", i);
    for (int i = 0; i < 97; i++)
        strlist_remove(&list, 0);
    strlist_add(&list, "end");
    assert_int_equal(list.count, 4);
    assert_string_equal(list.items[0], "97");
    assert_null(list.items[4]);
    env_put(&list, "A=1");
    env_put(&list, "A=2");
    assert_string_equal(env_get(&list, "A"), "2");
    env_put(&list, "A");
    assert_null(env_get(&list, "A"));
}

static void test_times(void **state)
{
    unix_nano time;
    char text[TIME_TEXT_SIZE];
    assert_true(time_parse("2024-02-29T12:34:56.789+02:00", &time));
    assert_string_equal(time_format(time, text), "2024-02-29T10:34:56.789Z");
    assert_string_equal(time_format_fixed(time, text), "2024-02-29T10:34:56.789000000Z");
    assert_true(time_parse(ZERO_TIME_TEXT, &time));
    assert_int_equal(time, 0);
    assert_string_equal(time_format(0, text), ZERO_TIME_TEXT);
    static const char *const wrong[] = {"", "2024", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00",
                                        "2024-01-01T00:00:00Zx"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_false(time_parse(wrong[i], &time));
}

static void test_buffers_keep_their_limit(void **state)
{
    _cleanup_strbuf_ struct strbuf buffer = {.limit = 10};
    assert_true(strbuf_add_string(&buffer, "12345"));
    assert_false(strbuf_addf(&buffer, "%s", "678901"));
    assert_true(buffer.is_overrun);
    assert_string_equal(strbuf_text(&buffer), "12345");
}

static void test_nothing_leads_out_of_a_root(void **state)
{
    char root[] = "/tmp/wherry-root.XXXXXX";
    assert_non_null(mkdtemp(root));
    _cleanup_close_ int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(symlinkat("/etc", fd, "absolute"), 0);
    assert_int_equal(symlinkat("../../../../etc", fd, "relative"), 0);
    assert_int_equal(symlinkat("/proc/self/root", fd, "magic"), 0);
    static const char *const paths[] = {"absolute/passwd", "relative/passwd", "../../etc/passwd", "/etc/passwd",
                                        "magic/etc/passwd"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        _cleanup_close_ int found = open_in_root(fd, paths[i], O_RDONLY, 0);
        assert_int_equal(found, -1);
    }
    _cleanup_close_ int made = make_directories_in_root(fd, "../a//b/../b/c", 0755);
    assert_true(made >= 0);
    assert_int_equal(faccessat(fd, "a/b/c", F_OK, 0), 0);
    assert_true(tree_remove(AT_FDCWD, root, NULL));
    assert_int_equal(access(root, F_OK), -1);
}

static void test_replace_is_whole(void **state)
{
    char path[] = "/tmp/wherry-file.XXXXXX";
    close(mkstemp(path));
    assert_true(file_replace(path, "new", 3, 0600, true, NULL));
    _cleanup_strbuf_ struct strbuf content = STRBUF_INIT;
    assert_true(file_read(AT_FDCWD, path, 10, &content, NULL));
    assert_string_equal(strbuf_text(&content), "new");
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_false(file_read(AT_FDCWD, path, 2, &content, &err));
    assert_int_equal(err.kind, ERROR_TOO_LARGE);
    unlink(path);
}

static void test_ids_are_no_numbers(void **state)
{
    char id[ID_LENGTH + 1];
    for (int i = 0; i < 1000; i++) {
        id_generate(id);
        assert_int_equal(strspn(id, "0123456789abcdef"), ID_LENGTH);
        assert_true(strspn(id, "0123456789") < ID_SHORT_LENGTH);
    }
}

static void test_base64(void **state)
{
    static const char *const texts[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy", "/+8A"};
    static const char *const wrong[] = {"Zg", "Zg=", "=", "====", "Z===", "Zg==Zg==", "Zm9v\n", "Zm-v"};
    uint8_t data[16];
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        long length = base64_decode(texts[i], data);
        assert_int_equal(length, i < 7 ? i : 3);
        assert_memory_equal(data, i < 7 ? "foobar" : "\xff\xef", length);
        _cleanup_free_ char *text = base64_encode(data, (size_t)length);
        assert_string_equal(text, texts[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(base64_decode(wrong[i], data), -1);
}

static void test_run(void **state)
{
    _cleanup_strbuf_ struct strbuf output = STRBUF_INIT;
    assert_true(run((const char *const[]){"cat", NULL}, "fed", 100, &output, NULL));
    assert_string_equal(strbuf_text(&output), "fed");
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_false(run((const char *const[]){"sh", "-c", "echo why >&2; exit 3", NULL}, NULL, 100, NULL, &err));
    assert_string_equal(error_message(&err), "sh failed: why");
    assert_false(run((const char *const[]){"no-such-program", NULL}, NULL, 100, NULL, &err));
    assert_string_equal(error_message(&err), "start no-such-program: no such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_clean),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_buffers_keep_their_limit),
        cmocka_unit_test(test_nothing_leads_out_of_a_root),
        cmocka_unit_test(test_replace_is_whole),
        cmocka_unit_test(test_ids_are_no_numbers),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
