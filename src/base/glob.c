#include "base/glob.h"

#include <stddef.h>
#include <string.h>

/* Reads one character of a class, which '\' may quote; NULL where the pattern is malformed. */
static const char *class_character(const char *at, unsigned char *out)
{
    if (*at == '\0' || *at == '-' || *at == ']')
        return NULL;
    if (*at == '\\' && *++at == '\0')
        return NULL;
    *out = (unsigned char)*at;
    return at + 1;
}

/* `at` is after '['; the answer is after ']'. */
static const char *match_class(const char *at, unsigned char character, bool *is_match)
{
    bool is_negated = *at == '^';
    bool is_found = false;
    size_t ranges = 0;
    if (is_negated)
        at++;
    while (*at != ']' || ranges == 0) {
        unsigned char low, high;
        at = class_character(at, &low);
        if (!at)
            return NULL;
        high = low;
        if (*at == '-') {
            at = class_character(at + 1, &high);
            if (!at)
                return NULL;
        }
        is_found = is_found || (low <= character && character <= high);
        ranges++;
    }
    *is_match = is_found != is_negated;
    return at + 1;
}

/* Is the pattern well-formed from here on? */
static bool is_well_formed(const char *pattern)
{
    while (*pattern) {
        bool ignored;
        if (*pattern == '[') {
            pattern = match_class(pattern + 1, 'a', &ignored);
            if (!pattern)
                return false;
        } else if (*pattern == '\\' && pattern[1] == '\0') {
            return false;
        } else {
            pattern += *pattern == '\\' ? 2 : 1;
        }
    }
    return true;
}

/* One element of a well-formed pattern against one character; NULL where it does not match. */
static const char *match_one(const char *pattern, char character)
{
    bool is_match;
    switch (*pattern) {
    case '\0':
    case '*':
        return NULL;
    case '?':
        return character != '/' ? pattern + 1 : NULL;
    case '[':
        pattern = match_class(pattern + 1, (unsigned char)character, &is_match);
        return is_match ? pattern : NULL;
    case '\\':
        pattern++;
        break;
    }
    return *pattern == character ? pattern + 1 : NULL;
}

bool glob_match(const char *pattern, const char *text, bool *matches)
{
    if (!is_well_formed(pattern))
        return false;
    /* Only the last star is ever tried again, so the time is at most pattern times text. */
    const char *star = NULL, *star_text = NULL;
    while (*text) {
        const char *next = match_one(pattern, *text);
        if (next) {
            pattern = next;
            text++;
        } else if (*pattern == '*') {
            star = ++pattern;
            star_text = text;
        } else if (star && *star_text != '/') {
            text = ++star_text;
            pattern = star;
        } else {
            *matches = false;
            return true;
        }
    }
    while (*pattern == '*')
        pattern++;
    *matches = *pattern == '\0';
    return true;
}
