/* The log drivers: their options and what is checked of them at create, driver by driver in Docker's order and words.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "engine/log_config.h"

/* A URL as far as an address of a log server is one. */
struct address {
    char *scheme, *host, *path; /* host with its port */
};

static void address_release(struct address *address)
{
    free(address->scheme);
    free(address->host);
    free(address->path);
}
#define _cleanup_address_ _cleanup_(address_release)

static void address_parse(const char *text, struct address *out)
{
    const char *separator = strstr(text, "://");
    const char *rest = separator ? separator + 3 : text;
    size_t length = strcspn(rest, "/");
    out->scheme = xstrndup(text, separator ? (size_t)(separator - text) : 0);
    out->host = xstrndup(rest, length);
    out->path = xstrdup(rest + length);
}

/* Go's net.SplitHostPort. *port is NULL where there is none. */
static bool split_port(const char *host, const char **port, struct error *err)
{
    const char *colon = strrchr(host, ':');
    const char *bracket = strchr(host, ']');
    *port = colon && (!bracket || colon > bracket) ? colon + 1 : NULL;
    if (*port && host[0] != '[' && strchr(host, ':') != colon)
        return error_set(err, ERROR_INVALID, "address %s: too many colons in address", host);
    return true;
}

static bool check_path(const char *path, struct error *err)
{
    struct stat status;
    return stat(path, &status) == 0 || error_set(err, ERROR_INVALID, "stat %s: %s", path, errno_text(errno));
}

static bool check_flag(const struct strmap *options, const char *key, struct error *err)
{
    const char *text = strmap_get(options, key);
    bool ignored;
    return !string_is_set(text) || parse_bool(text, &ignored, NULL) ||
           error_set(err, ERROR_INVALID, "strconv.ParseBool: parsing \"%s\": invalid syntax", text);
}

/* --- syslog --- */

static bool check_syslog_address(const char *text, struct error *err)
{
    static const char *const schemes[] = {"unix", "unixgram", "udp", "tcp", "tcp+tls"};
    _cleanup_address_ struct address address = {0};
    const char *port;
    bool is_known = false;
    if (!string_is_set(text))
        return true;
    address_parse(text, &address);
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        is_known |= string_equal(address.scheme, schemes[i]);
    if (!is_known)
        return error_set(err, ERROR_INVALID, "unsupported scheme: '%s'", address.scheme);
    if (string_starts_with(address.scheme, "unix"))
        return check_path(address.path, err);
    return split_port(address.host, &port, err);
}

static bool check_syslog(const struct strmap *options, struct error *err)
{
    static const char *const facilities[] = {"kern",   "user",   "mail",   "daemon",   "auth",   "syslog", "lpr",
                                             "news",   "uucp",   "cron",   "authpriv", "ftp",    "local0", "local1",
                                             "local2", "local3", "local4", "local5",   "local6", "local7"};
    static const char *const formats[] = {"rfc3164", "rfc5424", "rfc5424micro"};
    const char *facility = strmap_get(options, "syslog-facility"), *format = strmap_get(options, "syslog-format");
    int64_t number;
    if (!check_syslog_address(strmap_get(options, "syslog-address"), err))
        return false;
    bool is_known = !string_is_set(facility) || (parse_int64(facility, &number) && number >= 0 && number <= 23);
    for (size_t i = 0; i < ARRAY_SIZE(facilities); i++)
        is_known |= string_equal(facility, facilities[i]);
    if (!is_known)
        return error_set(err, ERROR_INVALID, "invalid syslog facility");
    is_known = !string_is_set(format);
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        is_known |= string_equal(format, formats[i]);
    return is_known || error_set(err, ERROR_INVALID, "Invalid syslog format");
}

/* --- fluentd --- */

static bool check_fluentd_address(const char *text, struct error *err)
{
    _cleanup_address_ struct address address = {0};
    _cleanup_error_ struct error why = ERROR_INIT;
    const char *port = NULL;
    int64_t number;
    if (!string_is_set(text))
        return true;
    address_parse(text, &address);
    const char *scheme = *address.scheme ? address.scheme : "tcp";
    if (string_equal(scheme, "unix")) {
        if (!*address.path || string_equal(address.path, "/"))
            error_set(&why, ERROR_INVALID, "path is empty");
    } else if (!string_equal(scheme, "tcp") && !string_equal(scheme, "tls")) {
        error_set(&why, ERROR_INVALID, "unsupported scheme: '%s'", scheme);
    } else if (*address.path) {
        error_set(&why, ERROR_INVALID, "should not contain a path element");
    } else if (split_port(address.host, &port, &why) && string_is_set(port) &&
               (!parse_int64(port, &number) || number < 0)) {
        error_set(&why, ERROR_INVALID, "parse \"%s://%s\": invalid port \":%s\" after host", scheme, address.host,
                  port);
    }
    return why.kind == ERROR_NONE ||
           error_set(err, ERROR_INVALID, "invalid fluentd-address (%s): %s", text, error_message(&why));
}

