/* Lines become instructions: directives, comments, continuations, heredocs. The rules are those of moby/buildkit
   frontend/dockerfile/parser. What is wrong with a line is told before what is wrong with an instruction, wherever in
   the file they are: hence two passes. */
#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/strbuf.h"
#include "dockerfile/lexer.h"
#include "dockerfile/parse.h"
#include "dockerfile/words.h"

struct reader {
    const char *at, *end;
    int line; /* of the last that was read, from 1 */
    struct dockerfile *file;
    bool is_past_directives, has_escape, has_syntax, has_check;
};

/* A line: `length` without its end, `full` with it. */
struct line {
    const char *start;
    size_t length, full;
};

static bool next_line(struct reader *reader, struct line *out)
{
    if (reader->at == reader->end)
        return false;
    const char *newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    const char *next = newline ? newline + 1 : reader->end;
    *out = (struct line){reader->at, (size_t)(next - reader->at), (size_t)(next - reader->at)};
    while (out->length > 0 && (out->start[out->length - 1] == '\n' || out->start[out->length - 1] == '\r'))
        out->length--;
    reader->at = next;
    reader->line++;
    return true;
}

static void skip_blanks(struct line *line)
{
    while (line->length > 0 && is_blank(*line->start)) {
        line->start++;
        line->length--;
    }
}

static bool is_comment(struct line line)
{
    skip_blanks(&line);
    return line.length > 0 && *line.start == '#';
}

