/* The instructions: one row each for keyword, flags and number of arguments, and the few rules that a row cannot say.
   Messages are those of moby/buildkit frontend/dockerfile/instructions. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/strbuf.h"
#include "dockerfile/json_array.h"
#include "dockerfile/parse.h"
#include "dockerfile/words.h"

enum flag_kind { FLAG_BOOL, FLAG_TEXT, FLAG_TEXTS };
struct flag_row {
    const char *name;
    enum flag_kind kind;
};
enum { FLAG_LIMIT = 8, ANY_NUMBER = -1 };

/* How an instruction's text becomes its arguments. */
enum form { FORM_COMMAND, FORM_PATHS, FORM_PAIRS, FORM_WORDS, FORM_PLAIN, FORM_TEXT, FORM_HEALTH, FORM_ONBUILD };

static const struct row {
    const char *keyword;
    enum form form;
    int least, most;
    bool has_flags_first; /* they are checked before the arguments are counted */
    struct flag_row flags[FLAG_LIMIT];
} rows[INSTRUCTION_KIND_COUNT] = {
    [INSTRUCTION_ADD] = {"ADD",
                         FORM_PATHS,
                         2,
                         ANY_NUMBER,
                         false,
                         {{"chown", FLAG_TEXT},
                          {"chmod", FLAG_TEXT},
                          {"link", FLAG_BOOL},
                          {"keep-git-dir", FLAG_BOOL},
                          {"checksum", FLAG_TEXT},
                          {"unpack", FLAG_BOOL},
                          {"exclude", FLAG_TEXTS}}},
    [INSTRUCTION_ARG] = {"ARG", FORM_WORDS, 1, ANY_NUMBER, false, {{0}}},
    [INSTRUCTION_CMD] = {"CMD", FORM_COMMAND, 0, ANY_NUMBER, true, {{0}}},
    [INSTRUCTION_COPY] = {"COPY",
                          FORM_PATHS,
                          2,
                          ANY_NUMBER,
                          false,
                          {{"chown", FLAG_TEXT},
                           {"from", FLAG_TEXT},
                           {"chmod", FLAG_TEXT},
                           {"link", FLAG_BOOL},
                           {"parents", FLAG_BOOL},
                           {"exclude", FLAG_TEXTS}}},
    [INSTRUCTION_ENTRYPOINT] = {"ENTRYPOINT", FORM_COMMAND, 0, ANY_NUMBER, true, {{0}}},
    [INSTRUCTION_ENV] = {"ENV", FORM_PAIRS, 1, ANY_NUMBER, true, {{0}}},
    [INSTRUCTION_EXPOSE] = {"EXPOSE", FORM_PLAIN, 1, ANY_NUMBER, false, {{0}}},
    [INSTRUCTION_FROM] = {"FROM", FORM_PLAIN, 0, ANY_NUMBER, false, {{"platform", FLAG_TEXT}}},
    [INSTRUCTION_HEALTHCHECK] = {"HEALTHCHECK",
                                 FORM_HEALTH,
                                 1,
                                 ANY_NUMBER,
                                 false,
                                 {{"interval", FLAG_TEXT},
                                  {"timeout", FLAG_TEXT},
                                  {"start-period", FLAG_TEXT},
                                  {"start-interval", FLAG_TEXT},
                                  {"retries", FLAG_TEXT}}},
    [INSTRUCTION_LABEL] = {"LABEL", FORM_PAIRS, 1, ANY_NUMBER, true, {{0}}},
    [INSTRUCTION_MAINTAINER] = {"MAINTAINER", FORM_TEXT, 1, 1, false, {{0}}},
    [INSTRUCTION_ONBUILD] = {"ONBUILD", FORM_ONBUILD, 1, ANY_NUMBER, false, {{0}}},
    [INSTRUCTION_RUN] =
        {"RUN",
         FORM_COMMAND,
         0,
         ANY_NUMBER,
         true,
         {{"mount", FLAG_TEXTS}, {"network", FLAG_TEXT}, {"security", FLAG_TEXT}, {"device", FLAG_TEXTS}}},
    [INSTRUCTION_SHELL] = {"SHELL", FORM_COMMAND, 1, ANY_NUMBER, true, {{0}}},
    [INSTRUCTION_STOPSIGNAL] = {"STOPSIGNAL", FORM_TEXT, 1, 1, false, {{0}}},
    [INSTRUCTION_USER] = {"USER", FORM_TEXT, 1, 1, false, {{0}}},
    [INSTRUCTION_VOLUME] = {"VOLUME", FORM_PATHS, 1, ANY_NUMBER, false, {{0}}},
    [INSTRUCTION_WORKDIR] = {"WORKDIR", FORM_TEXT, 1, 1, false, {{0}}},
};

