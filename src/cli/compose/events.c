#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/compose/engine.h"
#include "json/json_record.h"

#define LINE_LIMIT ((size_t)1 << 20)

struct events_values {
    bool is_json;
};

/* Those of compose itself tell nothing. */
static json_t *own_attributes(const json_t *attributes)
{
    json_t *own = json_object(), *value;
    const char *key;
    json_object_foreach((json_t *)(uintptr_t)attributes, key, value)
    {
        if (!string_starts_with(key, "com.docker.compose."))
            json_object_set(own, key, value);
    }
    return own;
}

static void print_event(const json_t *event, bool is_json)
{
    const json_t *actor = json_object_get(event, "Actor"), *all = json_object_get(actor, "Attributes");
    const char *id = string_or_empty(json_string_value(json_object_get(actor, "ID"))),
               *action = string_or_empty(json_string_value(json_object_get(event, "Action"))),
               *service = string_or_empty(json_string_value(json_object_get(all, LABEL("service"))));
    int64_t time = json_integer_value(json_object_get(event, "timeNano"));
    _cleanup_json_ json_t *attributes = own_attributes(all);
    char text[TIME_TEXT_SIZE];
    if (is_json) {
        _cleanup_json_ json_t *row =
            json_pack("{s:s, s:O, s:s, s:s, s:s, s:s}", "action", action, "attributes", attributes, "id", id, "service",
                      service, "time", time_format(time, text), "type", "container");
        _cleanup_free_ char *line = json_format(row);
        printf("%s\n", line);
        return;
    }
    time_t seconds = (time_t)(time / 1000000000);
    struct tm parts;
    localtime_r(&seconds, &parts);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
    _cleanup_strbuf_ struct strbuf list = STRBUF_INIT;
    const char *key;
    json_t *value;
    json_object_foreach(attributes, key, value)
    {
        strbuf_addf(&list, "%s%s=%s", list.length ? ", " : "", key, string_or_empty(json_string_value(value)));
    }
    printf("%s.%06lld container %s %s (%s)\n\n", text, (long long)(time % 1000000000 / 1000), action, id,
           strbuf_text(&list));
}

static bool is_wanted(const struct command_call *call, const json_t *event)
{
    const json_t *attributes = json_object_get(json_object_get(event, "Actor"), "Attributes");
    const char *service = json_string_value(json_object_get(attributes, LABEL("service")));
    bool is_named = call->argument_count == 0;
    for (size_t i = 0; i < call->argument_count; i++)
        is_named = is_named || string_equal(service, call->arguments[i]);
    return service && is_named;
}

static bool events_run(struct command_call *call, struct error *err)
{
    const struct events_values *values = call->values;
    _cleanup_project_ struct project project = {0};
    if (!compose_load_or_name(call, &project, err))
        return false;
    _cleanup_free_ char *label = xasprintf(LABEL("project") "=%s", project.name);
    _cleanup_json_ json_t *filters = json_pack("{s:[s], s:[s]}", "label", label, "type", "container");
    _cleanup_free_ char *filter = json_format(filters);
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT, line = {.limit = LINE_LIMIT};
    strbuf_add_string(&path, "/events");
    client_query_add(&path, "filters", filter);
    _cleanup_(client_stream_freep) struct client_stream *stream =
        client_stream_get(call->client, strbuf_text(&path), err);
    if (!stream)
        return false;
    char piece[8192];
    ssize_t count;
    while ((count = client_stream_read(stream, piece, sizeof(piece))) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            if (piece[i] != '\n') {
                strbuf_add_char(&line, piece[i]);
                continue;
            }
            _cleanup_json_ json_t *event = json_parse(strbuf_text(&line), line.length, NULL);
            if (event && is_wanted(call, event))
                print_event(event, values->is_json);
            strbuf_truncate(&line, 0);
        }
        fflush(stdout);
    }
    return count == 0 || error_errno(err, "reading events");
}

static const struct option rows[] = {
    {"json", 0, OPTION_BOOL, offsetof(struct events_values, is_json),
     .help = "Output events as a stream of json objects"},
};

extern const struct command compose_events_command;
const struct command compose_events_command = {
    .paths = {"compose events"},
    .usage = "[OPTIONS] [SERVICE...]",
    .help = "Receive real time events from containers",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct events_values),
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = events_run,
};
