/* `wherry __man FOLDER`: writes the manual pages, one for each name of each command, from the tables that --help uses.
   `make install` calls it. */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/global_options.h"

/* roff gives '-', '\' and a dot or quote at the start of a line meanings of their own. */
static void add_text(struct strbuf *page, const char *text)
{
    bool is_line_start = true;
    for (; *text; text++) {
        if (*text == '-')
            strbuf_add_string(page, "\\-");
        else if (*text == '\\')
            strbuf_add_string(page, "\\e");
        else if (is_line_start && (*text == '.' || *text == '\''))
            strbuf_addf(page, "\\&%c", *text);
        else
            strbuf_add_char(page, *text);
        is_line_start = *text == '\n';
    }
}

/* Text whose lines stay as they are. */
static void add_lines(struct strbuf *page, const char *text)
{
    strbuf_add_string(page, ".nf\n");
    add_text(page, text);
    strbuf_add_string(page, "\n.fi\n");
}

static int compare_options(const void *left, const void *right)
{
    return strcmp((*(const struct option *const *)left)->name, (*(const struct option *const *)right)->name);
}

static void add_options(struct strbuf *page, const struct option_table *table, const char *title)
{
    _cleanup_free_ const struct option **sorted = xcalloc(table->count + 1, sizeof(*sorted));
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (!table->options[i].is_hidden)
            sorted[count++] = &table->options[i];
    }
    if (count == 0)
        return;
    qsort(sorted, count, sizeof(*sorted), compare_options);
    strbuf_addf(page, ".SH %s\n", title);
    for (size_t i = 0; i < count; i++) {
        strbuf_add_string(page, ".TP\n\\fB");
        if (sorted[i]->short_name)
            strbuf_addf(page, "\\-%c\\fR, \\fB", sorted[i]->short_name);
        strbuf_add_string(page, "\\-\\-");
        add_text(page, sorted[i]->name);
        strbuf_add_string(page, "\\fR");
        if (sorted[i]->value_name) {
            strbuf_add_string(page, " \\fI");
            add_text(page, sorted[i]->value_name);
            strbuf_add_string(page, "\\fR");
        }
        strbuf_add_char(page, '\n');
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        option_help_text(sorted[i], &text);
        if (strchr(strbuf_text(&text), '\n'))
            add_lines(page, strbuf_text(&text));
        else {
            add_text(page, strbuf_text(&text));
            strbuf_add_char(page, '\n');
        }
    }
}

static void add_children(struct strbuf *page, const char *parent)
{
    size_t length = strlen(parent);
    strbuf_add_string(page, ".SH COMMANDS\n");
    for (size_t i = 0; i < command_count; i++) {
        const char *name = commands[i]->paths[0];
        bool is_child = length == 0 || (strncmp(name, parent, length) == 0 && name[length] == ' ');
        if (!is_child || commands[i]->is_hidden || (length == 0 && strchr(name, ' ')))
            continue;
        strbuf_add_string(page, ".TP\n\\fB");
        add_text(page, length ? name + length + 1 : name);
        strbuf_add_string(page, "\\fR\n");
        add_text(page, commands[i]->help);
        strbuf_add_char(page, '\n');
    }
}

/* "wherry container run" → "wherry-container-run" */
static char *page_name(const char *path)
{
    char *name = *path ? xasprintf("wherry-%s", path) : xstrdup("wherry");
    for (char *at = name; *at; at++)
        *at = *at == ' ' ? '-' : *at;
    return name;
}

static void add_head(struct strbuf *page, const char *name, const char *help)
{
    _cleanup_free_ char *title = xstrdup(name);
    for (char *at = title; *at; at++)
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - ('a' - 'A')) : *at;
    strbuf_addf(page, ".TH \"%s\" 1 \"\" \"wherry " WHERRY_VERSION "\" \"Wherry\"\n.SH NAME\n", title);
    add_text(page, name);
    strbuf_add_string(page, " \\- ");
    add_text(page, help);
    strbuf_add_string(page, "\n.SH SYNOPSIS\n");
}

static bool write_page(const char *folder, const char *name, const struct strbuf *page, struct error *err)
{
    _cleanup_free_ char *path = xasprintf("%s/%s.1", folder, name);
    return file_write(AT_FDCWD, path, strbuf_text(page), page->length, 0644, err);
}

static bool write_command(const char *folder, const struct command *command, const char *path, struct error *err)
{
    _cleanup_strbuf_ struct strbuf page = STRBUF_INIT, usage = STRBUF_INIT;
    _cleanup_free_ char *name = page_name(path);
    add_head(&page, name, command->help);
    help_usage_line(command, path, &usage);
    add_lines(&page, strbuf_text(&usage) + strspn(strbuf_text(&usage) + strlen("Usage:"), " ") + strlen("Usage:"));
    strbuf_add_string(&page, ".SH DESCRIPTION\n");
    add_lines(&page, command->long_help ? command->long_help : command->help);
    if (command->paths[1]) {
        strbuf_add_string(&page, ".SH ALIASES\n");
        for (const char *const *alias = command->paths; *alias; alias++) {
            strbuf_addf(&page, "%swherry ", alias == command->paths ? "" : ", ");
            add_text(&page, *alias);
        }
        strbuf_add_char(&page, '\n');
    }
    if (!command->run)
        add_children(&page, path);
    add_options(&page, &command->options, "OPTIONS");
    strbuf_add_string(&page, ".SH SEE ALSO\n\\fBwherry\\fR(1)\n");
    return write_page(folder, name, &page, err);
}

static bool write_top(const char *folder, struct error *err)
{
    _cleanup_strbuf_ struct strbuf page = STRBUF_INIT;
    add_head(&page, "wherry", "A self-sufficient runtime for containers");
    strbuf_add_string(&page, "wherry [OPTIONS] COMMAND\n.SH DESCRIPTION\n");
    add_text(&page, "wherry runs containers: it speaks to wherryd, or to any engine with Docker's API.\n");
    add_children(&page, "");
    add_options(&page, &global_options, "GLOBAL OPTIONS");
    return write_page(folder, "wherry", &page, err);
}

static bool man_run(struct command_call *call, struct error *err)
{
    const char *folder = call->arguments[0];
    /* wherry-compose adds its pages to those of wherry. */
    bool is_wherry = !command_find("compose");
    if (!directory_make(folder, 0755, err) || (is_wherry && !write_top(folder, err)))
        return false;
    for (size_t i = 0; i < command_count; i++) {
        if (commands[i]->is_hidden)
            continue;
        for (const char *const *path = commands[i]->paths; *path; path++) {
            if (!write_command(folder, commands[i], *path, err))
                return false;
        }
    }
    return true;
}

const struct command man_command = {
    .paths = {"__man"},
    .usage = "FOLDER",
    .help = "Write the manual pages",
    .is_hidden = true,
    .is_local = true,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = man_run,
};
