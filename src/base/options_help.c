/* The option lines of --help, in the layout of pflag's FlagUsagesWrapped. */
#include <string.h>

#include "base/memory.h"
#include "base/options.h"

/* Words that would stand alone on a last line may go this far beyond the margin. */
#define ORPHAN_SLACK 5
/* Below this there is no room for text beside the flags: it goes under them. */
#define NARROWEST_TEXT 24
#define BLOCK_INDENT   16

static void add_spaces(struct strbuf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        strbuf_add_char(out, ' ');
}

/* The number of bytes of `text` that go on this line; *next is where the following line starts. */
static size_t line_break(const char *text, size_t width, const char **next)
{
    size_t length = strlen(text);
    *next = text + length;
    if (width + ORPHAN_SLACK > length)
        return length;
    size_t space = 0, newline = 0;
    for (size_t i = 0; i < width; i++) {
        if (text[i] == ' ' || text[i] == '\t' || text[i] == '\n')
            space = i;
        if (text[i] == '\n')
            newline = i;
    }
    if (space == 0)
        return length;
    if (newline > 0)
        space = newline;
    *next = text + space + 1;
    return space;
}

static void add_indented(struct strbuf *out, const char *text, size_t length, size_t indent)
{
    for (size_t i = 0; i < length; i++) {
        strbuf_add_char(out, text[i]);
        if (text[i] == '\n')
            add_spaces(out, indent);
    }
}

static void add_wrapped(struct strbuf *out, const char *text, size_t indent, size_t width)
{
    if (width < indent + NARROWEST_TEXT) {
        indent = BLOCK_INDENT;
        strbuf_add_char(out, '\n');
        add_spaces(out, indent);
    }
    if (width < indent + NARROWEST_TEXT) {
        add_indented(out, text, strlen(text), indent);
        return;
    }
    bool is_first = true;
    while (*text || is_first) {
        const char *next = NULL;
        size_t length = line_break(text, width - indent - ORPHAN_SLACK, &next);
        if (!is_first) {
            strbuf_add_char(out, '\n');
            add_spaces(out, indent);
        }
        add_indented(out, text, length, indent);
        text = next;
        is_first = false;
    }
}

static size_t flag_width(const struct option *option)
{
    return strlen("  -x, --") + strlen(option->name) + (option->value_name ? 1 + strlen(option->value_name) : 0);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const struct option *const *)a)->name, (*(const struct option *const *)b)->name);
}

void option_help_text(const struct option *option, struct strbuf *out)
{
    strbuf_add_string(out, option->help);
    if (option->default_text && option->kind == OPTION_STRING) {
        strbuf_add_string(out, " (default ");
        string_quote(option->default_text, out);
        strbuf_add_char(out, ')');
    } else if (option->default_text) {
        strbuf_addf(out, " (default %s)", option->default_text);
    }
}

void options_help(const struct option_table *table, size_t width, struct strbuf *out)
{
    _cleanup_free_ const struct option **sorted = xcalloc(table->count + 1, sizeof(*sorted));
    size_t count = 0, widest = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (table->options[i].is_hidden)
            continue;
        sorted[count++] = &table->options[i];
        widest = MAX(widest, flag_width(&table->options[i]));
    }
    qsort(sorted, count, sizeof(*sorted), compare_names);
    for (size_t i = 0; i < count; i++) {
        const struct option *option = sorted[i];
        if (option->short_name)
            strbuf_addf(out, "  -%c, --%s", option->short_name, option->name);
        else
            strbuf_addf(out, "      --%s", option->name);
        if (option->value_name)
            strbuf_addf(out, " %s", option->value_name);
        add_spaces(out, widest + 3 - flag_width(option));
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        option_help_text(option, &text);
        add_wrapped(out, strbuf_text(&text), widest + 3, width);
        strbuf_add_char(out, '\n');
    }
}
