/* Listings: ps, images, network ls and all others that have columns and --format.

   A command makes one JSON object a row, with a member for each column (strings; what is no string is printed as Go
   would), and hands them over with the description of the columns. --format is docker's: "table", "table <template>",
   "json", "raw" where the command has it, or a template. */
#pragma once

#include "cli/command.h"
#include "cli/template/value.h"

struct listing_column {
    const char *name;   /* in templates: "ID" */
    const char *header; /* "CONTAINER ID" */
};

struct listing {
    const char *type_name; /* as errors quote it: "*formatter.ContainerContext" */
    const struct listing_column *columns;
    size_t column_count;
    const struct value_method *methods; /* .Label "x" */
    size_t method_count;
};
#define LISTING(type_name_, columns_)                                                                                  \
    {                                                                                                                  \
        .type_name = (type_name_), .columns = (columns_), .column_count = ARRAY_SIZE(columns_)                         \
    }

/* The help of --format for listings, and for what shows one object. */
#define FORMAT_HELP                                                                                                    \
    "Format output using a custom template:\n"                                                                         \
    "'table':            Print output in table format with column headers (default)\n"                                 \
    "'table TEMPLATE':   Print output in table format using the given Go template\n"                                   \
    "'json':             Print in JSON format\n"                                                                       \
    "'TEMPLATE':         Print output using the given Go template.\n"                                                  \
    "Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates"
#define FORMAT_HELP_INSPECT                                                                                            \
    "Format output using a custom template:\n"                                                                         \
    "'json':             Print in JSON format\n"                                                                       \
    "'TEMPLATE':         Print output using the given Go template.\n"                                                  \
    "Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates"

bool listing_is_table(const char *format);
/* Prints the rows (a JSON array; borrowed) on standard output; nothing where the format is wrong ("template parsing
   error: …"). */
bool listing_print(const struct listing *listing, const char *format, const json_t *rows, struct error *err);
/* The same over what the terminal shows already: from its top left corner, each line's rest and what is below erased.
 */
bool listing_print_screen(const struct listing *listing, const char *format, const json_t *rows, struct error *err);
/* Checks a format by running it on an empty row, in the words of docker's ps: "failed to parse template: …", "failed to
   execute template: …". */
bool listing_check(const struct listing *listing, const char *format, struct error *err);
/* May the format show the column? Rows need no others. NULL: it may show any. */
bool listing_shows(const char *format, const char *column);
/* The format that counts: what was given, else the one of `key` in config.json ("psFormat"), else "table". The caller
   frees. */
char *listing_format(const struct command_call *call, const char *given, const char *key);
/* .Label for rows whose "Labels" member is "a=1,b=2": the label's value or "". */
char *listing_label(const json_t *row, const char *name);
/* Adds a string to a row, and takes the text. */
void row_take(json_t *row, const char *name, char *text);
/* "a=1,b=2" by key from a JSON object of strings. The caller frees. */
char *labels_text(const json_t *labels);
