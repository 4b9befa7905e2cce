#include <pwd.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "compose/canonical.h"

struct element *words_split(const struct element *text, const char *path, struct error *err)
{
    _cleanup_element_ struct element *words = element_new(ELEMENT_LIST, text);
    _cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
    char quote = 0;
    bool has_word = false;
    for (const char *at = text->text; *at; at++) {
        if (*at == '\\' && quote != '\'' && at[1]) {
            at++;
            strbuf_add_char(&word, *at);
            has_word = true;
        } else if (quote ? *at == quote : *at == '\'' || *at == '"') {
            quote = quote ? 0 : *at;
            has_word = true;
        } else if (!quote && strchr(" \t\r\n", *at)) {
            if (has_word)
                element_append(words, element_take_string(strbuf_take(&word), text));
            has_word = false;
        } else if (!quote && strchr(";&|<>", *at)) {
            /* docker compose's reader leaves it at the first command of a line. */
            break;
        } else {
            strbuf_add_char(&word, *at);
            has_word = true;
        }
    }
    if (quote) {
        element_error(text, path, err, "invalid command line string");
        return NULL;
    }
    if (has_word)
        element_append(words, element_take_string(strbuf_take(&word), text));
    return TAKE_PTR(words);
}

char *scalar_text(const struct element *scalar)
{
    if (scalar->kind == ELEMENT_INT)
        return xasprintf("%lld", (long long)scalar->integer);
    if (scalar->kind == ELEMENT_BOOL)
        return xstrdup(scalar->integer ? "true" : "false");
    if (scalar->kind == ELEMENT_FLOAT) {
        for (int digits = 1; digits < 18; digits++) {
            _cleanup_free_ char *text = xasprintf("%.*g", digits, scalar->number);
            if (strtod(text, NULL) == scalar->number)
                return TAKE_PTR(text);
        }
    }
    return xstrdup(string_or_empty(element_text(scalar)));
}

char *path_absolute(const char *path, const char *directory)
{
    _cleanup_free_ char *joined = NULL;
    if (*path == '~' && (path[1] == '/' || path[1] == '\0')) {
        const char *home = getenv("HOME");
        const struct passwd *user = home ? NULL : getpwuid(getuid());
        joined = xasprintf("%s%s", home ? home : user ? user->pw_dir : "/", path + 1);
    } else {
        joined = *path == '/' ? xstrdup(path) : path_join(directory, path);
    }
    return path_clean(joined);
}
