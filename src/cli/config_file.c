#include "cli/config_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "json/json_record.h"
#include "json/json_syntax.h"

#define CONFIG_LIMIT ((size_t)1 << 20)

const char *environment_setting(const char *name)
{
    static const char *const prefixes[] = {"WHERRY_", "DOCKER_"};
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        _cleanup_free_ char *full = xasprintf("%s%s", prefixes[i], name);
        const char *value = getenv(full);
        if (string_is_set(value))
            return value;
    }
    return NULL;
}

/* The members of docker's ConfigFile that are no strings, by their Go types. */
enum member_kind { MEMBER_STRING, MEMBER_STRINGS, MEMBER_LIST, MEMBER_MAP };
static const struct {
    const char *name, *go_type;
    enum member_kind kind;
} members[] = {
    {"auths", "map[string]types.AuthConfig", MEMBER_MAP},
    {"HttpHeaders", "map[string]string", MEMBER_STRINGS},
    {"psFormat", "string", MEMBER_STRING},
    {"imagesFormat", "string", MEMBER_STRING},
    {"networksFormat", "string", MEMBER_STRING},
    {"pluginsFormat", "string", MEMBER_STRING},
    {"volumesFormat", "string", MEMBER_STRING},
    {"statsFormat", "string", MEMBER_STRING},
    {"detachKeys", "string", MEMBER_STRING},
    {"credsStore", "string", MEMBER_STRING},
    {"credHelpers", "map[string]string", MEMBER_STRINGS},
    {"serviceInspectFormat", "string", MEMBER_STRING},
    {"servicesFormat", "string", MEMBER_STRING},
    {"tasksFormat", "string", MEMBER_STRING},
    {"secretFormat", "string", MEMBER_STRING},
    {"configFormat", "string", MEMBER_STRING},
    {"nodesFormat", "string", MEMBER_STRING},
    {"pruneFilters", "[]string", MEMBER_LIST},
    {"proxies", "map[string]configfile.ProxyConfig", MEMBER_MAP},
    {"currentContext", "string", MEMBER_STRING},
    {"cliPluginsExtraDirs", "[]string", MEMBER_LIST},
    {"plugins", "map[string]map[string]string", MEMBER_MAP},
    {"aliases", "map[string]string", MEMBER_STRINGS},
    {"features", "map[string]string", MEMBER_STRINGS},
};

static const char *go_kind(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "number";
    default:
        return "bool";
    }
}

/* Is this the wrong type for that member? Then *type is the Go type that was expected and *found the value. */
static bool is_mistyped(size_t member, json_t *value, const char **type, const json_t **found)
{
    *type = members[member].go_type;
    *found = value;
    enum member_kind kind = members[member].kind;
    if (json_is_null(value))
        return false;
    if (kind == MEMBER_STRING)
        return !json_is_string(value);
    if (kind == MEMBER_LIST ? !json_is_array(value) : !json_is_object(value))
        return true;
    *type = "string";
    const char *key;
    json_t *item;
    size_t i;
    if (kind == MEMBER_LIST) {
        json_array_foreach(value, i, item)
        {
            if (!json_is_string(*found = item))
                return true;
        }
    } else if (kind == MEMBER_STRINGS) {
        json_object_foreach(value, key, item)
        {
            if (!json_is_string(*found = item))
                return true;
        }
    }
    return false;
}

static void warn(const char *path, const char *problem)
{
    fprintf(stderr, "WARNING: Error parsing config file (%s): %s\n", path, problem);
}

/* Takes out what has the wrong type, as Go's decoder leaves it out, and tells of the first. */
static void check_members(const char *path, json_t *config)
{
    bool is_told = false;
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(config, next, key, value)
    {
        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
            const char *type;
            const json_t *found;
            if (!string_equal(key, members[i].name) || !is_mistyped(i, value, &type, &found))
                continue;
            if (!is_told) {
                _cleanup_free_ char *problem =
                    xasprintf("json: cannot unmarshal %s into Go struct field ConfigFile.%s of type %s", go_kind(found),
                              key, type);
                warn(path, problem);
            }
            is_told = true;
            json_object_del(config, members[i].name);
            break;
        }
    }
}

