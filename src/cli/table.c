#include "cli/table.h"

#include <string.h>

#include "base/memory.h"

struct cell {
    const char *text;
    size_t length;
    size_t width;
};
struct line {
    struct cell *cells; /* the last one is not terminated by a tab */
    size_t count;
};
struct table {
    struct line *lines;
    size_t count;
    size_t minimum_width;
    size_t padding;
    size_t *widths; /* of the columns to the left */
    size_t depth;
    struct strbuf *out;
};

static size_t width_of(const char *text, size_t length)
{
    size_t width = 0;
    for (size_t i = 0; i < length; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

static void split(const char *text, struct table *table)
{
    struct line *line = APPEND(table->lines, table->count);
    while (true) {
        size_t length = strcspn(text, "\t\v\n\f");
        *APPEND(line->cells, line->count) = (struct cell){text, length, width_of(text, length)};
        text += length;
        if (!*text)
            return;
        if (*text == '\n' || *text == '\f')
            line = APPEND(table->lines, table->count);
        text++;
    }
}

static void write_lines(struct table *table, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct line *line = &table->lines[i];
        for (size_t k = 0; k < line->count; k++) {
            const struct cell *cell = &line->cells[k];
            strbuf_add(table->out, cell->text, cell->length);
            if (k < table->depth)
                for (size_t pad = cell->width; pad < table->widths[k]; pad++)
                    strbuf_add_char(table->out, ' ');
        }
        if (i + 1 < table->count)
            strbuf_add_char(table->out, '\n');
    }
}

/* Lines [from, to) share the columns left of depth; looks for blocks of lines that have one more. */
static void format(struct table *table, size_t from, size_t to)
{
    size_t column = table->depth, start = from;
    for (size_t i = from; i < to; i++) {
        if (column + 1 >= table->lines[i].count)
            continue;
        write_lines(table, start, i);
        size_t width = table->minimum_width, end = i;
        for (; end < to && column + 1 < table->lines[end].count; end++)
            width = MAX(width, table->lines[end].cells[column].width + table->padding);
        table->widths[table->depth++] = width;
        format(table, i, end);
        table->depth--;
        start = end;
        i = end - 1;
    }
    write_lines(table, start, to);
}

void table_align(const char *text, size_t minimum_width, size_t padding, struct strbuf *out)
{
    struct table table = {.minimum_width = minimum_width, .padding = padding, .out = out};
    split(text, &table);
    size_t columns = 0;
    for (size_t i = 0; i < table.count; i++)
        columns = MAX(columns, table.lines[i].count);
    table.widths = xcalloc(columns + 1, sizeof(size_t));
    format(&table, 0, table.count);
    for (size_t i = 0; i < table.count; i++)
        free(table.lines[i].cells);
    free(table.lines);
    free(table.widths);
}

void table_align_listing(const char *text, struct strbuf *out)
{
    table_align(text, 10, 3, out);
}
