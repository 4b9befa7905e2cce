/* Names, texts and conditions of the rules are those of moby/buildkit frontend/dockerfile/linter. */
#include "dockerfile/check.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "dockerfile/checker.h"
#include "dockerfile/words.h"

#define URL(page) "https://docs.docker.com/go/dockerfile/rule/" page "/"
static const struct rule_row {
    const char *name, *description, *url;
} rules[] = {
    [RULE_CONSISTENT_INSTRUCTION_CASING] = {"ConsistentInstructionCasing",
                                            "All commands within the Dockerfile should use the same casing (either "
                                            "upper or lower)",
                                            URL("consistent-instruction-casing")},
    [RULE_DUPLICATE_STAGE_NAME] = {"DuplicateStageName", "Stage names should be unique", URL("duplicate-stage-name")},
    [RULE_EXPOSE_INVALID_FORMAT] = {"ExposeInvalidFormat",
                                    "IP address and host-port mapping should not be used in EXPOSE instruction. This "
                                    "will become an error in a future release",
                                    URL("expose-invalid-format")},
    [RULE_EXPOSE_PROTO_CASING] = {"ExposeProtoCasing", "Protocol in EXPOSE instruction should be lowercase",
                                  URL("expose-proto-casing")},
    [RULE_FROM_AS_CASING] = {"FromAsCasing", "The 'as' keyword should match the case of the 'from' keyword",
                             URL("from-as-casing")},
    [RULE_FROM_PLATFORM_FLAG_CONST] = {"FromPlatformFlagConstDisallowed",
                                       "FROM --platform flag should not use a constant value",
                                       URL("from-platform-flag-const-disallowed")},
    [RULE_INVALID_DEFAULT_ARG_IN_FROM] = {"InvalidDefaultArgInFrom",
                                          "Default value for global ARG results in an empty or invalid base image "
                                          "name",
                                          URL("invalid-default-arg-in-from")},
    [RULE_JSON_ARGS_RECOMMENDED] = {"JSONArgsRecommended",
                                    "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior "
                                    "related to OS signals",
                                    URL("json-args-recommended")},
    [RULE_LEGACY_KEY_VALUE_FORMAT] = {"LegacyKeyValueFormat",
                                      "Legacy key/value format with whitespace separator should not be used",
                                      URL("legacy-key-value-format")},
    [RULE_MAINTAINER_DEPRECATED] = {"MaintainerDeprecated",
                                    "The MAINTAINER instruction is deprecated, use a label instead to define an image "
                                    "author",
                                    URL("maintainer-deprecated")},
    [RULE_MULTIPLE_INSTRUCTIONS] = {"MultipleInstructionsDisallowed",
                                    "Multiple instructions of the same type should not be used in the same stage",
                                    URL("multiple-instructions-disallowed")},
    [RULE_NO_EMPTY_CONTINUATION] = {"NoEmptyContinuation",
                                    "Empty continuation lines will become errors in a future release",
                                    URL("no-empty-continuation")},
    [RULE_REDUNDANT_TARGET_PLATFORM] = {"RedundantTargetPlatform",
                                        "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this "
                                        "is the default behavior",
                                        URL("redundant-target-platform")},
    [RULE_RESERVED_STAGE_NAME] = {"ReservedStageName", "Reserved words should not be used as stage names",
                                  URL("reserved-stage-name")},
    [RULE_SECRETS_IN_ARG_OR_ENV] = {"SecretsUsedInArgOrEnv",
                                    "Sensitive data should not be used in the ARG or ENV commands",
                                    URL("secrets-used-in-arg-or-env")},
    [RULE_STAGE_NAME_CASING] = {"StageNameCasing", "Stage names should be lowercase", URL("stage-name-casing")},
    [RULE_UNDEFINED_ARG_IN_FROM] = {"UndefinedArgInFrom", "FROM command must use declared ARGs",
                                    URL("undefined-arg-in-from")},
    [RULE_UNDEFINED_VAR] = {"UndefinedVar", "Variables should be defined before their use", URL("undefined-var")},
    [RULE_WORKDIR_RELATIVE_PATH] = {"WorkdirRelativePath",
                                    "Relative workdir without an absolute workdir declared within the build can have "
                                    "unexpected results if the base image changes",
                                    URL("workdir-relative-path")},
};

void check_warnings_release(struct check_warnings *warnings)
{
    for (size_t i = 0; i < warnings->count; i++)
        free(warnings->items[i].detail);
    free(warnings->items);
    *warnings = (struct check_warnings){0};
}

