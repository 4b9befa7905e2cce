#include "compose/template.h"

#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

#define NESTING_MAXIMUM 20

const char *variable_get(const struct variables *variables, const char *name)
{
    const char *value = variables->first ? strmap_get(variables->first, name) : NULL;
    return !value && variables->second ? strmap_get(variables->second, name) : value;
}

static size_t name_length(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return *text >= '0' && *text <= '9' ? 0 : strspn(text, letters);
}

/* The length of what stands before the brace that closes "${", or -1. */
static ssize_t braced_length(const char *text)
{
    int depth = 0;
    for (const char *at = text; *at; at++) {
        if (at[0] == '$' && at[1] == '$') {
            at++;
        } else if (at[0] == '$' && at[1] == '{') {
            depth++;
            at++;
        } else if (*at == '}' && depth-- == 0) {
            return at - text;
        }
    }
    return -1;
}

static bool expand(const char *text, const struct variables *variables, int depth, struct strbuf *out,
                   struct error *err);

static bool malformed(const char *text, struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "invalid interpolation format.\nYou may need to escape any $ with another $.\n%s", text);
}

static void missing(const struct variables *variables, const char *name)
{
    if (variables->missing)
        variables->missing(variables->context, name);
}

/* What stands inside of "${…}". */
static bool expand_braced(const char *inside, const struct variables *variables, int depth, struct strbuf *out,
                          struct error *err)
{
    size_t length = name_length(inside);
    _cleanup_free_ char *name = xstrndup(inside, length);
    const char *op = inside + length;
    bool has_colon = *op == ':';
    char kind = op[has_colon];
    if (length == 0 || (*op && (!kind || !strchr("-?+", kind)))) {
        _cleanup_free_ char *whole = xasprintf("${%s}", inside);
        return malformed(whole, err);
    }
    const char *value = variable_get(variables, name);
    const char *word = *op ? op + has_colon + 1 : NULL;
    if (variables->seen)
        variables->seen(variables->context, name, word && kind == '-' ? word : NULL, word && kind == '?');
    bool is_there = has_colon ? string_is_set(value) : value != NULL;
    if (!word) {
        if (!value)
            missing(variables, name);
        strbuf_add_string(out, string_or_empty(value));
        return true;
    }
    if (kind == '+')
        return !is_there || expand(word, variables, depth + 1, out, err);
    if (is_there) {
        strbuf_add_string(out, value);
        return true;
    }
    if (kind == '-')
        return expand(word, variables, depth + 1, out, err);
    _cleanup_strbuf_ struct strbuf message = STRBUF_INIT;
    if (!expand(word, variables, depth + 1, &message, err))
        return false;
    return error_set(err, ERROR_INVALID, "required variable %s is missing a value%s%s", name,
                     message.length ? ": " : "", strbuf_text(&message));
}

static bool expand(const char *text, const struct variables *variables, int depth, struct strbuf *out,
                   struct error *err)
{
    if (depth > NESTING_MAXIMUM)
        return error_set(err, ERROR_INVALID, "variables are nested too deeply");
    for (const char *at = text; *at;) {
        size_t plain = strcspn(at, "$");
        strbuf_add(out, at, plain);
        at += plain;
        if (!*at)
            break;
        size_t length = name_length(at + 1);
        if (at[1] == '$') {
            strbuf_add_char(out, '$');
            at += 2;
        } else if (at[1] == '{') {
            ssize_t count = braced_length(at + 2);
            if (count < 0)
                return malformed(text, err);
            _cleanup_free_ char *inside = xstrndup(at + 2, (size_t)count);
            if (!expand_braced(inside, variables, depth, out, err))
                return false;
            at += count + 3;
        } else if (length > 0) {
            _cleanup_free_ char *name = xstrndup(at + 1, length);
            const char *value = variable_get(variables, name);
            if (variables->seen)
                variables->seen(variables->context, name, NULL, false);
            if (!value)
                missing(variables, name);
            strbuf_add_string(out, string_or_empty(value));
            at += length + 1;
        } else {
            return malformed(text, err);
        }
    }
    return !out->is_overrun || error_set(err, ERROR_INVALID, "the text with its variables is too long");
}

char *template_expand(const char *text, const struct variables *variables, struct error *err)
{
    _cleanup_strbuf_ struct strbuf out = {.limit = (size_t)4 << 20};
    if (!expand(text, variables, 0, &out, err))
        return NULL;
    return strbuf_take(&out);
}
