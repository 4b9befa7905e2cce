#include "dockerfile/ignore.h"

#include <stdint.h>
#include <string.h>

#include "base/file.h"
#include "base/glob.h"
#include "base/memory.h"
#include "base/options.h"
#include "dockerfile/words.h"

/* The kinds are moby/patternmatcher's: most patterns need no more than a comparison. */
enum pattern_kind { PATTERN_EXACT, PATTERN_PREFIX, PATTERN_SUFFIX, PATTERN_GENERAL };
enum token_kind {
    TOKEN_BYTE,
    TOKEN_ONE,   /* `?`: not a slash */
    TOKEN_RUN,   /* `*`: no slash in it */
    TOKEN_CLASS, /* [a-z] */
    TOKEN_DEEP,  /* `**`: what TOKEN_PATH takes, or nothing */
    TOKEN_PATH,  /* always behind TOKEN_DEEP: anything up to a slash */
    TOKEN_ALL,   /* `**` at the end */
};
struct token {
    enum token_kind kind;
    unsigned char byte;
    uint32_t members[8]; /* of a class: a bit a byte */
};

struct pattern {
    char *text; /* cleaned, without `!` */
    bool is_exception;
    enum pattern_kind kind;
    struct token *tokens;
    size_t count;
};

struct ignore {
    struct pattern *patterns;
    size_t count;
};

void ignore_free(struct ignore *ignore)
{
    for (size_t i = 0; ignore && i < ignore->count; i++) {
        free(ignore->patterns[i].text);
        free(ignore->patterns[i].tokens);
    }
    if (ignore)
        free(ignore->patterns);
    free(ignore);
}

/* `at` is behind '['; the answer is behind ']'. The pattern is known to be well-formed. */
static const char *read_class(const char *at, struct token *token)
{
    bool is_negated = *at == '^';
    at += is_negated;
    do {
        at += *at == '\\';
        unsigned low = (unsigned char)*at++, high = low;
        if (*at == '-') {
            at++;
            at += *at == '\\';
            high = (unsigned char)*at++;
        }
        for (unsigned byte = low; byte <= high; byte++)
            token->members[byte / 32] |= 1u << (byte % 32);
    } while (*at != ']');
    for (size_t i = 0; is_negated && i < ARRAY_SIZE(token->members); i++)
        token->members[i] = ~token->members[i];
    token->members[0] &= ~1u;
    return at + 1;
}

static void compile(struct pattern *pattern)
{
    const char *at = pattern->text;
    pattern->kind = PATTERN_EXACT;
    while (*at) {
        struct token *token = APPEND(pattern->tokens, pattern->count);
        bool is_first = at == pattern->text;
        enum pattern_kind kind = PATTERN_GENERAL;
        switch (*at) {
        case '*':
            if (at[1] != '*') {
                token->kind = TOKEN_RUN;
                at++;
                break;
            }
            at += at[2] == '/' ? 3 : 2;
            token->kind = *at ? TOKEN_DEEP : TOKEN_ALL;
            if (*at)
                APPEND(pattern->tokens, pattern->count)->kind = TOKEN_PATH;
            if (is_first)
                kind = PATTERN_SUFFIX;
            else if (!*at && pattern->kind == PATTERN_EXACT)
                kind = PATTERN_PREFIX;
            break;
        case '?':
            token->kind = TOKEN_ONE;
            at++;
            break;
        case '[':
            token->kind = TOKEN_CLASS;
            at = read_class(at + 1, token);
            break;
        case '\\':
            token->byte = (unsigned char)at[1];
            at += 2;
            break;
        default:
            token->byte = (unsigned char)*at++;
            kind = pattern->kind;
        }
        pattern->kind = kind;
    }
}

static bool token_takes(const struct token *token, unsigned char byte)
{
    switch (token->kind) {
    case TOKEN_BYTE:
        return token->byte == byte;
    case TOKEN_ONE:
    case TOKEN_RUN:
        return byte != '/';
    case TOKEN_CLASS:
        return token->members[byte / 32] >> (byte % 32) & 1;
    case TOKEN_PATH:
    case TOKEN_ALL:
        return true;
    case TOKEN_DEEP:
        return false;
    }
    return false;
}

/* A set of places in the pattern moves along the text: the time is at most pattern times text. */
static bool match_general(const struct pattern *pattern, const char *path, size_t length)
{
    size_t count = pattern->count;
    bool small[2][128] = {{0}};
    _cleanup_free_ bool *large = count < ARRAY_SIZE(small[0]) ? NULL : xcalloc(2 * (count + 1), sizeof(bool));
    bool *now = large ? large : small[0], *next = large ? large + count + 1 : small[1];
    now[0] = true;
    for (size_t i = 0;; i++) {
        bool is_alive = false;
        for (size_t p = 0; p < count; p++) {
            enum token_kind kind = pattern->tokens[p].kind;
            if (now[p] && (kind == TOKEN_RUN || kind == TOKEN_ALL || kind == TOKEN_DEEP))
                now[p + 1] = true;
            if (now[p] && kind == TOKEN_DEEP)
                now[p + 2] = true;
        }
        if (i == length)
            return now[count];
        unsigned char byte = (unsigned char)path[i];
        memset(next, 0, (count + 1) * sizeof(bool));
        for (size_t p = 0; p <= count; p++) {
            if (!now[p])
                continue;
            /* The rest of a character that `?` or a class began to take. */
            if (p > 0 && (byte & 0xc0) == 0x80 &&
                (pattern->tokens[p - 1].kind == TOKEN_ONE || pattern->tokens[p - 1].kind == TOKEN_CLASS))
                is_alive = next[p] = true;
            if (p == count || !token_takes(&pattern->tokens[p], byte))
                continue;
            switch (pattern->tokens[p].kind) {
            case TOKEN_RUN:
            case TOKEN_ALL:
                next[p] = true;
                break;
            case TOKEN_PATH:
                next[p] = true;
                next[p + 1] = next[p + 1] || byte == '/';
                break;
            default:
                next[p + 1] = true;
            }
            is_alive = true;
        }
        if (!is_alive)
            return false;
        bool *swap = now;
        now = next;
        next = swap;
    }
}

