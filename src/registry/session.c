#include "registry/session.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdarg.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "registry/registry_internal.h"
#include "json/json_record.h"

#define MAX_ERROR_TEXT ((size_t)64 << 10)
#define MAX_TOKEN_TEXT ((size_t)1 << 20)
#define CLIENT_ID      "docker"

static const struct registry_auth nobody;

static const struct registry_auth *auth_of(const struct session *session)
{
    /* A mirror is somebody else: it never sees what was meant for the registry. */
    return session->call->auth && !session->is_mirror ? session->call->auth : &nobody;
}

const struct endpoint *session_endpoint(const struct session *session)
{
    return &session->endpoints.items[session->position];
}

struct transport *session_transport(const struct session *session)
{
    return transport_new(session->call->is_cancelled, session->call->context);
}

char *query_escape(const char *text)
{
    char *escaped = curl_easy_escape(NULL, text, 0);
    char *copy = xstrdup(string_or_empty(escaped));
    curl_free(escaped);
    return copy;
}

char *session_url(const struct session *session, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *rest = xvasprintf(format, arguments);
    va_end(arguments);
    return xasprintf("%s/v2/%s%s%s", session_endpoint(session)->url, session->path, *session->path ? "/" : "", rest);
}

/* --- refusals --- */

static enum error_kind kind_of_status(int status)
{
    switch (status) {
    case 400:
        return ERROR_INVALID;
    case 401:
        return ERROR_UNAUTHORIZED;
    case 403:
        return ERROR_DENIED;
    case 404:
        return ERROR_NOT_FOUND;
    case 408:
    case 429:
        return ERROR_UNAVAILABLE;
    default:
        return status >= 500 ? ERROR_UNAVAILABLE : ERROR_INTERNAL;
    }
}

static const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } known[] = {{400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {429, "Too Many Requests"},
                 {500, "Internal Server Error"},
                 {502, "Bad Gateway"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"}};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (known[i].status == status)
            return known[i].text;
    return "";
}

/* "MANIFEST_UNKNOWN" → "manifest unknown". The caller frees. */
static char *code_text(const char *code)
{
    char *text = xstrdup(code);
    for (char *at = text; *at; at++)
        *at = *at == '_' ? ' ' : (char)tolower((unsigned char)*at);
    return text;
}

bool session_refused(struct transfer *transfer, struct error *err)
{
    int status = transfer_status(transfer);
    enum error_kind kind = kind_of_status(status);
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    struct error ignored = ERROR_INIT;
    if (!transfer_read_all(transfer, MAX_ERROR_TEXT, &body, &ignored))
        error_release(&ignored);
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&body), body.length, NULL);
    const json_t *first = json_array_get(json_object_get(json, "errors"), 0);
    const char *code = json_string_value(json_object_get(first, "code"));
    const char *message = json_string_value(json_object_get(first, "message"));
    const char *details = json_string_value(json_object_get(json, "details"));
    if (code) {
        _cleanup_free_ char *text = code_text(code);
        if (string_equal(code, "DENIED"))
            kind = ERROR_DENIED;
        return error_set(err, kind, "%s: %s", text, string_is_set(message) ? message : text);
    }
    if (details)
        return error_set(err, kind, "%s: %s", status == 401 ? "unauthorized" : "denied", details);
    if (status == 401)
        return error_set(err, kind, "unauthorized: authentication required");
    if (status >= 500)
        return error_set(err, kind, "received unexpected HTTP status: %d %s", status, status_text(status));
    return error_set(err, kind, "unexpected status from %s: %d %s", transfer_url(transfer), status,
                     status_text(status));
}

/* --- authorization --- */

static char *basic_header(const struct registry_auth *auth)
{
    _cleanup_free_ char *text = xasprintf("%s:%s", auth->username, string_or_empty(auth->password));
    _cleanup_free_ char *encoded = base64_encode(text, strlen(text));
    return xasprintf("Basic %s", encoded);
}

static void add_parameter(struct strbuf *text, const char *name, const char *value)
{
    if (!string_is_set(value))
        return;
    _cleanup_free_ char *escaped = query_escape(value);
    strbuf_addf(text, "%s%s=%s", text->length ? "&" : "", name, escaped);
}

static void add_scopes(const struct session *session, struct strbuf *text)
{
    if (!*session->path)
        return;
    _cleanup_free_ char *scope = xasprintf("repository:%s:%s", session->path, session->actions);
    add_parameter(text, "scope", scope);
    if (!session->mount_from)
        return;
    _cleanup_free_ char *other = xasprintf("repository:%s:pull", session->mount_from);
    add_parameter(text, "scope", other);
}

