/* The checks that follow variables: FROM and its arguments, what is used before it is set, and where WORKDIR leads.
   Variables of a base image from elsewhere are unknown here, so nothing is said about the stages that begin with one.
 */
#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "dockerfile/checker.h"
#include "dockerfile/expand.h"
#include "dockerfile/parse.h"

static const char *const platform_arguments[] = {"BUILDPLATFORM",  "BUILDOS",         "BUILDARCH",  "BUILDVARIANT",
                                                 "BUILDOSVERSION", "TARGETOS",        "TARGETARCH", "TARGETPLATFORM",
                                                 "TARGETVARIANT",  "TARGETOSVERSION", "TARGETSTAGE"};
static const char *const proxy_arguments[] = {"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY",
                                              "ftp_proxy",  "NO_PROXY",   "no_proxy",    "ALL_PROXY",   "all_proxy"};

struct stage {
    const char *name; /* "" for none */
    struct strmap values;
    bool is_known; /* nothing comes from an image from elsewhere */
    bool has_workdir;
};

struct scope {
    struct checker *checker;
    const struct strmap *values;
    const struct instruction *instruction;
    enum rule rule; /* RULE_UNDEFINED_…, what is said about a variable without a value */
    bool is_silent;
    bool has_unknown; /* out */
};

static const char *look_up(void *context, const char *name)
{
    struct scope *scope = context;
    return strmap_get(scope->values, name);
}

static void report_undefined(void *context, const char *name)
{
    struct scope *scope = context;
    scope->has_unknown = true;
    if (scope->is_silent)
        return;
    _cleanup_strlist_ struct strlist names = {0};
    strlist_give(&names);
    for (size_t i = 0; i < scope->values->count; i++)
        strlist_add(&names, scope->values->items[i].key);
    _cleanup_free_ char *hint = suggestion(name, (const char *const *)names.items, names.count);
    if (scope->rule == RULE_UNDEFINED_ARG_IN_FROM) {
        checker_warn(scope->checker, scope->rule, scope->instruction, "FROM argument '%s' is not declared%s", name,
                     hint);
        return;
    }
    const char *nearest = *hint ? hint + strlen(" (did you mean ") : NULL;
    checker_warn(scope->checker, scope->rule, scope->instruction, "Usage of undefined variable '$%s'%s%s", name,
                 nearest ? " (did you mean $" : "", string_or_empty(nearest));
}

/* NULL where it cannot be told, which the builder says. */
static char *expand(struct scope *scope, const char *text)
{
    struct expansion expansion = {
        .escape = scope->checker->file->escape, .lookup = look_up, .context = scope, .undefined = report_undefined};
    return expand_word(&expansion, text, NULL);
}

/* ARG NAME=value: the name, and its value (NULL for none). Caller frees both. */
static void set_argument(struct scope *scope, struct strmap *values, const struct strmap *defaults, const char *word)
{
    const char *equals = strchr(word, '=');
    _cleanup_free_ char *name = xstrndup(word, strcspn(word, "="));
    _cleanup_free_ char *value = equals ? expand(scope, equals + 1) : NULL;
    const char *inherited = defaults ? strmap_get(defaults, name) : NULL;
    strmap_set(values, name, value ? value : string_or_empty(inherited));
}

/* Would a reference parse? Only what a missing value makes of one: nothing before or behind a separator. */
static bool is_plausible_image(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || strchr(":/@.-_", name[length - 1]) || strchr(":/@.-_", name[0]))
        return false;
    return !strstr(name, "::") && !strstr(name, "//") && !strstr(name, ":@") && !strstr(name, "/:");
}

static bool is_constant_platform_excused(const char *platform, const struct instruction *from)
{
    if (from->arguments.count != 3)
        return false;
    _cleanup_strlist_ struct strlist parts = strlist_split(platform, '/');
    for (size_t i = 0; i < parts.count && i < 2; i++)
        if (*parts.items[i] && strstr(from->arguments.items[2], parts.items[i]))
            return true;
    return false;
}

static void check_platform(struct scope *scope, const struct instruction *from)
{
    const char *platform = instruction_flag_value(from, "platform");
    if (!string_is_set(platform))
        return;
    free(expand(scope, platform));
    if (string_equal(platform, "$TARGETPLATFORM") || string_equal(platform, "${TARGETPLATFORM}"))
        checker_warn(scope->checker, RULE_REDUNDANT_TARGET_PLATFORM, from,
                     "Setting platform to predefined %s in FROM is redundant as this is the default behavior",
                     platform);
    else if (!strchr(platform, '$') && !is_constant_platform_excused(platform, from))
        checker_warn(scope->checker, RULE_FROM_PLATFORM_FLAG_CONST, from,
                     "FROM --platform flag should not use constant value \"%s\"", platform);
}

static const struct stage *find_stage(const struct stage *stages, size_t count, const char *name)
{
    for (size_t i = count; i > 0; i--)
        if (*stages[i - 1].name && string_equal(stages[i - 1].name, name))
            return &stages[i - 1];
    return NULL;
}

