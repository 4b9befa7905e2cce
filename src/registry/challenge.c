#include "registry/challenge.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

#define MAX_CHALLENGES 16
#define MAX_PARAMETERS 32

void challenge_list_release(struct challenge_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].scheme);
        strmap_release(&list->items[i].parameters);
    }
    free(list->items);
    *list = (struct challenge_list){0};
}

static bool is_token(char c)
{
    return c && (isalnum((unsigned char)c) || strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_length(const char *text)
{
    size_t length = 0;
    while (is_token(text[length]))
        length++;
    return length;
}

static char *take_lower(const char **at, size_t length)
{
    char *text = xstrndup(*at, length);
    for (char *c = text; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    *at += length;
    return text;
}

static void skip_space(const char **at, const char *further)
{
    while (**at && (isspace((unsigned char)**at) || strchr(further, **at)))
        (*at)++;
}

/* A token or a quoted string; NULL where it is neither. */
static char *take_value(const char **at)
{
    if (**at != '"') {
        size_t length = token_length(*at);
        char *text = length ? xstrndup(*at, length) : NULL;
        *at += length;
        return text;
    }
    struct strbuf text = STRBUF_INIT;
    for ((*at)++; **at && **at != '"'; (*at)++) {
        if (**at == '\\' && (*at)[1])
            (*at)++;
        strbuf_add_char(&text, **at);
    }
    if (**at != '"') {
        strbuf_release(&text);
        return NULL;
    }
    (*at)++;
    return strbuf_take(&text);
}

/* name = value; *at stays where it was when that is not what comes, because then it is the next scheme. */
static bool take_parameter(const char **at, struct challenge *challenge)
{
    const char *cursor = *at;
    size_t length = token_length(cursor);
    if (length == 0)
        return false;
    _cleanup_free_ char *name = take_lower(&cursor, length);
    skip_space(&cursor, "");
    if (*cursor != '=')
        return false;
    cursor++;
    skip_space(&cursor, "");
    _cleanup_free_ char *value = take_value(&cursor);
    if (!value)
        return false;
    if (challenge->parameters.count < MAX_PARAMETERS)
        strmap_set(&challenge->parameters, name, value);
    *at = cursor;
    return true;
}

void challenges_parse(const char *header, struct challenge_list *out)
{
    const char *at = header;
    while (out->count < MAX_CHALLENGES) {
        skip_space(&at, ",");
        size_t length = token_length(at);
        if (length == 0)
            return;
        struct challenge *challenge = APPEND(out->items, out->count);
        challenge->scheme = take_lower(&at, length);
        do
            skip_space(&at, ",");
        while (take_parameter(&at, challenge));
    }
}

const struct challenge *challenge_find(const struct challenge_list *list, const char *scheme)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].scheme, scheme) == 0)
            return &list->items[i];
    return NULL;
}
