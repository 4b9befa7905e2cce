/* Feeds broken Dockerfiles, words with variables and ignore files to the language's parsers.

       fuzz_dockerfile FILE…                 the files of a corpus, as an outer fuzzer hands them in
       fuzz_dockerfile [rounds [seed]]       mutates texts of its own, the same ones for the same seed; a unit test runs
   this

   Sanitizers make it worth more. */
#include <ctype.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "dockerfile/check.h"
#include "dockerfile/expand.h"
#include "dockerfile/ignore.h"
#include "mutate.h"

static void expect(bool is_true, const char *what, const char *input)
{
    if (is_true)
        return;
    fprintf(stderr, "%s: %s\n", what, input);
    abort();
}

static void expect_error(struct error *err, const char *input)
{
    expect(err->kind == ERROR_INVALID && *error_message(err), "a failure without a message", input);
    error_release(err);
}

static const char *look_up(void *context _unused_, const char *name)
{
    return *name == 'a' ? "one two/three*" : *name == 'e' ? "" : NULL;
}

static void read_words(const char *text)
{
    static const char escapes[] = "\\`";
    for (size_t i = 0; i < 4; i++) {
        struct expansion expansion = {.escape = escapes[i % 2], .lookup = look_up, .keeps_quotes = i > 1};
        struct error err = ERROR_INIT;
        _cleanup_free_ char *word = expand_word(&expansion, text, &err);
        if (!word)
            expect_error(&err, text);
        _cleanup_strlist_ struct strlist words = {0};
        bool is_split = expand_words(&expansion, text, &words, NULL);
        expect(is_split == (word != NULL), "one word is expanded, many are not", text);
        for (size_t j = 0; j < words.count; j++)
            expect(*words.items[j], "an empty word", text);
    }
}

static void read_dockerfile(const char *text, size_t length)
{
    _cleanup_dockerfile_ struct dockerfile file = {0};
    struct error err = ERROR_INIT;
    int line = -1;
    if (!dockerfile_parse(text, length, "Dockerfile", &file, &line, &err)) {
        expect_error(&err, text);
        expect(line >= 0 && line <= (int)file.lines.count, "a line that is not there", text);
        free(dockerfile_excerpt(&file, line, line));
        return;
    }
    int last = 0;
    for (size_t i = 0; i < file.count; i++) {
        const struct instruction *instruction = &file.instructions[i];
        expect(instruction->line > last && instruction->last_line >= instruction->line, "lines out of order", text);
        last = instruction->last_line;
        expect(*instruction->original, "an instruction without text", text);
        free(dockerfile_excerpt(&file, instruction->line, instruction->last_line));
        for (size_t j = 0; j < instruction->arguments.count; j++)
            read_words(instruction->arguments.items[j]);
        if (instruction->kind != INSTRUCTION_ONBUILD || !instruction->trigger)
            continue;
        struct instruction again = {0};
        if (instruction_parse(instruction->arguments.items[0], &again, NULL))
            instruction_release(&again);
    }
    struct check_warnings warnings;
    dockerfile_check(&file, &warnings);
    for (size_t i = 0; i < warnings.count; i++)
        expect(warnings.items[i].line > 0 && warnings.items[i].line <= last, "a warning of no line", text);
    check_warnings_release(&warnings);
}

static void read_ignore(const char *text, size_t length)
{
    static const char *const paths[] = {"a", "a/b/c.o", "docs/x\xc3\xa9/readme.md", "node_modules/y", ".git"};
    struct error err = ERROR_INIT;
    _cleanup_(ignore_freep) struct ignore *ignore = ignore_parse(text, length, &err);
    if (!ignore) {
        expect_error(&err, text);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        ignore_matches(ignore, paths[i]);
        ignore_may_return_below(ignore, paths[i]);
        wildcard_matches(text, paths[i]);
    }
}

static void read_all(const char *text, size_t length)
{
    read_dockerfile(text, length);
    read_words(text);
    read_ignore(text, length);
}

int main(int argc, char **argv)
{
    static const char *const seeds[] = {
        "# syntax=docker/dockerfile:1\n# escape=`\n# check=skip=all;error=true\nARG a=1\nFROM --platform=$a b AS c\n"
        "RUN --mount=type=cache,target=/x --network=none echo `\n  # comment\n\n  two\n",
        "FROM a\r\nENV a=b c='d e' f=\"g\\\"h\"\r\nENV old form\r\nLABEL x=y\r\nARG z=${a:-b}\r\n",
        "FROM a\nRUN <<EOF cat <<-'X Y' <<\"Z\"\none\nEOF\n\ttwo\n\tX Y\nZ\nCOPY --chown=1:2 <<f <<g /d/\nx\nf\ny\ng\n",
        "FROM a\nCMD [\"a\", \"\\u00e9\\ud83d\\ude00\"]\nENTRYPOINT [ ]\nSHELL [\"sh\"]\nVOLUME [\"/a\"] \n"
        "HEALTHCHECK --interval=5s CMD [\"x\"]\nHEALTHCHECK NONE\n",
        "FROM a\nONBUILD RUN <<EOF\nx\nEOF\nONBUILD COPY --from=b a b\nONBUILD ADD [\"a b\", \"c\"]\nEXPOSE 80/TCP "
        "$a\n",
        "${a:-${e:+\"x\"}} ${a#*o} ${a##*o} ${a%/*} ${a%%\\*} ${a/t?o/x} ${a//\\//_} ${e:?no} '$a' \\$a",
        "# c\n*.o\n!a/**/b\n**/node_modules\ndocs/*.m[a-d]\n/x/../y\n! z\n",
    };
    static const char *const words[] = {"FROM ",   "RUN ",     "\n", "\\\n", "<<EOF", "EOF\n", "[\"", "\"]",
                                        "--from=", "ONBUILD ", "${", "}",    ":-",    "//",    "##",  "**",
                                        "!",       "'",        "\"", "\\",   "`",     "#",     "=",   "\r\n",
                                        "\t",      "[",        "]",  "$a",   "\xff",  "\xc3"};
    if (argc > 1 && !isdigit((unsigned char)*argv[1])) {
        for (int i = 1; i < argc; i++) {
            _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
            if (!file_read(AT_FDCWD, argv[i], 1 << 20, &text, NULL))
                return 1;
            read_all(strbuf_text(&text), text.length);
        }
        return 0;
    }
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 4000;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (unsigned long round = 0; round < rounds; round++) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        strbuf_add_string(&text, seeds[draw(ARRAY_SIZE(seeds))]);
        mutate(&text, words, ARRAY_SIZE(words));
        read_all(strbuf_text(&text), text.length);
    }
    return 0;
}
