#include "base/memory.h"
#include "cli/command.h"
#include "cli/table.h"

static void add_row(const json_t *cells, struct strbuf *out)
{
    size_t i;
    json_t *cell;
    json_array_foreach(cells, i, cell)
        strbuf_addf(out, "%s%s", i ? "\t" : "", string_or_empty(json_string_value(cell)));
    strbuf_add_char(out, '\n');
}

static bool top_run(struct command_call *call, struct error *err)
{
    _cleanup_free_ char *base = client_path("containers", call->arguments[0], "/top");
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT, arguments = STRBUF_INIT, rows = STRBUF_INIT, text = STRBUF_INIT;
    for (size_t i = 1; i < call->argument_count; i++)
        strbuf_addf(&arguments, "%s%s", i > 1 ? " " : "", call->arguments[i]);
    strbuf_add_string(&path, base);
    client_query_add(&path, "ps_args", arguments.length ? arguments.data : NULL);
    json_t *top = client_get_json(call->client, strbuf_text(&path), err);
    if (!top)
        return false;
    add_row(json_object_get(top, "Titles"), &rows);
    size_t i;
    json_t *process;
    json_array_foreach(json_object_get(top, "Processes"), i, process) add_row(process, &rows);
    json_decref(top);
    table_align(strbuf_text(&rows), 20, 3, &text);
    fputs(strbuf_text(&text), stdout);
    return true;
}

const struct command top_command = {
    .paths = {"container top", "top"},
    .usage = "CONTAINER [ps OPTIONS]",
    .help = "Display the running processes of a container",
    .stops_at_first_argument = true,
    .min_arguments = 1,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = top_run,
};