void checker_warn(struct checker *checker, enum rule rule, const struct instruction *instruction, const char *format,
                  ...)
{
    const struct rule_row *row = &rules[rule];
    if (strlist_contains(&checker->file->checks_skipped, row->name) ||
        strlist_contains(&checker->file->checks_skipped, "all"))
        return;
    va_list arguments;
    va_start(arguments, format);
    *APPEND(checker->out->items, checker->out->count) = (struct check_warning){.rule = row->name,
                                                                               .description = row->description,
                                                                               .url = row->url,
                                                                               .detail = xvasprintf(format, arguments),
                                                                               .line = instruction->line,
                                                                               .last_line = instruction->last_line};
    va_end(arguments);
}

static bool is_lower(const char *text)
{
    for (; *text; text++)
        if (isupper((unsigned char)*text))
            return false;
    return true;
}

static bool is_upper(const char *text)
{
    for (; *text; text++)
        if (islower((unsigned char)*text))
            return false;
    return true;
}

/* The keyword as it is written. Caller frees. */
static char *keyword_of(const struct instruction *instruction)
{
    return xstrndup(instruction->original, strcspn(instruction->original, " \t\n\v\f\r"));
}

static bool lower_is_usual(const struct dockerfile *file)
{
    size_t lower = 0, upper = 0;
    bool has_stage = false;
    for (size_t i = 0; i < file->count; i++) {
        has_stage = has_stage || file->instructions[i].kind == INSTRUCTION_FROM;
        _cleanup_free_ char *keyword = keyword_of(&file->instructions[i]);
        lower += has_stage && is_lower(keyword);
        upper += has_stage && is_upper(keyword);
    }
    return lower > upper;
}

static void check_casing(struct checker *checker, const struct instruction *instruction, bool wants_lower)
{
    _cleanup_free_ char *keyword = keyword_of(instruction);
    if (wants_lower ? !is_lower(keyword) : !is_upper(keyword))
        checker_warn(checker, RULE_CONSISTENT_INSTRUCTION_CASING, instruction,
                     "Command '%s' should match the case of the command majority (%s)", keyword,
                     wants_lower ? "lowercase" : "uppercase");
}

static void check_stage_name(struct checker *checker, const struct instruction *from, struct strlist *names)
{
    if (from->arguments.count != 3)
        return;
    _cleanup_(command_words_release) struct command_words written = {0};
    _cleanup_strlist_ struct strlist words = {0};
    command_split(from->original, &written);
    words_plain(written.rest, &words);
    const char *name = from->arguments.items[2];
    if (!is_lower(words.items[2]))
        checker_warn(checker, RULE_STAGE_NAME_CASING, from, "Stage name '%s' should be lowercase", words.items[2]);
    bool keyword_is_lower = is_lower(written.keyword), keyword_is_upper = is_upper(written.keyword);
    if ((keyword_is_lower && !is_lower(words.items[1])) || (keyword_is_upper && !is_upper(words.items[1])))
        checker_warn(checker, RULE_FROM_AS_CASING, from, "'%s' and '%s' keywords' casing do not match", words.items[1],
                     written.keyword);
    if (strlist_contains(names, name))
        checker_warn(checker, RULE_DUPLICATE_STAGE_NAME, from,
                     "Duplicate stage name \"%s\", stage names should be unique", name);
    if (string_equal(name, "scratch") || string_equal(name, "context"))
        checker_warn(checker, RULE_RESERVED_STAGE_NAME, from,
                     "Stage name should not use the same name as reserved stage \"%s\"", name);
    strlist_add(names, name);
}

/* A part of the name between underscores is one of the words. */
static bool has_part(const char *name, const char *const *words, size_t count)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(name, '_');
    for (size_t i = 0; i < parts.count; i++)
        for (size_t j = 0; j < count; j++)
            if (strcasecmp(parts.items[i], words[j]) == 0)
                return true;
    return false;
}

static void check_secrets(struct checker *checker, const struct instruction *instruction)
{
    static const char *const secret[] = {"apikey",   "auth",  "credential", "credentials", "key",
                                         "password", "pword", "passwd",     "secret",      "token"};
    static const char *const harmless[] = {"public"};
    size_t step = instruction->kind == INSTRUCTION_ENV ? 2 : 1;
    for (size_t i = 0; i < instruction->arguments.count; i += step) {
        const char *argument = instruction->arguments.items[i];
        _cleanup_free_ char *name = xstrndup(argument, strcspn(argument, "="));
        if (has_part(name, secret, ARRAY_SIZE(secret)) && !has_part(name, harmless, ARRAY_SIZE(harmless)))
            checker_warn(checker, RULE_SECRETS_IN_ARG_OR_ENV, instruction,
                         "Do not use ARG or ENV instructions for sensitive data (%s \"%s\")",
                         instruction_keyword(instruction->kind), name);
    }
}

