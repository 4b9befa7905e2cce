#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/json_escape.h"
#include "base/memory.h"
#include "base/spawn.h"
#include "shim/output_log.h"

struct fixture {
    char folder[32];
    char *path;
    struct output_log *log;
};

static int set_up(void **state)
{
    struct fixture *fixture = NEW(struct fixture);
    memcpy(fixture->folder, "/tmp/json-log-XXXXXX", 21);
    assert_non_null(mkdtemp(fixture->folder));
    fixture->path = path_join(fixture->folder, "x-json.log");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    output_log_free(fixture->log);
    tree_remove(AT_FDCWD, fixture->folder, NULL);
    free(fixture->path);
    free(fixture);
    return 0;
}

static void open_log(struct fixture *fixture, int64_t max_size, int64_t max_files, bool compresses)
{
    struct shim_log options = {.format = SHIM_LOG_JSON,
                               .path = fixture->path,
                               .max_size = max_size,
                               .max_files = max_files,
                               .compresses = compresses};
    assert_true(output_log_open(&options, NULL, NULL, NULL, &fixture->log, NULL));
}

static void close_log(struct fixture *fixture)
{
    output_log_free(TAKE_PTR(fixture->log));
}

/* The file without its times, each of which is checked. */
static char *content(const char *path)
{
    struct strbuf raw = STRBUF_INIT, out = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, 1 << 24, &raw, NULL))
        return NULL;
    const char *start = raw.data;
    for (const char *time; start && (time = strstr(start, ",\"time\":\"")); start = strchr(time, '\n') + 1) {
        strbuf_add(&out, start, (size_t)(time - start));
        _cleanup_free_ char *text = xstrndup(time + 9, strcspn(time + 9, "\""));
        unix_nano parsed;
        char again[TIME_TEXT_SIZE];
        assert_true(time_parse(text, &parsed));
        assert_string_equal(time_format(parsed, again), text);
        assert_memory_equal(time + 9 + strlen(text), "\"}\n", 3);
        strbuf_add_char(&out, '\n');
    }
    strbuf_release(&raw);
    return strbuf_take(&out);
}

static void assert_content(struct fixture *fixture, const char *expected)
{
    _cleanup_free_ char *text = content(fixture->path);
    assert_string_equal(text, expected);
}

static void escapes_as_docker_does(void **state)
{
    /* The output and the log line are those of a container of Docker 26.1. */
    static const char output[] =
        "a<b>&\"\\\t\r\b\f\0x\x7f\x1b \xff\xc3\xa9 \xe2\x80\xa8 \xf0\x9f\x98\x80 \xed\xa0\x80 \xe2\x82";
    struct strbuf escaped = STRBUF_INIT;
    json_escape(&escaped, output, sizeof(output) - 1, JSON_LETTERS_LOG);
    assert_string_equal(escaped.data,
                        "a\\u003cb\\u003e\\u0026\\\"\\\\\\u0009\\r\\u0008\\u000c\\u0000x\x7f\\u001b \\ufffd"
                        "\xc3\xa9 \\u2028 \xf0\x9f\x98\x80 \\ufffd\\ufffd\\ufffd \\ufffd\\ufffd");
    strbuf_release(&escaped);
}

static void joins_lines_across_reads(void **state)
{
    struct fixture *fixture = *state;
    open_log(fixture, 0, 1, false);
    output_log_add(fixture->log, STREAM_STDOUT, "one\ntw", 6);
    output_log_add(fixture->log, STREAM_STDERR, "err\n", 4);
    assert_content(fixture, "{\"log\":\"one\\n\",\"stream\":\"stdout\"\n{\"log\":\"err\\n\",\"stream\":\"stderr\"\n");
    output_log_add(fixture->log, STREAM_STDOUT, "o\n\nend", 6);
    close_log(fixture);
    assert_content(fixture, "{\"log\":\"one\\n\",\"stream\":\"stdout\"\n{\"log\":\"err\\n\",\"stream\":\"stderr\"\n"
                            "{\"log\":\"two\\n\",\"stream\":\"stdout\"\n{\"log\":\"\\n\",\"stream\":\"stdout\"\n"
                            "{\"log\":\"end\",\"stream\":\"stdout\"\n");
}

/* Lengths of the texts in the log, "+" for an end of line. */
static void assert_pieces(struct fixture *fixture, const char *expected)
{
    _cleanup_free_ char *text = content(fixture->path);
    struct strbuf found = STRBUF_INIT;
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        size_t length = (size_t)(strstr(line, "\",\"stream") - line) - 8;
        bool is_ended = length >= 2 && memcmp(line + 8 + length - 2, "\\n", 2) == 0;
        strbuf_addf(&found, "%zu%s ", length - (is_ended ? 2 : 0), is_ended ? "+" : "");
    }
    assert_string_equal(strbuf_text(&found), expected);
    strbuf_release(&found);
}