/* "# name = value": owned by the caller; false where the line is no such thing. */
static bool split_directive(struct line line, char **name, char **value)
{
    if (line.length == 0 || *line.start != '#')
        return false;
    line.start++;
    line.length--;
    skip_blanks(&line);
    size_t length = 0;
    while (length < line.length && isalnum((unsigned char)line.start[length]))
        length++;
    if (length == 0 || isdigit((unsigned char)*line.start))
        return false;
    struct line rest = {line.start + length, line.length - length, 0};
    skip_blanks(&rest);
    if (rest.length == 0 || *rest.start != '=')
        return false;
    _cleanup_free_ char *whole = xstrndup(rest.start + 1, rest.length - 1), *text = text_trim(whole);
    if (!*text)
        return false;
    *name = xstrndup(line.start, length);
    for (char *at = *name; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    *value = TAKE_PTR(text);
    return true;
}

/* skip=A,B;error=true */
static bool read_check_option(struct dockerfile *file, const char *text, struct error *err)
{
    if (!*text)
        return true;
    _cleanup_strlist_ struct strlist parts = strlist_split(text, ';');
    for (size_t i = 0; i < parts.count; i++) {
        char *equals = strchr(parts.items[i], '=');
        if (!equals)
            return error_set(err, ERROR_INVALID, "invalid check option \"%s\"", parts.items[i]);
        _cleanup_free_ char *part = xstrdup(parts.items[i]), *value = text_trim(equals + 1);
        *equals = '\0';
        _cleanup_free_ char *key = text_trim(parts.items[i]);
        if (string_equal(key, "error")) {
            if (!parse_bool(value, &file->checks_are_errors, err))
                return error_prefix(err, "failed to parse check option \"%s\"", part);
        } else if (string_equal(key, "skip")) {
            _cleanup_strlist_ struct strlist rules = strlist_split(value, ',');
            for (size_t j = 0; j < rules.count; j++)
                strlist_take(&file->checks_skipped, text_trim(rules.items[j]));
        } else if (!string_equal(key, "experimental")) {
            return error_set(err, ERROR_INVALID, "invalid check option \"%s\"", key);
        }
    }
    return true;
}

static bool set_once(bool *is_set, const char *name, struct error *err)
{
    if (*is_set)
        return error_set(err, ERROR_INVALID, "only one %s parser directive can be used", name);
    return *is_set = true;
}

/* *is_directive says whether the line is one; the first that is none ends them. */
static bool read_directive(struct reader *reader, const struct line *line, bool *is_directive, struct error *err)
{
    _cleanup_free_ char *name = NULL, *value = NULL;
    struct dockerfile *file = reader->file;
    *is_directive = false;
    if (reader->is_past_directives)
        return true;
    reader->is_past_directives = true;
    if (!split_directive(*line, &name, &value))
        return true;
    if (string_equal(name, "escape")) {
        if (!set_once(&reader->has_escape, name, err))
            return false;
        if (!string_equal(value, "`") && !string_equal(value, "\\"))
            return error_set(err, ERROR_INVALID, "invalid escape token '%s' does not match ` or \\", value);
        file->escape = *value;
    } else if (string_equal(name, "syntax")) {
        if (!set_once(&reader->has_syntax, name, err))
            return false;
        value[strcspn(value, " ")] = '\0';
        string_replace(&file->syntax, value);
    } else if (string_equal(name, "check")) {
        if (!set_once(&reader->has_check, name, err) || !read_check_option(file, value, err))
            return false;
    } else {
        return true;
    }
    reader->is_past_directives = false;
    *is_directive = true;
    return true;
}

/* Takes the continuation character away from the end of the line; a doubled one continues nothing. */
static bool cut_continuation(struct line *line, char escape)
{
    size_t length = line->length;
    while (length > 0 && (line->start[length - 1] == ' ' || line->start[length - 1] == '\t'))
        length--;
    if (length == 0 || line->start[length - 1] != escape || (length > 1 && line->start[length - 2] == escape))
        return false;
    line->length = length - 1;
    return true;
}

/* An instruction's first line and those that continue it. Empty where the line holds nothing. */
static bool read_logical(struct reader *reader, struct line line, struct strbuf *out, bool *has_empty_line,
                         struct error *err)
{
    bool is_directive = false;
    skip_blanks(&line);
    if (!read_directive(reader, &line, &is_directive, err))
        return false;
    if (is_directive || is_comment(line))
        return true;
    char escape = reader->file->escape;
    bool continues = cut_continuation(&line, escape);
    strbuf_add(out, line.start, line.length);
    while (continues && next_line(reader, &line)) {
        if (is_comment(line))
            continue;
        struct line rest = line;
        skip_blanks(&rest);
        if (rest.length == 0) {
            *has_empty_line = true;
            continue;
        }
        continues = cut_continuation(&line, escape);
        strbuf_add(out, line.start, line.length);
    }
    return true;
}

static bool can_have_heredocs(const struct instruction *instruction)
{
    if (instruction->kind == INSTRUCTION_ONBUILD)
        instruction = instruction->trigger;
    if (!instruction || instruction->is_json)
        return false;
    return instruction->kind == INSTRUCTION_ADD || instruction->kind == INSTRUCTION_COPY ||
           instruction->kind == INSTRUCTION_RUN;
}

static bool read_heredoc(struct reader *reader, struct heredoc *heredoc, bool removes_tabs, struct error *err)
{
    _cleanup_strbuf_ struct strbuf content = STRBUF_INIT;
    size_t length = strlen(heredoc->name);
    struct line line;
    while (next_line(reader, &line)) {
        size_t tabs = 0;
        while (removes_tabs && tabs < line.length && line.start[tabs] == '\t')
            tabs++;
        if (line.length - tabs == length && memcmp(line.start + tabs, heredoc->name, length) == 0) {
            heredoc->content = strbuf_take(&content);
            return true;
        }
        strbuf_add(&content, line.start + tabs, line.full - tabs);
    }
    return error_set(err, ERROR_INVALID, "unterminated heredoc");
}

static bool read_heredocs(struct reader *reader, const char *text, struct instruction *instruction, struct error *err)
{
    if (!can_have_heredocs(instruction) || !strstr(text, "<<"))
        return true;
    struct lexer_options options = {.escape = '\\', .shows_quotes = true, .keeps_escapes = true, .keeps_unset = true};
    _cleanup_strbuf_ struct strbuf ignored = STRBUF_INIT;
    _cleanup_strlist_ struct strlist words = {0};
    if (!lexer_run(&options, text, &ignored, &words, NULL))
        return true;
    for (size_t i = 0; i < words.count; i++) {
        struct heredoc mark = {0};
        bool removes_tabs;
        if (!heredoc_mark(words.items[i], &mark, &removes_tabs))
            continue;
        struct heredoc *heredoc = APPEND(instruction->heredocs, instruction->heredoc_count);
        *heredoc = mark;
        if (!read_heredoc(reader, heredoc, removes_tabs, err))
            return false;
    }
    return true;
}

/* One instruction, or nothing where the line has none. *line gets where it begins. */
static bool read_instruction(struct reader *reader, const struct line *first, int *line, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    bool has_empty_line = false;
    *line = reader->line;
    if (!read_logical(reader, *first, &text, &has_empty_line, err))
        return false;
    _cleanup_free_ char *trimmed = text_trim(strbuf_text(&text));
    if (!*trimmed)
        return true;
    struct instruction *instruction = APPEND(reader->file->instructions, reader->file->count);
    if (!instruction_read(trimmed, reader->file->escape, instruction, err))
        return false;
    if (!read_heredocs(reader, trimmed, instruction, err))
        return false;
    instruction->line = *line;
    instruction->last_line = reader->line;
    instruction->has_empty_line = has_empty_line;
    if (instruction->trigger)
        onbuild_finish(instruction);
    return true;
}

/* A `#!` line may stand before the directives for syntax and checks, and then ends the escape directive. */
static bool read_behind_shebang(struct reader *reader, struct error *err)
{
    struct reader ahead = *reader;
    struct line line;
    bool is_directive = true;
    next_line(&ahead, &line);
    while (is_directive && next_line(&ahead, &line))
        if (!read_directive(&ahead, &line, &is_directive, err))
            return false;
    reader->file->escape = '\\';
    return true;
}

static void clear(struct dockerfile *file)
{
    for (size_t i = 0; i < file->count; i++)
        instruction_release(&file->instructions[i]);
    free(file->instructions);
    file->instructions = NULL;
    file->count = 0;
    free(TAKE_PTR(file->syntax));
    strlist_release(&file->checks_skipped);
    file->checks_are_errors = false;
}

static bool read_all(const char *text, size_t length, struct dockerfile *out, int *place, struct error *err)
{
    struct reader reader = {.at = text, .end = text + length, .file = out};
    struct line line;
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        reader.at += 3;
    if (memchr(text, '\0', length))
        return error_set(err, ERROR_INVALID, "the file has a NUL byte: it is no text in UTF-8");
    if (reader.end - reader.at >= 2 && memcmp(reader.at, "#!", 2) == 0 && !read_behind_shebang(&reader, err))
        return false;
    while (next_line(&reader, &line))
        if (!read_instruction(&reader, &line, place, err))
            return false;
    *place = 0;
    return out->count > 0 || error_set(err, ERROR_INVALID, "file with no instructions");
}

static void read_lines(const char *text, size_t length, struct strlist *out)
{
    const char *end = text + length;
    for (;;) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        size_t size = (size_t)(stop - text);
        if (size > 0 && text[size - 1] == '\r')
            size--;
        strlist_take(out, xstrndup(text, size));
        if (!newline)
            return;
        text = newline + 1;
    }
}

