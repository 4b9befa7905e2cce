#include <string.h>

#include "base/memory.h"
#include "cli/compose/engine.h"
#include "cli/listing.h"
#include "cli/rows.h"
#include "json/json_record.h"

struct ps_values {
    bool is_all, is_whole, is_quiet, lists_services, with_orphans;
    char *filter, *format;
    struct strlist status;
};

static void set_defaults(void *values)
{
    ((struct ps_values *)values)->with_orphans = true;
}

static const struct listing_column columns[] = {
    {"Command", "COMMAND"},       {"CreatedAt", "CREATED AT"},
    {"ExitCode", "EXIT CODE"},    {"Health", "HEALTH"},
    {"ID", "CONTAINER ID"},       {"Image", "IMAGE"},
    {"Labels", "LABELS"},         {"LocalVolumes", "LOCAL VOLUMES"},
    {"Mounts", "MOUNTS"},         {"Name", "NAME"},
    {"Names", "NAMES"},           {"Networks", "NETWORKS"},
    {"Ports", "PORTS"},           {"Project", "PROJECT"},
    {"Publishers", "PUBLISHERS"}, {"RunningFor", "CREATED"},
    {"Service", "SERVICE"},       {"Size", "SIZE"},
    {"State", "STATE"},           {"Status", "STATUS"},
};
static const struct value_method methods[] = {{"Label", listing_label}};
static const struct listing listing = {.type_name = "*formatter.ContainerContext",
                                       .columns = columns,
                                       .column_count = ARRAY_SIZE(columns),
                                       .methods = methods,
                                       .method_count = ARRAY_SIZE(methods)};

static const char *health_of(const json_t *container)
{
    const char *status = string_or_empty(json_string_value(json_object_get(container, "Status")));
    return strstr(status, "(healthy)")            ? "healthy"
           : strstr(status, "(unhealthy)")        ? "unhealthy"
           : strstr(status, "(health: starting)") ? "starting"
                                                  : "";
}

static json_t *publishers(const json_t *container)
{
    json_t *ports = json_object_get(container, "Ports"), *port, *list = json_array();
    size_t i;
    json_array_foreach(ports, i, port)
    {
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:I, s:s}", "URL",
                                        string_or_empty(json_string_value(json_object_get(port, "IP"))), "TargetPort",
                                        json_integer_value(json_object_get(port, "PrivatePort")), "PublishedPort",
                                        json_integer_value(json_object_get(port, "PublicPort")), "Protocol",
                                        string_or_empty(json_string_value(json_object_get(port, "Type")))));
    }
    return list;
}

static json_t *make_row(const struct ps_values *values, const struct compose_container *container, const char *project)
{
    json_t *row = container_row(container->row, !values->is_whole, NULL);
    const char *status = string_or_empty(json_string_value(json_object_get(container->row, "Status"))),
               *code = strstr(status, "Exited (");
    json_object_set_new(row, "ExitCode", json_integer(code ? strtoll(code + strlen("Exited ("), NULL, 10) : 0));
    json_object_set_new(row, "Health", json_string(health_of(container->row)));
    json_object_set_new(row, "Name", json_string(container->name));
    json_object_set_new(row, "Names", json_string(container->name));
    json_object_set_new(row, "Project", json_string(project));
    json_object_set_new(row, "Service", json_string(container->service));
    json_object_set_new(row, "Publishers", publishers(container->row));
    return row;
}

static bool is_shown(const struct ps_values *values, const struct compose_view *view,
                     const struct compose_container *container, const char *wanted)
{
    bool is_orphan =
        view->project.model && !json_object_get(json_object_get(view->project.model, "services"), container->service);
    if (is_orphan && !values->with_orphans)
        return false;
    if (wanted && !string_equal(wanted, container->state))
        return false;
    if (values->status.count > 0)
        return strlist_contains(&values->status, container->state);
    bool is_up = container_is_running(container) || string_equal(container->state, "paused") ||
                 string_equal(container->state, "restarting");
    return values->is_all || wanted || (is_up && !container->is_oneoff);
}

static bool ps_run(struct command_call *call, struct error *err)
{
    const struct ps_values *values = call->values;
    _cleanup_compose_view_ struct compose_view view = {0};
    const char *wanted = NULL;
    if (values->filter) {
        if (!string_starts_with(values->filter, "status="))
            return error_set(err, ERROR_INVALID, "unknown filter \"%s\": only status=… is", values->filter);
        wanted = values->filter + strlen("status=");
    }
    if (!compose_view_read(call, call->arguments, call->argument_count, true, &view, err))
        return false;
    _cleanup_json_ json_t *rows = json_array();
    _cleanup_strlist_ struct strlist services = {0};
    for (size_t i = 0; i < view.state.count; i++) {
        const struct compose_container *one = &view.state.containers[i];
        if (!is_shown(values, &view, one, wanted))
            continue;
        if (values->is_quiet)
            puts(one->id);
        else if (!values->lists_services)
            json_array_append_new(rows, make_row(values, one, view.project.name));
        else if (!strlist_contains(&services, one->service)) {
            strlist_add(&services, one->service);
            puts(one->service);
        }
    }
    if (values->is_quiet || values->lists_services)
        return true;
    bool is_table = !values->format || string_equal(values->format, "table");
    return listing_print(
        &listing,
        is_table ? "table {{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}"
                 : values->format,
        rows, err);
}

#define AT(member) offsetof(struct ps_values, member)
static const struct option rows_of_ps[] = {
    {"all", 'a', OPTION_BOOL, AT(is_all),
     .help = "Show all stopped containers (including those created by the run command)"},
    {"filter", 0, OPTION_STRING, AT(filter), "string", "Filter services by a property (supported filters: status)"},
    {"format", 0, OPTION_STRING, AT(format), "string", FORMAT_HELP, "table"},
    {"no-trunc", 0, OPTION_BOOL, AT(is_whole), .help = "Don't truncate output"},
    {"orphans", 0, OPTION_BOOL, AT(with_orphans), .help = "Include orphaned services (not declared by project)",
     .default_text = "true"},
    {"quiet", 'q', OPTION_BOOL, AT(is_quiet), .help = "Only display IDs"},
    {"services", 0, OPTION_BOOL, AT(lists_services), .help = "Display services"},
    {"status", 0, OPTION_LIST, AT(status), "stringArray",
     "Filter services by status. Values: [paused | restarting | removing | running | dead | created | exited]"},
};

extern const struct command compose_ps_command;
const struct command compose_ps_command = {
    .paths = {"compose ps"},
    .usage = "[OPTIONS] [SERVICE...]",
    .help = "List containers",
    .options = OPTION_TABLE(rows_of_ps),
    .values_size = sizeof(struct ps_values),
    .set_defaults = set_defaults,
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = ps_run,
};