static void begin_stage(struct scope *scope, const struct instruction *from, struct stage **stages, size_t *count)
{
    struct stage stage = {.name = from->arguments.count == 3 ? from->arguments.items[2] : ""};
    const char *written = from->arguments.items[0];
    scope->rule = RULE_UNDEFINED_ARG_IN_FROM;
    scope->has_unknown = false;
    _cleanup_free_ char *image = expand(scope, written);
    bool uses_unknown = scope->has_unknown;
    check_platform(scope, from);
    if (image && strchr(written, '$') && !uses_unknown && !is_plausible_image(image))
        checker_warn(scope->checker, RULE_INVALID_DEFAULT_ARG_IN_FROM, from,
                     "Default value for ARG %s results in empty or invalid base image name", written);
    const struct stage *base = image ? find_stage(*stages, *count, image) : NULL;
    stage.is_known = base ? base->is_known : string_equal(image, "scratch");
    stage.has_workdir = base && base->has_workdir;
    if (base)
        strmap_copy(&stage.values, &base->values);
    if (stage.is_known && !base)
        strmap_set(&stage.values, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for (size_t i = 0; i < ARRAY_SIZE(proxy_arguments); i++)
        if (!strmap_get(&stage.values, proxy_arguments[i]))
            strmap_set(&stage.values, proxy_arguments[i], "");
    *APPEND(*stages, *count) = stage;
}

static void check_words(struct scope *scope, const struct instruction *instruction)
{
    for (size_t i = 0; i < instruction->arguments.count; i++)
        free(expand(scope, instruction->arguments.items[i]));
    static const char *const flags[] = {"chown", "chmod", "checksum"};
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        const char *value = instruction_flag_value(instruction, flags[i]);
        if (value)
            free(expand(scope, value));
    }
}

static void set_variables(struct scope *scope, struct stage *stage, const struct instruction *instruction)
{
    /* All of one ENV see what was before it. */
    struct strmap before = {0};
    strmap_copy(&before, &stage->values);
    scope->values = &before;
    for (size_t i = 0; i + 1 < instruction->arguments.count; i += 2) {
        _cleanup_free_ char *name = expand(scope, instruction->arguments.items[i]);
        _cleanup_free_ char *value = expand(scope, instruction->arguments.items[i + 1]);
        if (name)
            strmap_set(&stage->values, name, string_or_empty(value));
    }
    scope->values = &stage->values;
    strmap_release(&before);
}

static void check_workdir(struct scope *scope, struct stage *stage, const struct instruction *instruction)
{
    _cleanup_free_ char *path = expand(scope, instruction->arguments.items[0]);
    if (!stage->has_workdir && path && !scope->has_unknown && *path != '/')
        checker_warn(scope->checker, RULE_WORKDIR_RELATIVE_PATH, instruction,
                     "Relative workdir \"%s\" can have unexpected results if the base image changes", path);
    stage->has_workdir = true;
}

static void follow(struct scope *scope, struct stage *stage, const struct strmap *globals,
                   const struct instruction *instruction)
{
    scope->values = &stage->values;
    scope->rule = RULE_UNDEFINED_VAR;
    scope->is_silent = !stage->is_known;
    scope->has_unknown = false;
    switch (instruction->kind) {
    case INSTRUCTION_ARG:
        for (size_t i = 0; i < instruction->arguments.count; i++)
            set_argument(scope, &stage->values, globals, instruction->arguments.items[i]);
        break;
    case INSTRUCTION_ENV:
        set_variables(scope, stage, instruction);
        break;
    case INSTRUCTION_WORKDIR:
        check_workdir(scope, stage, instruction);
        break;
    case INSTRUCTION_ADD:
    case INSTRUCTION_COPY:
    case INSTRUCTION_EXPOSE:
    case INSTRUCTION_LABEL:
    case INSTRUCTION_STOPSIGNAL:
    case INSTRUCTION_USER:
    case INSTRUCTION_VOLUME:
        check_words(scope, instruction);
        break;
    default:
        break;
    }
}

void check_variables(struct checker *checker)
{
    struct strmap globals = {0};
    struct stage *stages = NULL;
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(platform_arguments); i++)
        strmap_set(&globals, platform_arguments[i], "");
    for (size_t i = 0; i < checker->file->count; i++) {
        const struct instruction *instruction = &checker->file->instructions[i];
        struct scope scope = {.checker = checker, .values = &globals, .instruction = instruction};
        if (instruction->kind == INSTRUCTION_FROM)
            begin_stage(&scope, instruction, &stages, &count);
        else if (count > 0)
            follow(&scope, &stages[count - 1], &globals, instruction);
        else
            for (size_t j = 0; j < instruction->arguments.count; j++) {
                scope.is_silent = true;
                set_argument(&scope, &globals, NULL, instruction->arguments.items[j]);
            }
    }
    for (size_t i = 0; i < count; i++)
        strmap_release(&stages[i].values);
    free(stages);
    strmap_release(&globals);
}
