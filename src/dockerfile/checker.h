/* What the files of the checks share. */
#pragma once

#include "dockerfile/check.h"

enum rule {
    RULE_CONSISTENT_INSTRUCTION_CASING,
    RULE_DUPLICATE_STAGE_NAME,
    RULE_EXPOSE_INVALID_FORMAT,
    RULE_EXPOSE_PROTO_CASING,
    RULE_FROM_AS_CASING,
    RULE_FROM_PLATFORM_FLAG_CONST,
    RULE_INVALID_DEFAULT_ARG_IN_FROM,
    RULE_JSON_ARGS_RECOMMENDED,
    RULE_LEGACY_KEY_VALUE_FORMAT,
    RULE_MAINTAINER_DEPRECATED,
    RULE_MULTIPLE_INSTRUCTIONS,
    RULE_NO_EMPTY_CONTINUATION,
    RULE_REDUNDANT_TARGET_PLATFORM,
    RULE_RESERVED_STAGE_NAME,
    RULE_SECRETS_IN_ARG_OR_ENV,
    RULE_STAGE_NAME_CASING,
    RULE_UNDEFINED_ARG_IN_FROM,
    RULE_UNDEFINED_VAR,
    RULE_WORKDIR_RELATIVE_PATH,
};
struct checker {
    const struct dockerfile *file;
    struct check_warnings *out;
};
void checker_warn(struct checker *checker, enum rule rule, const struct instruction *instruction, const char *format,
                  ...) _printf_(4, 5);
/* The rules that follow variables through the stages. */
void check_variables(struct checker *checker);