/* With an identity token: OAuth2 (Docker's token/oauth.md). */
static struct transfer *ask_by_identity(struct session *session, struct transport *transport,
                                        const struct challenge *challenge, struct error *err)
{
    _cleanup_strbuf_ struct strbuf form = STRBUF_INIT;
    const struct registry_auth *auth = auth_of(session);
    add_scopes(session, &form);
    add_parameter(&form, "service", strmap_get(&challenge->parameters, "service"));
    add_parameter(&form, "client_id", CLIENT_ID);
    add_parameter(&form, "grant_type", "refresh_token");
    add_parameter(&form, "refresh_token", auth->identity_token);
    struct transfer_request request = {
        .method = "POST",
        .url = strmap_get(&challenge->parameters, "realm"),
        .endpoint = session_endpoint(session),
        .data = strbuf_text(&form),
        .length = form.length,
    };
    strlist_add(&request.headers, "Content-Type: application/x-www-form-urlencoded");
    struct transfer *transfer = transfer_open(transport, &request, err);
    strlist_release(&request.headers);
    return transfer;
}

/* With a name and password, or as nobody (Docker's token/auth.md). */
static struct transfer *ask_by_password(struct session *session, struct transport *transport,
                                        const struct challenge *challenge, struct error *err)
{
    const struct registry_auth *auth = auth_of(session);
    const char *realm = strmap_get(&challenge->parameters, "realm");
    _cleanup_strbuf_ struct strbuf query = STRBUF_INIT, url = STRBUF_INIT;
    add_parameter(&query, "account", auth->username);
    if (session->wants_identity) {
        add_parameter(&query, "client_id", CLIENT_ID);
        add_parameter(&query, "offline_token", "true");
    }
    add_scopes(session, &query);
    add_parameter(&query, "service", strmap_get(&challenge->parameters, "service"));
    strbuf_addf(&url, "%s%s%s", realm, strchr(realm, '?') ? "&" : "?", strbuf_text(&query));
    struct transfer_request request = {
        .method = "GET", .url = strbuf_text(&url), .endpoint = session_endpoint(session)};
    if (string_is_set(auth->username)) {
        _cleanup_free_ char *header = basic_header(auth);
        strlist_addf(&request.headers, "Authorization: %s", header);
    }
    struct transfer *transfer = transfer_open(transport, &request, err);
    strlist_release(&request.headers);
    return transfer;
}

static bool fetch_token(struct session *session, struct transport *transport, const struct challenge *challenge,
                        struct error *err)
{
    if (!string_is_set(strmap_get(&challenge->parameters, "realm")))
        return error_set(err, ERROR_INTERNAL, "no realm specified for token auth challenge");
    bool has_identity = string_is_set(auth_of(session)->identity_token);
    _cleanup_(transfer_closep) struct transfer *transfer = has_identity
                                                               ? ask_by_identity(session, transport, challenge, err)
                                                               : ask_by_password(session, transport, challenge, err);
    if (!transfer)
        return false;
    if (transfer_status(transfer) / 100 != 2)
        return session_refused(transfer, err);
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!transfer_read_all(transfer, MAX_TOKEN_TEXT, &text, err))
        return false;
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&text), text.length, err);
    if (!json)
        return error_prefix(err, "unable to decode token response");
    const char *token = json_string_value(json_object_get(json, "access_token"));
    if (!string_is_set(token))
        token = json_string_value(json_object_get(json, "token"));
    if (!string_is_set(token))
        return error_set(err, ERROR_INTERNAL, "authorization server did not include a token in the response");
    free(session->authorization);
    session->authorization = xasprintf("Bearer %s", token);
    const char *refresh = json_string_value(json_object_get(json, "refresh_token"));
    if (session->wants_identity && string_is_set(refresh))
        string_replace(&session->identity_token, refresh);
    return true;
}

/* By the challenges that the registry set. Under the lock. */
static bool authorize(struct session *session, struct transport *transport, struct error *err)
{
    const struct registry_auth *auth = auth_of(session);
    const struct challenge *bearer = challenge_find(&session->challenges, "bearer");
    if (string_is_set(auth->registry_token)) {
        free(session->authorization);
        session->authorization = xasprintf("Bearer %s", auth->registry_token);
        return true;
    }
    if (bearer)
        return fetch_token(session, transport, bearer, err);
    session->lacks_credentials =
        challenge_find(&session->challenges, "basic") != NULL && !string_is_set(auth->username);
    if (challenge_find(&session->challenges, "basic") && string_is_set(auth->username)) {
        free(session->authorization);
        session->authorization = basic_header(auth);
    }
    return true;
}

static bool reauthorize(struct session *session, struct transport *transport, const char *challenge, const char *used,
                        bool *may_repeat, struct error *err)
{
    pthread_mutex_lock(&session->lock);
    bool is_done = true;
    if (string_equal(used, session->authorization)) {
        challenge_list_release(&session->challenges);
        challenges_parse(string_or_empty(challenge), &session->challenges);
        is_done = authorize(session, transport, err);
    }
    *may_repeat = is_done && session->authorization && !string_equal(used, session->authorization);
    pthread_mutex_unlock(&session->lock);
    return is_done;
}

