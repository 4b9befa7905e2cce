/* The lexer of the Dockerfile frontend: quotes, the escape character and variables. The parser uses it, too, to find
   the marks of heredocs (lexer.h). Messages and odd corners are those of moby/buildkit frontend/dockerfile/shell. */
#include "dockerfile/expand.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "dockerfile/lexer.h"
#include "dockerfile/shell_pattern.h"

enum {
    DEPTH_LIMIT = 100,               /* of ${a:-${b:-…}} */
    RESULT_LIMIT = 16 * 1024 * 1024, /* bytes of one expanded text */
};

/* Words are made while the text is: what a variable holds is split, what is quoted or escaped is not. */
struct words {
    struct strbuf word;
    struct strlist *list; /* NULL: nobody asked */
    bool is_in_word;
};

struct lexer {
    const struct lexer_options *options;
    const char *at;
    bool keeps_escapes;
    int depth;
};

static void words_end(struct words *words)
{
    if (words->list && words->word.length > 0)
        strlist_take(words->list, strbuf_take(&words->word));
    strbuf_truncate(&words->word, 0);
    words->is_in_word = false;
}

static void words_add_raw(struct words *words, const char *text, size_t length)
{
    if (!words->list)
        return;
    strbuf_add(&words->word, text, length);
    words->is_in_word = true;
}

static void words_add(struct words *words, const char *text, size_t length)
{
    for (size_t i = 0; words->list && i < length; i++) {
        if (!is_blank(text[i]))
            words_add_raw(words, text + i, 1);
        else if (words->is_in_word && words->word.length > 0)
            words_end(words);
    }
}

static bool fail(struct error *err, const char *text)
{
    return error_set(err, ERROR_INVALID, "%s", text);
}

static bool lex_until(struct lexer *lexer, char stop, bool keeps_escapes, struct strbuf *out, struct words *words,
                      struct error *err);

/* The value; NULL where the variable is not set. */
static const char *look_up(struct lexer *lexer, const char *name, bool is_excused)
{
    const struct expansion *expansion = lexer->options->expansion;
    const char *value = expansion && expansion->lookup ? expansion->lookup(expansion->context, name) : NULL;
    if (!value && !is_excused && expansion && expansion->undefined)
        expansion->undefined(expansion->context, name);
    return value;
}

/* Letters, digits and `_`; or digits alone; or one of the shell's special parameters. */
static char *take_name(struct lexer *lexer)
{
    const char *start = lexer->at;
    if (isdigit((unsigned char)*lexer->at)) {
        while (isdigit((unsigned char)*lexer->at))
            lexer->at++;
    } else if (*lexer->at && strchr("@*#?-$!", *lexer->at)) {
        lexer->at++;
    } else {
        while (isalnum((unsigned char)*lexer->at) || *lexer->at == '_')
            lexer->at++;
    }
    return xstrndup(start, (size_t)(lexer->at - start));
}

static bool bad_pattern(struct error *err, const char *pattern, const struct error *reason)
{
    return error_set(err, ERROR_INVALID, "invalid pattern (%s) in substitution: %s", pattern, error_message(reason));
}

/* ${name#word}, ${name##word}, ${name%word}, ${name%%word} */
static bool cut_pattern(char where, const char *word, const char *value, struct strbuf *out, struct error *err)
{
    bool is_greedy = *word == where;
    _cleanup_error_ struct error reason = ERROR_INIT;
    char *cut = shell_pattern_cut(word + is_greedy, value, where == '%', is_greedy, &reason);
    if (!cut)
        return bad_pattern(err, word + is_greedy, &reason);
    strbuf_add_string(out, cut);
    free(cut);
    return true;
}

/* What follows the modifier, to the closing brace; an end of the text before it is told as Docker tells it. */
static bool take_word(struct lexer *lexer, char stop, bool keeps_escapes, struct strbuf *word, const char *at_end,
                      struct error *err)
{
    struct words nothing = {0};
    if (lex_until(lexer, stop, keeps_escapes, word, &nothing, err))
        return true;
    return *lexer->at ? false : fail(err, at_end);
}

