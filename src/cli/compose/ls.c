#include <string.h>

#include "base/memory.h"
#include "cli/compose/engine.h"
#include "cli/table.h"
#include "json/json_record.h"

struct ls_values {
    bool is_all, is_quiet;
    char *format;
    struct strlist filters;
};

struct stack {
    char *name;
    const char *files;    /* borrowed */
    struct strmap counts; /* of containers by state */
};

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct stack *)left)->name, ((const struct stack *)right)->name);
}

static void count_state(struct stack *stack, const char *state)
{
    const char *before = strmap_get(&stack->counts, state);
    _cleanup_free_ char *now = xasprintf("%ld", before ? strtol(before, NULL, 10) + 1 : 1);
    strmap_set(&stack->counts, state, now);
}

/* "exited(1), running(2)" */
static char *status_text(const struct stack *stack)
{
    _cleanup_strlist_ struct strlist parts = {0};
    for (size_t i = 0; i < stack->counts.count; i++)
        strlist_addf(&parts, "%s(%s)", stack->counts.items[i].key, stack->counts.items[i].value);
    strlist_sort(&parts);
    return strlist_join(&parts, ", ");
}

static struct stack *find_stacks(const json_t *containers, size_t *count)
{
    struct stack *stacks = NULL;
    size_t i;
    json_t *row;
    json_array_foreach(containers, i, row)
    {
        const char *name = label_of(row, LABEL("project"));
        struct stack *found = NULL;
        if (string_equal(label_of(row, LABEL("oneoff")), "True"))
            continue;
        for (size_t j = 0; j < *count; j++)
            if (strcmp(stacks[j].name, name) == 0)
                found = &stacks[j];
        if (!found) {
            found = APPEND(stacks, *count);
            found->name = xstrdup(name);
            found->files = label_of(row, LABEL("project.config_files"));
        }
        count_state(found, string_or_empty(json_string_value(json_object_get(row, "State"))));
    }
    if (stacks)
        qsort(stacks, *count, sizeof(*stacks), by_name);
    return stacks;
}

static bool is_named(const struct ls_values *values, const char *name)
{
    for (size_t i = 0; i < values->filters.count; i++) {
        const char *wanted = values->filters.items[i] + strlen("name=");
        if (strstr(name, wanted))
            return true;
    }
    return values->filters.count == 0;
}

static bool ls_run(struct command_call *call, struct error *err)
{
    const struct ls_values *values = call->values;
    bool is_json = string_equal(values->format, "json");
    if (values->format && !is_json && !string_equal(values->format, "table"))
        return error_set(err, ERROR_INVALID, "format value \"%s\" could not be parsed: parsing failed", values->format);
    for (size_t i = 0; i < values->filters.count; i++)
        if (!string_starts_with(values->filters.items[i], "name="))
            return error_set(err, ERROR_INVALID, "unknown filter \"%s\": only name=… is", values->filters.items[i]);
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_addf(&path, "/containers/json%s", values->is_all ? "?all=1" : "");
    client_query_add(&path, "filters", "{\"label\":[\"" LABEL("project") "\"]}");
    _cleanup_json_ json_t *containers = client_get_json(call->client, strbuf_text(&path), err);
    if (!containers)
        return false;
    size_t count = 0;
    struct stack *stacks = find_stacks(containers, &count);
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    _cleanup_json_ json_t *list = json_array();
    strbuf_add_string(&text, "NAME\tSTATUS\tCONFIG FILES\n");
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *status = status_text(&stacks[i]);
        if (is_named(values, stacks[i].name)) {
            if (values->is_quiet)
                puts(stacks[i].name);
            strbuf_addf(&text, "%s\t%s\t%s\n", stacks[i].name, status, stacks[i].files);
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "Name", stacks[i].name, "Status", status,
                                                  "ConfigFiles", stacks[i].files));
        }
        free(stacks[i].name);
        strmap_release(&stacks[i].counts);
    }
    free(stacks);
    if (values->is_quiet)
        return true;
    _cleanup_free_ char *json = json_format(list);
    _cleanup_strbuf_ struct strbuf table = STRBUF_INIT;
    table_align(strbuf_text(&text), 20, 1, &table);
    printf("%s%s", is_json ? json : strbuf_text(&table), is_json ? "\n" : "");
    return true;
}

#define AT(member) offsetof(struct ls_values, member)
static const struct option rows[] = {
    {"all", 'a', OPTION_BOOL, AT(is_all), .help = "Show all stopped Compose projects"},
    {"filter", 0, OPTION_LIST, AT(filters), "filter", "Filter output based on conditions provided"},
    {"format", 0, OPTION_STRING, AT(format), "string", "Format the output. Values: [table | json]", "table"},
    {"quiet", 'q', OPTION_BOOL, AT(is_quiet), .help = "Only display IDs"},
};

extern const struct command compose_ls_command;
const struct command compose_ls_command = {
    .paths = {"compose ls"},
    .usage = "[OPTIONS]",
    .help = "List running compose projects",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct ls_values),
    .max_arguments = 0,
    .run = ls_run,
};
