/* .dockerignore: patterns with `*`, `?`, `[a-z]`, `**` and `!`, the last that matches decides (moby/patternmatcher);
   and the wildcards of COPY and ADD (Go's filepath.Match). Paths are relative, with `/`, without `./` before them. */
#pragma once

#include "base/error.h"
#include "base/text.h"

struct ignore;
/* The lines of a .dockerignore; comments and empty lines are left out. NULL with ERROR_INVALID for a bad pattern. */
struct ignore *ignore_parse(const char *text, size_t length, struct error *err);
/* From patterns alone, as --exclude has them. */
struct ignore *ignore_new(const struct strlist *patterns, struct error *err);
void ignore_free(struct ignore *ignore);
DEFINE_CLEANUP(struct ignore *, ignore_free)
/* Is the path left out, also because one of its folders is? */
bool ignore_matches(const struct ignore *ignore, const char *path);
/* May something below a folder that is left out be taken in again by a `!`? Else the folder need not be walked. */
bool ignore_may_return_below(const struct ignore *ignore, const char *folder);
/* Go's filepath.Match: `*` and `?` do not match `/`. A bad pattern matches nothing; wildcard_is_valid says so before.
 */
bool wildcard_matches(const char *pattern, const char *name);
bool wildcard_is_valid(const char *pattern);
bool has_wildcard(const char *text);
