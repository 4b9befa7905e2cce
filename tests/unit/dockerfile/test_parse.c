/* Dockerfiles as they are written: what they become, and the messages of those that are wrong, which are what Docker's
   classic builder answers to the same file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "dockerfile/dockerfile.h"

/* One line an instruction: keyword, flags, [arguments] or {arguments} in exec form, heredocs, lines. */
static void show(const struct instruction *instruction, struct strbuf *out)
{
    strbuf_add_string(out, instruction_keyword(instruction->kind));
    for (size_t i = 0; i < instruction->flag_count; i++)
        strbuf_addf(out, " --%s=%s", instruction->flags[i].name,
                    instruction->flags[i].value ? instruction->flags[i].value : "(none)");
    strbuf_add_string(out, instruction->is_json ? " {" : " [");
    for (size_t i = 0; i < instruction->arguments.count; i++)
        strbuf_addf(out, "%s%s", i ? "|" : "", instruction->arguments.items[i]);
    strbuf_add_string(out, instruction->is_json ? "}" : "]");
    for (size_t i = 0; i < instruction->heredoc_count; i++)
        strbuf_addf(out, " <%s%s:%s>", instruction->heredocs[i].name, instruction->heredocs[i].is_expanded ? "" : "!",
                    instruction->heredocs[i].content);
    if (instruction->trigger) {
        strbuf_add_string(out, " -> ");
        show(instruction->trigger, out);
    } else {
        strbuf_addf(out, " %d-%d;", instruction->line, instruction->last_line);
    }
}