static bool pattern_matches(const struct pattern *pattern, const char *path, size_t length)
{
    size_t size = strlen(pattern->text);
    switch (pattern->kind) {
    case PATTERN_EXACT:
        return size == length && memcmp(path, pattern->text, size) == 0;
    case PATTERN_PREFIX:
        return length >= size - 2 && memcmp(path, pattern->text, size - 2) == 0;
    case PATTERN_SUFFIX:
        size -= 2;
        if (length >= size && memcmp(path + length - size, pattern->text + 2, size) == 0)
            return true;
        return pattern->text[2] == '/' && size == length + 1 && memcmp(path, pattern->text + 3, length) == 0;
    case PATTERN_GENERAL:
        return match_general(pattern, path, length);
    }
    return false;
}

static bool add_pattern(struct ignore *ignore, const char *text, struct error *err)
{
    _cleanup_free_ char *trimmed = text_trim(text);
    if (!*trimmed)
        return true;
    _cleanup_free_ char *clean = path_clean(trimmed);
    bool is_exception = *clean == '!';
    if (is_exception && !clean[1])
        return error_set(err, ERROR_INVALID, "illegal exclusion pattern: \"!\"");
    if (!wildcard_is_valid(clean + is_exception))
        return error_set(err, ERROR_INVALID, "syntax error in pattern");
    struct pattern *pattern = APPEND(ignore->patterns, ignore->count);
    pattern->is_exception = is_exception;
    pattern->text = xstrdup(clean + is_exception);
    compile(pattern);
    return true;
}

struct ignore *ignore_new(const struct strlist *patterns, struct error *err)
{
    struct ignore *ignore = NEW(struct ignore);
    for (size_t i = 0; i < patterns->count; i++)
        if (!add_pattern(ignore, patterns->items[i], err)) {
            ignore_free(ignore);
            return NULL;
        }
    return ignore;
}

/* A line of the file: a slash before it does not count. */
static void add_line(struct strlist *patterns, const char *line)
{
    if (*line == '#')
        return;
    _cleanup_free_ char *text = text_trim(line);
    if (!*text)
        return;
    bool is_exception = *text == '!';
    _cleanup_free_ char *rest = text_trim(text + is_exception);
    _cleanup_free_ char *clean = *rest ? path_clean(rest) : xstrdup("");
    strlist_addf(patterns, "%s%s", is_exception ? "!" : "", clean + (clean[0] == '/' && clean[1]));
}

struct ignore *ignore_parse(const char *text, size_t length, struct error *err)
{
    _cleanup_strlist_ struct strlist patterns = {0};
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        length -= 3;
    }
    _cleanup_free_ char *whole = xstrndup(text, length);
    _cleanup_strlist_ struct strlist lines = strlist_split(whole, '\n');
    for (size_t i = 0; i < lines.count; i++)
        add_line(&patterns, lines.items[i]);
    return ignore_new(&patterns, err);
}

/* The path itself, or one of the folders it is in. */
static bool matches_or_parent_does(const struct pattern *pattern, const char *path)
{
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
        if (pattern_matches(pattern, path, (size_t)(slash - path)))
            return true;
    return pattern_matches(pattern, path, strlen(path));
}

bool ignore_matches(const struct ignore *ignore, const char *path)
{
    bool is_ignored = false;
    for (size_t i = 0; i < ignore->count; i++) {
        const struct pattern *pattern = &ignore->patterns[i];
        if (pattern->is_exception == is_ignored && matches_or_parent_does(pattern, path))
            is_ignored = !is_ignored;
    }
    return is_ignored;
}

bool ignore_may_return_below(const struct ignore *ignore, const char *folder)
{
    size_t length = strlen(folder);
    for (size_t i = 0; i < ignore->count; i++) {
        const struct pattern *pattern = &ignore->patterns[i];
        if (!pattern->is_exception)
            continue;
        size_t fixed = strcspn(pattern->text, "*?[\\");
        bool is_fixed = !pattern->text[fixed];
        if (fixed > length ? strncmp(pattern->text, folder, length) == 0 && pattern->text[length] == '/'
                           : !is_fixed && strncmp(pattern->text, folder, fixed) == 0)
            return true;
    }
    return false;
}

bool wildcard_matches(const char *pattern, const char *name)
{
    bool matches = false;
    return glob_match(pattern, name, &matches) && matches;
}

bool wildcard_is_valid(const char *pattern)
{
    bool ignored;
    return glob_match(pattern, "", &ignored);
}

bool has_wildcard(const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' && text[1])
            text++;
        else if (*text == '*' || *text == '?' || *text == '[')
            return true;
    }
    return false;
}
