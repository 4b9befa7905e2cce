/* Patterns as Go's path.Match has them: '*' and '?' do not match '/', [a-z], [^a-z], '\' quotes. */
#pragma once

#include <stdbool.h>

/* False where the pattern is malformed; *matches tells whether the whole text matches. */
bool glob_match(const char *pattern, const char *text, bool *matches);
