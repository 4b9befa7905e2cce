#include "base/memory.h"
#include "cli/compose/engine.h"
#include "cli/table.h"
#include "json/json_record.h"

static void add_line(struct strbuf *text, const json_t *words)
{
    size_t i;
    json_t *word;
    json_array_foreach(words, i, word)
    {
        strbuf_addf(text, "%s\t", string_or_empty(json_string_value(word)));
    }
    strbuf_add_char(text, '\n');
}

static bool top_run(struct command_call *call, struct error *err)
{
    _cleanup_compose_view_ struct compose_view view = {0};
    if (!compose_view_read(call, call->arguments, call->argument_count, false, &view, err))
        return false;
    for (size_t i = 0; i < view.state.count; i++) {
        const struct compose_container *one = &view.state.containers[i];
        if (!container_is_running(one))
            continue;
        _cleanup_free_ char *path = client_path("containers", one->id, "/top");
        _cleanup_json_ json_t *answer = client_get_json(call->client, path, err);
        if (!answer)
            return false;
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, table = STRBUF_INIT;
        size_t j;
        json_t *process;
        add_line(&text, json_object_get(answer, "Titles"));
        json_array_foreach(json_object_get(answer, "Processes"), j, process)
        {
            add_line(&text, process);
        }
        table_align(strbuf_text(&text), 5, 3, &table);
        printf("%s\n%s\n", one->name, strbuf_text(&table));
    }
    return true;
}

extern const struct command compose_top_command;
const struct command compose_top_command = {
    .paths = {"compose top"},
    .usage = "[SERVICES...]",
    .help = "Display the running processes",
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = top_run,
};
