#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "dockerfile/parse.h"

/* Levenshtein's distance, letters of either case alike. */
static size_t distance(const char *a, const char *b)
{
    size_t length = strlen(b);
    _cleanup_free_ size_t *row = xcalloc(length + 1, sizeof(size_t));
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t change = diagonal + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j]));
            diagonal = row[j + 1];
            size_t insertion = MIN(row[j], diagonal) + 1;
            row[j + 1] = MIN(change, insertion);
        }
    }
    return row[length];
}

char *suggestion(const char *given, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t nearest = 3;
    bool is_upper = true;
    for (const char *at = given; *at; at++)
        is_upper = is_upper && !islower((unsigned char)*at);
    for (size_t i = 0; i < count && strlen(given) < 64; i++) {
        size_t changes = distance(given, names[i]);
        if (changes < nearest) {
            nearest = changes;
            best = names[i];
        }
    }
    if (!best)
        return xstrdup("");
    char *text = xasprintf(" (did you mean %s?)", best);
    for (char *at = text + strlen(" (did you mean "); *at; at++)
        *at = (char)(is_upper ? toupper((unsigned char)*at) : tolower((unsigned char)*at));
    return text;
}