static void parsed(void **state _unused_)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"FROM busybox", "FROM [busybox] 1-1;"},
        {"\xef\xbb\xbf# comment\r\nFROM  busybox\tAS  Build\r\n", "FROM [busybox|AS|build] 2-2;"},
        {"from --platform=$BUILDPLATFORM a as b", "FROM --platform=$BUILDPLATFORM [a|AS|b] 1-1;"},
        {"ARG A\nARG B=1 C=\"a b\" D\nFROM $A", "ARG [A] 1-1;ARG [B=1|C=\"a b\"|D] 2-2;FROM [$A] 3-3;"},
        /* Continuations: comments and empty lines between them, blanks behind the character, a doubled one. */
        {"FROM a\nRUN one \\\n# no\n\n   two \\  \n  three\nRUN x\\\\\nRUN \\\ny",
         "FROM [a] 1-1;RUN [one    two   three] 2-6;RUN [x\\\\] 7-7;RUN [y] 8-9;"},
        {"# escape=`\nFROM a\nRUN c:\\ `\n d", "FROM [a] 2-2;RUN [c:\\  d] 3-4;"},
        {"FROM a\nRUN x \\", "FROM [a] 1-1;RUN [x] 2-2;"},
        /* Exec and shell form. */
        {"FROM a\nRUN [\"a\", \"b c\"]\nCMD [ ]\nENTRYPOINT [\"\\u00e9\\n\\ud83d\\ude00\"]",
         "FROM [a] 1-1;RUN {a|b c} 2-2;CMD {} 3-3;ENTRYPOINT {\xc3\xa9\n\xf0\x9f\x98\x80} 4-4;"},
        {"FROM a\nCMD ['a']\nCMD [\"a\"] b\nCMD [\"a\",]\nCMD [\"\\u0000\"]\nRUN",
         "FROM [a] 1-1;CMD [['a']] 2-2;CMD [[\"a\"] b] 3-3;CMD [[\"a\",]] 4-4;CMD [[\"\\u0000\"]] 5-5;RUN [] 6-6;"},
        {"FROM a\nCOPY --from=b --chown=1:2 --link x\ty /z\nADD [\"a b\", \"c\"]",
         "FROM [a] 1-1;COPY --from=b --chown=1:2 --link=(none) [x|y|/z] 2-2;ADD {a b|c} 3-3;"},
        {"FROM a\nCOPY --exclude=*.o --exclude='x y' --parents a b\nRUN --mount=type=tmpfs,target=/a --mount=type=ssh "
         "-- --x",
         "FROM [a] 1-1;COPY --exclude=*.o --exclude=x y --parents=(none) [a|b] 2-2;"
         "RUN --mount=type=tmpfs,target=/a --mount=type=ssh [--x] 3-3;"},
        /* Names and values. */
        {"FROM a\nENV a b  c\nENV a=b c=\"d e\" f=g\\ h\nLABEL x='$y' z=\nENV A  =  b",
         "FROM [a] 1-1;ENV [a|b  c] 2-2;ENV [a|b|c|\"d e\"|f|g\\ h] 3-3;LABEL [x|'$y'|z|] 4-4;ENV [A|=  b] 5-5;"},
        {"FROM a\nEXPOSE 80 443/tcp\nVOLUME /a /b\nVOLUME [\" /c \"]\nUSER a b\nWORKDIR /a b\nSTOPSIGNAL 9\nMAINTAINER "
         "me <x>",
         "FROM [a] 1-1;EXPOSE [80|443/tcp] 2-2;VOLUME [/a|/b] 3-3;VOLUME {/c} 4-4;USER [a b] 5-5;WORKDIR [/a b] 6-6;"
         "STOPSIGNAL [9] 7-7;MAINTAINER [me <x>] 8-8;"},
        {"FROM a\nSHELL [\"a\"]\nHEALTHCHECK --interval=5s --retries=3 cmd [\"a\",\"b\"]\nHEALTHCHECK CMD a "
         "b\nHEALTHCHECK none",
         "FROM [a] 1-1;SHELL {a} 2-2;HEALTHCHECK --interval=5s --retries=3 {CMD|a|b} 3-3;HEALTHCHECK [CMD|a b] 4-4;"
         "HEALTHCHECK [NONE] 5-5;"},
        /* Heredocs. */
        {"FROM a\nRUN <<EOF\none\n# two\n  \\\nEOF\nRUN x",
         "FROM [a] 1-1;RUN [<<EOF] <EOF:one\n# two\n  \\\n> 2-6;RUN [x] 7-7;"},
        {"FROM a\nRUN cat <<A <<-'B' > x\none\nA\n\t\ttwo\n\tB\n",
         "FROM [a] 1-1;RUN [cat <<A <<-'B' > x] <A:one\n> <B!:two\n> 2-6;"},
        {"FROM a\nCOPY <<one <<\"two\" c /d\n$x\none\r\ntwo\n", "FROM [a] 1-1;COPY [c|/d] <one:$x\n> <two!:> 2-5;"},
        {"FROM a\nRUN << EOF\nx\nEOF\nRUN 3<<EOF\ny\nEOF",
         "FROM [a] 1-1;RUN [<< EOF] <EOF:x\n> 2-4;RUN [3<<EOF] <EOF:y\n> 5-7;"},
        {"FROM a\nRUN echo \"<<EOF\" '<<X' <<<Y\nRUN [\"<<EOF\"]\nENV a=<<b\nRUN a \"<<b",
         "FROM [a] 1-1;RUN [echo \"<<EOF\" '<<X' <<<Y] 2-2;RUN {<<EOF} 3-3;ENV [a|<<b] 4-4;RUN [a \"<<b] 5-5;"},
        {"FROM a\nRUN <<$EOF\nx\n$EOF", "FROM [a] 1-1;RUN [<<$EOF] <$EOF:x\n> 2-4;"},
        /* ONBUILD. */
        {"FROM a\nONBUILD RUN x\nonbuild copy --from=b a b\nONBUILD RUN <<EOF\nx\nEOF\n",
         "FROM [a] 1-1;ONBUILD [RUN x] -> RUN [x] 2-2;ONBUILD [copy --from=b a b] -> COPY --from=b [a|b] 3-3;"
         "ONBUILD [RUN <<EOF\nx\nEOF] -> RUN [<<EOF] <EOF:x\n> 4-6;"},
        {"FROM a\nONBUILD RUNN x\nONBUILD COPY x", "FROM [a] 1-1;ONBUILD [RUNN x] 2-2;ONBUILD [COPY x] 3-3;"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_dockerfile_ struct dockerfile file = {0};
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
        if (!dockerfile_parse(rows[i].text, strlen(rows[i].text), "Dockerfile", &file, NULL, &err))
            fail_msg("%s\n%s", rows[i].text, error_message(&err));
        for (size_t j = 0; j < file.count; j++)
            show(&file.instructions[j], &shown);
        assert_string_equal(strbuf_text(&shown), rows[i].shown);
    }
}

