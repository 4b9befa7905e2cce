#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "compose/yaml_document.h"

static bool is_like_another_type(const char *text)
{
    static const char *const words[] = {"y", "Y", "yes", "Yes", "YES", "on",  "On",  "ON",
                                        "n", "N", "no",  "No",  "NO",  "off", "Off", "OFF"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    /* 1_000 and 1:30 were numbers in YAML 1.1. */
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && text[strspn(text, "0123456789:.")] == '\0' && strchr(text, ':') && !strstr(text, "::"))
        return true;
    _cleanup_free_ char *copy = xstrdup(text);
    struct element node = {.text = copy};
    element_resolve(&node);
    return node.kind != ELEMENT_STRING || string_equal(text, "=") || string_equal(text, "<<");
}

/* A date such as 2001-01-01 is a timestamp to yaml.v3. */
static bool is_date(const char *text)
{
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof(form) - 1; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return text[10] == '\0' || text[10] == 'T' || text[10] == ' ';
}

static bool can_be_plain(const char *text)
{
    if (!*text || strchr("-?:", *text)) {
        if (!*text || text[1] == '\0' || text[1] == ' ')
            return false;
    }
    if (strchr("#,[]{}&*!|>'\"%@`", *text) || *text == ' ' || text[strlen(text) - 1] == ' ')
        return false;
    if (string_starts_with(text, "---") || string_starts_with(text, "..."))
        return false;
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 127)
            return false;
        if ((*at == ':' && (at[1] == ' ' || at[1] == '\0')) || (*at == '#' && at > text && at[-1] == ' '))
            return false;
    }
    return true;
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\n') || *text == 127)
            return true;
    return false;
}

static void write_double_quoted(const char *text, struct strbuf *out)
{
    strbuf_add_char(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            strbuf_addf(out, "\\%c", c);
        else if (c == '\n')
            strbuf_add_string(out, "\\n");
        else if (c == '\t')
            strbuf_add_string(out, "\\t");
        else if (c == '\r')
            strbuf_add_string(out, "\\r");
        else if (c < ' ' || c == 127)
            strbuf_addf(out, "\\x%02X", c);
        else
            strbuf_add_char(out, (char)c);
    }
    strbuf_add_char(out, '"');
}

static void write_block(const char *text, int indent, struct strbuf *out)
{
    size_t length = strlen(text);
    strbuf_add_char(out, '|');
    if (*text == ' ' || *text == '\n')
        strbuf_add_char(out, '2');
    if (text[length - 1] != '\n')
        strbuf_add_char(out, '-');
    else if (length == 1 || text[length - 2] == '\n')
        strbuf_add_char(out, '+');
    for (const char *line = text; *line;) {
        size_t count = strcspn(line, "\n");
        strbuf_add_char(out, '\n');
        if (count > 0)
            strbuf_addf(out, "%*s%.*s", indent, "", (int)count, line);
        line += count + (line[count] == '\n');
    }
}

static void write_string(const char *text, int indent, bool is_key, struct strbuf *out)
{
    if (has_control(text) || (is_key && strchr(text, '\n'))) {
        write_double_quoted(text, out);
    } else if (strchr(text, '\n')) {
        write_block(text, indent, out);
    } else if (is_like_another_type(text) || is_date(text)) {
        write_double_quoted(text, out);
    } else if (can_be_plain(text)) {
        strbuf_add_string(out, text);
    } else {
        strbuf_add_char(out, '\'');
        for (; *text; text++) {
            if (*text == '\'')
                strbuf_add_char(out, '\'');
            strbuf_add_char(out, *text);
        }
        strbuf_add_char(out, '\'');
    }
}

static bool is_block(const json_t *json)
{
    return (json_is_object(json) && json_object_size(json) > 0) || (json_is_array(json) && json_array_size(json) > 0);
}

static void write_scalar(const json_t *json, int indent, struct strbuf *out)
{
    if (json_is_string(json))
        write_string(json_string_value(json), indent, false, out);
    else if (json_is_object(json))
        strbuf_add_string(out, "{}");
    else if (json_is_array(json))
        strbuf_add_string(out, "[]");
    else if (json_is_null(json))
        strbuf_add_string(out, "null");
    else if (json_is_integer(json))
        strbuf_addf(out, "%lld", (long long)json_integer_value(json));
    else if (json_is_real(json))
        strbuf_addf(out, "%.*g", 8, json_real_value(json));
    else
        strbuf_add_string(out, json_is_true(json) ? "true" : "false");
}

/* The lines of a map or list; the first starts where we are, after `indent` columns. */
static void write_lines(const json_t *json, int indent, struct strbuf *out)
{
    const char *key;
    json_t *item;
    size_t i;
    bool is_first = true;
    json_object_foreach((json_t *)(uintptr_t)json, key, item)
    {
        if (!is_first)
            strbuf_addf(out, "%*s", indent, "");
        is_first = false;
        write_string(key, indent, true, out);
        strbuf_add_char(out, ':');
        if (is_block(item)) {
            strbuf_addf(out, "\n%*s", indent + 2, "");
            write_lines(item, indent + 2, out);
            continue;
        }
        strbuf_add_char(out, ' ');
        write_scalar(item, indent + 2, out);
        strbuf_add_char(out, '\n');
    }
    json_array_foreach(json, i, item)
    {
        strbuf_addf(out, "%*s- ", i > 0 ? indent : 0, "");
        if (is_block(item)) {
            write_lines(item, indent + 2, out);
            continue;
        }
        write_scalar(item, indent + 2, out);
        strbuf_add_char(out, '\n');
    }
}

void yaml_write(const json_t *json, struct strbuf *out)
{
    if (is_block(json)) {
        write_lines(json, 0, out);
        return;
    }
    write_scalar(json, 0, out);
    strbuf_add_char(out, '\n');
}
