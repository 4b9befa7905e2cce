/* The patterns of ${name#pattern} and ${name/pattern/…}: `*` and `?`, with `\` before what is meant as it is. */
#pragma once

#include "base/error.h"

/* The text without what matches at its start (or at its end), the longest match or the shortest. Caller frees; NULL
   with ERROR_INVALID. */
char *shell_pattern_cut(const char *pattern, const char *text, bool at_end, bool is_longest, struct error *err);
/* With the first match (or each) replaced, the longest from the leftmost place. The same. */
char *shell_pattern_replace(const char *pattern, const char *text, const char *replacement, bool replaces_all,
                            struct error *err);