static json_t *load(const char *path)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    _cleanup_error_ struct error err = ERROR_INIT;
    if (access(path, F_OK) < 0)
        return json_object();
    if (!file_read(AT_FDCWD, path, CONFIG_LIMIT, &text, &err)) {
        fprintf(stderr, "WARNING: Error loading config file: %s\n", error_message(&err));
        return json_object();
    }
    if (strspn(strbuf_text(&text), " \t\r\n") == text.length)
        return json_object();
    _cleanup_free_ char *problem = json_syntax_problem(text.data, text.length);
    json_t *config =
        problem ? NULL : json_loadb(text.data, text.length, JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, NULL);
    if (json_is_object(config)) {
        check_members(path, config);
        return config;
    }
    if (config) {
        problem = xasprintf("json: cannot unmarshal %s into Go value of type configfile.ConfigFile", go_kind(config));
        json_decref(config);
    }
    warn(path, problem ? problem : "unexpected EOF");
    return json_object();
}

json_t *config_file_of(const char *directory)
{
    static json_t *config;
    if (!config) {
        _cleanup_free_ char *path = path_join(string_or_empty(directory), "config.json");
        config = load(path);
    }
    return config;
}

json_t *config_file_read(const struct command_call *call, struct error *err)
{
    return json_incref(config_file_of(call->config_directory));
}

const char *config_file_text(const struct command_call *call, const char *key)
{
    const char *text = json_string_value(json_object_get(config_file_of(call->config_directory), key));
    return string_is_set(text) ? text : NULL;
}

bool config_file_write(const struct command_call *call, const json_t *config, struct error *err)
{
    /* docker's order: its own members first, auths always. */
    _cleanup_json_ json_t *sorted = json_pack("{s:{}}", "auths");
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        json_object_set(sorted, members[i].name, json_object_get(config, members[i].name));
    json_object_update(sorted, (json_t *)(uintptr_t)config);
    _cleanup_free_ char *path = path_join(call->config_directory, "config.json"),
                        *spaced = json_dumps(sorted, JSON_INDENT(1));
    /* jansson indents by spaces, docker by tabs. */
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    bool is_indentation = false;
    for (const char *at = spaced; *at; at++) {
        is_indentation = *at == '\n' || (is_indentation && *at == ' ');
        strbuf_add_char(&text, is_indentation && *at == ' ' ? '\t' : *at);
    }
    /* A link stays a link: what it points to is replaced. */
    _cleanup_free_ char *target = realpath(path, NULL);
    return directory_make(call->config_directory, 0700, err) &&
           file_replace(target ? target : path, text.data, text.length, 0600, false, err);
}

static bool has_variable(const json_t *env, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < json_array_size(env); i++) {
        const char *text = json_string_value(json_array_get(env, i));
        if (text && strncmp(text, name, length) == 0 && (text[length] == '=' || !text[length]))
            return true;
    }
    return false;
}

static void add_variable(json_t *request, const char *name, const char *value)
{
    if (!json_is_array(json_object_get(request, "Env")))
        json_object_set_new(request, "Env", json_array());
    json_t *env = json_object_get(request, "Env");
    if (!has_variable(env, name))
        json_array_append_new(env, json_sprintf("%s=%s", name, value));
}

bool config_file_add_proxies(const struct command_call *call, json_t *request, struct error *err)
{
    static const struct {
        const char *key, *variable;
    } proxies[] = {{"httpProxy", "HTTP_PROXY"},
                   {"httpsProxy", "HTTPS_PROXY"},
                   {"noProxy", "NO_PROXY"},
                   {"ftpProxy", "FTP_PROXY"},
                   {"allProxy", "ALL_PROXY"}};
    const json_t *all = json_object_get(config_file_of(call->config_directory), "proxies");
    const json_t *chosen = json_object_get(all, client_host(call->client));
    if (!chosen)
        chosen = json_object_get(all, "default");
    for (size_t i = 0; i < ARRAY_SIZE(proxies); i++) {
        const char *value = json_string_value(json_object_get(chosen, proxies[i].key));
        if (!string_is_set(value))
            continue;
        add_variable(request, proxies[i].variable, value);
        _cleanup_free_ char *lower = xstrdup(proxies[i].variable);
        for (char *at = lower; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        add_variable(request, lower, value);
    }
    return true;
}

char *config_file_detach_keys(const struct command_call *call, const char *flag)
{
    if (string_is_set(flag))
        return xstrdup(flag);
    return xstrdup(config_file_text(call, "detachKeys"));
}
