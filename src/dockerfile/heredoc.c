/* The marks of heredocs: `<<EOF`, `<<-EOF`, `3<<"E O F"`. */
#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "dockerfile/lexer.h"
#include "dockerfile/parse.h"

static size_t count_quotes(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\'' || *text == '"';
    return count;
}

bool heredoc_mark(const char *word, struct heredoc *out, bool *removes_tabs)
{
    const char *at = word;
    while (isdigit((unsigned char)*at))
        at++;
    if (at[0] != '<' || at[1] != '<')
        return false;
    at += 2;
    bool has_dash = *at == '-';
    at += has_dash;
    while (is_blank(*at))
        at++;
    if (!*at || strchr(at, '<'))
        return false;
    struct lexer_options options = {.escape = '\\', .keeps_unset = true};
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, shown = STRBUF_INIT;
    _cleanup_strlist_ struct strlist names = {0}, shown_names = {0};
    if (!lexer_run(&options, at, &text, &names, NULL) || names.count != 1)
        return false;
    /* Fewer quotes when quotes quote: some part of the name is quoted, so the content is not expanded. */
    options.shows_quotes = true;
    if (!lexer_run(&options, at, &shown, &shown_names, NULL) || shown_names.count != 1)
        return false;
    out->name = xstrdup(names.items[0]);
    out->is_expanded = count_quotes(names.items[0]) == count_quotes(shown_names.items[0]);
    *removes_tabs = has_dash;
    return true;
}
