/* wherry info: the daemon's own description, line by line. */
#include <string.h>

#include "base/memory.h"
#include "cli/api_types.h"
#include "cli/client_report.h"
#include "cli/human.h"
#include "cli/info_swarm.h"
#include "cli/listing.h"
#include "json/json_record.h"

struct info_options {
    char *format;
};

static const char *text_of(const json_t *json, const char *key)
{
    return string_or_empty(json_string_value(json_object_get(json, key)));
}

static long long number_of(const json_t *json, const char *key)
{
    return (long long)json_integer_value(json_object_get(json, key));
}

static const char *truth_of(const json_t *json, const char *key)
{
    return json_is_true(json_object_get(json, key)) ? "true" : "false";
}

static void print_set(const char *label, const char *value)
{
    if (*value)
        printf(" %s: %s\n", label, value);
}

/* One indented line for each text of a list, below a heading. */
static void print_list(const char *heading, const json_t *items)
{
    if (json_array_size(items) == 0)
        return;
    printf(" %s:\n", heading);
    for (size_t i = 0; i < json_array_size(items); i++)
        printf("  %s\n", string_or_empty(json_string_value(json_array_get(items, i))));
}

static void print_joined(const char *label, const json_t *items)
{
    printf("  %s:", label);
    for (size_t i = 0; i < json_array_size(items); i++)
        printf(" %s", string_or_empty(json_string_value(json_array_get(items, i))));
    if (json_array_size(items) == 0)
        putchar(' ');
    putchar('\n');
}

static void print_pairs(const json_t *pairs)
{
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *pair = json_array_get(pairs, i);
        printf("  %s: %s\n", string_or_empty(json_string_value(json_array_get(pair, 0))),
               string_or_empty(json_string_value(json_array_get(pair, 1))));
    }
}

static void print_counts(const json_t *info)
{
    printf(" Containers: %lld\n  Running: %lld\n  Paused: %lld\n  Stopped: %lld\n Images: %lld\n",
           number_of(info, "Containers"), number_of(info, "ContainersRunning"), number_of(info, "ContainersPaused"),
           number_of(info, "ContainersStopped"), number_of(info, "Images"));
    print_set("Server Version", text_of(info, "ServerVersion"));
    print_set("Storage Driver", text_of(info, "Driver"));
    print_pairs(json_object_get(info, "DriverStatus"));
    print_pairs(json_object_get(info, "SystemStatus"));
    print_set("Logging Driver", text_of(info, "LoggingDriver"));
    print_set("Cgroup Driver", text_of(info, "CgroupDriver"));
    print_set("Cgroup Version", text_of(info, "CgroupVersion"));
}

static void print_plugins(const json_t *info)
{
    const json_t *plugins = json_object_get(info, "Plugins");
    printf(" Plugins:\n");
    print_joined("Volume", json_object_get(plugins, "Volume"));
    print_joined("Network", json_object_get(plugins, "Network"));
    if (json_array_size(json_object_get(plugins, "Authorization")) > 0)
        print_joined("Authorization", json_object_get(plugins, "Authorization"));
    print_joined("Log", json_object_get(plugins, "Log"));
    print_list("CDI spec directories", json_object_get(info, "CDISpecDirs"));
}

static void print_runtimes(const json_t *info)
{
    json_t *runtimes = json_object_get(info, "Runtimes");
    if (json_object_size(runtimes) == 0)
        return;
    size_t count;
    _cleanup_free_ const char **names = value_keys((struct value){&type_map_any, runtimes}, &count);
    printf(" Runtimes:");
    for (size_t i = 0; i < count; i++)
        printf(" %s", names[i]);
    printf("\n Default Runtime: %s\n", text_of(info, "DefaultRuntime"));
}

/* "name=seccomp,profile=builtin" is shown as the name and, below it, its options. */
static void print_security(const json_t *options)
{
    if (json_array_size(options) == 0)
        return;
    printf(" Security Options:\n");
    for (size_t i = 0; i < json_array_size(options); i++) {
        const char *text = string_or_empty(json_string_value(json_array_get(options, i)));
        _cleanup_strlist_ struct strlist parts = strlist_split(text, ',');
        for (size_t k = 0; k < parts.count; k++) {
            const char *part = parts.items[k], *equals = strchr(part, '=');
            if (!equals)
                printf("  %s\n", part);
            else if (string_starts_with(part, "name="))
                printf("  %s\n", equals + 1);
            else if (string_starts_with(part, "profile="))
                printf("   Profile: %s\n", equals + 1);
            else
                printf("   %.*s: %s\n", (int)(equals - part), part, equals + 1);
        }
    }
}

static void print_linux(const json_t *info)
{
    if (strcmp(text_of(info, "OSType"), "linux") != 0)
        return;
    printf(" Init Binary: %s\n", text_of(info, "InitBinary"));
    printf(" containerd version: %s\n", text_of(json_object_get(info, "ContainerdCommit"), "ID"));
    printf(" runc version: %s\n", text_of(json_object_get(info, "RuncCommit"), "ID"));
    printf(" init version: %s\n", text_of(json_object_get(info, "InitCommit"), "ID"));
    print_security(json_object_get(info, "SecurityOptions"));
}

