#include "distribution/access.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/memory.h"
#include "distribution/htpasswd.h"
#include "distribution/token.h"

struct access {
    const struct settings *settings;
    struct htpasswd *htpasswd; /* one of the two */
    struct token_keys *keys;
};

bool access_open(const struct settings *settings, struct access **out, struct error *err)
{
    if (!settings->htpasswd && !settings->token_keys) {
        *out = NULL;
        return true;
    }
    struct access *access = NEW(struct access);
    access->settings = settings;
    if (settings->htpasswd)
        access->htpasswd = htpasswd_open(settings->htpasswd, err);
    else
        access->keys = token_keys_open(settings->token_keys, err);
    if (access->htpasswd || access->keys) {
        *out = access;
        return true;
    }
    access_free(access);
    return false;
}

void access_free(struct access *access)
{
    if (!access)
        return;
    htpasswd_free(access->htpasswd);
    token_keys_free(access->keys);
    free(access);
}

/* What follows "Basic " or "Bearer " in Authorization; NULL where it is of another kind. */
static const char *credentials(const struct http_exchange *exchange, const char *scheme)
{
    const char *header = strmap_get(&exchange->head.headers, "authorization");
    size_t length = strlen(scheme);
    if (!header || strncasecmp(header, scheme, length) != 0 || header[length] != ' ')
        return NULL;
    return header + length + strspn(header + length, " ");
}

static bool is_user(struct access *access, struct http_exchange *exchange)
{
    const char *encoded = credentials(exchange, "Basic");
    if (!encoded)
        return false;
    _cleanup_free_ char *text = xcalloc(strlen(encoded) + 4, 1);
    long length = base64_decode(encoded, (unsigned char *)text);
    if (length < 0 || memchr(text, '\0', (size_t)length))
        return false;
    text[length] = '\0';
    char *colon = strchr(text, ':');
    if (!colon)
        return false;
    *colon = '\0';
    return htpasswd_is_right(access->htpasswd, text, colon + 1);
}

static char *token_refuses(struct access *access, struct http_exchange *exchange, const struct demand *demand)
{
    const struct settings *settings = access->settings;
    const char *token = credentials(exchange, "Bearer");
    struct token_rules rules = {settings->token_issuer, settings->token_service, clock_now() / NANOSECONDS_PER_SECOND};
    _cleanup_error_ struct error err = ERROR_INIT;
    if (token && token_allows(access->keys, &rules, token, demand->type, demand->name, demand->actions, &err))
        return NULL;
    struct strbuf out = STRBUF_INIT;
    strbuf_addf(&out, "Bearer realm=\"%s\",service=\"%s\"", settings->token_realm, settings->token_service);
    if (demand->type) {
        strbuf_addf(&out, ",scope=\"%s:", demand->type);
        /* The name is the client's and not checked yet. */
        for (const char *at = demand->name; *at; at++)
            strbuf_add_char(&out, *at == '"' || *at == '\\' ? '?' : *at);
        strbuf_addf(&out, ":%s\"", demand->actions);
    }
    if (token)
        strbuf_addf(&out, ",error=\"%s\"", err.kind == ERROR_DENIED ? "insufficient_scope" : "invalid_token");
    return strbuf_take(&out);
}

char *access_refuses(struct access *access, struct http_exchange *exchange, const struct demand *demand)
{
    if (!access)
        return NULL;
    if (access->keys)
        return token_refuses(access, exchange, demand);
    return is_user(access, exchange) ? NULL : xasprintf("Basic realm=\"%s\"", access->settings->realm);
}
