#include "compose/dotenv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "compose/template.h"

#define FILE_LIMIT ((size_t)16 << 20)

struct reader {
    const char *file;
    const char *text;
    const char *at;
    const struct strmap *environment;
    struct strmap *out;
    struct error *err;
};

static bool fail(const struct reader *reader, const char *where, const char *what)
{
    int line = 1;
    for (const char *c = reader->text; c < where; c++)
        line += *c == '\n';
    return error_set(reader->err, ERROR_INVALID, "%s:%d: %s", reader->file, line, what);
}

static void skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t\r");
}

static void skip_line(struct reader *reader)
{
    reader->at += strcspn(reader->at, "\n");
    reader->at += *reader->at == '\n';
}

static bool expand_into(struct reader *reader, const char *key, const char *text, const char *where)
{
    struct variables variables = {.first = reader->environment, .second = reader->out};
    struct error cause = ERROR_INIT;
    _cleanup_free_ char *value = template_expand(text, &variables, &cause);
    if (!value) {
        fail(reader, where, error_message(&cause));
        error_release(&cause);
        return false;
    }
    strmap_set(reader->out, key, value);
    return true;
}

/* After the opening quote. An escaped dollar becomes "$$", which the expansion then makes one. */
static bool read_quoted(struct reader *reader, char quote, struct strbuf *value)
{
    const char *start = reader->at;
    for (; *reader->at && *reader->at != quote; reader->at++) {
        char c = *reader->at, next = reader->at[1];
        if (c != '\\' || !next) {
            strbuf_add_char(value, c);
            continue;
        }
        if (quote == '\'') {
            if (next == '\'')
                reader->at++;
            strbuf_add_char(value, next == '\'' ? '\'' : '\\');
            continue;
        }
        reader->at++;
        const char *known = strchr("nrt\"\\$", next);
        static const char *const replaced[] = {"\n", "\r", "\t", "\"", "\\", "$$"};
        if (known)
            strbuf_add_string(value, replaced[known - "nrt\"\\$"]);
        else
            strbuf_addf(value, "\\%c", next);
    }
    if (*reader->at != quote)
        return fail(reader, start, "unterminated quoted value");
    reader->at++;
    return true;
}

static bool read_value(struct reader *reader, const char *key)
{
    skip_blanks(reader);
    const char *where = reader->at;
    char quote = *reader->at;
    if (quote == '\'' || quote == '"') {
        _cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
        reader->at++;
        if (!read_quoted(reader, quote, &value))
            return false;
        skip_blanks(reader);
        if (*reader->at && *reader->at != '\n' && *reader->at != '#')
            return fail(reader, where, "unexpected text after a quoted value");
        skip_line(reader);
        if (quote == '"')
            return expand_into(reader, key, strbuf_text(&value), where);
        strmap_set(reader->out, key, strbuf_text(&value));
        return true;
    }
    size_t length = strcspn(reader->at, "\n"), end = length;
    for (size_t i = 0; i < length && end == length; i++)
        if (reader->at[i] == '#' && (i == 0 || strchr(" \t", reader->at[i - 1])))
            end = i;
    while (end > 0 && strchr(" \t\r", reader->at[end - 1]))
        end--;
    _cleanup_free_ char *value = xstrndup(reader->at, end);
    skip_line(reader);
    return expand_into(reader, key, value, where);
}

static bool read_line(struct reader *reader)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.-[]";
    const char *start = reader->at;
    if (string_starts_with(reader->at, "export") && strchr(" \t", reader->at[6]) && reader->at[6]) {
        reader->at += 6;
        skip_blanks(reader);
    }
    size_t length = strspn(reader->at, letters);
    if (length == 0) {
        _cleanup_free_ char *what =
            xasprintf("unexpected character \"%.*s\" in variable name", 1, *reader->at == '\n' ? "" : reader->at);
        return fail(reader, start, what);
    }
    _cleanup_free_ char *key = xstrndup(reader->at, length);
    reader->at += length;
    skip_blanks(reader);
    if (*reader->at == '=' || *reader->at == ':') {
        reader->at++;
        return read_value(reader, key);
    }
    if (*reader->at && *reader->at != '\n' && *reader->at != '#') {
        _cleanup_free_ char *what =
            xasprintf("unexpected character \"%.1s\" in variable name near \"%s\"", reader->at, key);
        return fail(reader, start, what);
    }
    skip_line(reader);
    const char *inherited = reader->environment ? strmap_get(reader->environment, key) : NULL;
    if (inherited)
        strmap_set(reader->out, key, inherited);
    return true;
}

bool dotenv_parse(const char *file, const char *text, const struct strmap *environment, struct strmap *out,
                  struct error *err)
{
    if (string_starts_with(text, "\xef\xbb\xbf"))
        text += 3;
    struct reader reader = {file, text, text, environment, out, err};
    while (*reader.at) {
        skip_blanks(&reader);
        if (*reader.at == '#' || *reader.at == '\n')
            skip_line(&reader);
        else if (*reader.at && !read_line(&reader))
            return false;
    }
    return true;
}

bool dotenv_read(const char *path, const struct strmap *environment, struct strmap *out, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    struct error cause = ERROR_INIT;
    if (!file_read(AT_FDCWD, path, FILE_LIMIT, &text, &cause)) {
        if (cause.errno_value == ENOENT)
            cause.kind = ERROR_NOT_FOUND;
        return error_move(err, &cause);
    }
    return dotenv_parse(path, strbuf_text(&text), environment, out, err);
}
