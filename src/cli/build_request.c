#include "cli/build_request.h"

#include <fcntl.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/config_file.h"
#include "cli/flag_checks.h"
#include "cli/registry_auth.h"
#include "json/json_record.h"

#define SECRET_LIMIT ((size_t)500 * 1024) /* BuildKit's */
/* An engine takes heads of 64 KiB, and there are other headers. */
#define SECRETS_HEADER_LIMIT ((size_t)56 * 1024)

static void add_json(struct strbuf *path, const char *key, const json_t *json)
{
    _cleanup_free_ char *text = json_format(json);
    if (json_is_array(json) ? json_array_size(json) > 0 : json_object_size(json) > 0)
        client_query_add(path, key, text);
}

static void add_number(struct strbuf *path, const char *key, int64_t number)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld", (long long)number);
    client_query_add(path, key, number ? text : NULL);
}

static void add_text(struct strbuf *path, const char *key, const char *text)
{
    client_query_add(path, key, string_is_set(text) ? text : NULL);
}

static void add_flag(struct strbuf *path, const char *key, bool is_set)
{
    client_query_add(path, key, is_set ? "1" : NULL);
}

/* NAME=value, or NAME with the value of our own environment: null where it has none there. */
static bool add_build_args(const struct command_call *call, struct strbuf *path, struct error *err)
{
    const struct build_options *options = call->values;
    _cleanup_json_ json_t *arguments = json_object(), *proxied = json_pack("{s:[]}", "Env");
    for (size_t i = 0; i < options->build_args.count; i++) {
        const char *argument = options->build_args.items[i], *equals = strchr(argument, '=');
        _cleanup_free_ char *name = xstrndup(argument, strcspn(argument, "="));
        const char *value = equals ? equals + 1 : getenv(name);
        json_object_set_new(arguments, name, value ? json_string(value) : json_null());
        json_array_append_new(json_object_get(proxied, "Env"), json_string(argument));
    }
    if (!config_file_add_proxies(call, proxied, err))
        return false;
    for (size_t i = options->build_args.count; i < json_array_size(json_object_get(proxied, "Env")); i++) {
        const char *variable = json_string_value(json_array_get(json_object_get(proxied, "Env"), i));
        _cleanup_free_ char *name = xstrndup(variable, strcspn(variable, "="));
        if (!json_object_get(arguments, name))
            json_object_set_new(arguments, name, json_string(variable + strlen(name) + 1));
    }
    add_json(path, "buildargs", arguments);
    return true;
}

static void add_labels(const struct build_options *options, struct strbuf *path)
{
    _cleanup_json_ json_t *labels = json_object();
    for (size_t i = 0; i < options->labels.count; i++) {
        const char *label = options->labels.items[i], *equals = strchr(label, '=');
        _cleanup_free_ char *name = xstrndup(label, strcspn(label, "="));
        json_object_set_new(labels, name, json_string(equals ? equals + 1 : ""));
    }
    add_json(path, "labels", labels);
}

static bool add_ulimits(const struct build_options *options, struct strbuf *path, struct error *err)
{
    _cleanup_json_ json_t *ulimits = json_array();
    for (size_t i = 0; i < options->ulimits.count; i++) {
        struct parsed_ulimit limit = {0};
        if (!parse_ulimit(options->ulimits.items[i], &limit, err))
            return false;
        json_array_append_new(ulimits, json_pack("{s:s, s:I, s:I}", "Name", limit.name, "Hard", (json_int_t)limit.hard,
                                                 "Soft", (json_int_t)limit.soft));
        free(limit.name);
    }
    add_json(path, "ulimits", ulimits);
    return true;
}

