/* The room's own side of the lexer, with the settings that finding heredocs takes. */
#pragma once

#include "base/strbuf.h"
#include "dockerfile/expand.h"

struct lexer_options {
    char escape;
    const struct expansion *expansion; /* may be NULL: no variable is set */
    bool keeps_quotes;                 /* quotes are text like any other */
    bool shows_quotes;                 /* quotes quote, and stay in the result */
    bool keeps_escapes;
    bool keeps_unset; /* a variable without a value stays as it is written */
};
/* Adds the result to *out and, where `words` is given, its words to that. */
bool lexer_run(const struct lexer_options *options, const char *text, struct strbuf *out, struct strlist *words,
               struct error *err);

/* What separates words: ASCII's white space. */
static inline bool is_blank(char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}
