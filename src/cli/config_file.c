#include "cli/config_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "json/json_record.h"

#define CONFIG_LIMIT ((size_t)1 << 20)

json_t *config_file_read(const struct command_call *call, struct error *err)
{
    _cleanup_free_ char *path = path_join(call->config_directory, "config.json");
    if (access(path, F_OK) < 0)
        return json_object();
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, CONFIG_LIMIT, &text, err))
        return NULL;
    json_t *config = json_parse(strbuf_text(&text), text.length, err);
    if (!config)
        error_prefix(err, "%s", path);
    return config;
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
    _cleanup_json_ json_t *config = config_file_read(call, err);
    if (!config)
        return false;
    const json_t *all = json_object_get(config, "proxies");
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
    _cleanup_json_ json_t *config = config_file_read(call, NULL);
    return xstrdup(json_string_value(json_object_get(config, "detachKeys")));
}
