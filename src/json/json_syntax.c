#include "json/json_syntax.h"

#include <ctype.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "json/json_record.h"

struct scanner {
    const char *at, *end;
    char *problem;
};

static bool fail(struct scanner *scanner, const char *where)
{
    if (scanner->at == scanner->end) {
        scanner->problem = xstrdup("unexpected EOF");
        return false;
    }
    /* Go takes the byte for a character of Latin-1, and quotes it as in its source. */
    static const char letters[] = "abtnvfr", controls[] = "\a\b\t\n\v\f\r";
    unsigned char byte = (unsigned char)*scanner->at;
    const char *control = byte ? strchr(controls, byte) : NULL;
    char quoted[8] = {(char)byte};
    if (control)
        snprintf(quoted, sizeof(quoted), "\\%c", letters[control - controls]);
    else if (byte == '\'' || byte == '\\')
        snprintf(quoted, sizeof(quoted), "\\%c", byte);
    else if (byte < 0x20 || byte == 0x7f)
        snprintf(quoted, sizeof(quoted), "\\x%02x", byte);
    else if ((byte >= 0x80 && byte <= 0xa0) || byte == 0xad)
        snprintf(quoted, sizeof(quoted), "\\u%04x", byte);
    else if (byte >= 0x80)
        snprintf(quoted, sizeof(quoted), "%c%c", 0xc0 | byte >> 6, 0x80 | (byte & 0x3f));
    scanner->problem = xasprintf("invalid character '%s' %s", quoted, where);
    return false;
}

static bool is_at(const struct scanner *scanner, const char *characters)
{
    return scanner->at < scanner->end && *scanner->at && strchr(characters, *scanner->at);
}

static void skip_space(struct scanner *scanner)
{
    while (is_at(scanner, " \t\r\n"))
        scanner->at++;
}

static bool scan_literal(struct scanner *scanner, const char *literal)
{
    for (const char *expected = literal; *expected; expected++, scanner->at++) {
        if (scanner->at < scanner->end && *scanner->at == *expected)
            continue;
        _cleanup_free_ char *where = xasprintf("in literal %s (expecting '%c')", literal, *expected);
        return fail(scanner, where);
    }
    return true;
}

static bool scan_string(struct scanner *scanner)
{
    for (scanner->at++; !is_at(scanner, "\""); scanner->at++) {
        if (scanner->at == scanner->end || (unsigned char)*scanner->at < 0x20)
            return fail(scanner, "in string literal");
        if (*scanner->at != '\\')
            continue;
        scanner->at++;
        if (!is_at(scanner, "\"\\/bfnrtu"))
            return fail(scanner, "in string escape code");
        for (int digits = *scanner->at == 'u' ? 4 : 0; digits > 0; digits--) {
            scanner->at++;
            if (!is_at(scanner, "0123456789abcdefABCDEF"))
                return fail(scanner, "in \\u hexadecimal character escape");
        }
    }
    scanner->at++;
    return true;
}

static bool scan_digits(struct scanner *scanner, const char *where)
{
    if (!is_at(scanner, "0123456789"))
        return fail(scanner, where);
    while (is_at(scanner, "0123456789"))
        scanner->at++;
    return true;
}

static bool scan_number(struct scanner *scanner)
{
    if (*scanner->at == '-')
        scanner->at++;
    if (is_at(scanner, "0"))
        scanner->at++;
    else if (!scan_digits(scanner, "in numeric literal"))
        return false;
    if (is_at(scanner, ".")) {
        scanner->at++;
        if (!scan_digits(scanner, "after decimal point in numeric literal"))
            return false;
    }
    if (!is_at(scanner, "eE"))
        return true;
    scanner->at++;
    if (is_at(scanner, "+-"))
        scanner->at++;
    return scan_digits(scanner, "in exponent of numeric literal");
}

static bool scan_scalar(struct scanner *scanner)
{
    if (is_at(scanner, "\""))
        return scan_string(scanner);
    if (is_at(scanner, "-0123456789"))
        return scan_number(scanner);
    if (is_at(scanner, "t"))
        return scan_literal(scanner, "true");
    if (is_at(scanner, "f"))
        return scan_literal(scanner, "false");
    if (is_at(scanner, "n"))
        return scan_literal(scanner, "null");
    return fail(scanner, "looking for beginning of value");
}

static bool scan_key(struct scanner *scanner)
{
    skip_space(scanner);
    if (!is_at(scanner, "\""))
        return fail(scanner, "looking for beginning of object key string");
    if (!scan_string(scanner))
        return false;
    skip_space(scanner);
    if (!is_at(scanner, ":"))
        return fail(scanner, "after object key");
    scanner->at++;
    return true;
}

/* One value, without recursion: `open` holds the brackets that are waited for. */
static bool scan_value(struct scanner *scanner)
{
    char open[JSON_MAX_DEPTH + 1];
    size_t depth = 0;
    for (;;) {
        skip_space(scanner);
        if (is_at(scanner, "{[") && depth < sizeof(open)) {
            open[depth++] = *scanner->at++ == '{' ? '}' : ']';
            skip_space(scanner);
            bool is_empty = scanner->at < scanner->end && *scanner->at == open[depth - 1];
            if (!is_empty && open[depth - 1] == '}' && !scan_key(scanner))
                return false;
            if (!is_empty)
                continue;
        } else if (!scan_scalar(scanner)) {
            return false;
        }
        /* After a value: the end of whatever it closes, or the next one. */
        for (; depth > 0; depth--, scanner->at++) {
            skip_space(scanner);
            if (scanner->at == scanner->end || *scanner->at != open[depth - 1])
                break;
        }
        if (depth == 0)
            return true;
        if (!is_at(scanner, ","))
            return fail(scanner, open[depth - 1] == '}' ? "after object key:value pair" : "after array element");
        scanner->at++;
        if (open[depth - 1] == '}' && !scan_key(scanner))
            return false;
    }
}

char *json_syntax_problem(const char *text, size_t length)
{
    struct scanner scanner = {.at = text, .end = text + length};
    scan_value(&scanner);
    return scanner.problem;
}
