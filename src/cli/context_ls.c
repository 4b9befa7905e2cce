#include <string.h>

#include "base/memory.h"
#include "cli/config_file.h"
#include "cli/context_option.h"
#include "cli/context_store.h"
#include "cli/endpoint.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "cli/natural.h"
#include "json/json_record.h"

#define LONGEST_ERROR 45

struct context_ls_options {
    bool is_quiet;
    char *format;
};

static const struct listing_column columns[] = {
    {"Name", "NAME"}, {"Description", "DESCRIPTION"}, {"DockerEndpoint", "DOCKER ENDPOINT"}, {"Error", "ERROR"},
    {"Current", ""},
};
static const struct listing listing = LISTING("*formatter.clientContextContext", columns);

static int compare_names(const void *left, const void *right)
{
    return natural_compare(*(const char *const *)left, *(const char *const *)right);
}

static void add_row(const struct command_call *call, const char *name, const char *current, json_t *rows)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_json_ json_t *context = context_get(call, name, &err);
    _cleanup_free_ char *problem = ellipsis(error_message(&err), LONGEST_ERROR);
    json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:b}", "Name", name, "Description",
                                          context_description(context), "DockerEndpoint", context_host(context),
                                          "Error", problem, "Current", string_equal(name, current)));
}

static bool context_ls_run(struct command_call *call, struct error *err)
{
    const struct context_ls_options *options = call->values;
    const char *current = endpoint_context(call->globals, call->config_directory);
    _cleanup_strlist_ struct strlist names = context_names(call->config_directory);
    if (!strlist_contains(&names, CONTEXT_DEFAULT))
        strlist_add(&names, CONTEXT_DEFAULT);
    if (!strlist_contains(&names, current))
        strlist_add(&names, current);
    qsort(names.items, names.count, sizeof(*names.items), compare_names);
    _cleanup_json_ json_t *rows = json_array();
    for (size_t i = 0; i < names.count; i++)
        add_row(call, names.items[i], current, rows);
    _cleanup_free_ char *format = listing_format(call, options->format, NULL);
    const char *template = format;
    if (options->is_quiet)
        template = "{{.Name}}";
    else if (string_equal(format, "table"))
        template = "table {{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}";
    if (!listing_print(&listing, template, rows, err))
        return false;
    fflush(stdout);
    if (environment_setting("HOST"))
        fprintf(stderr,
                "Warning: DOCKER_HOST environment variable overrides the active context. To use a context, either "
                "set the global --context flag, or unset DOCKER_HOST environment variable.\n");
    return true;
}

#define PLACE(member_) offsetof(struct context_ls_options, member_)
static const struct option context_ls_rows[] = {
    {"format", 0, OPTION_STRING, PLACE(format), "string", FORMAT_HELP},
    {"quiet", 'q', OPTION_BOOL, PLACE(is_quiet), .help = "Only show context names"},
};

const struct command context_ls_command = {
    .paths = {"context ls", "context list"},
    .usage = "[OPTIONS]",
    .help = "List contexts",
    .options = OPTION_TABLE(context_ls_rows),
    .values_size = sizeof(struct context_ls_options),
    .is_local = true,
    .run = context_ls_run,
};
