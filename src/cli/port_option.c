#include "cli/port_option.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "cli/flag_checks.h"

#define PORT_MAXIMUM 65535

/* strconv.ParseUint(text, 10, 16) */
static bool parse_port(const char *text, int64_t *out, struct error *err)
{
    uint64_t number = 0;
    bool is_number = parse_uint64(text, &number);
    if (is_number && number <= PORT_MAXIMUM) {
        *out = (int64_t)number;
        return true;
    }
    _cleanup_strbuf_ struct strbuf quoted = STRBUF_INIT;
    string_quote(text, &quoted);
    bool is_digits = *text && text[strspn(text, "0123456789")] == '\0';
    return error_set(err, ERROR_INVALID, "strconv.ParseUint: parsing %s: %s", strbuf_text(&quoted),
                     is_digits ? "value out of range" : "invalid syntax");
}

static bool parse_range(const char *text, int64_t *start, int64_t *end, struct error *err)
{
    if (!*text)
        return error_set(err, ERROR_INVALID, "empty string specified for ports");
    const char *dash = strchr(text, '-');
    if (!dash) {
        if (!parse_port(text, start, err))
            return false;
        *end = *start;
        return true;
    }
    _cleanup_free_ char *first = xstrndup(text, (size_t)(dash - text));
    int64_t from = 0, to = 0;
    if (!parse_port(first, &from, err) || !parse_port(dash + 1, &to, err))
        return false;
    if (to < from)
        return error_set(err, ERROR_INVALID, "invalid range specified for port: %s", text);
    *start = from;
    *end = to;
    return true;
}

