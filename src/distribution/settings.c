#include "distribution/settings.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

#define PLACE(member_) offsetof(struct settings, member_)
#define DEFAULT_DATA   "/var/lib/wherry-registry"
#define DEFAULT_HOST   "tcp://127.0.0.1:5000"
#define DEFAULT_REALM  "wherry-registry"
#define HOUR           (3600 * NANOSECONDS_PER_SECOND)

static bool parse_positive_bytes(void *place, const char *value, struct error *err)
{
    int64_t bytes;
    if (!parse_bytes(value, &bytes, err))
        return false;
    if (bytes < 0)
        return error_set(err, ERROR_INVALID, "must not be negative");
    *(int64_t *)place = bytes;
    return true;
}

static bool parse_positive_duration(void *place, const char *value, struct error *err)
{
    int64_t duration;
    if (!parse_duration(value, &duration, err))
        return false;
    if (duration < 0)
        return error_set(err, ERROR_INVALID, "must not be negative");
    *(int64_t *)place = duration;
    return true;
}

static bool parse_upstream(void *place, const char *value, struct error *err)
{
    bool is_url = string_starts_with(value, "http://") || string_starts_with(value, "https://");
    const char *host = is_url ? strstr(value, "://") + 3 : "";
    if (!*host || *host == '/' || strpbrk(host, "@?#"))
        return error_set(err, ERROR_INVALID, "must be of the form https://HOST[:PORT] or http://HOST[:PORT]");
    char *copy = xstrdup(value);
    while (string_ends_with(copy, "/"))
        copy[strlen(copy) - 1] = '\0';
    free(*(char **)place);
    *(char **)place = copy;
    return true;
}

#define BYTES(name_, member_, help_)                                                                                   \
    {                                                                                                                  \
        (name_), 0, OPTION_BYTES, PLACE(member_), "bytes", (help_), NULL, parse_positive_bytes                         \
    }
#define DURATION(name_, member_, help_, default_)                                                                      \
    {                                                                                                                  \
        (name_), 0, OPTION_DURATION, PLACE(member_), "duration", (help_), (default_), parse_positive_duration          \
    }
#define STRING(name_, member_, value_, help_, default_)                                                                \
    {                                                                                                                  \
        (name_), 0, OPTION_STRING, PLACE(member_), (value_), (help_), (default_)                                       \
    }

const struct option serve_rows[] = {
    BYTES("quota", quota.repository, "What one repository may hold"),
    BYTES("quota-total", quota.total, "What all repositories may hold together, each blob counted once"),
    DURATION("gc-grace", collect_grace, "Age at which what nothing refers to is collected", "1h"),
    DURATION("gc-interval", collect_interval, "Time between two collections (0 for none)", "24h"),
    {"gc-untagged", 0, OPTION_BOOL, PLACE(collects_untagged), NULL, "Collect manifests too that no tag leads to"},
    STRING("data", data, "path", "Folder of everything that is kept", DEFAULT_DATA),
    {"delete", 0, OPTION_BOOL, PLACE(allows_delete), NULL, "Let clients delete manifests, tags and blobs", "true"},
    {"host", 'H', OPTION_LIST, PLACE(hosts), "list", "Address to listen on (default " DEFAULT_HOST ")"},
    STRING("htpasswd", htpasswd, "file", "Users and bcrypt passwords (htpasswd -B)", NULL),
    STRING("log-level", log_level, "string", "Set the logging level (\"debug\"|\"info\"|\"warn\"|\"error\")", "info"),
    {"log-json", 0, OPTION_BOOL, PLACE(wants_json), NULL, "Log in JSON"},
    STRING("metrics-addr", metrics, "string", "Address for the Prometheus metrics", NULL),
    {"read-only", 0, OPTION_BOOL, PLACE(is_read_only), NULL, "Refuse everything that changes something"},
    STRING("realm", realm, "string", "Realm of the password question", DEFAULT_REALM),
    DURATION("timeout", patience, "How long a client may be silent in the middle of a request", "1m0s"),
    STRING("tlscacert", client_ca, "file", "Ask clients for a certificate that was signed by this CA", NULL),
    STRING("tlscert", certificate, "file", "Path to TLS certificate file", NULL),
    STRING("tlskey", key, "file", "Path to TLS key file", NULL),
    STRING("token-issuer", token_issuer, "string", "Who has to have issued a token", NULL),
    STRING("token-keys", token_keys, "file",
           "Certificates or public keys (PEM), or a JWKS, that tokens are signed with", NULL),
    STRING("token-realm", token_realm, "url", "Where clients get tokens", NULL),
    STRING("token-service", token_service, "string", "Name of this registry in tokens", NULL),
    DURATION("upload-expiry", upload_expiry, "Age at which an upload that nobody goes on with is dropped", "24h"),
    DURATION("upstream-age", upstream_age, "How long a cached tag is not asked for again", "0s"),
    STRING("upstream-password-file", upstream_password_file, "file", "File with the password for the upstream", NULL),
    STRING("upstream-user", upstream_user, "string", "User name for the upstream", NULL),
    {"upstream", 0, OPTION_STRING, PLACE(upstream), "url", "Be a cache of this registry", NULL, parse_upstream},
};

