#include "cli/registry_auth.h"

#include <fcntl.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"
#include "cli/config_file.h"
#include "json/json_record.h"

#define MAX_CREDENTIALS ((size_t)1 << 20)
#define TOKEN_USER      "<token>" /* the helpers' name for an identity token */

void registry_login_release(struct registry_login *login)
{
    free(login->server);
    free(login->username);
    free(login->password);
    free(login->identity_token);
    *login = (struct registry_login){0};
}

const char *registry_server_of(const char *domain)
{
    return strcmp(domain, "docker.io") == 0 || strcmp(domain, "index.docker.io") == 0 ? HUB_SERVER : domain;
}

/* --- helpers --- */

/* The program for the server: "docker-credential-pass"; NULL where config.json itself keeps it. */
static char *helper_of(const json_t *config, const char *server)
{
    const char *name = json_string_value(json_object_get(json_object_get(config, "credHelpers"), server));
    if (!name)
        name = json_string_value(json_object_get(config, "credsStore"));
    return string_is_set(name) ? xasprintf("docker-credential-%s", name) : NULL;
}

/* "Not found" is no failure: helpers say it with a message of their own and a status. */
static bool run_helper(const char *program, const char *verb, const char *input, struct strbuf *output,
                       struct error *err)
{
    const char *const argv[] = {program, verb, NULL};
    output->limit = MAX_CREDENTIALS;
    if (run(argv, input, MAX_CREDENTIALS, output, err))
        return true;
    if (strstr(strbuf_text(output), "credentials not found")) {
        error_release(err);
        strbuf_truncate(output, 0);
        return true;
    }
    if (output->length > 0)
        return error_set(err, ERROR_INTERNAL, "error %s credentials - err: exit status 1, out: `%.*s`",
                         strcmp(verb, "get") == 0     ? "getting"
                         : strcmp(verb, "store") == 0 ? "storing"
                                                      : "erasing",
                         (int)strcspn(strbuf_text(output), "\n"), strbuf_text(output));
    return error_prefix(err, "%s", program);
}

static bool get_from_helper(const char *program, struct registry_login *login, struct error *err)
{
    _cleanup_strbuf_ struct strbuf output = STRBUF_INIT;
    if (!run_helper(program, "get", login->server, &output, err))
        return false;
    if (output.length == 0)
        return true;
    _cleanup_json_ json_t *answer = json_parse(strbuf_text(&output), output.length, err);
    if (!answer)
        return error_prefix(err, "%s", program);
    const char *username = json_string_value(json_object_get(answer, "Username"));
    const char *secret = json_string_value(json_object_get(answer, "Secret"));
    if (string_equal(username, TOKEN_USER)) {
        string_replace(&login->identity_token, secret);
    } else {
        string_replace(&login->username, username);
        string_replace(&login->password, secret);
    }
    return true;
}

/* --- config.json --- */

/* "https://host/v1/" → "host", as old files have their keys. The caller frees. */
static char *host_of_key(const char *key)
{
    const char *scheme = strstr(key, "://");
    const char *host = scheme ? scheme + 3 : key;
    return xstrndup(host, strcspn(host, "/"));
}

static const json_t *find_entry(const json_t *auths, const char *server)
{
    const json_t *entry = json_object_get(auths, server);
    if (entry)
        return entry;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)auths, key, value)
    {
        _cleanup_free_ char *host = host_of_key(key);
        if (strcmp(host, server) == 0)
            return value;
    }
    return NULL;
}

static bool read_entry(const json_t *entry, struct registry_login *login, struct error *err)
{
    const char *auth = string_or_empty(json_string_value(json_object_get(entry, "auth")));
    string_replace(&login->identity_token, json_string_value(json_object_get(entry, "identitytoken")));
    string_replace(&login->username, json_string_value(json_object_get(entry, "username")));
    string_replace(&login->password, json_string_value(json_object_get(entry, "password")));
    if (!*auth)
        return true;
    _cleanup_free_ char *pair = xcalloc(strlen(auth) + 1, 1);
    long length = base64_decode(auth, (uint8_t *)pair);
    const char *colon = length > 0 ? strchr(pair, ':') : NULL;
    if (!colon)
        return error_set(err, ERROR_INVALID, "invalid auth configuration file");
    free(login->username);
    login->username = xstrndup(pair, (size_t)(colon - pair));
    string_replace(&login->password, colon + 1);
    return true;
}