/* Cuts "/protocol" off and returns it in lower case, "tcp" where there is none; caller frees. */
static char *take_protocol(char *port)
{
    char *slash = strchr(port, '/');
    if (!slash)
        return xstrdup("tcp");
    *slash = '\0';
    char *protocol = xstrndup(slash + 1, strcspn(slash + 1, "/"));
    if (!*protocol)
        string_replace(&protocol, "tcp");
    for (char *at = protocol; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return protocol;
}

static void add_exposed(struct strlist *exposed, const char *port)
{
    if (!strlist_contains(exposed, port))
        strlist_add(exposed, port);
}

bool port_expose_parse(const char *value, struct strlist *exposed, struct error *err)
{
    if (strchr(value, ':'))
        return error_set(err, ERROR_INVALID, "invalid port format for --expose: %s", value);
    _cleanup_free_ char *port = xstrdup(value);
    _cleanup_free_ char *protocol = take_protocol(port);
    int64_t start = 0, end = 0;
    _cleanup_error_ struct error cause = ERROR_INIT;
    if (!parse_range(port, &start, &end, &cause))
        return error_set(err, ERROR_INVALID, "invalid range format for --expose: %s, error: %s", value,
                         error_message(&cause));
    for (int64_t number = start; number <= end; number++) {
        char text[48];
        snprintf(text, sizeof(text), "%lld/%s", (long long)number, protocol);
        add_exposed(exposed, text);
    }
    return true;
}

struct publish {
    char *ip, *host, *container; /* owned */
};
static void publish_release(struct publish *publish)
{
    free(publish->ip);
    free(publish->host);
    free(publish->container);
}

/* At the last two colons; what is before them is the address, in brackets or not. */
static bool split_publish(const char *value, struct publish *out, struct error *err)
{
    const char *last = strrchr(value, ':');
    out->container = xstrdup(last ? last + 1 : value);
    _cleanup_free_ char *before = last ? xstrndup(value, (size_t)(last - value)) : xstrdup("");
    char *middle = strrchr(before, ':');
    out->host = xstrdup(middle ? middle + 1 : before);
    if (middle)
        *middle = '\0';
    else
        before[0] = '\0';
    size_t length = strlen(before);
    if (length > 1 && before[0] == '[' && before[length - 1] == ']')
        out->ip = xstrndup(before + 1, length - 2);
    else
        out->ip = xstrdup(before);
    if (*out->ip && !is_ip_address(out->ip))
        return error_set(err, ERROR_INVALID, "invalid IP address: %s", out->ip);
    return true;
}

/* The long form, as "published:target/protocol". Caller frees. */
static char *long_form_to_short(const char *value, struct error *err)
{
    _cleanup_strlist_ struct strlist fields = {0};
    if (!csv_split(value, &fields, err))
        return NULL;
    const char *published = "", *target = NULL, *protocol = "tcp";
    for (size_t i = 0; i < fields.count; i++) {
        char *field = fields.items[i], *equals = strchr(field, '=');
        if (!equals) {
            error_set(err, ERROR_INVALID, "invalid field: %s", field);
            return NULL;
        }
        *equals = '\0';
        const char *text = equals + 1;
        if (string_equal(field, "published")) {
            published = text;
        } else if (string_equal(field, "target")) {
            target = text;
        } else if (string_equal(field, "protocol")) {
            protocol = text;
        } else if (string_equal(field, "mode")) {
            if (!string_equal(text, "ingress") && !string_equal(text, "host")) {
                error_set(err, ERROR_INVALID, "invalid publish mode value (%s): must be either 'ingress' or 'host'",
                          text);
                return NULL;
            }
        } else {
            error_set(err, ERROR_INVALID, "invalid field key: %s", field);
            return NULL;
        }
    }
    if (!target) {
        error_set(err, ERROR_INVALID, "missing mandatory field 'target'");
        return NULL;
    }
    return xasprintf("%s%s%s/%s", published, *published ? ":" : "", target, protocol);
}

static void add_binding(const struct publish *publish, const char *host_port, const char *port, struct strlist *exposed,
                        struct record_map *bindings)
{
    add_exposed(exposed, port);
    struct record_list *list = record_map_put(bindings, &record_list_type, port);
    struct port_binding *binding = record_list_add(list, &port_binding_type);
    binding->host_ip = xstrdup(publish->ip);
    binding->host_port = xstrdup(host_port);
}

bool port_publish_parse(const char *value, struct strlist *exposed, struct record_map *bindings, struct error *err)
{
    _cleanup_free_ char *short_form = strchr(value, '=') ? long_form_to_short(value, err) : xstrdup(value);
    if (!short_form)
        return false;
    _cleanup_(publish_release) struct publish publish = {0};
    if (!split_publish(short_form, &publish, err))
        return false;
    if (!*publish.container)
        return error_set(err, ERROR_INVALID, "no port specified: %s<empty>", short_form);
    _cleanup_free_ char *protocol = take_protocol(publish.container);
    int64_t start = 0, end = 0, host_start = 0, host_end = 0;
    if (!parse_range(publish.container, &start, &end, NULL))
        return error_set(err, ERROR_INVALID, "invalid containerPort: %s", publish.container);
    if (*publish.host && !parse_range(publish.host, &host_start, &host_end, NULL))
        return error_set(err, ERROR_INVALID, "invalid hostPort: %s", publish.host);
    if (*publish.host && end - start != host_end - host_start && end != start)
        return error_set(err, ERROR_INVALID, "invalid ranges specified for container and host Ports: %s and %s",
                         publish.container, publish.host);
    if (!string_equal(protocol, "tcp") && !string_equal(protocol, "udp") && !string_equal(protocol, "sctp"))
        return error_set(err, ERROR_INVALID, "invalid proto: %s", protocol);
    for (int64_t i = 0; i <= end - start; i++) {
        char port[48], host_port[48] = "";
        snprintf(port, sizeof(port), "%lld/%s", (long long)(start + i), protocol);
        if (*publish.host && start == end && host_start != host_end)
            snprintf(host_port, sizeof(host_port), "%lld-%lld", (long long)host_start, (long long)host_end);
        else if (*publish.host)
            snprintf(host_port, sizeof(host_port), "%lld", (long long)(host_start + i));
        add_binding(&publish, host_port, port, exposed, bindings);
    }
    return true;
}