/* docker's older name for a registry's cache, or "type=registry,ref=user/app:cache". */
static bool add_cache_sources(const struct build_options *options, struct strbuf *path, struct error *err)
{
    _cleanup_json_ json_t *images = json_array();
    for (size_t i = 0; i < options->cache_from.count; i++) {
        const char *source = options->cache_from.items[i];
        if (string_starts_with(source, "ref="))
            source += strlen("ref=");
        else if (string_equal(source, "type=registry"))
            continue;
        else if (strchr(source, '='))
            return error_set(err, ERROR_UNSUPPORTED, "--cache-from takes images: %s is not supported", source);
        json_array_append_new(images, json_string(source));
    }
    add_json(path, "cachefrom", images);
    return true;
}

static void add_named_contexts(const struct build_context *context, struct strbuf *path)
{
    _cleanup_json_ json_t *named = json_object();
    for (size_t i = 0; i < context->named.count; i++)
        json_object_set_new(named, context->named.items[i].key, json_string(context->named.items[i].value));
    add_json(path, "contexts", named);
}

bool build_request_path(const struct command_call *call, const struct build_context *context, struct strbuf *path,
                        struct error *err)
{
    const struct build_options *options = call->values;
    strbuf_add_string(path, "/build");
    client_query_add(path, "version", "1");
    client_query_add(path, "events", "1");
    for (size_t i = 0; i < options->tags.count; i++)
        client_query_add(path, "t", options->tags.items[i]);
    for (size_t i = 0; i < options->add_hosts.count; i++)
        client_query_add(path, "extrahosts", options->add_hosts.items[i]);
    for (size_t i = 0; i < options->security_opts.count; i++)
        client_query_add(path, "securityopt", options->security_opts.items[i]);
    add_text(path, "remote", context->remote);
    add_text(path, "dockerfile", context->dockerfile);
    add_text(path, "target", options->target);
    add_text(path, "platform", options->platform);
    add_text(path, "networkmode", options->network);
    add_text(path, "cgroupparent", options->cgroup_parent);
    add_text(path, "cpusetcpus", options->cpuset_cpus);
    add_text(path, "cpusetmems", options->cpuset_mems);
    add_text(path, "source_date_epoch", getenv("SOURCE_DATE_EPOCH"));
    add_number(path, "cpuperiod", options->cpu_period);
    add_number(path, "cpuquota", options->cpu_quota);
    add_number(path, "cpushares", options->cpu_shares);
    add_number(path, "memory", options->memory);
    add_number(path, "memswap", options->memory_swap);
    add_number(path, "shmsize", options->shm_size);
    add_flag(path, "nocache", options->no_cache);
    add_flag(path, "pull", options->pull);
    add_flag(path, "forcerm", options->force_rm);
    add_flag(path, "check", options->is_check);
    client_query_add(path, "rm", options->removes ? "1" : "0");
    _cleanup_free_ char *stages = strlist_join(&options->no_cache_filter, ",");
    add_text(path, "nocachefilter", stages);
    add_labels(options, path);
    add_named_contexts(context, path);
    return add_build_args(call, path, err) && add_ulimits(options, path, err) && add_cache_sources(options, path, err);
}

