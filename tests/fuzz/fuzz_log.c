/* Feeds broken logs to the reader: bytes of a json-file and of a local log, whole files with a tail. Nothing of it may
   crash, loop or make an entry longer than its file. And whatever bytes a container writes come back from both forms,
   but for what is not UTF-8 in JSON.

       fuzz_log [rounds [seed]]     mutates texts of its own, the same ones for the same seed; a unit test runs this */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_escape.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/log_file.h"
#include "mutate.h"

static const char json_text[] =
    "{\"log\":\"a \\u003c\\\"\\\\ \\u2028 \xc3\xa9\\n\",\"stream\":\"stdout\",\"time\":\"2024-01-02T03:04:05.678Z\"}\n"
    "{\"log\":\"b\",\"stream\":\"stderr\",\"attrs\":{\"k\":\"v w\"},\"time\":\"2024-01-02T03:04:06Z\"}\n";
static const char local_text[] =
    "\0\0\0\x15\x0a\x06stdout\x10\x85\xe7\xad\xf2\x85\x8c\xdc\xd3\x17\x1a\x01x\0\0\0\x15"
    "\0\0\0\x17\x0a\x06stderr\x10\x85\xe7\xad\xf2\x85\x8c\xdc\xd3\x17\x1a\x01y\x20\x01\0\0\0\x17";
static const char *const words[] = {"\\u", "\\ud800",       "\"",           "\\",
                                    "\n",  "},\"time\":\"", ",\"attrs\":{", "\xff\xff\xff\xff"};

static void expect(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void read_file(enum shim_log_format format, const char *path, const struct strbuf *text)
{
    struct log_line line = {0};
    size_t total = 0, count = 0;
    static const int64_t tails[] = {-1, 0, 1, 3};
    FILE *file = fopen(path, "we");
    expect(file && fwrite(strbuf_text(text), 1, text->length, file) == text->length && fclose(file) == 0,
           "cannot write");
    struct log_file *log = log_file_open(format, path, tails[draw(ARRAY_SIZE(tails))], 0, NULL);
    expect(log != NULL, "cannot open");
    while (log_file_next(log, &line)) {
        total += line.text.length;
        expect(++count <= text->length + 1 && total <= text->length * 4 + count, "more than there is");
    }
    log_file_free(log);
    log_line_release(&line);
}

static void read_lines(const struct strbuf *text)
{
    struct log_line line = {0};
    log_line_parse_json(strbuf_text(text), text->length, &line);
    log_line_parse_local(strbuf_text(text), text->length, &line);
    log_line_release(&line);
}

/* Any text without newlines that is UTF-8 comes back. */
static void round_trip(void)
{
    static const char *const letters[] = {
        "a", "\"", "\\", "<", "\t", "\x01", "\xc3\xa9", "\xe2\x80\xa8", "\xf0\x9f\x98\x80", "\x7f"};
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, json = STRBUF_INIT;
    struct log_line line = {0};
    for (size_t i = draw(3000); i > 0; i--) {
        size_t run = draw(8) ? 1 : draw(40);
        const char *letter = letters[draw(ARRAY_SIZE(letters))];
        while (run--)
            strbuf_add_string(&text, letter);
    }
    strbuf_add_string(&json, "{\"log\":\"");
    json_escape(&json, strbuf_text(&text), text.length, JSON_LETTERS_LOG);
    strbuf_add_string(&json, "\\n\",\"stream\":\"stderr\",\"time\":\"2024-01-02T03:04:05.678Z\"}");
    expect(log_line_parse_json(json.data, json.length, &line), "a line that cannot be read");
    expect(line.is_stderr && line.text.length == text.length + 1 &&
               memcmp(line.text.data, strbuf_text(&text), text.length) == 0,
           "a line that comes back changed");
    log_line_release(&line);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 3000;
    char path[] = "/tmp/fuzz-log-XXXXXX";
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    int fd = mkstemp(path);
    expect(fd >= 0, "mkstemp");
    close(fd);
    for (long i = 0; i < rounds; i++) {
        bool is_local = draw(2);
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        if (is_local)
            strbuf_add(&text, local_text, sizeof(local_text) - 1);
        else
            strbuf_add(&text, json_text, sizeof(json_text) - 1);
        mutate(&text, words, ARRAY_SIZE(words));
        read_file(is_local ? SHIM_LOG_LOCAL : SHIM_LOG_JSON, path, &text);
        read_lines(&text);
        if (i % 10 == 0)
            round_trip();
    }
    unlink(path);
    return 0;
}