static bool is_own_url(const struct session *session, const char *url)
{
    const char *base = session_endpoint(session)->url;
    return string_starts_with(url, base) && (url[strlen(base)] == '/' || url[strlen(base)] == '\0');
}

static char *current_authorization(struct session *session, const char *url)
{
    pthread_mutex_lock(&session->lock);
    char *authorization = is_own_url(session, url) ? xstrdup(session->authorization) : NULL;
    pthread_mutex_unlock(&session->lock);
    return authorization;
}

struct transfer *session_send(struct session *session, struct transport *transport, struct transfer_request *request,
                              struct error *err)
{
    request->endpoint = session_endpoint(session);
    if (session->lacks_credentials && is_own_url(session, request->url)) {
        /* Docker asks for a manifest's head first, and says so. */
        const char *verb = strcmp(request->method, "GET") == 0 ? "Head" : request->method;
        if (strcmp(session->actions, "pull") == 0)
            error_set(err, ERROR_INTERNAL, "%s \"%s\": no basic auth credentials", verb, request->url);
        else
            error_set(err, ERROR_INTERNAL, "no basic auth credentials");
        return NULL;
    }
    for (bool is_second = false;; is_second = true) {
        _cleanup_free_ char *authorization = current_authorization(session, request->url);
        _cleanup_strlist_ struct strlist headers = {0};
        strlist_copy(&headers, &request->headers);
        if (authorization)
            strlist_addf(&headers, "Authorization: %s", authorization);
        struct transfer_request whole = *request;
        whole.headers = headers;
        struct transfer *transfer = transfer_open(transport, &whole, err);
        if (!transfer || transfer_status(transfer) != 401 || is_second || !is_own_url(session, request->url))
            return transfer;
        bool may_repeat = false;
        if (!reauthorize(session, transport, transfer_header(transfer, "www-authenticate"), authorization, &may_repeat,
                         err)) {
            transfer_close(transfer);
            return NULL;
        }
        if (!may_repeat)
            return transfer;
        transfer_close(transfer);
    }
}

/* --- opening --- */

/* Asks the endpoint whether it is there and what it wants to see. */
static bool ping(struct session *session, struct error *err)
{
    _cleanup_free_ char *url = xasprintf("%s/v2/", session_endpoint(session)->url);
    struct transfer_request request = {.method = "GET", .url = url, .endpoint = session_endpoint(session)};
    _cleanup_(transfer_closep) struct transfer *transfer = transfer_open(session->transport, &request, err);
    if (!transfer)
        return false;
    if (transfer_status(transfer) == 401)
        challenges_parse(string_or_empty(transfer_header(transfer, "www-authenticate")), &session->challenges);
    return true;
}

static struct session *session_start(struct registry *registry, const struct registry_call *call, const char *domain,
                                     const char *path, const char *actions, size_t start, bool wants_identity,
                                     struct error *err)
{
    _cleanup_(session_closep) struct session *session = NEW(struct session);
    session->registry = registry;
    session->call = call;
    session->path = xstrdup(path);
    session->actions = xstrdup(actions);
    session->wants_identity = wants_identity;
    pthread_mutex_init(&session->lock, NULL);
    session->transport = session_transport(session);
    bool is_pull = strcmp(actions, "pull") == 0;
    const struct strlist *mirrors = &registry->options.mirrors;
    _cleanup_strlist_ struct strlist insecure = {0};
    strlist_copy(&insecure, &registry->options.insecure);
    if (call->allows_insecure)
        strlist_add(&insecure, domain);
    if (!endpoints_find(&insecure, is_pull ? mirrors : NULL, domain, &session->endpoints, err))
        return NULL;
    size_t mirror_count = is_pull && strcmp(domain, "docker.io") == 0 ? mirrors->count : 0;
    for (session->position = start; session->position < session->endpoints.count; session->position++) {
        session->is_mirror = session->position < mirror_count;
        if (ping(session, err)) {
            error_release(err);
            return authorize(session, session->transport, err) ? TAKE_PTR(session) : NULL;
        }
        if (err->kind == ERROR_CANCELLED)
            return NULL;
    }
    return NULL;
}

struct session *session_open(struct registry *registry, const struct registry_call *call, const char *domain,
                             const char *path, const char *actions, size_t start, struct error *err)
{
    return session_start(registry, call, domain, path, actions, start, false, err);
}

struct session *session_open_for_login(struct registry *registry, const struct registry_call *call, const char *domain,
                                       struct error *err)
{
    return session_start(registry, call, domain, "", "", 0, true, err);
}

void session_close(struct session *session)
{
    if (!session)
        return;
    transport_free(session->transport);
    endpoint_list_release(&session->endpoints);
    challenge_list_release(&session->challenges);
    pthread_mutex_destroy(&session->lock);
    free(session->path);
    free(session->actions);
    free(session->mount_from);
    free(session->identity_token);
    free(session->authorization);
    free(session);
}
