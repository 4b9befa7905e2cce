#include "store/words.h"

#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

#define WHITE_SPACE " \t\v\f\r\n"
#define MAX_DEPTH   16

struct expansion {
    const char *at;
    const struct strlist *env;
    struct strbuf out;
};

static bool is_name_start(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9');
}

static bool expand_until(struct expansion *expansion, char stop, int depth, struct error *err);

/* After "${": NAME}, NAME:-word}, NAME+word} … */
static bool expand_braces(struct expansion *expansion, int depth, struct error *err)
{
    const char *start = expansion->at;
    if (*start == '}')
        return error_set(err, ERROR_INVALID, "syntax error: bad substitution");
    while (is_name(*expansion->at))
        expansion->at++;
    _cleanup_free_ char *name = xstrndup(start, (size_t)(expansion->at - start));
    const char *value = env_get(expansion->env, name);
    if (*expansion->at == '}') {
        expansion->at++;
        strbuf_add_string(&expansion->out, string_or_empty(value));
        return true;
    }
    bool wants_content = *expansion->at == ':';
    if (wants_content)
        expansion->at++;
    char modifier = *expansion->at;
    if (modifier == '\0')
        return error_set(err, ERROR_INVALID, "syntax error: missing '}'");
    if (!strchr("-+?", modifier))
        return error_set(err, ERROR_INVALID, "unsupported modifier (%s%c) in substitution", wants_content ? ":" : "",
                         modifier);
    expansion->at++;

    size_t before = expansion->out.length;
    if (!expand_until(expansion, '}', depth + 1, err))
        return false;
    _cleanup_free_ char *word = xstrdup(strbuf_text(&expansion->out) + before);
    if (expansion->out.length > before)
        strbuf_truncate(&expansion->out, before);
    bool is_set = wants_content ? string_is_set(value) : value != NULL;
    if (modifier == '?' && !is_set)
        return error_set(err, ERROR_INVALID, "%s: %s", name, *word ? word : "is not allowed to be unset");
    if (modifier == '+')
        strbuf_add_string(&expansion->out, is_set ? word : "");
    else
        strbuf_add_string(&expansion->out, is_set ? value : word);
    return true;
}

/* After "$". */
static bool expand_variable(struct expansion *expansion, int depth, struct error *err)
{
    if (*expansion->at == '{') {
        expansion->at++;
        return expand_braces(expansion, depth, err);
    }
    const char *start = expansion->at;
    if (is_name_start(*start)) {
        while (is_name(*expansion->at))
            expansion->at++;
    } else if (*start && (strchr("@*#?-$!", *start) || (*start >= '0' && *start <= '9'))) {
        expansion->at++;
    } else {
        strbuf_add_char(&expansion->out, '$');
        return true;
    }
    _cleanup_free_ char *name = xstrndup(start, (size_t)(expansion->at - start));
    strbuf_add_string(&expansion->out, string_or_empty(env_get(expansion->env, name)));
    return true;
}

static bool expand_single_quoted(struct expansion *expansion, struct error *err)
{
    const char *end = strchr(expansion->at, '\'');
    if (!end)
        return error_set(err, ERROR_INVALID, "unexpected end of statement while looking for matching single-quote");
    strbuf_add(&expansion->out, expansion->at, (size_t)(end - expansion->at));
    expansion->at = end + 1;
    return true;
}

static bool expand_double_quoted(struct expansion *expansion, int depth, struct error *err)
{
    while (*expansion->at != '"') {
        char c = *expansion->at;
        if (c == '\0')
            return error_set(err, ERROR_INVALID, "unexpected end of statement while looking for matching double-quote");
        expansion->at++;
        if (c == '$') {
            if (!expand_variable(expansion, depth, err))
                return false;
            continue;
        }
        if (c == '\\' && *expansion->at && strchr("\"$\\", *expansion->at))
            c = *expansion->at++;
        strbuf_add_char(&expansion->out, c);
    }
    expansion->at++;
    return true;
}

/* Up to and over `stop`; '\0' is the end of the word. */
static bool expand_until(struct expansion *expansion, char stop, int depth, struct error *err)
{
    if (depth > MAX_DEPTH)
        return error_set(err, ERROR_INVALID, "substitutions are nested too deeply");
    for (;;) {
        char c = *expansion->at;
        if (c == '\0')
            return stop == '\0' ? true : error_set(err, ERROR_INVALID, "syntax error: missing '%c'", stop);
        expansion->at++;
        bool is_good = true;
        if (c == stop)
            return true;
        if (c == '\'')
            is_good = expand_single_quoted(expansion, err);
        else if (c == '"')
            is_good = expand_double_quoted(expansion, depth, err);
        else if (c == '$')
            is_good = expand_variable(expansion, depth, err);
        else if (c == '\\' && *expansion->at)
            strbuf_add_char(&expansion->out, *expansion->at++);
        else if (c != '\\')
            strbuf_add_char(&expansion->out, c);
        if (!is_good)
            return false;
    }
}

char *word_expand(const char *word, const struct strlist *env, struct error *err)
{
    struct expansion expansion = {.at = word, .env = env};
    bool is_done = expand_until(&expansion, '\0', 0, err);
    if (!is_done) {
        strbuf_release(&expansion.out);
        return NULL;
    }
    return strbuf_take(&expansion.out);
}

struct strlist words_split(const char *text)
{
    struct strlist words = {0};
    strlist_give(&words);
    for (;;) {
        text += strspn(text, WHITE_SPACE);
        if (!*text)
            return words;
        const char *start = text;
        char quote = '\0';
        while (*text && (quote || !strchr(WHITE_SPACE, *text))) {
            if (*text == '\\' && quote != '\'' && text[1])
                text++;
            else if (quote && *text == quote)
                quote = '\0';
            else if (!quote && (*text == '"' || *text == '\''))
                quote = *text;
            text++;
        }
        strlist_take(&words, xstrndup(start, (size_t)(text - start)));
    }
}

struct strlist words_split_plain(const char *text)
{
    struct strlist words = {0};
    strlist_give(&words);
    for (;;) {
        text += strspn(text, WHITE_SPACE);
        if (!*text)
            return words;
        size_t length = strcspn(text, WHITE_SPACE);
        strlist_take(&words, xstrndup(text, length));
        text += length;
    }
}
