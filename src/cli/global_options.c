#include "cli/global_options.h"

#include "base/memory.h"
#include "cli/config_file.h"

#define AT(member) offsetof(struct global_values, member)
static const struct option rows[] = {
    {"config", 0, OPTION_STRING, AT(config), "string", "Location of client config files"},
    {"context", 'c', OPTION_STRING, AT(context), "string",
     "Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and default context set with "
     "\"docker context use\")"},
    {"debug", 'D', OPTION_BOOL, AT(is_debug), NULL, "Enable debug mode"},
    {"host", 'H', OPTION_LIST, AT(hosts), "list", "Daemon socket to connect to"},
    {"log-level", 'l', OPTION_STRING, AT(log_level), "string",
     "Set the logging level (\"debug\", \"info\", \"warn\", \"error\", \"fatal\")", "info"},
    {"tls", 0, OPTION_BOOL, AT(tls), NULL, "Use TLS; implied by --tlsverify"},
    {"tlscacert", 0, OPTION_STRING, AT(tls_ca), "string", "Trust certs signed only by this CA"},
    {"tlscert", 0, OPTION_STRING, AT(tls_certificate), "string", "Path to TLS certificate file"},
    {"tlskey", 0, OPTION_STRING, AT(tls_key), "string", "Path to TLS key file"},
    {"tlsverify", 0, OPTION_BOOL, AT(tls_verify), NULL, "Use TLS and verify the remote"},
    {"version", 'v', OPTION_BOOL, AT(wants_version), NULL, "Print version information and quit"},
};
const struct option_table global_options = {rows, ARRAY_SIZE(rows)};

char *config_directory_default(void)
{
    const char *directory = environment_setting("CONFIG");
    if (directory)
        return xstrdup(directory);
    const char *home = getenv("HOME");
    return xasprintf("%s/.docker", string_is_set(home) ? home : "");
}

const struct option_table *global_options_with_defaults(void)
{
    static struct option copies[ARRAY_SIZE(rows)];
    static const struct option_table table = {copies, ARRAY_SIZE(copies)};
    static char *directory, *certificates[3];
    static const struct {
        const char *name, *file;
    } files[] = {{"tlscacert", "ca.pem"}, {"tlscert", "cert.pem"}, {"tlskey", "key.pem"}};
    if (directory)
        return &table;
    directory = config_directory_default();
    const char *certificate_directory = environment_setting("CERT_PATH");
    for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
        copies[i] = rows[i];
        if (string_equal(rows[i].name, "config"))
            copies[i].default_text = directory;
        for (size_t j = 0; j < ARRAY_SIZE(files); j++) {
            if (!string_equal(rows[i].name, files[j].name))
                continue;
            certificates[j] = xasprintf(
                "%s/%s", string_is_set(certificate_directory) ? certificate_directory : directory, files[j].file);
            copies[i].default_text = certificates[j];
        }
    }
    return &table;
}
