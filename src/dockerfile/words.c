#include "dockerfile/words.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/strbuf.h"
#include "dockerfile/lexer.h"

char *text_trim(const char *text)
{
    while (is_blank(*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    return xstrndup(text, length);
}

/* One flag: to the next blank outside quotes, which are taken away. */
static const char *take_flag(const char *at, char **out)
{
    struct strbuf word = STRBUF_INIT;
    char quote = 0;
    for (; *at && (quote || !is_blank(*at)); at++) {
        if (quote ? *at == quote : *at == '"' || *at == '\'') {
            quote = quote ? 0 : *at;
            continue;
        }
        if (*at == '\\') {
            if (!at[1]) {
                at++;
                break;
            }
            at++;
        }
        strbuf_add_char(&word, *at);
    }
    *out = strbuf_take(&word);
    return at;
}

/* Flags stand before all else; a `--` alone ends them. */
static const char *take_flags(const char *at, struct strlist *flags)
{
    for (;;) {
        while (is_blank(*at))
            at++;
        if (at[0] != '-' || at[1] != '-')
            return at;
        char *flag;
        at = take_flag(at, &flag);
        if (string_equal(flag, "--")) {
            free(flag);
            return at;
        }
        strlist_take(flags, flag);
    }
}

void command_split(const char *text, struct command_words *out)
{
    while (is_blank(*text))
        text++;
    size_t length = 0;
    while (text[length] && !is_blank(text[length]))
        length++;
    *out = (struct command_words){.keyword = xstrndup(text, length)};
    out->rest = text_trim(take_flags(text + length, &out->flags));
}

void command_words_release(struct command_words *words)
{
    free(words->keyword);
    strlist_release(&words->flags);
    free(words->rest);
    *words = (struct command_words){0};
}

void words_quoted(const char *at, char escape, struct strlist *out)
{
    for (;;) {
        while (is_blank(*at))
            at++;
        if (!*at)
            return;
        struct strbuf word = STRBUF_INIT;
        char quote = 0;
        for (; *at && (quote || !is_blank(*at)); at++) {
            if (quote ? *at == quote : *at == '"' || *at == '\'') {
                quote = quote ? 0 : *at;
            } else if (*at == escape && quote != '\'') {
                if (!at[1])
                    continue; /* at the end of the text it is nothing */
                strbuf_add_char(&word, *at++);
            }
            strbuf_add_char(&word, *at);
        }
        if (word.length > 0)
            strlist_take(out, strbuf_take(&word));
        strbuf_release(&word);
    }
}

void words_plain(const char *at, struct strlist *out)
{
    for (;;) {
        while (is_blank(*at))
            at++;
        const char *start = at;
        while (*at && !is_blank(*at))
            at++;
        if (at == start)
            return;
        strlist_take(out, xstrndup(start, (size_t)(at - start)));
    }
}

bool words_pairs(const char *text, char escape, const char *keyword, struct strlist *out, struct error *err)
{
    _cleanup_strlist_ struct strlist words = {0};
    words_quoted(text, escape, &words);
    if (words.count == 0)
        return true;
    if (!strchr(words.items[0], '=')) {
        size_t length = strcspn(text, " \t\v\f\r");
        if (!text[length])
            return error_set(err, ERROR_INVALID, "%s must have two arguments", keyword);
        strlist_take(out, xstrndup(text, length));
        strlist_add(out, text + length + strspn(text + length, " \t\v\f\r"));
        return true;
    }
    for (size_t i = 0; i < words.count; i++) {
        const char *word = words.items[i], *equals = strchr(word, '=');
        if (!equals) {
            _cleanup_strbuf_ struct strbuf quoted = STRBUF_INIT;
            string_quote(word, &quoted);
            return error_set(err, ERROR_INVALID, "Syntax error - can't find = in %s. Must be of the form: name=value",
                             strbuf_text(&quoted));
        }
        strlist_take(out, xstrndup(word, (size_t)(equals - word)));
        strlist_add(out, equals + 1);
    }
    return true;
}