const struct option collect_rows[] = {
    STRING("data", data, "path", "Folder of everything that is kept", DEFAULT_DATA),
    DURATION("grace", collect_grace, "Age at which what nothing refers to is collected; 0 only while nobody pushes",
             "1h"),
    {"untagged", 0, OPTION_BOOL, PLACE(collects_untagged), NULL, "Collect manifests too that no tag leads to"},
};

void settings_defaults(struct settings *settings)
{
    *settings = (struct settings){
        .data = xstrdup(DEFAULT_DATA),
        .realm = xstrdup(DEFAULT_REALM),
        .log_level = xstrdup("info"),
        .allows_delete = true,
        .upload_expiry = 24 * HOUR,
        .collect_interval = 24 * HOUR,
        .collect_grace = HOUR,
        .patience = 60 * NANOSECONDS_PER_SECOND,
    };
}

void settings_release(struct settings *settings)
{
    const struct option_table table = {serve_rows, ARRAY_SIZE(serve_rows)};
    options_release(&table, settings);
}

bool settings_check(struct settings *settings, struct error *err)
{
    const char *const token[] = {settings->token_realm, settings->token_service, settings->token_issuer,
                                 settings->token_keys};
    size_t given = 0;
    for (size_t i = 0; i < ARRAY_SIZE(token); i++)
        given += string_is_set(token[i]);
    if (given && given < ARRAY_SIZE(token))
        return error_set(err, ERROR_INVALID,
                         "--token-realm, --token-service, --token-issuer and --token-keys are only complete together");
    if (given && settings->htpasswd)
        return error_set(err, ERROR_INVALID, "--htpasswd and --token-realm exclude each other");
    if (!settings->certificate != !settings->key)
        return error_set(err, ERROR_INVALID, "--tlscert and --tlskey belong together");
    if (settings->client_ca && !settings->certificate)
        return error_set(err, ERROR_INVALID, "--tlscacert needs --tlscert and --tlskey");
    if (!settings->upstream && (settings->upstream_user || settings->upstream_password_file))
        return error_set(err, ERROR_INVALID, "--upstream-user and --upstream-password-file need --upstream");
    if (!settings->upstream_user != !settings->upstream_password_file)
        return error_set(err, ERROR_INVALID, "--upstream-user and --upstream-password-file belong together");
    if (!settings->patience)
        return error_set(err, ERROR_INVALID, "--timeout must not be 0");
    if (strpbrk(settings->realm, "\"\\\r\n"))
        return error_set(err, ERROR_INVALID, "--realm must not contain quotes, backslashes or line ends");
    if (given && (strpbrk(settings->token_realm, "\"\\\r\n") || strpbrk(settings->token_service, "\"\\\r\n")))
        return error_set(err, ERROR_INVALID,
                         "--token-realm and --token-service must not contain quotes, backslashes or line ends");
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    bool is_level = false;
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
        is_level |= string_equal(settings->log_level, levels[i]);
    if (!is_level)
        return error_set(err, ERROR_INVALID, "invalid --log-level: %s", settings->log_level);
    if (settings->hosts.count == 0)
        strlist_add(&settings->hosts, DEFAULT_HOST);
    return true;
}
