#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/api_types.h"
#include "cli/client_report.h"
#include "cli/listing.h"
#include "json/json_record.h"

struct version_options {
    char *format;
};

static const char *text_of(const json_t *json, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(json, key)));
}

/* "2026-08-13T05:35:47.000000000+00:00" as "Thu Aug 13 05:35:47 2026"; what is no time stays. */
static void reformat_time(json_t *details)
{
    unix_nano time;
    const char *text = text_of(details, "BuildTime");
    if (!time_parse(text, &time))
        return;
    char pretty[64];
    time_t seconds = (time_t)(time / NANOSECONDS_PER_SECOND);
    const char *zone = strpbrk(text + 11, "Zz+-");
    if (zone && (*zone == '+' || *zone == '-')) /* shown in its own zone */
        seconds += (*zone == '-' ? -1 : 1) * (strtol(zone + 1, NULL, 10) * 3600 + strtol(zone + 4, NULL, 10) * 60);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(pretty, sizeof(pretty), "%a %b %e %H:%M:%S %Y", &parts);
    json_object_set_new(details, "BuildTime", json_string(pretty));
}

/* Engines before 18.02 name no components: theirs is made from the plain fields. */
static void add_engine_component(json_t *server)
{
    if (json_array_size(json_object_get(server, "Components")) > 0)
        return;
    json_t *details = json_object(), *component = json_object(), *components = json_array();
    static const char *const keys[] = {"ApiVersion", "MinAPIVersion", "GitCommit", "GoVersion",
                                       "Os",         "Arch",          "BuildTime", "Experimental"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        json_object_set_new(details, keys[i], json_string(text_of(server, keys[i])));
    bool is_experimental = json_is_true(json_object_get(server, "Experimental"));
    json_object_set_new(details, "Experimental", json_string(is_experimental ? "true" : "false"));
    json_object_set_new(component, "Name", json_string("Engine"));
    json_object_set_new(component, "Version", json_string(text_of(server, "Version")));
    json_object_set_new(component, "Details", details);
    json_array_append_new(components, component);
    json_object_set_new(server, "Components", components);
}

static void print_line(size_t indent, const char *label, const char *value)
{
    printf("%*s%-*s%s\n", (int)indent, "", (int)MAX(20 - indent, strlen(label) + 1), label, value);
}

static void print_client(const json_t *client)
{
    const char *api = text_of(client, "ApiVersion");
    _cleanup_free_ char *downgraded = xasprintf("%s (downgraded from %s)", api, CLIENT_API_VERSION);
    _cleanup_free_ char *platform = xasprintf("linux/%s", go_architecture());
    printf("Client: " CLIENT_NAME "\n");
    print_line(1, "Version:", WHERRY_VERSION);
    print_line(1, "API version:", string_equal(api, CLIENT_API_VERSION) ? api : downgraded);
    print_line(1, "OS/Arch:", platform);
    print_line(1, "Context:", CLIENT_CONTEXT);
}

static void print_engine(const json_t *component)
{
    const json_t *details = json_object_get(component, "Details");
    _cleanup_free_ char *api =
        xasprintf("%s (minimum version %s)", text_of(details, "ApiVersion"), text_of(details, "MinAPIVersion"));
    _cleanup_free_ char *platform = xasprintf("%s/%s", text_of(details, "Os"), text_of(details, "Arch"));
    print_line(2, "Version:", text_of(component, "Version"));
    print_line(2, "API version:", api);
    print_line(2, "Go version:", text_of(details, "GoVersion"));
    print_line(2, "Git commit:", text_of(details, "GitCommit"));
    print_line(2, "Built:", text_of(details, "BuildTime"));
    print_line(2, "OS/Arch:", platform);
    print_line(2, "Experimental:", text_of(details, "Experimental"));
}

static void print_server(const json_t *server)
{
    const char *platform = text_of(json_object_get(server, "Platform"), "Name");
    printf("\nServer:%s%s\n", *platform ? " " : "", platform);
    size_t i;
    json_t *component;
    json_array_foreach(json_object_get(server, "Components"), i, component)
    {
        printf(" %s:\n", text_of(component, "Name"));
        if (strcmp(text_of(component, "Name"), "Engine") == 0) {
            print_engine(component);
            continue;
        }
        print_line(2, "Version:", text_of(component, "Version"));
        json_t *details = json_object_get(component, "Details");
        size_t count;
        _cleanup_free_ const char **keys = value_keys((struct value){&type_map_string, details}, &count);
        for (size_t k = 0; k < count; k++) {
            _cleanup_free_ char *label = xasprintf("%s:", keys[k]);
            print_line(2, label, text_of(details, keys[k]));
        }
    }
}

static bool version_run(struct command_call *call, struct error *err)
{
    const struct version_options *options = call->values;
    _cleanup_error_ struct error unreachable = ERROR_INIT;
    _cleanup_json_ json_t *server = client_get_json(call->client, "/version", &unreachable);
    _cleanup_json_ json_t *report = json_object();
    json_object_set_new(report, "Client", client_report(client_api_version(call->client)));
    if (server) {
        add_engine_component(server);
        size_t i;
        json_t *component;
        json_array_foreach(json_object_get(server, "Components"), i, component)
        {
            reformat_time(json_object_get(component, "Details"));
        }
        json_object_set(report, "Server", server);
    }
    if (string_is_set(options->format)) {
        if (!report_print(call, options->format, "version", &version_report_type, report, err))
            return false;
    } else {
        print_client(json_object_get(report, "Client"));
        if (server)
            print_server(server);
    }
    return server || error_move(err, &unreachable);
}

static const struct option version_rows[] = {
    {"format", 'f', OPTION_STRING, offsetof(struct version_options, format), "string", FORMAT_HELP_INSPECT},
};

const struct command version_command = {
    .paths = {"version"},
    .usage = "[OPTIONS]",
    .help = "Show the " CLIENT_NAME " version information",
    .group = GROUP_COMMON,
    .options = OPTION_TABLE(version_rows),
    .values_size = sizeof(struct version_options),
    .run = version_run,
};
