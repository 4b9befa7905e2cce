/* The words of a Dockerfile instruction: splitting, quotes and variables as the Dockerfile reference has them. */
#pragma once

#include "base/error.h"
#include "base/text.h"

/* Takes quotes and backslashes away and puts variables in: $a, ${a}, ${a:-word}, ${a:+word}, ${a:?word} and these
   without the colon. An unknown variable is empty. Caller frees; NULL with ERROR_INVALID. */
char *word_expand(const char *word, const struct strlist *env, struct error *err);
/* Splits at white space outside of quotes; quotes and backslashes stay. */
struct strlist words_split(const char *text);
/* Splits at any white space. */
struct strlist words_split_plain(const char *text);