/* ${name:-word} and its like; the lexer stands behind the modifier. */
static bool substitute(struct lexer *lexer, const char *name, const char *modifier, struct strbuf *out,
                       struct error *err)
{
    char kind = modifier[strlen(modifier) - 1];
    bool null_is_unset = *modifier == ':';
    _cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
    if (!take_word(lexer, '}', kind == '#' || kind == '%', &word, "syntax error: missing '}'", err))
        return false;
    const char *value = look_up(lexer, name, kind == '-' || kind == '+' || kind == '?');
    if (!value && lexer->options->keeps_unset) {
        strbuf_addf(out, "${%s%s%s}", name, modifier, strbuf_text(&word));
        return true;
    }
    bool is_there = value && (!null_is_unset || *value);
    switch (kind) {
    case '-':
        strbuf_add_string(out, is_there ? value : strbuf_text(&word));
        return true;
    case '+':
        strbuf_add_string(out, is_there ? strbuf_text(&word) : "");
        return true;
    case '?':
        if (!is_there) {
            const char *usual = value ? "is not allowed to be empty" : "is not allowed to be unset";
            return error_set(err, ERROR_INVALID, "%s: %s", name, word.length ? strbuf_text(&word) : usual);
        }
        strbuf_add_string(out, value);
        return true;
    case '#':
    case '%':
        return cut_pattern(kind, strbuf_text(&word), string_or_empty(value), out, err);
    default:
        return error_set(err, ERROR_INVALID, "unsupported modifier (%s) in substitution", modifier);
    }
}

/* ${name/pattern/replacement}, ${name//pattern/replacement}; the lexer stands behind the first slash. */
static bool replace(struct lexer *lexer, const char *name, struct strbuf *out, struct error *err)
{
    bool replaces_all = *lexer->at == '/';
    lexer->at += replaces_all;
    _cleanup_strbuf_ struct strbuf pattern = STRBUF_INIT, replacement = STRBUF_INIT;
    if (!take_word(lexer, '/', true, &pattern, "syntax error: missing '/' in ${}", err) ||
        !take_word(lexer, '}', true, &replacement, "syntax error: missing '}'", err))
        return false;
    const char *value = look_up(lexer, name, false);
    if (!value && lexer->options->keeps_unset) {
        strbuf_addf(out, "${%s/%s/%s}", name, strbuf_text(&pattern), strbuf_text(&replacement));
        return true;
    }
    _cleanup_error_ struct error reason = ERROR_INIT;
    char *replaced = shell_pattern_replace(strbuf_text(&pattern), string_or_empty(value), strbuf_text(&replacement),
                                           replaces_all, &reason);
    if (!replaced)
        return bad_pattern(err, strbuf_text(&pattern), &reason);
    strbuf_add_string(out, replaced);
    free(replaced);
    return true;
}

static bool lex_braces(struct lexer *lexer, struct strbuf *out, struct error *err)
{
    if (!*lexer->at)
        return fail(err, "syntax error: missing '}'");
    if (strchr("{}:", *lexer->at))
        return fail(err, "syntax error: bad substitution");
    _cleanup_free_ char *name = take_name(lexer);
    char modifier[3] = {*lexer->at};
    if (!*modifier)
        return fail(err, "unsupported modifier (\xef\xbf\xbd) in substitution");
    lexer->at++;
    switch (*modifier) {
    case '}': {
        const char *value = look_up(lexer, name, false);
        if (!value && lexer->options->keeps_unset)
            strbuf_addf(out, "${%s}", name);
        else
            strbuf_add_string(out, string_or_empty(value));
        return true;
    }
    case ':':
        if (!*lexer->at)
            return fail(err, "syntax error: missing '}'");
        modifier[1] = *lexer->at++;
        return substitute(lexer, name, modifier, out, err);
    case '+':
    case '-':
    case '?':
    case '#':
    case '%':
        return substitute(lexer, name, modifier, out, err);
    case '/':
        return replace(lexer, name, out, err);
    default:
        return error_set(err, ERROR_INVALID, "unsupported modifier (%s) in substitution", modifier);
    }
}

static bool lex_dollar(struct lexer *lexer, struct strbuf *out, struct error *err)
{
    lexer->at++;
    if (*lexer->at == '{') {
        lexer->at++;
        if (++lexer->depth > DEPTH_LIMIT)
            return fail(err, "variables are nested too deeply");
        bool is_done = lex_braces(lexer, out, err);
        lexer->depth--;
        return is_done;
    }
    _cleanup_free_ char *name = take_name(lexer);
    if (!*name) {
        strbuf_add_char(out, '$');
        return true;
    }
    const char *value = look_up(lexer, name, false);
    if (!value && lexer->options->keeps_unset)
        strbuf_addf(out, "$%s", name);
    else
        strbuf_add_string(out, string_or_empty(value));
    return true;
}

static bool lex_single_quotes(struct lexer *lexer, struct strbuf *out, struct error *err)
{
    const char *end = strchr(lexer->at + 1, '\'');
    if (!end)
        return fail(err, "unexpected end of statement while looking for matching single-quote");
    size_t kept = lexer->options->shows_quotes ? 0 : 1;
    strbuf_add(out, lexer->at + kept, (size_t)(end + 1 - lexer->at) - 2 * kept);
    lexer->at = end + 1;
    return true;
}

