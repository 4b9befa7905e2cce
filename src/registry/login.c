#include <string.h>

#include "base/memory.h"
#include "registry/registry_internal.h"
#include "json/json_record.h"

#define HUB_DOMAIN "docker.io"

/* "https://index.docker.io/v1/" → "docker.io", "http://host:5000/v2/" → "host:5000". The caller frees. */
static char *domain_of(const char *address)
{
    if (!string_is_set(address))
        return xstrdup(HUB_DOMAIN);
    const char *scheme = strstr(address, "://");
    const char *host = scheme ? scheme + 3 : address;
    char *domain = xstrndup(host, strcspn(host, "/"));
    if (strcmp(domain, "index.docker.io") == 0 || strcmp(domain, "registry-1.docker.io") == 0)
        string_replace(&domain, HUB_DOMAIN);
    return domain;
}

static bool try_login(struct session *session, struct error *err)
{
    _cleanup_free_ char *url = xasprintf("%s/v2/", session_endpoint(session)->url);
    struct transfer_request request = {.method = "GET", .url = url};
    _cleanup_(transfer_closep) struct transfer *transfer = session_send(session, session->transport, &request, err);
    if (!transfer)
        return error_prefix(err, "Get \"%s\"", url);
    int status = transfer_status(transfer);
    if (status == 200)
        return true;
    return error_set(err, status == 401 ? ERROR_UNAUTHORIZED : ERROR_INTERNAL,
                     "login attempt to %s failed with status: %d %s", url, status,
                     status == 401   ? "Unauthorized"
                     : status == 403 ? "Forbidden"
                     : status == 404 ? "Not Found"
                                     : "");
}

bool registry_login(struct registry *registry, const struct registry_call *call, char **identity_token,
                    struct error *err)
{
    _cleanup_free_ char *domain = domain_of(call->auth->server_address);
    _cleanup_(session_closep) struct session *session = session_open_for_login(registry, call, domain, err);
    if (!session || !try_login(session, err))
        return false;
    *identity_token = TAKE_PTR(session->identity_token);
    return true;
}
