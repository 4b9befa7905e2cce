#include "cli/template/functions.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/template/print.h"

struct value pool_take(struct value_pool *pool, const struct value_type *type, json_t *json)
{
    if (!pool->items)
        pool->items = json_array();
    json_array_append_new(pool->items, json);
    return (struct value){type, json};
}

struct value pool_string(struct value_pool *pool, char *text)
{
    struct value value = pool_take(pool, &type_string, json_string_nocheck(text));
    free(text);
    return value;
}

struct value pool_int(struct value_pool *pool, int64_t number)
{
    return pool_take(pool, &type_int, json_integer(number));
}

struct value pool_bool(struct value_pool *pool, bool is_true)
{
    return pool_take(pool, &type_bool, json_boolean(is_true));
}

static const char *text_argument(const struct template_call *call, size_t index)
{
    return string_or_empty(json_string_value(call->arguments[index].json));
}

static bool call_json(const struct template_call *call, struct value *out, struct error *err)
{
    struct strbuf text = STRBUF_INIT;
    if (call->is_header)
        print_value(call->arguments[0], &text);
    else
        value_encode(call->arguments[0], &text);
    *out = pool_string(call->pool, strbuf_take(&text));
    return true;
}

static bool change_case(const struct template_call *call, int (*change)(int), bool only_first, struct value *out)
{
    char *text = xstrdup(text_argument(call, 0));
    bool is_start = true;
    for (char *cursor = text; *cursor && !call->is_header; cursor++) {
        unsigned char byte = (unsigned char)*cursor;
        if (byte < 0x80 && (is_start || !only_first))
            *cursor = (char)change(byte);
        /* strings.Title: letters after anything but a letter, a digit or '_' */
        is_start = byte < 0x80 && !isalnum(byte) && byte != '_';
    }
    *out = pool_string(call->pool, text);
    return true;
}

static bool call_title(const struct template_call *call, struct value *out, struct error *err)
{
    return change_case(call, toupper, true, out);
}

static bool call_upper(const struct template_call *call, struct value *out, struct error *err)
{
    return change_case(call, toupper, false, out);
}

static bool call_lower(const struct template_call *call, struct value *out, struct error *err)
{
    return change_case(call, tolower, false, out);
}

/* pad "x" 1 2 → " x  "; an empty text stays empty. */
static bool call_pad(const struct template_call *call, struct value *out, struct error *err)
{
    int64_t before = value_int(call->arguments[1]), after = value_int(call->arguments[2]);
    if (before < 0 || after < 0 || before > 1 << 20 || after > 1 << 20)
        return error_set(err, ERROR_INVALID, "strings: negative Repeat count");
    const char *text = text_argument(call, 0);
    *out = pool_string(call->pool, *text ? xasprintf("%*s%s%*s", (int)before, "", text, (int)after, "") : xstrdup(""));
    return true;
}

static bool call_truncate(const struct template_call *call, struct value *out, struct error *err)
{
    const char *text = text_argument(call, 0);
    int64_t limit = value_int(call->arguments[1]);
    bool is_cut = !call->is_header && (int64_t)strlen(text) > limit;
    if (is_cut && limit < 0)
        return error_set(err, ERROR_INVALID, "runtime error: slice bounds out of range [:%lld]", (long long)limit);
    *out = pool_string(call->pool, is_cut ? xstrndup(text, (size_t)limit) : xstrdup(text));
    return true;
}

static bool call_print(const struct template_call *call, struct value *out, struct error *err)
{
    struct strbuf text = STRBUF_INIT;
    print_plain(call->arguments, call->count, &text);
    *out = pool_string(call->pool, strbuf_take(&text));
    return true;
}

static bool call_println(const struct template_call *call, struct value *out, struct error *err)
{
    struct strbuf text = STRBUF_INIT;
    print_line(call->arguments, call->count, &text);
    *out = pool_string(call->pool, strbuf_take(&text));
    return true;
}

static bool call_printf(const struct template_call *call, struct value *out, struct error *err)
{
    struct strbuf text = STRBUF_INIT;
    print_format(text_argument(call, 0), call->arguments + 1, call->count - 1, &text);
    *out = pool_string(call->pool, strbuf_take(&text));
    return true;
}