static void check_pairs(struct checker *checker, const struct instruction *instruction)
{
    _cleanup_(command_words_release) struct command_words written = {0};
    command_split(instruction->original, &written);
    const char *keyword = instruction_keyword(instruction->kind);
    _cleanup_strlist_ struct strlist words = {0};
    words_quoted(written.rest, checker->file->escape, &words);
    if (words.count > 0 && !strchr(words.items[0], '='))
        checker_warn(checker, RULE_LEGACY_KEY_VALUE_FORMAT, instruction,
                     "\"%s key=value\" should be used instead of legacy \"%s key value\" format", keyword, keyword);
}

static void check_ports(struct checker *checker, const struct instruction *instruction)
{
    for (size_t i = 0; i < instruction->arguments.count; i++) {
        const char *port = instruction->arguments.items[i], *slash = strchrnul(port, '/');
        if (strchr(port, '$'))
            continue;
        if (!is_lower(slash))
            checker_warn(checker, RULE_EXPOSE_PROTO_CASING, instruction,
                         "Defined protocol '%s' in EXPOSE instruction should be lowercase", port);
        if (memchr(port, ':', (size_t)(slash - port)))
            checker_warn(checker, RULE_EXPOSE_INVALID_FORMAT, instruction,
                         "EXPOSE instruction should not define an IP address or host-port mapping, found '%s'", port);
    }
}

/* What a stage has had so far. */
struct stage {
    const struct instruction *last[INSTRUCTION_KIND_COUNT];
};

static void check_once(struct checker *checker, const struct instruction *instruction, struct stage *stage)
{
    const struct instruction *earlier = stage->last[instruction->kind];
    if (earlier)
        checker_warn(checker, RULE_MULTIPLE_INSTRUCTIONS, earlier,
                     "Multiple %s instructions should not be used in the same stage because only the last one will be "
                     "used",
                     instruction_keyword(instruction->kind));
}

static void check_instruction(struct checker *checker, const struct instruction *instruction, struct stage *stage)
{
    const char *keyword = instruction_keyword(instruction->kind);
    if (instruction->has_empty_line)
        checker_warn(checker, RULE_NO_EMPTY_CONTINUATION, instruction, "Empty continuation line");
    switch (instruction->kind) {
    case INSTRUCTION_MAINTAINER:
        checker_warn(checker, RULE_MAINTAINER_DEPRECATED, instruction,
                     "Maintainer instruction is deprecated in favor of using label");
        break;
    case INSTRUCTION_CMD:
    case INSTRUCTION_ENTRYPOINT:
        check_once(checker, instruction, stage);
        if (!instruction->is_json && !stage->last[INSTRUCTION_SHELL])
            checker_warn(checker, RULE_JSON_ARGS_RECOMMENDED, instruction,
                         "JSON arguments recommended for %s to prevent unintended behavior related to OS signals",
                         keyword);
        break;
    case INSTRUCTION_HEALTHCHECK:
        check_once(checker, instruction, stage);
        break;
    case INSTRUCTION_ENV:
        check_pairs(checker, instruction);
        check_secrets(checker, instruction);
        break;
    case INSTRUCTION_LABEL:
        check_pairs(checker, instruction);
        break;
    case INSTRUCTION_ARG:
        check_secrets(checker, instruction);
        break;
    case INSTRUCTION_EXPOSE:
        check_ports(checker, instruction);
        break;
    default:
        break;
    }
    stage->last[instruction->kind] = instruction;
}

static int compare_lines(const void *a, const void *b)
{
    const struct check_warning *left = a, *right = b;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    int order = strcmp(left->rule, right->rule);
    return order ? order : strcmp(left->detail, right->detail);
}

void dockerfile_check(const struct dockerfile *file, struct check_warnings *out)
{
    struct checker checker = {.file = file, .out = out};
    _cleanup_strlist_ struct strlist names = {0};
    bool wants_lower = lower_is_usual(file), has_stage = false;
    struct stage stage = {{0}};
    *out = (struct check_warnings){0};
    for (size_t i = 0; i < file->count; i++) {
        const struct instruction *instruction = &file->instructions[i];
        if (instruction->kind == INSTRUCTION_FROM) {
            has_stage = true;
            stage = (struct stage){{0}};
            check_stage_name(&checker, instruction, &names);
        }
        if (has_stage)
            check_casing(&checker, instruction, wants_lower);
        check_instruction(&checker, instruction, &stage);
    }
    check_variables(&checker);
    if (out->count > 1)
        qsort(out->items, out->count, sizeof(out->items[0]), compare_lines);
}
