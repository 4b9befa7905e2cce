#include "build/mode_change.h"

#include <string.h>

static bool is_octal(const char *text)
{
    size_t digits = strspn(text, "01234567");
    return digits > 0 && digits <= 5 && !text[digits] && strtol(text, NULL, 8) <= 07777;
}

/* One clause, "go-w": the bits of `who`, then operations. Returns what follows, NULL where it is none. */
static const char *apply_clause(const char *at, mode_t *mode)
{
    mode_t who = 0;
    for (; *at && strchr("ugoa", *at); at++)
        who |= *at == 'u' ? 04700 : *at == 'g' ? 02070 : *at == 'o' ? 01007 : 07777;
    if (!who)
        who = 07777;
    if (!*at || !strchr("+-=", *at))
        return NULL;
    while (*at && strchr("+-=", *at)) {
        char operation = *at++;
        mode_t bits = 0;
        for (; *at && strchr("rwxXstugo", *at); at++) {
            bool has_x = S_ISDIR(*mode) || (*mode & 0111);
            mode_t old = *mode;
            switch (*at) {
            case 'r':
                bits |= 0444;
                break;
            case 'w':
                bits |= 0222;
                break;
            case 'x':
                bits |= 0111;
                break;
            case 'X':
                bits |= has_x ? 0111 : 0;
                break;
            case 's':
                bits |= 06000;
                break;
            case 't':
                bits |= 01000;
                break;
            case 'u':
                bits |= (old >> 6 & 7) * 0111;
                break;
            case 'g':
                bits |= (old >> 3 & 7) * 0111;
                break;
            default:
                bits |= (old & 7) * 0111;
            }
        }
        bits &= who;
        if (operation == '+')
            *mode |= bits;
        else if (operation == '-')
            *mode &= ~bits;
        else
            *mode = (*mode & ~(who & 07777)) | bits;
    }
    return at;
}

static bool apply(const char *text, mode_t *mode)
{
    if (is_octal(text)) {
        *mode = (*mode & S_IFMT) | (mode_t)strtol(text, NULL, 8);
        return true;
    }
    for (const char *at = text;; at++) {
        at = apply_clause(at, mode);
        if (!at || (*at && *at != ','))
            return false;
        if (!*at)
            return true;
    }
}

bool mode_change_is_valid(const char *text, struct error *err)
{
    mode_t mode = S_IFREG | 0644;
    return !text || apply(text, &mode) ||
           error_set(err, ERROR_INVALID,
                     "invalid chmod parameter: '%s'. it should be octal string and between 0 and 07777", text);
}

mode_t mode_change_apply(const char *text, mode_t mode)
{
    if (text)
        apply(text, &mode);
    return mode & 07777;
}
