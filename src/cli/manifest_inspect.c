#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "cli/manifest_list.h"
#include "json/json_record.h"

struct inspect_options {
    bool is_insecure, is_verbose;
};

/* Indented with tabs, as Go's json.Indent does. */
static void print_indented(const json_t *json)
{
    _cleanup_free_ char *text = json_dumps(json, JSON_INDENT(1));
    for (const char *line = text; *line;) {
        size_t indent = strspn(line, " "), length = strcspn(line, "\n");
        for (size_t i = 0; i < indent; i++)
            putchar('\t');
        printf("%.*s\n", (int)(length - indent), line + indent);
        line += length + (line[length] == '\n');
    }
}

static bool print_one(const json_t *entry, bool is_verbose, struct error *err)
{
    if (is_verbose) {
        print_indented(entry);
        return true;
    }
    _cleanup_free_ char *raw = manifest_raw(entry);
    _cleanup_json_ json_t *json = json_parse(raw, strlen(raw), err);
    if (!json)
        return false;
    print_indented(json);
    return true;
}

static bool print_list(const json_t *entries, bool is_verbose, struct error *err)
{
    if (is_verbose) {
        print_indented(entries);
        return true;
    }
    _cleanup_free_ char *text = manifest_list_text(entries, err);
    if (text)
        puts(text);
    return text != NULL;
}

static bool manifest_inspect_run(struct command_call *call, struct error *err)
{
    const struct inspect_options *options = call->values;
    bool has_list = call->argument_count == 2;
    const char *text = call->arguments[has_list];
    _cleanup_reference_ struct reference list = {0}, reference = {0};
    if (!reference_parse(text, &reference, err) || (has_list && !reference_parse(call->arguments[0], &list, err)))
        return false;
    if (has_list) {
        _cleanup_json_ json_t *entry = manifest_list_entry(call, &list, &reference);
        if (entry)
            return print_one(entry, options->is_verbose, err);
        _cleanup_json_ json_t *known = manifest_list_read(call, &list);
        if (!known)
            return error_set(err, ERROR_NOT_FOUND, "No such manifest: %s", call->arguments[0]);
    } else {
        _cleanup_json_ json_t *entries = manifest_list_read(call, &reference);
        if (entries)
            return print_list(entries, options->is_verbose, err);
    }
    bool is_list = false;
    _cleanup_json_ json_t *entries = manifest_fetch(call, &reference, options->is_insecure, &is_list, err);
    if (!entries)
        return false;
    return is_list ? print_list(entries, options->is_verbose, err)
                   : print_one(json_array_get(entries, 0), options->is_verbose, err);
}

#define AT(member) offsetof(struct inspect_options, member)
static const struct option rows[] = {
    {"insecure", 0, OPTION_BOOL, AT(is_insecure), NULL, "Allow communication with an insecure registry"},
    {"verbose", 'v', OPTION_BOOL, AT(is_verbose), NULL, "Output additional info including layers and platform"},
};

const struct command manifest_inspect_command = {
    .paths = {"manifest inspect"},
    .usage = "[OPTIONS] [MANIFEST_LIST] MANIFEST",
    .help = "Display an image manifest, or manifest list",
    .long_help = "Display an image manifest, or manifest list" EXPERIMENTAL_HELP_OF("inspect"),
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct inspect_options),
    .min_arguments = 1,
    .max_arguments = 2,
    .run = manifest_inspect_run,
};