/* Base64 with the alphabet of URLs, which the header takes. Caller frees. */
static char *encode_header(const json_t *json)
{
    _cleanup_free_ char *text = json_format(json);
    char *encoded = base64_encode(text, strlen(text));
    for (char *at = encoded; *at; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    return encoded;
}

struct secret {
    char *id, *source, *variable;
};

static void secret_release(struct secret *secret)
{
    free(secret->id);
    free(secret->source);
    free(secret->variable);
}

/* id=…,src=… or env=…, in docker's words where they are wrong. */
static bool parse_secret(const char *text, struct secret *out, struct error *err)
{
    _cleanup_strlist_ struct strlist fields = {0};
    const char *type = NULL;
    if (!csv_split(text, &fields, err))
        return error_prefix(err, "failed to parse csv secret");
    for (size_t i = 0; i < fields.count; i++) {
        const char *field = fields.items[i], *equals = strchr(field, '=');
        if (!equals)
            return error_set(err, ERROR_INVALID, "invalid field '%s' must be a key=value pair", field);
        _cleanup_free_ char *key = xstrndup(field, (size_t)(equals - field));
        if (string_equal(key, "type")) {
            if (!string_equal(equals + 1, "file") && !string_equal(equals + 1, "env"))
                return error_set(err, ERROR_INVALID, "unsupported secret type \"%s\"", equals + 1);
            type = string_equal(equals + 1, "env") ? "env" : "file";
        } else if (string_equal(key, "id")) {
            string_replace(&out->id, equals + 1);
        } else if (string_equal(key, "source") || string_equal(key, "src")) {
            string_replace(&out->source, equals + 1);
        } else if (string_equal(key, "env")) {
            string_replace(&out->variable, equals + 1);
        } else {
            return error_set(err, ERROR_INVALID, "unexpected key '%s' in '%s'", key, field);
        }
    }
    if (!string_is_set(out->id))
        return error_set(err, ERROR_INVALID, "secret needs an id: %s", text);
    if (string_equal(type, "env") && !out->variable)
        out->variable = TAKE_PTR(out->source);
    /* What is named neither way is the variable of that name, else the file of that name. */
    if (!out->source && !out->variable && getenv(out->id) && !string_equal(type, "file"))
        out->variable = xstrdup(out->id);
    if (!out->source && !out->variable)
        out->source = xstrdup(out->id);
    return true;
}

static bool read_secret(const struct secret *secret, struct strbuf *out, struct error *err)
{
    if (!secret->variable) {
        out->limit = SECRET_LIMIT;
        return file_read(AT_FDCWD, secret->source, SECRET_LIMIT, out, err);
    }
    strbuf_add_string(out, string_or_empty(getenv(secret->variable)));
    return true;
}

static bool add_secrets(const struct build_options *options, struct strmap *headers, struct error *err)
{
    _cleanup_json_ json_t *secrets = json_object();
    for (size_t i = 0; i < options->secrets.count; i++) {
        _cleanup_(secret_release) struct secret secret = {0};
        _cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
        if (!parse_secret(options->secrets.items[i], &secret, err) || !read_secret(&secret, &value, err))
            return error_prefix(err, "could not parse secrets");
        _cleanup_free_ char *encoded = base64_encode(strbuf_text(&value), value.length);
        json_object_set_new(secrets, secret.id, json_string(encoded));
    }
    if (json_object_size(secrets) == 0)
        return true;
    _cleanup_free_ char *header = encode_header(secrets);
    if (strlen(header) > SECRETS_HEADER_LIMIT)
        return error_set(err, ERROR_TOO_LARGE, "secrets of more than 30 KiB together are not supported");
    strmap_set(headers, "X-Build-Secrets", header);
    return true;
}

/* All logins that config.json names: the engine takes those of the registries that the Dockerfile mentions. */
static bool add_logins(const struct command_call *call, struct strmap *headers, struct error *err)
{
    _cleanup_json_ json_t *config = config_file_read(call, err), *logins = json_object();
    if (!config)
        return false;
    const char *const lists[] = {"auths", "credHelpers"};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        const char *server;
        json_t *ignored;
        json_object_foreach(json_object_get(config, lists[i]), server, ignored)
        {
            _cleanup_registry_login_ struct registry_login login = {0};
            /* A helper that fails is told by the pull that would need it. */
            if (!json_object_get(logins, server) && registry_login_find(call, server, &login, NULL))
                json_object_set_new(logins, server, registry_login_json(&login));
        }
    }
    if (json_object_size(logins) == 0)
        return true;
    _cleanup_free_ char *header = encode_header(logins);
    strmap_set(headers, "X-Registry-Config", header);
    return true;
}

bool build_request_headers(const struct command_call *call, struct strmap *headers, struct error *err)
{
    return add_secrets(call->values, headers, err) && add_logins(call, headers, err);
}