const char *instruction_keyword(enum instruction_kind kind)
{
    return rows[kind].keyword;
}

void instruction_release(struct instruction *instruction)
{
    free(instruction->original);
    for (size_t i = 0; i < instruction->flag_count; i++) {
        free(instruction->flags[i].name);
        free(instruction->flags[i].value);
    }
    free(instruction->flags);
    strlist_release(&instruction->arguments);
    for (size_t i = 0; i < instruction->heredoc_count; i++) {
        free(instruction->heredocs[i].name);
        free(instruction->heredocs[i].content);
    }
    free(instruction->heredocs);
    if (instruction->trigger)
        instruction_release(instruction->trigger);
    free(instruction->trigger);
    *instruction = (struct instruction){0};
}

const char *instruction_flag_value(const struct instruction *instruction, const char *name)
{
    for (size_t i = instruction->flag_count; i > 0; i--)
        if (string_equal(instruction->flags[i - 1].name, name))
            return string_or_empty(instruction->flags[i - 1].value);
    return NULL;
}

static bool read_command(struct instruction *out, const char *rest, struct error *err)
{
    switch (json_array_parse(rest, &out->arguments)) {
    case JSON_ARRAY_STRINGS:
        out->is_json = true;
        return true;
    case JSON_ARRAY_MIXED:
        return error_set(err, ERROR_INVALID, "when using JSON array syntax, arrays must be comprised of strings only");
    default:
        return true;
    }
}

/* "CMD rest" or "NONE" */
static bool read_health(struct instruction *out, const char *rest, struct error *err)
{
    size_t length = strcspn(rest, " \t\n\v\f\r");
    _cleanup_free_ char *type = xstrndup(rest, length), *command = text_trim(rest + length);
    if (!*type)
        return true;
    if (!read_command(out, command, err))
        return false;
    struct strlist whole = {0};
    strlist_add(&whole, type);
    for (size_t i = 0; i < out->arguments.count; i++)
        strlist_add(&whole, out->arguments.items[i]);
    if (!out->is_json && *command)
        strlist_add(&whole, command);
    strlist_release(&out->arguments);
    out->arguments = whole;
    return true;
}

static bool read_arguments(struct instruction *out, const char *rest, char escape, struct error *err)
{
    const struct row *row = &rows[out->kind];
    switch (row->form) {
    case FORM_COMMAND:
    case FORM_PATHS:
        if (!read_command(out, rest, err))
            return false;
        if (!out->is_json && row->form == FORM_PATHS)
            words_plain(rest, &out->arguments);
        else if (!out->is_json && *rest)
            strlist_add(&out->arguments, rest);
        return true;
    case FORM_PAIRS:
        return words_pairs(rest, escape, row->keyword, &out->arguments, err);
    case FORM_WORDS:
        words_quoted(rest, escape, &out->arguments);
        return true;
    case FORM_PLAIN:
        words_plain(rest, &out->arguments);
        return true;
    case FORM_HEALTH:
        return read_health(out, rest, err);
    case FORM_ONBUILD:
        if (*rest) {
            strlist_add(&out->arguments, rest);
            out->trigger = NEW(struct instruction);
            return instruction_read(rest, escape, out->trigger, err);
        }
        return true;
    case FORM_TEXT:
        if (*rest)
            strlist_add(&out->arguments, rest);
        return true;
    }
    return true;
}

static void read_flags(struct instruction *out, const struct strlist *flags)
{
    for (size_t i = 0; i < flags->count; i++) {
        const char *text = flags->items[i] + 2, *equals = strchr(text, '=');
        struct instruction_flag *flag = APPEND(out->flags, out->flag_count);
        flag->name = equals ? xstrndup(text, (size_t)(equals - text)) : xstrdup(text);
        flag->value = equals ? xstrdup(equals + 1) : NULL;
    }
}

