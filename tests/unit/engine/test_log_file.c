/* The json-file reader: order over rotated files, the tail, growth, rotation under the reader, broken lines. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/log_file.h"

static char folder[64];
static char *path;

static void append(const char *file, int first, int last)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    for (int i = first; i <= last; i++)
        strbuf_addf(&text, "{\"log\":\"line %d\\n\",\"stream\":\"%s\",\"time\":\"2026-01-02T03:04:05.%09dZ\"}\n", i,
                    i % 2 ? "stdout" : "stderr", i);
    _cleanup_close_ int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write_full(fd, text.data, text.length), 0);
}

static void assert_lines(struct log_file *file, int first, int last)
{
    struct log_line line = {0};
    for (int i = first; i <= last; i++) {
        char expected[32];
        snprintf(expected, sizeof(expected), "line %d\n", i);
        assert_true(log_file_next(file, &line));
        assert_string_equal(strbuf_text(&line.text), expected);
        assert_int_equal(line.is_stderr, i % 2 == 0);
    }
    assert_false(log_file_next(file, &line));
    log_line_release(&line);
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/wherry-log-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    path = path_join(folder, "log");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tree_remove(AT_FDCWD, folder, NULL);
    free(path);
    return 0;
}

static void test_rotated_and_tail(void **state)
{
    (void)state;
    _cleanup_free_ char *older = xasprintf("%s.2", path), *old = xasprintf("%s.1", path);
    append(older, 1, 1000);
    append(old, 1001, 5000);
    append(path, 5001, 5010);
    static const struct {
        int64_t tail;
        int first;
    } rows[] = {{-1, 1}, {0, 5011}, {1, 5010}, {10, 5001}, {11, 5000}, {4010, 1001}, {4011, 1000}, {99999, 1}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct log_file *file = log_file_open(SHIM_LOG_JSON, path, rows[i].tail, 0, NULL);
        assert_non_null(file);
        assert_lines(file, rows[i].first, 5010);
        log_file_free(file);
    }
}

static void test_growth_and_rotation(void **state)
{
    (void)state;
    struct log_file *file = log_file_open(SHIM_LOG_JSON, path, -1, 0, NULL);
    assert_lines(file, 1, 0); /* not there yet */
    append(path, 1, 3);
    assert_lines(file, 1, 3);
    append(path, 4, 4);
    _cleanup_free_ char *old = xasprintf("%s.1", path);
    assert_int_equal(rename(path, old), 0);
    append(path, 5, 6);
    assert_lines(file, 4, 6);
    append(path, 7, 7);
    assert_lines(file, 7, 7);
    log_file_free(file);
}

static void test_broken_lines(void **state)
{
    (void)state;
    assert_true(file_write_text(AT_FDCWD, path, "{\"log\":\"cut sh\n\nnot json\n", 0600, NULL));
    append(path, 1, 2);
    struct log_file *file = log_file_open(SHIM_LOG_JSON, path, -1, 0, NULL);
    assert_lines(file, 1, 2);
    log_file_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rotated_and_tail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_growth_and_rotation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_lines, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