static bool check_duration(const char *text, int64_t *out, struct error *err)
{
    int64_t number;
    *out = 0;
    if (!string_is_set(text) || parse_duration(text, out, NULL))
        return true;
    return error_set(err, ERROR_INVALID, "time: %s duration \"%s\"",
                     parse_int64(text, &number) ? "missing unit in" : "invalid", text);
}

static bool check_fluentd(const struct strmap *options, struct error *err)
{
    int64_t ignored;
    uint64_t count;
    const char *limit = strmap_get(options, "fluentd-buffer-limit");
    const char *retries = strmap_get(options, "fluentd-max-retries");
    const char *interval = strmap_get(options, "fluentd-async-reconnect-interval");
    if (!check_fluentd_address(strmap_get(options, "fluentd-address"), err))
        return false;
    if (string_is_set(limit) && !parse_bytes(limit, &ignored, err))
        return false;
    if (!check_duration(strmap_get(options, "fluentd-retry-wait"), &ignored, err))
        return false;
    if (string_is_set(retries) && !parse_uint64(retries, &count))
        return error_set(err, ERROR_INVALID, "strconv.ParseUint: parsing \"%s\": invalid syntax", retries);
    if (strmap_get(options, "fluentd-async") && strmap_get(options, "fluentd-async-connect"))
        return error_set(err, ERROR_INVALID,
                         "conflicting options: cannot specify both 'fluentd-async' and 'fluentd-async-connect");
    if (!check_flag(options, "fluentd-async", err) || !check_flag(options, "fluentd-async-connect", err))
        return false;
    if (string_is_set(interval)) {
        int64_t duration;
        if (!check_duration(interval, &duration, err))
            return error_prefix(err, "invalid value for fluentd-async-reconnect-interval");
        if (duration != 0 && (duration < NANOSECONDS_PER_SECOND / 10 || duration > 10 * NANOSECONDS_PER_SECOND))
            return error_set(err, ERROR_INVALID,
                             "invalid value for fluentd-async-reconnect-interval: value (\"%s\") must be between 100ms "
                             "and 10s",
                             interval);
    }
    return check_flag(options, "fluentd-sub-second-precision", err) && check_flag(options, "fluentd-request-ack", err);
}

/* --- gelf --- */

static bool check_gelf_address(const struct strmap *options, bool *is_tcp, struct error *err)
{
    const char *text = strmap_get(options, "gelf-address"), *port;
    _cleanup_address_ struct address address = {0};
    if (!string_is_set(text))
        return error_set(err, ERROR_INVALID, "gelf-address is a required parameter");
    address_parse(text, &address);
    *is_tcp = string_equal(address.scheme, "tcp");
    if (!*is_tcp && !string_equal(address.scheme, "udp"))
        return error_set(err, ERROR_INVALID, "gelf: endpoint needs to be TCP or UDP");
    if (!split_port(address.host, &port, NULL) || !port)
        return error_set(err, ERROR_INVALID, "gelf: please provide gelf-address as proto://host:port");
    return true;
}

static bool check_gelf_value(const char *key, const char *value, bool is_tcp, struct error *err)
{
    static const char *const types[] = {"gzip", "zlib", "none"};
    int64_t number = 0;
    bool is_number = parse_int64(value, &number), is_known = false;
    if (string_starts_with(key, "gelf-compression-")) {
        if (is_tcp)
            return error_set(err, ERROR_INVALID, "compression is only supported on UDP");
        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
            is_known |= string_equal(value, types[i]);
        if (string_equal(key, "gelf-compression-level"))
            is_known = is_number && number >= -1 && number <= 9;
        return is_known ||
               error_set(err, ERROR_INVALID, "unknown value \"%s\" for log opt \"%s\" for gelf log driver", value, key);
    }
    if (string_starts_with(key, "gelf-tcp-")) {
        if (!is_tcp)
            return error_set(err, ERROR_INVALID, "\"%s\" is only valid for TCP", key);
        return (is_number && number >= 0) || error_set(err, ERROR_INVALID, "\"%s\" must be a positive integer", key);
    }
    return true;
}