static bool call_not(const struct template_call *call, struct value *out, struct error *err)
{
    *out = pool_bool(call->pool, !value_is_true(call->arguments[0]));
    return true;
}

/* The escaping functions' view of their arguments: one string as it is, all else as print gives it. */
static char *escape_input(const struct template_call *call)
{
    struct strbuf text = STRBUF_INIT;
    print_plain(call->arguments, call->count, &text);
    return strbuf_take(&text);
}

static bool call_html(const struct template_call *call, struct value *out, struct error *err)
{
    _cleanup_free_ char *input = escape_input(call);
    struct strbuf text = STRBUF_INIT;
    for (const char *cursor = input; *cursor; cursor++)
        switch (*cursor) {
        case '"':
            strbuf_add_string(&text, "&#34;");
            break;
        case '\'':
            strbuf_add_string(&text, "&#39;");
            break;
        case '&':
            strbuf_add_string(&text, "&amp;");
            break;
        case '<':
            strbuf_add_string(&text, "&lt;");
            break;
        case '>':
            strbuf_add_string(&text, "&gt;");
            break;
        default:
            strbuf_add_char(&text, *cursor);
        }
    *out = pool_string(call->pool, strbuf_take(&text));
    return true;
}

static bool call_js(const struct template_call *call, struct value *out, struct error *err)
{
    _cleanup_free_ char *input = escape_input(call);
    struct strbuf text = STRBUF_INIT;
    for (const char *cursor = input; *cursor; cursor++)
        if (strchr("\\'\"", *cursor))
            strbuf_addf(&text, "\\%c", *cursor);
        else if ((unsigned char)*cursor < 0x20 || strchr("<>&=", *cursor))
            strbuf_addf(&text, "\\u%04X", *cursor);
        else
            strbuf_add_char(&text, *cursor);
    *out = pool_string(call->pool, strbuf_take(&text));
    return true;
}

static bool call_urlquery(const struct template_call *call, struct value *out, struct error *err)
{
    _cleanup_free_ char *input = escape_input(call);
    struct strbuf text = STRBUF_INIT;
    for (const char *cursor = input; *cursor; cursor++) {
        unsigned char byte = (unsigned char)*cursor;
        if (byte < 0x80 && (isalnum(byte) || strchr("-_.~", byte)))
            strbuf_add_char(&text, *cursor);
        else if (byte == ' ')
            strbuf_add_char(&text, '+');
        else
            strbuf_addf(&text, "%%%02X", byte);
    }
    *out = pool_string(call->pool, strbuf_take(&text));
    return true;
}

/* No value that a template can see is a function. */
static bool call_call(const struct template_call *call, struct value *out, struct error *err)
{
    struct value value = value_of_interface(call->arguments[0]);
    if (!value.type)
        return error_set(err, ERROR_INVALID, "call of nil");
    return error_set(err, ERROR_INVALID, "non-function %s of type %s", call->source, value.type->name);
}

static const struct template_function functions[] = {
    {"and", "vv*", NULL, true},
    {"call", "vv*", call_call, false},
    {"eq", "vv*", function_eq, false},
    {"ge", "vv", function_ge, false},
    {"gt", "vv", function_gt, false},
    {"html", "v*", call_html, false},
    {"index", "vv*", function_index, false},
    {"join", "ls", function_join, false},
    {"js", "v*", call_js, false},
    {"json", "v", call_json, false},
    {"le", "vv", function_le, false},
    {"len", "v", function_len, false},
    {"lower", "s", call_lower, false},
    {"lt", "vv", function_lt, false},
    {"ne", "vv", function_ne, false},
    {"not", "v", call_not, false},
    {"or", "vv*", NULL, true},
    {"pad", "sii", call_pad, false},
    {"print", "v*", call_print, false},
    {"printf", "sv*", call_printf, false},
    {"println", "v*", call_println, false},
    {"slice", "vv*", function_slice, false},
    {"split", "ss", function_split, false},
    {"title", "s", call_title, false},
    {"truncate", "si", call_truncate, false},
    {"upper", "s", call_upper, false},
    {"urlquery", "v*", call_urlquery, false},
};

const struct template_function *template_function_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}
