/* Percent-encoding and query strings (application/x-www-form-urlencoded, as Go's net/url reads and writes them). */
#include <ctype.h>

#include "base/memory.h"
#include "http/message.h"

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    character = (char)(character | 0x20);
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

bool http_unescape(char *text)
{
    for (const char *at = text; *at; at++)
        if (*at == '%') {
            if (hex_digit(at[1]) < 0 || hex_digit(at[2]) < 0)
                return false;
            if (at[1] == '0' && at[2] == '0')
                return false; /* a NUL would cut the text short */
            at += 2;
        }
    char *to = text;
    for (const char *at = text; *at; at++)
        if (*at == '%') {
            *to++ = (char)(hex_digit(at[1]) << 4 | hex_digit(at[2]));
            at += 2;
        } else {
            *to++ = *at;
        }
    *to = '\0';
    return true;
}

/* One "key=value" of a query, decoded; text that is badly encoded stays as it is. */
static void split_pair(const char *text, size_t length, char **key, char **value)
{
    char *pair = xstrndup(text, length);
    for (char *at = pair; *at; at++)
        if (*at == '+')
            *at = ' ';
    char *equals = strchr(pair, '=');
    *value = xstrdup(equals ? equals + 1 : "");
    if (equals)
        *equals = '\0';
    *key = pair;
    http_unescape(*key);
    http_unescape(*value);
}

static const char *next_pair(const char *query, char **key, char **value)
{
    size_t length = strcspn(query, "&");
    *key = NULL;
    if (length > 0)
        split_pair(query, length, key, value);
    return query[length] ? query + length + 1 : NULL;
}

char *http_query_bad_escape(const char *query)
{
    for (const char *at = query; (at = strchr(at, '%')); at += 3)
        if (hex_digit(at[1]) < 0 || hex_digit(at[2]) < 0 || strncmp(at, "%00", 3) == 0)
            return xstrndup(at, MIN(strcspn(at, "&"), (size_t)3));
    return NULL;
}

void http_query_parse(const char *query, struct strmap *out)
{
    while (query && *query) {
        _cleanup_free_ char *key = NULL, *value = NULL;
        query = next_pair(query, &key, &value);
        if (key)
            strmap_set(out, key, value);
    }
}

void http_query_all(const char *query, const char *wanted, struct strlist *out)
{
    while (query && *query) {
        _cleanup_free_ char *key = NULL, *value = NULL;
        query = next_pair(query, &key, &value);
        if (key && string_equal(key, wanted))
            strlist_add(out, value);
    }
}

char *http_escape(const char *text)
{
    struct strbuf out = STRBUF_INIT;
    for (; *text; text++) {
        unsigned char character = (unsigned char)*text;
        if (isalnum(character) || strchr("-_.~", character))
            strbuf_add_char(&out, *text);
        else
            strbuf_addf(&out, "%%%02X", character);
    }
    return strbuf_take(&out);
}