bool instruction_read(const char *text, char escape, struct instruction *out, struct error *err)
{
    _cleanup_(command_words_release) struct command_words words = {0};
    out->original = text_trim(text);
    command_split(text, &words);
    out->kind = INSTRUCTION_KIND_COUNT;
    for (size_t kind = 0; kind < INSTRUCTION_KIND_COUNT; kind++)
        if (strcasecmp(words.keyword, rows[kind].keyword) == 0)
            out->kind = kind;
    if (out->kind == INSTRUCTION_KIND_COUNT) {
        /* Told later, after what is wrong with other lines; the name is kept for that. */
        strlist_add(&out->arguments, words.keyword);
        return true;
    }
    read_flags(out, &words.flags);
    return read_arguments(out, words.rest, escape, err);
}

static bool check_flag(const struct row *row, const struct instruction_flag *flag, struct error *err)
{
    const char *names[FLAG_LIMIT];
    size_t count = 0;
    for (; count < FLAG_LIMIT && row->flags[count].name; count++) {
        names[count] = row->flags[count].name;
        if (!string_equal(flag->name, names[count]))
            continue;
        if (row->flags[count].kind != FLAG_BOOL)
            return flag->value || error_set(err, ERROR_INVALID, "missing a value on flag: %s", flag->name);
        if (!flag->value || strcasecmp(flag->value, "true") == 0 || strcasecmp(flag->value, "false") == 0)
            return true;
        if (!*flag->value)
            return error_set(err, ERROR_INVALID, "missing a value on flag: %s", flag->name);
        return error_set(err, ERROR_INVALID, "expecting boolean value for flag %s, not: %s", flag->name, flag->value);
    }
    _cleanup_free_ char *hint = suggestion(flag->name, names, count);
    return error_set(err, ERROR_INVALID, "unknown flag: %s%s", flag->name, hint);
}

static bool may_repeat(const struct row *row, const char *name)
{
    for (size_t i = 0; i < FLAG_LIMIT && row->flags[i].name; i++)
        if (string_equal(row->flags[i].name, name))
            return row->flags[i].kind == FLAG_TEXTS;
    return false;
}

static bool check_flags(const struct instruction *instruction, struct error *err)
{
    const struct row *row = &rows[instruction->kind];
    for (size_t i = 0; i < instruction->flag_count; i++) {
        const struct instruction_flag *flag = &instruction->flags[i];
        for (size_t j = 0; j < i; j++)
            if (string_equal(instruction->flags[j].name, flag->name) && !may_repeat(row, flag->name))
                return error_set(err, ERROR_INVALID, "duplicate flag specified: %s", flag->name);
        if (!check_flag(row, flag, err))
            return false;
    }
    return true;
}

static bool check_count(const struct instruction *instruction, struct error *err)
{
    const struct row *row = &rows[instruction->kind];
    int count = (int)instruction->arguments.count;
    if (row->least == 2 && count < 2)
        return error_set(err, ERROR_INVALID,
                         "%s requires at least two arguments, but only one was provided. Destination could not be "
                         "determined",
                         row->keyword);
    if (row->most == 1 && count != 1)
        return error_set(err, ERROR_INVALID, "%s requires exactly one argument", row->keyword);
    if (count < row->least)
        return error_set(err, ERROR_INVALID, "%s requires at least one argument", row->keyword);
    return true;
}

static bool error_quoted(struct error *err, const char *before, const char *text, const char *after)
{
    _cleanup_strbuf_ struct strbuf quoted = STRBUF_INIT;
    string_quote(text, &quoted);
    return error_set(err, ERROR_INVALID, "%s%s%s", before, strbuf_text(&quoted), after);
}

