/* What is wrong with malformed JSON, in the words of Go's scanner. */
#pragma once

#include <stddef.h>

/* The first violation of the grammar in a text that is nested no deeper than JSON_MAX_DEPTH: "invalid character '}'
   looking for beginning of value", "unexpected EOF" (caller frees). NULL where the first value is well-formed. */
char *json_syntax_problem(const char *text, size_t length);
