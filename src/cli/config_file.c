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

/* docker indents with tabs. The caller frees. */
static char *format_config(const json_t *config)
{
    char *spaced = json_dumps(config, JSON_INDENT(1));
    struct strbuf text = STRBUF_INIT;
    for (const char *line = spaced; *line;) {
        size_t indent = strspn(line, " "), length = strcspn(line, "\n");
        for (size_t i = 0; i < indent; i++)
            strbuf_add_char(&text, '\t');
        strbuf_add(&text, line + indent, length - indent + (line[length] == '\n'));
        line += length + (line[length] == '\n');
    }
    free(spaced);
    return strbuf_take(&text);
}

bool config_file_write(const struct command_call *call, const json_t *config, struct error *err)
{
    _cleanup_free_ char *path = path_join(call->config_directory, "config.json");
    _cleanup_free_ char *target = realpath(path, NULL);
    _cleanup_free_ char *text = format_config(config);
    return directory_make(call->config_directory, 0700, err) &&
           file_replace(target ? target : path, text, strlen(text), 0600, false, err);
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