static bool check_from(struct instruction *instruction, struct error *err)
{
    struct strlist *words = &instruction->arguments;
    bool is_named = words->count == 3 && strcasecmp(words->items[1], "as") == 0;
    if (words->count != 1 && !is_named)
        return error_set(err, ERROR_INVALID, "FROM requires either one or three arguments");
    if (!is_named)
        return true;
    _cleanup_free_ char *name = xstrdup(words->items[2]);
    for (char *at = name; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    if (!islower((unsigned char)*name) || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")])
        return error_quoted(err, "invalid name for build stage: ", words->items[2],
                            ", name can't start with a number or contain symbols");
    string_replace(&words->items[1], "AS");
    string_replace(&words->items[2], name);
    return true;
}

/* Marks of heredocs are no paths: they leave the arguments, and the heredocs are those that are among the sources. */
static bool check_paths(struct instruction *instruction, struct error *err)
{
    struct strlist *paths = &instruction->arguments;
    struct heredoc mark = {0}, *kept = NULL;
    size_t kept_count = 0;
    bool removes_tabs;
    if (instruction->is_json)
        return true;
    if (heredoc_mark(paths->items[paths->count - 1], &mark, &removes_tabs)) {
        free(mark.name);
        return error_set(err, ERROR_INVALID, "%s cannot accept a heredoc as a destination",
                         instruction_keyword(instruction->kind));
    }
    for (size_t i = 0; i + 1 < paths->count;) {
        if (!heredoc_mark(paths->items[i], &mark, &removes_tabs)) {
            i++;
            continue;
        }
        strlist_remove(paths, i);
        for (size_t j = 0; j < instruction->heredoc_count; j++) {
            struct heredoc *heredoc = &instruction->heredocs[j];
            if (!heredoc->name || !string_equal(heredoc->name, mark.name))
                continue;
            *APPEND(kept, kept_count) = *heredoc;
            *heredoc = (struct heredoc){0};
            break;
        }
        free(mark.name);
    }
    for (size_t j = 0; j < instruction->heredoc_count; j++) {
        free(instruction->heredocs[j].name);
        free(instruction->heredocs[j].content);
    }
    free(instruction->heredocs);
    instruction->heredocs = kept;
    instruction->heredoc_count = kept_count;
    return true;
}

static bool check_duration(const struct instruction *instruction, const char *name, struct error *err)
{
    const char *text = instruction_flag_value(instruction, name);
    int64_t value = 0;
    if (!string_is_set(text))
        return true;
    if (!parse_duration(text, &value, err))
        return false;
    return value == 0 || value >= 1000000 ||
           error_set(err, ERROR_INVALID, "Interval \"%s\" cannot be less than 1ms", name);
}

static bool check_health(struct instruction *instruction, struct error *err)
{
    static const char *const durations[] = {"interval", "timeout", "start-period", "start-interval"};
    char *type = instruction->arguments.items[0];
    for (char *at = type; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    if (string_equal(type, "NONE"))
        return instruction->arguments.count == 1 ||
               error_set(err, ERROR_INVALID, "HEALTHCHECK NONE takes no arguments");
    if (!string_equal(type, "CMD"))
        return error_quoted(err, "Unknown type ", type, " in HEALTHCHECK (try CMD)");
    if (instruction->arguments.count < 2)
        return error_set(err, ERROR_INVALID, "Missing command after HEALTHCHECK CMD");
    for (size_t i = 0; i < ARRAY_SIZE(durations); i++)
        if (!check_duration(instruction, durations[i], err))
            return false;
    const char *retries = instruction_flag_value(instruction, "retries");
    int64_t count = 0;
    if (!string_is_set(retries))
        return true;
    if (!parse_int64(retries, &count))
        return error_quoted(err, "strconv.ParseInt: parsing ", retries, ": invalid syntax");
    if (count < 0)
        return error_set(err, ERROR_INVALID, "--retries cannot be negative (%lld)", (long long)count);
    return count <= INT32_MAX || error_quoted(err, "strconv.ParseInt: parsing ", retries, ": value out of range");
}

static bool check_run(const struct instruction *instruction, struct error *err)
{
    const char *network = instruction_flag_value(instruction, "network");
    const char *security = instruction_flag_value(instruction, "security");
    for (size_t i = 0; i < instruction->flag_count; i++) {
        const struct instruction_flag *flag = &instruction->flags[i];
        const char *from = string_equal(flag->name, "mount") ? flag->value : NULL;
        while (from && (from = strcasestr(from, "from="))) {
            const char *dollar = strchr(from, '$');
            bool is_key = from == flag->value || from[-1] == ',';
            if (is_key && dollar && dollar < from + strcspn(from, ",") && dollar[1])
                return error_set(err, ERROR_INVALID,
                                 "'from' doesn't support variable expansion, define alias stage instead");
            from += strlen("from=");
        }
    }
    if (network && !string_equal(network, "default") && !string_equal(network, "none") &&
        !string_equal(network, "host"))
        return error_quoted(err, "invalid network mode ", network, "");
    if (security && !string_equal(security, "insecure") && !string_equal(security, "sandbox"))
        return error_quoted(err, "security ", security, " is not valid");
    return true;
}

static bool check_names(const struct instruction *instruction, size_t step, struct error *err)
{
    for (size_t i = 0; i < instruction->arguments.count; i += step) {
        const char *name = instruction->arguments.items[i];
        if (!*name || (step == 1 && *name == '='))
            return error_set(err, ERROR_INVALID, "%s names can not be blank", instruction_keyword(instruction->kind));
    }
    return true;
}

static bool check_trigger(struct instruction *instruction, struct error *err)
{
    const struct instruction *trigger = instruction->trigger;
    if (trigger->kind == INSTRUCTION_ONBUILD)
        return error_set(err, ERROR_INVALID, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    if (trigger->kind == INSTRUCTION_FROM || trigger->kind == INSTRUCTION_MAINTAINER)
        return error_set(err, ERROR_INVALID, "%s isn't allowed as an ONBUILD trigger",
                         instruction_keyword(trigger->kind));
    /* What else is wrong with it, Docker tells the one who builds on this image. */
    if (!instruction_check(instruction->trigger, NULL)) {
        instruction_release(instruction->trigger);
        free(TAKE_PTR(instruction->trigger));
    }
    return true;
}

static bool check_volumes(struct instruction *instruction, struct error *err)
{
    for (size_t i = 0; i < instruction->arguments.count; i++) {
        _cleanup_free_ char *path = text_trim(instruction->arguments.items[i]);
        if (!*path)
            return error_set(err, ERROR_INVALID, "VOLUME specified can not be an empty string");
        string_replace(&instruction->arguments.items[i], path);
    }
    return true;
}

static bool check_rules(struct instruction *instruction, struct error *err)
{
    switch (instruction->kind) {
    case INSTRUCTION_ADD:
    case INSTRUCTION_COPY:
        return check_paths(instruction, err);
    case INSTRUCTION_ARG:
        return check_names(instruction, 1, err);
    case INSTRUCTION_ENV:
    case INSTRUCTION_LABEL:
        return check_names(instruction, 2, err);
    case INSTRUCTION_HEALTHCHECK:
        return check_health(instruction, err);
    case INSTRUCTION_ONBUILD:
        return check_trigger(instruction, err);
    case INSTRUCTION_RUN:
        return check_run(instruction, err);
    case INSTRUCTION_SHELL:
        return instruction->is_json || error_set(err, ERROR_INVALID, "SHELL requires the arguments to be in JSON form");
    case INSTRUCTION_VOLUME:
        return check_volumes(instruction, err);
    default:
        return true;
    }
}

bool instruction_check(struct instruction *instruction, struct error *err)
{
    if (instruction->kind == INSTRUCTION_KIND_COUNT) {
        const char *names[INSTRUCTION_KIND_COUNT], *given = instruction->arguments.items[0];
        for (size_t i = 0; i < INSTRUCTION_KIND_COUNT; i++)
            names[i] = rows[i].keyword;
        _cleanup_free_ char *hint = suggestion(given, names, ARRAY_SIZE(names));
        return error_set(err, ERROR_INVALID, "unknown instruction: %s%s", given, hint);
    }
    const struct row *row = &rows[instruction->kind];
    if (row->has_flags_first && !check_flags(instruction, err))
        return false;
    if (instruction->kind == INSTRUCTION_FROM ? !check_from(instruction, err) : !check_count(instruction, err))
        return false;
    return (row->has_flags_first || check_flags(instruction, err)) && check_rules(instruction, err);
}

void onbuild_finish(struct instruction *instruction)
{
    struct strbuf text = STRBUF_INIT;
    const char *rest = instruction->original + strlen("ONBUILD");
    while (isspace((unsigned char)*rest))
        rest++;
    strbuf_add_string(&text, rest);
    for (size_t i = 0; i < instruction->heredoc_count; i++)
        strbuf_addf(&text, "\n%s%s", instruction->heredocs[i].content, instruction->heredocs[i].name);
    string_replace(&instruction->arguments.items[0], strbuf_text(&text));
    strbuf_release(&text);
    struct instruction *trigger = instruction->trigger;
    trigger->line = instruction->line;
    trigger->last_line = instruction->last_line;
    trigger->heredocs = TAKE_PTR(instruction->heredocs);
    trigger->heredoc_count = instruction->heredoc_count;
    instruction->heredoc_count = 0;
}