static bool lex_double_quotes(struct lexer *lexer, struct strbuf *out, struct error *err)
{
    bool shows_quotes = lexer->options->shows_quotes;
    char escape = lexer->options->escape;
    lexer->at++;
    if (shows_quotes)
        strbuf_add_char(out, '"');
    while (*lexer->at != '"') {
        if (!*lexer->at)
            return fail(err, "unexpected end of statement while looking for matching double-quote");
        if (*lexer->at == '$') {
            if (!lex_dollar(lexer, out, err))
                return false;
            continue;
        }
        char next = *lexer->at++;
        if (next == escape) {
            if (lexer->keeps_escapes)
                strbuf_add_char(out, next);
            if (!*lexer->at)
                continue;
            if (*lexer->at == '"' || *lexer->at == '$' || *lexer->at == escape)
                next = *lexer->at++;
        }
        strbuf_add_char(out, next);
    }
    lexer->at++;
    if (shows_quotes)
        strbuf_add_char(out, '"');
    return true;
}

/* `<<` and the blanks behind it stay with the word that follows. */
static void lex_heredoc_mark(struct lexer *lexer, struct strbuf *out)
{
    strbuf_add_char(out, *lexer->at++);
    if (*lexer->at != '<')
        return;
    strbuf_add_char(out, *lexer->at++);
    while (*lexer->at == ' ' || *lexer->at == '\t' || *lexer->at == '\r')
        strbuf_add_char(out, *lexer->at++);
}

/* To the stop character, which is taken; a NUL is the end of the text. On failure at the end of the text the lexer
   stands there. */
static bool lex_until(struct lexer *lexer, char stop, bool keeps_escapes, struct strbuf *out, struct words *words,
                      struct error *err)
{
    bool kept_escapes = lexer->keeps_escapes, has_quotes = !lexer->options->keeps_quotes;
    lexer->keeps_escapes = keeps_escapes;
    bool is_done = true;
    while (is_done && *lexer->at && *lexer->at != stop) {
        char next = *lexer->at;
        size_t before = out->length;
        if (next == '$') {
            is_done = lex_dollar(lexer, out, err);
            words_add(words, strbuf_text(out) + before, out->length - before);
        } else if ((has_quotes && (next == '\'' || next == '"')) || next == '<') {
            if (next == '<')
                lex_heredoc_mark(lexer, out);
            else
                is_done = next == '"' ? lex_double_quotes(lexer, out, err) : lex_single_quotes(lexer, out, err);
            words_add_raw(words, strbuf_text(out) + before, out->length - before);
        } else if (next == lexer->options->escape) {
            if (keeps_escapes)
                strbuf_add_char(out, next);
            if (*++lexer->at)
                strbuf_add_char(out, *lexer->at++);
            words_add_raw(words, strbuf_text(out) + before, out->length - before);
        } else {
            lexer->at++;
            strbuf_add_char(out, next);
            words_add(words, &next, 1);
        }
    }
    lexer->keeps_escapes = kept_escapes;
    if (!is_done)
        return false;
    if (stop && *lexer->at != stop)
        return error_set(err, ERROR_INVALID, "unexpected end of statement while looking for matching %c", stop);
    lexer->at += stop ? 1 : 0;
    words_end(words);
    return true;
}

bool lexer_run(const struct lexer_options *options, const char *text, struct strbuf *out, struct strlist *list,
               struct error *err)
{
    struct lexer lexer = {.options = options, .at = text, .keeps_escapes = options->keeps_escapes};
    struct words words = {.list = list};
    out->limit = RESULT_LIMIT;
    bool is_done = lex_until(&lexer, '\0', options->keeps_escapes, out, &words, err);
    strbuf_release(&words.word);
    if (is_done && out->is_overrun)
        is_done = fail(err, "the result is too large");
    if (is_done)
        return true;
    _cleanup_strbuf_ struct strbuf quoted = STRBUF_INIT;
    string_quote(text, &quoted);
    return error_prefix(err, "failed to process %s", strbuf_text(&quoted));
}

char *expand_word(const struct expansion *expansion, const char *text, struct error *err)
{
    struct lexer_options options = {
        .escape = expansion->escape, .expansion = expansion, .keeps_quotes = expansion->keeps_quotes};
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    return lexer_run(&options, text, &out, NULL, err) ? strbuf_take(&out) : NULL;
}

bool expand_words(const struct expansion *expansion, const char *text, struct strlist *out, struct error *err)
{
    struct lexer_options options = {
        .escape = expansion->escape, .expansion = expansion, .keeps_quotes = expansion->keeps_quotes};
    _cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;
    _cleanup_strlist_ struct strlist words = {0};
    if (!lexer_run(&options, text, &whole, &words, err))
        return false;
    for (size_t i = 0; i < words.count; i++)
        strlist_add(out, words.items[i]);
    return true;
}
