#include "cli/listing.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "cli/config_file.h"
#include "cli/table.h"
#include "cli/template/template.h"
#include "json/json_record.h"

bool listing_is_table(const char *format)
{
    return string_starts_with(format, "table");
}

/* docker's preFormat: what stands before the template is dropped, and \t and \n become what they mean. */
static char *clean_format(const char *format)
{
    if (string_equal(format, "json"))
        return xstrdup("{{json .}}");
    if (listing_is_table(format))
        format += strlen("table");
    struct strbuf text = STRBUF_INIT;
    while (*format == ' ')
        format++;
    size_t length = strlen(format);
    while (length > 0 && format[length - 1] == ' ')
        length--;
    for (size_t i = 0; i < length; i++)
        if (format[i] == '\\' && i + 1 < length && (format[i + 1] == 't' || format[i + 1] == 'n'))
            strbuf_add_char(&text, format[++i] == 't' ? '\t' : '\n');
        else
            strbuf_add_char(&text, format[i]);
    return strbuf_take(&text);
}

/* "com.example.my-label" heads its column as "my label". */
static char *header_of_label(const json_t *row, const char *name)
{
    const char *dot = strrchr(name, '.');
    char *header = xstrdup(dot ? dot + 1 : name);
    for (char *cursor = header; *cursor; cursor++)
        if (*cursor == '-' || *cursor == '_')
            *cursor = ' ';
    return header;
}

static void add_header(const struct listing *listing, const struct template *template, struct strbuf *out)
{
    static const struct value_method label = {"Label", header_of_label};
    struct value_type type = type_map_string;
    type.methods = &label;
    type.method_count = 1;
    _cleanup_json_ json_t *headers = json_object();
    for (size_t i = 0; i < listing->column_count; i++)
        json_object_set_new(headers, listing->columns[i].name, json_string(listing->columns[i].header));
    template_execute(template, (struct value){&type, headers}, TEMPLATE_HEADER, out, NULL);
    strbuf_add_char(out, '\n');
}

static struct value_type row_type(const struct listing *listing)
{
    return (struct value_type){
        .kind = VALUE_KIND_ROW,
        .name = listing->type_name,
        .methods = listing->methods,
        .method_count = listing->method_count,
    };
}

static bool format_rows(const struct listing *listing, const char *format, const json_t *rows, struct strbuf *out,
                        struct error *err)
{
    _cleanup_free_ char *text = clean_format(format);
    _cleanup_(template_freep) struct template *template = template_parse(text, err);
    if (!template)
        return error_prefix(err, "template parsing error");
    struct value_type type = row_type(listing);
    _cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;
    if (listing_is_table(format))
        add_header(listing, template, &lines);
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        if (!template_execute(template, (struct value){&type, row}, 0, &lines, err))
            return error_prefix(err, "template parsing error");
        strbuf_add_char(&lines, '\n');
    }
    if (listing_is_table(format))
        table_align_listing(strbuf_text(&lines), out);
    else
        strbuf_add(out, strbuf_text(&lines), lines.length);
    return true;
}

bool listing_print(const struct listing *listing, const char *format, const json_t *rows, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!format_rows(listing, format, rows, &text, err))
        return false;
    fwrite(strbuf_text(&text), 1, text.length, stdout);
    return true;
}

bool listing_print_screen(const struct listing *listing, const char *format, const json_t *rows, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!format_rows(listing, format, rows, &text, err))
        return false;
    fputs("\033[H", stdout);
    for (const char *line = strbuf_text(&text); *line; line += *line == '\n') {
        size_t length = strcspn(line, "\n");
        printf("%.*s\033[K\n", (int)length, line);
        line += length;
    }
    fputs("\033[J", stdout);
    return true;
}

bool listing_check(const struct listing *listing, const char *format, struct error *err)
{
    _cleanup_(template_freep) struct template *template = template_parse(format, err);
    if (!template)
        return error_prefix(err, "failed to parse template");
    struct value_type type = row_type(listing);
    _cleanup_strbuf_ struct strbuf ignored = STRBUF_INIT;
    _cleanup_json_ json_t *row = json_object();
    for (size_t i = 0; i < listing->column_count; i++)
        json_object_set_new(row, listing->columns[i].name, json_string(""));
    return template_execute(template, (struct value){&type, row}, 0, &ignored, err) ||
           error_prefix(err, "failed to execute template");
}

/* A dot that no name follows stands for the whole row: `json .`, `index . "ID"`. */
static bool has_bare_dot(const char *format)
{
    for (const char *dot = strchr(format, '.'); dot; dot = strchr(dot + 1, '.'))
        if (!isalpha((unsigned char)dot[1]))
            return true;
    return false;
}

bool listing_shows(const char *format, const char *column)
{
    if (!format || string_equal(format, "json") || strstr(format, column) || has_bare_dot(format))
        return true;
    return string_equal(column, "Labels") && strstr(format, ".Label");
}

char *listing_format(const struct command_call *call, const char *given, const char *key)
{
    if (string_is_set(given))
        return xstrdup(given);
    const char *format = key ? config_file_text(call, key) : NULL;
    return xstrdup(format ? format : "table");
}

void row_take(json_t *row, const char *name, char *text)
{
    json_object_set_new_nocheck(row, name, json_string_nocheck(string_or_empty(text)));
    free(text);
}

static struct value labels_of(const json_t *labels)
{
    return (struct value){&type_map_string, (json_t *)(uintptr_t)labels};
}

char *labels_text(const json_t *labels)
{
    size_t count;
    struct strbuf text = STRBUF_INIT;
    _cleanup_free_ const char **keys = value_keys(labels_of(labels), &count);
    for (size_t i = 0; i < count; i++)
        strbuf_addf(&text, "%s%s=%s", i ? "," : "", keys[i],
                    string_or_empty(json_string_value(json_object_get(labels, keys[i]))));
    return strbuf_take(&text);
}

char *listing_label(const json_t *row, const char *name)
{
    const char *labels = string_or_empty(json_string_value(json_object_get(row, "Labels")));
    size_t length = strlen(name);
    for (const char *cursor = labels; cursor && *cursor; cursor = strchr(cursor, ',')) {
        cursor += *cursor == ',';
        if (strncmp(cursor, name, length) == 0 && cursor[length] == '=')
            return xstrndup(cursor + length + 1, strcspn(cursor + length + 1, ","));
    }
    return xstrdup("");
}
