#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/api_types.h"
#include "cli/command.h"
#include "cli/filter_option.h"
#include "cli/listing.h"
#include "cli/template/template.h"
#include "cli/time_option.h"
#include "json/json_record.h"

struct events_options {
    char *since, *until, *format;
    struct strlist filter;
};

/* --- one event --- */

/* The zone is ours, as docker's client prints it. */
static void print_time(int64_t nanoseconds)
{
    time_t seconds = (time_t)(nanoseconds / NANOSECONDS_PER_SECOND);
    struct tm local;
    char text[40], zone[8];
    localtime_r(&seconds, &local);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &local);
    strftime(zone, sizeof(zone), "%z", &local);
    printf("%s.%09lld", text, (long long)(nanoseconds % NANOSECONDS_PER_SECOND));
    if (local.tm_gmtoff == 0)
        printf("Z ");
    else
        printf("%.3s:%s ", zone, zone + 3);
}

static const char *text_of(const json_t *object, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(object, key)));
}

static void print_event(const json_t *event)
{
    int64_t nanoseconds = json_integer_value(json_object_get(event, "timeNano"));
    int64_t seconds = json_integer_value(json_object_get(event, "time"));
    if (nanoseconds || seconds)
        print_time(nanoseconds ? nanoseconds : seconds * NANOSECONDS_PER_SECOND);
    json_t *actor = json_object_get(event, "Actor"), *attributes = json_object_get(actor, "Attributes");
    printf("%s %s %s", text_of(event, "Type"), text_of(event, "Action"), text_of(actor, "ID"));
    if (json_object_size(attributes) > 0) {
        struct strlist pairs = {0};
        const char *key;
        json_t *value;
        json_object_foreach(attributes, key, value) strlist_addf(&pairs, "%s=%s", key, json_string_value(value));
        strlist_sort(&pairs);
        _cleanup_free_ char *joined = strlist_join(&pairs, ", ");
        printf(" (%s)", joined);
        strlist_release(&pairs);
    }
    putchar('\n');
}

static bool show_event(const struct template *template, json_t *event, struct error *err)
{
    if (template) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        if (!template_execute(template, (struct value){&event_type, event}, 0, &text, err))
            return false;
        printf("%s\n", strbuf_text(&text));
    } else {
        print_event(event);
    }
    fflush(stdout);
    return true;
}

/* --- the stream --- */

static bool show_stream(struct client_stream *stream, const struct template *template, struct error *err)
{
    _cleanup_strbuf_ struct strbuf pending = STRBUF_INIT;
    char piece[16384];
    ssize_t count;
    while ((count = client_stream_read(stream, piece, sizeof(piece))) > 0) {
        strbuf_add(&pending, piece, (size_t)count);
        char *end;
        while (pending.length > 0 && (end = memchr(pending.data, '\n', pending.length))) {
            size_t length = (size_t)(end - pending.data);
            _cleanup_json_ json_t *event = length ? json_parse(pending.data, length, err) : json_null();
            if (!event || (length && !show_event(template, event, err)))
                return false;
            strbuf_consume(&pending, length + 1);
        }
    }
    return count == 0 || error_errno(err, "reading the events");
}

/* Tried on an event without anything, as docker does, so that a wrong one is refused before there is any. */
static bool read_format(struct command_call *call, const char *format, struct template **out, struct error *err)
{
    if (!string_is_set(format))
        return true;
    *out = template_parse(string_equal(format, "json") ? "{{json .}}" : format, err);
    _cleanup_json_ json_t *empty = json_object();
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (*out && template_execute(*out, (struct value){&event_type, empty}, 0, &text, err))
        return true;
    call->exit_code = 64;
    return error_prefix(err, "Error parsing format");
}

static bool add_time(struct strbuf *path, const char *key, const char *given, unix_nano now, struct error *err)
{
    if (!string_is_set(given))
        return true;
    _cleanup_free_ char *timestamp = time_option_parse(given, now, err);
    if (!timestamp)
        return false;
    client_query_add(path, key, timestamp);
    return true;
}

static bool events_run(struct command_call *call, struct error *err)
{
    const struct events_options *options = call->values;
    _cleanup_(template_freep) struct template *template = NULL;
    if (!read_format(call, options->format, &template, err))
        return false;
    _cleanup_free_ char *filters = filter_json(&options->filter);
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_add_string(&path, "/events");
    unix_nano now = clock_now();
    client_query_add(&path, "filters", filters);
    if (!add_time(&path, "since", options->since, now, err) || !add_time(&path, "until", options->until, now, err))
        return false;
    _cleanup_(client_stream_freep) struct client_stream *stream =
        client_stream_get(call->client, strbuf_text(&path), err);
    return stream && show_stream(stream, template, err);
}

#define AT(member) offsetof(struct events_options, member)
static const struct option rows[] = {
    {"filter", 'f', OPTION_LIST, AT(filter), "filter", "Filter output based on conditions provided",
     .parse = filter_parse},
    {"format", 0, OPTION_STRING, AT(format), "string", FORMAT_HELP_INSPECT},
    {"since", 0, OPTION_STRING, AT(since), "string", "Show all events created since timestamp"},
    {"until", 0, OPTION_STRING, AT(until), "string", "Stream events until this timestamp"},
};

const struct command events_command = {
    .paths = {"system events", "events"},
    .usage = "[OPTIONS]",
    .help = "Get real time events from the server",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct events_options),
    .run = events_run,
};