static void splits_long_lines(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_free_ char *data = xmalloc(100000);
    memset(data, 'y', 100000);
    data[16384] = '\n';
    data[16385 + 40000] = '\n';
    for (int step = 1; step <= 100000; step = step * 7 + 3) {
        unlink(fixture->path);
        open_log(fixture, 0, 1, false);
        for (int done = 0; done < 16386 + 40000 + 16383; done += step)
            output_log_add(fixture->log, STREAM_STDOUT, data + done, (size_t)MIN(step, 16386 + 40000 + 16383 - done));
        close_log(fixture);
        assert_pieces(fixture, "16384 0+ 16384 16384 7232+ 16383 ");
    }
}

static void rotates(void **state)
{
    struct fixture *fixture = *state;
    open_log(fixture, 100, 3, false);
    for (int i = 0; i < 9; i++) {
        _cleanup_free_ char *line = xasprintf("line %d\n", i);
        output_log_add(fixture->log, STREAM_STDOUT, line, strlen(line));
    }
    close_log(fixture);
    /* About 70 bytes a line: two lines pass 100 bytes. */
    assert_content(fixture, "{\"log\":\"line 8\\n\",\"stream\":\"stdout\"\n");
    static const char *const older[] = {"line 6", "line 4"};
    for (int i = 0; i < 2; i++) {
        _cleanup_free_ char *path = xasprintf("%s.%d", fixture->path, i + 1), *text = content(path);
        assert_non_null(strstr(text, older[i]));
    }
    _cleanup_free_ char *third = xasprintf("%s.3", fixture->path);
    assert_int_equal(access(third, F_OK), -1);
}

static void truncates_a_lone_file(void **state)
{
    struct fixture *fixture = *state;
    open_log(fixture, 60, 1, false);
    output_log_add(fixture->log, STREAM_STDOUT, "one\ntwo\n", 8);
    close_log(fixture);
    assert_content(fixture, "{\"log\":\"two\\n\",\"stream\":\"stdout\"\n");
}

static void compresses(void **state)
{
    struct fixture *fixture = *state;
    open_log(fixture, 60, 3, true);
    output_log_add(fixture->log, STREAM_STDOUT, "one\ntwo\nthree\n", 14);
    pid_t compressor = wait(NULL);
    assert_true(compressor > 0);
    output_log_child_ended(fixture->log, compressor);
    close_log(fixture);
    for (int i = 1; i <= 2; i++) {
        _cleanup_free_ char *path = xasprintf("%s.%d.gz", fixture->path, i);
        const char *argv[] = {"gzip", "-t", path, NULL};
        assert_true(run(argv, NULL, 1, NULL, NULL));
    }
}

/* The bytes are those of a file of Docker 26.1's local driver, but for the time. */
static void local_form(void **state)
{
    struct fixture *fixture = *state;
    struct shim_log options = {.format = SHIM_LOG_LOCAL, .path = fixture->path};
    struct strbuf raw = STRBUF_INIT;
    assert_true(output_log_open(&options, NULL, NULL, NULL, &fixture->log, NULL));
    output_log_add(fixture->log, STREAM_STDOUT, "x\n\nend", 6);
    close_log(fixture);
    assert_true(file_read(AT_FDCWD, fixture->path, 1 << 20, &raw, NULL));
    assert_true(raw.length > 29 + 26);
    assert_memory_equal(raw.data, "\0\0\0\x15\x0a\x06stdout\x10", 13);
    assert_memory_equal(raw.data + 22, "\x1a\x01x\0\0\0\x15", 7);
    /* An empty line has no field 3. */
    assert_memory_equal(raw.data + 29, "\0\0\0\x12\x0a\x06stdout\x10", 13);
    assert_memory_equal(raw.data + 29 + 22, "\0\0\0\x12", 4);
    /* What is not ended by a newline is partial, with the metadata of its first piece. */
    const char *rest = raw.data + 29 + 26;
    assert_memory_equal(rest + 22,
                        "\x1a\x03"
                        "end\x20\x01\x2a\x44\x12\x40",
                        11);
    strbuf_release(&raw);
}

static void continues_a_file(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 2; i++) {
        open_log(fixture, 0, 1, false);
        output_log_add(fixture->log, STREAM_STDERR, "x\n", 2);
        close_log(fixture);
    }
    assert_content(fixture, "{\"log\":\"x\\n\",\"stream\":\"stderr\"\n{\"log\":\"x\\n\",\"stream\":\"stderr\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_as_docker_does),
        cmocka_unit_test_setup_teardown(joins_lines_across_reads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(splits_long_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rotates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(truncates_a_lone_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(compresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(local_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(continues_a_file, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