static void print_machine(const json_t *info)
{
    _cleanup_free_ char *memory = human_bytes((double)number_of(info, "MemTotal"));
    print_set("Kernel Version", text_of(info, "KernelVersion"));
    print_set("Operating System", text_of(info, "OperatingSystem"));
    print_set("OSType", text_of(info, "OSType"));
    print_set("Architecture", text_of(info, "Architecture"));
    printf(" CPUs: %lld\n Total Memory: %s\n", number_of(info, "NCPU"), memory);
    print_set("Name", text_of(info, "Name"));
    print_set("ID", text_of(info, "ID"));
    printf(" Docker Root Dir: %s\n Debug Mode: %s\n", text_of(info, "DockerRootDir"), truth_of(info, "Debug"));
    if (json_is_true(json_object_get(info, "Debug")))
        printf("  File Descriptors: %lld\n  Goroutines: %lld\n  System Time: %s\n  EventsListeners: %lld\n",
               number_of(info, "NFd"), number_of(info, "NGoroutines"), text_of(info, "SystemTime"),
               number_of(info, "NEventsListener"));
    print_set("HTTP Proxy", text_of(info, "HttpProxy"));
    print_set("HTTPS Proxy", text_of(info, "HttpsProxy"));
    print_set("No Proxy", text_of(info, "NoProxy"));
    print_list("Labels", json_object_get(info, "Labels"));
    printf(" Experimental: %s\n", truth_of(info, "ExperimentalBuild"));
}

static void print_registry(const json_t *registry)
{
    json_t *indexes = json_object_get(registry, "IndexConfigs"), *blocks = NULL;
    blocks = json_object_get(registry, "InsecureRegistryCIDRs");
    if (json_object_size(indexes) > 0 || json_array_size(blocks) > 0) {
        size_t count;
        _cleanup_free_ const char **names = value_keys((struct value){&type_map_any, indexes}, &count);
        printf(" Insecure Registries:\n");
        for (size_t i = 0; i < count; i++)
            if (!json_is_true(json_object_get(json_object_get(indexes, names[i]), "Secure")))
                printf("  %s\n", names[i]);
        for (size_t i = 0; i < json_array_size(blocks); i++)
            printf("  %s\n", string_or_empty(json_string_value(json_array_get(blocks, i))));
    }
    print_list("Registry Mirrors", json_object_get(registry, "Mirrors"));
}

static void print_rest(const json_t *info)
{
    printf(" Live Restore Enabled: %s\n", truth_of(info, "LiveRestoreEnabled"));
    print_set("Product License", text_of(info, "ProductLicense"));
    const json_t *pools = json_object_get(info, "DefaultAddressPools"),
                 *firewall = json_object_get(info, "FirewallBackend");
    if (json_array_size(pools) > 0)
        printf(" Default Address Pools:\n");
    for (size_t i = 0; i < json_array_size(pools); i++)
        printf("   Base: %s, Size: %lld\n", text_of(json_array_get(pools, i), "Base"),
               number_of(json_array_get(pools, i), "Size"));
    if (json_is_object(firewall)) {
        printf(" Firewall Backend: %s\n", text_of(firewall, "Driver"));
        print_pairs(json_object_get(firewall, "Info"));
    }
    putchar('\n');
    fflush(stdout);
    const json_t *warnings = json_object_get(info, "Warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++)
        fprintf(stderr, "%s\n", string_or_empty(json_string_value(json_array_get(warnings, i))));
}

static void print_server(const json_t *info)
{
    print_counts(info);
    print_plugins(info);
    info_swarm_print(json_object_get(info, "Swarm"));
    print_runtimes(info);
    print_linux(info);
    print_machine(info);
    print_registry(json_object_get(info, "RegistryConfig"));
    print_rest(info);
}

static bool info_run(struct command_call *call, struct error *err)
{
    const struct info_options *options = call->values;
    _cleanup_error_ struct error unreachable = ERROR_INIT;
    _cleanup_json_ json_t *info = client_get_json(call->client, "/info", &unreachable);
    if (string_is_set(options->format)) {
        _cleanup_json_ json_t *report = info ? json_incref(info) : json_object();
        json_t *client = client_report(NULL);
        json_object_set_new(client, "Debug", json_boolean(call->is_debug));
        json_object_set_new(client, "Plugins", json_array());
        json_object_set_new(report, "ClientInfo", client);
        if (!report_print(call, options->format, "", &info_report_type, report, err))
            return false;
    } else {
        printf("Client: " CLIENT_NAME "\n Version:    " WHERRY_VERSION "\n Context:    " CLIENT_CONTEXT
               "\n Debug Mode: %s\n\nServer:\n",
               call->is_debug ? "true" : "false");
        if (info)
            print_server(info);
    }
    return info || error_move(err, &unreachable);
}

static const struct option info_rows[] = {
    {"format", 'f', OPTION_STRING, offsetof(struct info_options, format), "string", FORMAT_HELP_INSPECT},
};

const struct command info_command = {
    .paths = {"system info", "info"},
    .usage = "[OPTIONS]",
    .help = "Display system-wide information",
    .group = GROUP_COMMON,
    .options = OPTION_TABLE(info_rows),
    .values_size = sizeof(struct info_options),
    .run = info_run,
};