static bool check_all(struct dockerfile *file, int *place, struct error *err)
{
    bool has_stage = false;
    for (size_t i = 0; i < file->count; i++) {
        struct instruction *instruction = &file->instructions[i];
        *place = instruction->line;
        if (!instruction_check(instruction, err))
            return error_prefix(err, "dockerfile parse error on line %d", instruction->line);
        has_stage = has_stage || instruction->kind == INSTRUCTION_FROM;
        if (!has_stage && instruction->kind != INSTRUCTION_ARG)
            return error_set(err, ERROR_INVALID, "no build stage in current context");
    }
    *place = 0;
    return has_stage || error_set(err, ERROR_INVALID, "dockerfile contains no stages to build");
}

bool dockerfile_parse(const char *text, size_t length, const char *name, struct dockerfile *out, int *line,
                      struct error *err)
{
    int place = 0;
    *out = (struct dockerfile){.name = xstrdup(name), .escape = '\\'};
    bool is_read = false;
    read_lines(text, length, &out->lines);
    if (length == 0)
        error_set(err, ERROR_INVALID, "the Dockerfile (%s) cannot be empty", name);
    else if (!read_all(text, length, out, &place, err))
        error_prefix(err, "failed to parse Dockerfile");
    else
        is_read = check_all(out, &place, err);
    if (is_read)
        return true;
    clear(out);
    if (line)
        *line = place;
    return false;
}

void dockerfile_release(struct dockerfile *file)
{
    clear(file);
    free(file->name);
    strlist_release(&file->lines);
    *file = (struct dockerfile){0};
}

bool instruction_parse(const char *text, struct instruction *out, struct error *err)
{
    _cleanup_dockerfile_ struct dockerfile file = {.escape = '\\'};
    int place;
    if (!read_all(text, strlen(text), &file, &place, err))
        return false;
    if (file.count != 1)
        return error_set(err, ERROR_INVALID, "onbuild trigger should be a single expression");
    if (!instruction_check(&file.instructions[0], err))
        return false;
    *out = file.instructions[0];
    file.count = 0;
    return true;
}

char *dockerfile_excerpt(const struct dockerfile *file, int line, int last_line)
{
    int count = (int)file->lines.count;
    if (line < 1 || line > count)
        return xstrdup("");
    last_line = MAX(line, last_line);
    last_line = MIN(last_line, count);
    int start = line, end = last_line;
    for (int shown = 0, wanted = start == end ? 4 : 2; shown < wanted; shown++) {
        if (start > 1) {
            start--;
            shown++;
        }
        if (end != count) {
            end++;
            shown++;
        }
    }
    struct strbuf out = STRBUF_INIT;
    strbuf_addf(&out, "%s:%d\n--------------------\n", file->name, line);
    for (int i = start; i <= end; i++)
        strbuf_addf(&out, " %3d | %s %s\n", i, i >= line && i <= last_line ? ">>>" : "   ", file->lines.items[i - 1]);
    strbuf_add_string(&out, "--------------------\n");
    return strbuf_take(&out);
}