static bool check_gelf(const struct strmap *options, struct error *err)
{
    static const char *const names[] = {"gelf-compression-level", "gelf-compression-type", "gelf-tcp-max-reconnect",
                                        "gelf-tcp-reconnect-delay"};
    bool is_tcp;
    if (!check_gelf_address(options, &is_tcp, err))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = strmap_get(options, names[i]);
        if (value && !check_gelf_value(names[i], value, is_tcp, err))
            return false;
    }
    return true;
}

/* --- the table --- */

#define CHOSEN "labels", "labels-regex", "env", "env-regex", "tag"
static const char *const json_file_options[] = {CHOSEN, "max-size", "max-file", "compress", NULL};
static const char *const local_options[] = {"max-size", "max-file", "compress", NULL};
static const char *const journald_options[] = {CHOSEN, NULL};
static const char *const syslog_options[] = {CHOSEN,           "syslog-address",         "syslog-facility",
                                             "syslog-format",  "syslog-tls-ca-cert",     "syslog-tls-cert",
                                             "syslog-tls-key", "syslog-tls-skip-verify", NULL};
static const char *const fluentd_options[] = {CHOSEN,
                                              "fluentd-address",
                                              "fluentd-async",
                                              "fluentd-async-connect",
                                              "fluentd-async-reconnect-interval",
                                              "fluentd-buffer-limit",
                                              "fluentd-max-retries",
                                              "fluentd-request-ack",
                                              "fluentd-retry-wait",
                                              "fluentd-sub-second-precision",
                                              NULL};
static const char *const gelf_options[] = {CHOSEN,
                                           "gelf-address",
                                           "gelf-compression-level",
                                           "gelf-compression-type",
                                           "gelf-tcp-max-reconnect",
                                           "gelf-tcp-reconnect-delay",
                                           NULL};

static const struct driver {
    const char *name;
    const char *const *options;
    bool is_remote;
    bool (*check)(const struct strmap *options, struct error *err);
    const char *unknown; /* format of the message about an unknown option */
} drivers[] = {
    {"fluentd", fluentd_options, true, check_fluentd, "unknown log opt '%s' for fluentd log driver"},
    {"gelf", gelf_options, true, check_gelf, "unknown log opt \"%s\" for gelf log driver"},
    {"journald", journald_options, true, NULL, "unknown log opt '%s' for journald log driver"},
    {"json-file", json_file_options, false, NULL, "unknown log opt '%s' for json-file log driver"},
    {"local", local_options, false, NULL, "unknown log opt '%s' for log driver local"},
    {"syslog", syslog_options, true, check_syslog, "unknown log opt '%s' for syslog log driver"},
};
/* Docker's drivers of one vendor's service. */
static const char *const refused[] = {"awslogs", "gcplogs", "splunk"};

const char *const *log_drivers(void)
{
    static const char *names[ARRAY_SIZE(drivers) + 1];
    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        names[i] = drivers[i].name;
    return names;
}

static const struct driver *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if (string_equal(drivers[i].name, name))
            return &drivers[i];
    return NULL;
}

bool log_driver_is_remote(const char *name)
{
    const struct driver *driver = find(name);
    return driver && driver->is_remote;
}

static bool check_names(const struct driver *driver, const struct strmap *options, struct error *err)
{
    for (size_t i = 0; i < options->count; i++) {
        const char *const *known = driver->options;
        while (*known && !string_equal(*known, options->items[i].key))
            known++;
        if (!*known) {
            const char *place = strstr(driver->unknown, "%s");
            return error_set(err, ERROR_INVALID, "%.*s%s%s", (int)(place - driver->unknown), driver->unknown,
                             options->items[i].key, place + 2);
        }
    }
    return true;
}

bool log_driver_check(const char *name, const struct strmap *options, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        if (string_equal(name, refused[i]))
            return error_set(err, ERROR_UNSUPPORTED, "the logging driver %s is not supported by Wherry", name);
    if (string_equal(name, "logentries"))
        return error_set(err, ERROR_INVALID, "the logentries logging driver has been deprecated and removed");
    const struct driver *driver = find(name);
    if (!driver)
        return error_set(err, ERROR_INVALID, "error looking up logging plugin %s: plugin \"%s\" not found", name, name);
    /* Docker looks at an address that must be there before it looks at the names. */
    bool is_tcp;
    if (driver->check == check_gelf && !check_gelf_address(options, &is_tcp, err))
        return false;
    return check_names(driver, options, err) && (!driver->check || driver->check(options, err));
}