static void refused(void **state _unused_)
{
    static const struct {
        const char *text, *message;
        int line;
    } rows[] = {
        {"", "the Dockerfile (Dockerfile) cannot be empty", 0},
        {"\n# x\n", "failed to parse Dockerfile: file with no instructions", 0},
        {"ARG x", "dockerfile contains no stages to build", 0},
        {"RUN a", "no build stage in current context", 1},
        {"FROM a\nRUNN true", "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)", 2},
        {"FROM a\nxyzzy true", "dockerfile parse error on line 2: unknown instruction: xyzzy", 2},
        {"FROM a\ncpoy true", "dockerfile parse error on line 2: unknown instruction: cpoy (did you mean copy?)", 2},
        /* A line that cannot be read comes before an instruction that is wrong. */
        {"FROM a\nRUNN x\nENV a", "failed to parse Dockerfile: ENV must have two arguments", 3},
        {"FROM a\nLABEL a", "failed to parse Dockerfile: LABEL must have two arguments", 2},
        {"FROM a\nENV a=b c",
         "failed to parse Dockerfile: Syntax error - can't find = in \"c\". Must be of the form: name=value", 2},
        {"FROM a\nCMD [1]",
         "failed to parse Dockerfile: when using JSON array syntax, arrays must be comprised of strings only", 2},
        {"FROM a\nCMD [\"a\", {\"b\": [null, -1.5e3]}]",
         "failed to parse Dockerfile: when using JSON array syntax, arrays must be comprised of strings only", 2},
        {"# escape=x\nFROM a", "failed to parse Dockerfile: invalid escape token 'x' does not match ` or \\", 1},
        {"# escape=`\n# escape=`\nFROM a", "failed to parse Dockerfile: only one escape parser directive can be used",
         2},
        {"# syntax=a\n#syntax = b\nFROM a", "failed to parse Dockerfile: only one syntax parser directive can be used",
         2},
        {"# check=skip\nFROM a", "failed to parse Dockerfile: invalid check option \"skip\"", 1},
        {"FROM a\nRUN <<EOF\nabc\n", "failed to parse Dockerfile: unterminated heredoc", 2},
        {"FROM a\nCOPY a <<EOF\nabc\nEOF\n",
         "dockerfile parse error on line 2: COPY cannot accept a heredoc as a destination", 2},
        {"FROM a\nCOPY --foo=a b c", "dockerfile parse error on line 2: unknown flag: foo (did you mean from?)", 2},
        {"FROM a\nRUN --x b", "dockerfile parse error on line 2: unknown flag: x", 2},
        {"FROM a\nCOPY --from b c", "dockerfile parse error on line 2: missing a value on flag: from", 2},
        {"FROM a\nCOPY --link=x b c", "dockerfile parse error on line 2: expecting boolean value for flag link, not: x",
         2},
        {"FROM a\nCOPY --link= b c", "dockerfile parse error on line 2: missing a value on flag: link", 2},
        {"FROM a\nCOPY --chown=1 --chown=2 b c", "dockerfile parse error on line 2: duplicate flag specified: chown",
         2},
        {"FROM a\nENV", "dockerfile parse error on line 2: ENV requires at least one argument", 2},
        {"FROM a\nENV =b", "dockerfile parse error on line 2: ENV names can not be blank", 2},
        {"FROM a\nCOPY a",
         "dockerfile parse error on line 2: COPY requires at least two arguments, but only one was provided. "
         "Destination could not be determined",
         2},
        {"FROM", "dockerfile parse error on line 1: FROM requires either one or three arguments", 1},
        {"FROM a b", "dockerfile parse error on line 1: FROM requires either one or three arguments", 1},
        {"FROM a AS 1a",
         "dockerfile parse error on line 1: invalid name for build stage: \"1a\", name can't start with a number or "
         "contain symbols",
         1},
        {"FROM a\nONBUILD", "dockerfile parse error on line 2: ONBUILD requires at least one argument", 2},
        {"FROM a\nONBUILD ONBUILD RUN a",
         "dockerfile parse error on line 2: Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", 2},
        {"FROM a\nONBUILD FROM a", "dockerfile parse error on line 2: FROM isn't allowed as an ONBUILD trigger", 2},
        {"FROM a\nHEALTHCHECK --interval=1 CMD a",
         "dockerfile parse error on line 2: time: missing unit in duration \"1\"", 2},
        {"FROM a\nHEALTHCHECK --interval=1us CMD a",
         "dockerfile parse error on line 2: Interval \"interval\" cannot be less than 1ms", 2},
        {"FROM a\nHEALTHCHECK --retries=-1 CMD a",
         "dockerfile parse error on line 2: --retries cannot be negative (-1)", 2},
        {"FROM a\nHEALTHCHECK --retries=x CMD a",
         "dockerfile parse error on line 2: strconv.ParseInt: parsing \"x\": invalid syntax", 2},
        {"FROM a\nHEALTHCHECK CMDD a",
         "dockerfile parse error on line 2: Unknown type \"CMDD\" in HEALTHCHECK (try CMD)", 2},
        {"FROM a\nHEALTHCHECK CMD", "dockerfile parse error on line 2: Missing command after HEALTHCHECK CMD", 2},
        {"FROM a\nHEALTHCHECK NONE a", "dockerfile parse error on line 2: HEALTHCHECK NONE takes no arguments", 2},
        {"FROM a\nHEALTHCHECK", "dockerfile parse error on line 2: HEALTHCHECK requires at least one argument", 2},
        {"FROM a\nSHELL a b", "dockerfile parse error on line 2: SHELL requires the arguments to be in JSON form", 2},
        {"FROM a\nSHELL []", "dockerfile parse error on line 2: SHELL requires at least one argument", 2},
        {"FROM a\nVOLUME [\"\"]", "dockerfile parse error on line 2: VOLUME specified can not be an empty string", 2},
        {"FROM a\nEXPOSE", "dockerfile parse error on line 2: EXPOSE requires at least one argument", 2},
        {"FROM a\nARG =b", "dockerfile parse error on line 2: ARG names can not be blank", 2},
        {"FROM a\nUSER", "dockerfile parse error on line 2: USER requires exactly one argument", 2},
        {"FROM a\nRUN --network=foo a", "dockerfile parse error on line 2: invalid network mode \"foo\"", 2},
        {"FROM a\nRUN --mount=type=bind,from=$x,target=/a a",
         "dockerfile parse error on line 2: 'from' doesn't support variable expansion, define alias stage instead", 2},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_dockerfile_ struct dockerfile file = {0};
        _cleanup_error_ struct error err = ERROR_INIT;
        int line = -1;
        assert_false(dockerfile_parse(rows[i].text, strlen(rows[i].text), "Dockerfile", &file, &line, &err));
        assert_string_equal(error_message(&err), rows[i].message);
        assert_int_equal(err.kind, ERROR_INVALID);
        assert_int_equal(line, rows[i].line);
    }
    static const char binary[] = "FROM a\0b";
    _cleanup_dockerfile_ struct dockerfile file = {0};
    assert_false(dockerfile_parse(binary, sizeof(binary) - 1, "Dockerfile", &file, NULL, NULL));
}