bool registry_login_find(const struct command_call *call, const char *server, struct registry_login *out,
                         struct error *err)
{
    _cleanup_json_ json_t *config = config_file_read(call, err);
    if (!config)
        return false;
    _cleanup_registry_login_ struct registry_login login = {.server = xstrdup(server)};
    _cleanup_free_ char *helper = helper_of(config, server);
    const json_t *entry = find_entry(json_object_get(config, "auths"), server);
    if (helper ? !get_from_helper(helper, &login, err) : entry && !read_entry(entry, &login, err))
        return false;
    *out = login;
    login = (struct registry_login){0};
    return true;
}

bool registry_login_store(const struct command_call *call, const struct registry_login *login, char **file,
                          struct error *err)
{
    _cleanup_json_ json_t *config = config_file_read(call, err);
    if (!config)
        return false;
    json_t *auths = json_object_get(config, "auths");
    if (!json_is_object(auths)) {
        auths = json_object();
        json_object_set_new(config, "auths", auths);
    }
    _cleanup_free_ char *helper = helper_of(config, login->server);
    bool has_token = string_is_set(login->identity_token);
    json_t *entry = json_object();
    *file = NULL;
    if (helper) {
        _cleanup_json_ json_t *secret = json_pack("{s:s, s:s, s:s}", "ServerURL", login->server, "Username",
                                                  has_token ? TOKEN_USER : login->username, "Secret",
                                                  has_token ? login->identity_token : string_or_empty(login->password));
        _cleanup_free_ char *text = json_format(secret);
        _cleanup_strbuf_ struct strbuf output = STRBUF_INIT;
        if (!run_helper(helper, "store", text, &output, err)) {
            json_decref(entry);
            return false;
        }
    } else {
        _cleanup_free_ char *pair = xasprintf("%s:%s", login->username, string_or_empty(login->password));
        _cleanup_free_ char *auth = base64_encode(pair, strlen(pair));
        json_object_set_new(entry, "auth", json_string(auth));
        if (has_token)
            json_object_set_new(entry, "identitytoken", json_string(login->identity_token));
        *file = path_join(call->config_directory, "config.json");
    }
    json_object_set_new(auths, login->server, entry);
    return config_file_write(call, config, err);
}

bool registry_login_erase(const struct command_call *call, const char *server, struct error *err)
{
    _cleanup_json_ json_t *config = config_file_read(call, err);
    if (!config)
        return false;
    _cleanup_free_ char *helper = helper_of(config, server);
    _cleanup_strbuf_ struct strbuf output = STRBUF_INIT;
    if (helper && !run_helper(helper, "erase", server, &output, err))
        return false;
    json_t *auths = json_object_get(config, "auths");
    bool is_known = json_object_get(auths, server) != NULL;
    if (is_known)
        json_object_del(auths, server);
    return !is_known || config_file_write(call, config, err);
}

/* --- requests --- */

json_t *registry_login_json(const struct registry_login *login)
{
    const struct {
        const char *key, *value;
    } rows[] = {{"username", login->username},
                {"password", login->password},
                {"serveraddress", login->server},
                {"identitytoken", login->identity_token}};
    json_t *json = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (string_is_set(rows[i].value))
            json_object_set_new(json, rows[i].key, json_string(rows[i].value));
    return json;
}

char *registry_login_header(const struct registry_login *login)
{
    _cleanup_json_ json_t *json = registry_login_json(login);
    bool is_empty = !string_is_set(login->username) && !string_is_set(login->identity_token);
    _cleanup_free_ char *text = is_empty ? xstrdup("{}") : json_format(json);
    char *header = base64_encode(text, strlen(text));
    for (char *at = header; *at; at++)
        *at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at);
    return header;
}

bool registry_headers(const struct command_call *call, const char *domain, struct strmap *headers, struct error *err)
{
    _cleanup_registry_login_ struct registry_login login = {0};
    if (!registry_login_find(call, registry_server_of(domain), &login, err))
        return false;
    _cleanup_free_ char *header = registry_login_header(&login);
    strmap_set(headers, "X-Registry-Auth", header);
    return true;
}
