/* The build checks, each with a file that it warns of and one that it does not
 * (docs.docker.com/reference/build-checks). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "dockerfile/check.h"

static void warned(void **state _unused_)
{
    static const struct {
        const char *text, *warnings;
    } rows[] = {
        {"FROM scratch AS one\nCMD [\"a\"]", ""},
        {"FROM scratch AS One", "1 StageNameCasing: Stage name 'One' should be lowercase;"},
        {"FROM scratch as one", "1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match;"},
        {"FROM scratch\nRUN a \\\n\n b", "2 NoEmptyContinuation: Empty continuation line;"},
        {"FROM scratch\nrun a\nRUN b",
         "2 ConsistentInstructionCasing: Command 'run' should match the case of the command majority (uppercase);"},
        {"from scratch\nrun a\nCopy a b",
         "3 ConsistentInstructionCasing: Command 'Copy' should match the case of the command majority (lowercase);"},
        {"FROM a AS b\nFROM a AS b", "2 DuplicateStageName: Duplicate stage name \"b\", stage names should be unique;"},
        {"FROM a AS context",
         "1 ReservedStageName: Stage name should not use the same name as reserved stage \"context\";"},
        {"FROM a\nCMD b",
         "2 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS "
         "signals;"},
        {"FROM a\nSHELL [\"b\"]\nCMD b", ""},
        {"FROM a\nMAINTAINER b",
         "2 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label;"},
        {"FROM a\nCMD [\"a\"]\nCMD [\"b\"]\nFROM a\nCMD [\"a\"]",
         "2 MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage because "
         "only the last one will be used;"},
        {"FROM a\nENV a b\nLABEL c=d",
         "2 LegacyKeyValueFormat: \"ENV key=value\" should be used instead of legacy \"ENV key value\" format;"},
        {"FROM a\nENV API_KEY=x PUBLIC_KEY=y\nARG token",
         "2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV \"API_KEY\");"
         "3 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG \"token\");"},
        {"FROM a\nEXPOSE 80/TcP 81/udp 127.0.0.1:80:80",
         "2 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found "
         "'127.0.0.1:80:80';"
         "2 ExposeProtoCasing: Defined protocol '80/TcP' in EXPOSE instruction should be lowercase;"},
        {"ARG VERSION=1\nFROM a:$VERSON",
         "2 UndefinedArgInFrom: FROM argument 'VERSON' is not declared (did you mean VERSION?);"},
        {"ARG TAG\nFROM a:${TAG}",
         "2 InvalidDefaultArgInFrom: Default value for ARG a:${TAG} results in empty or invalid base image name;"},
        {"ARG TAG=1\nFROM a:${TAG}\nFROM --platform=$BUILDPLATFORM a", ""},
        {"FROM --platform=$TARGETPLATFORM a",
         "1 RedundantTargetPlatform: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is "
         "the default behavior;"},
        {"FROM --platform=linux/amd64 a",
         "1 FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value \"linux/amd64\";"},
        {"FROM --platform=linux/amd64 a AS build_amd64", ""},
        {"FROM a\nWORKDIR b\nWORKDIR c",
         "2 WorkdirRelativePath: Relative workdir \"b\" can have unexpected results if the base image changes;"},
        {"FROM a\nWORKDIR /b\nWORKDIR c", ""},
        {"FROM scratch AS b\nENV DIR=/a\nWORKDIR $DIR\nFROM b\nWORKDIR c\nCOPY a $DIR/$PATH", ""},
        {"FROM scratch\nENV NAME=a\nCOPY $NAEM b",
         "3 UndefinedVar: Usage of undefined variable '$NAEM' (did you mean $NAME?);"},
        {"FROM scratch\nCOPY ${a:-b} $xyzzy", "2 UndefinedVar: Usage of undefined variable '$xyzzy';"},
        /* What an image from elsewhere sets is not known here. */
        {"FROM node\nCOPY a $NODE_HOME", ""},
        {"# check=skip=MaintainerDeprecated\nFROM a\nMAINTAINER b", ""},
        {"# check=skip=all\nFROM a\nMAINTAINER b\nWORKDIR c", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_dockerfile_ struct dockerfile file = {0};
        struct check_warnings warnings;
        _cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
        assert_true(dockerfile_parse(rows[i].text, strlen(rows[i].text), "Dockerfile", &file, NULL, NULL));
        dockerfile_check(&file, &warnings);
        for (size_t j = 0; j < warnings.count; j++) {
            strbuf_addf(&shown, "%d %s: %s;", warnings.items[j].line, warnings.items[j].rule, warnings.items[j].detail);
            assert_true(string_starts_with(warnings.items[j].url, "https://docs.docker.com/"));
            assert_true(*warnings.items[j].description);
        }
        assert_string_equal(strbuf_text(&shown), rows[i].warnings);
        check_warnings_release(&warnings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(warned)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