static void directives(void **state _unused_)
{
    static const char text[] = "#!/usr/bin/env x\n# Syntax = docker/dockerfile:1 --x\n#check=skip=A, B;error=true\n"
                               "# other\n# escape=`\nFROM a\nRUN b \\\n c";
    _cleanup_dockerfile_ struct dockerfile file = {0};
    assert_true(dockerfile_parse(text, strlen(text), "x", &file, NULL, NULL));
    assert_string_equal(file.syntax, "docker/dockerfile:1");
    assert_int_equal(file.escape, '\\');
    assert_int_equal(file.checks_skipped.count, 2);
    assert_string_equal(file.checks_skipped.items[1], "B");
    assert_true(file.checks_are_errors);
    assert_string_equal(file.instructions[1].original, "RUN b  c");
}

static void excerpts(void **state _unused_)
{
    static const char text[] = "FROM busybox\n\nRUNN true\n";
    _cleanup_dockerfile_ struct dockerfile file = {0};
    int line;
    assert_false(dockerfile_parse(text, strlen(text), "Dockerfile", &file, &line, NULL));
    _cleanup_free_ char *excerpt = dockerfile_excerpt(&file, line, line);
    assert_string_equal(excerpt, "Dockerfile:3\n--------------------\n   1 |     FROM busybox\n   2 |     \n"
                                 "   3 | >>> RUNN true\n   4 |     \n--------------------\n");
    _cleanup_free_ char *nothing = dockerfile_excerpt(&file, 9, 9);
    assert_string_equal(nothing, "");
}

static void one_instruction(void **state _unused_)
{
    struct instruction instruction = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_true(instruction_parse("RUN --network=none <<EOF\nx\nEOF", &instruction, &err));
    assert_int_equal(instruction.kind, INSTRUCTION_RUN);
    assert_string_equal(instruction_flag_value(&instruction, "network"), "none");
    assert_null(instruction_flag_value(&instruction, "security"));
    assert_string_equal(instruction.heredocs[0].content, "x\n");
    instruction_release(&instruction);
    assert_false(instruction_parse("RUN a\nRUN b", &instruction, &err));
    assert_string_equal(error_message(&err), "onbuild trigger should be a single expression");
    assert_false(instruction_parse("RUNN a", &instruction, &err));
    assert_string_equal(error_message(&err), "unknown instruction: RUNN (did you mean RUN?)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsed),   cmocka_unit_test(refused),         cmocka_unit_test(directives),
        cmocka_unit_test(excerpts), cmocka_unit_test(one_instruction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
