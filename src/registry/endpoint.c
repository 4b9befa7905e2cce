#include "registry/endpoint.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#define HUB_DOMAIN      "docker.io"
#define HUB_HOST        "registry-1.docker.io"
#define CERTS_ROOT      "/etc/docker/certs.d"
#define MAX_CERTIFICATE ((size_t)1 << 20)

void endpoint_release(struct endpoint *endpoint)
{
    free(endpoint->url);
    strbuf_release(&endpoint->authorities);
    free(endpoint->certificate);
    free(endpoint->key);
    *endpoint = (struct endpoint){0};
}

void endpoint_list_release(struct endpoint_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        endpoint_release(&list->items[i]);
    free(list->items);
    *list = (struct endpoint_list){0};
}

/* --- networks --- */

struct network_prefix {
    int family;
    unsigned char address[16];
    unsigned bits;
};

static bool prefix_parse(const char *text, struct network_prefix *out)
{
    const char *slash = strchr(text, '/');
    int64_t bits;
    if (!slash || !parse_int64(slash + 1, &bits) || bits < 0)
        return false;
    _cleanup_free_ char *address = xstrndup(text, (size_t)(slash - text));
    struct network_prefix prefix = {.family = strchr(address, ':') ? AF_INET6 : AF_INET, .bits = (unsigned)bits};
    if (inet_pton(prefix.family, address, prefix.address) != 1 || bits > (prefix.family == AF_INET ? 32 : 128))
        return false;
    *out = prefix;
    return true;
}

static bool prefix_contains(const struct network_prefix *prefix, int family, const unsigned char *address)
{
    if (prefix->family != family)
        return false;
    for (unsigned bit = 0; bit < prefix->bits; bit++)
        if ((prefix->address[bit / 8] ^ address[bit / 8]) >> (7 - bit % 8) & 1)
            return false;
    return true;
}

/* "[::1]:5000" → "::1". The caller frees. */
static char *host_of(const char *domain)
{
    if (*domain == '[')
        return xstrndup(domain + 1, strcspn(domain + 1, "]"));
    return xstrndup(domain, strcspn(domain, ":"));
}

static bool is_in_networks(const struct network_prefix *prefixes, size_t count, const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC}, *found = NULL;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return false;
    bool is_inside = false;
    for (const struct addrinfo *at = found; at && !is_inside; at = at->ai_next)
        for (size_t i = 0; i < count && !is_inside; i++)
            is_inside = prefix_contains(&prefixes[i], at->ai_family,
                                        at->ai_family == AF_INET6
                                            ? ((struct sockaddr_in6 *)(void *)at->ai_addr)->sin6_addr.s6_addr
                                            : (unsigned char *)&((struct sockaddr_in *)(void *)at->ai_addr)->sin_addr);
    freeaddrinfo(found);
    return is_inside;
}

bool registry_is_insecure(const struct strlist *insecure, const char *domain)
{
    if (strcmp(domain, HUB_DOMAIN) == 0)
        return false;
    struct network_prefix *prefixes = NULL;
    size_t count = 0;
    prefix_parse("127.0.0.0/8", APPEND(prefixes, count));
    prefix_parse("::1/128", APPEND(prefixes, count));
    bool is_named = false;
    for (size_t i = 0; i < insecure->count; i++) {
        struct network_prefix prefix;
        if (prefix_parse(insecure->items[i], &prefix))
            *APPEND(prefixes, count) = prefix;
        else
            is_named |= strcasecmp(insecure->items[i], domain) == 0;
    }
    _cleanup_free_ char *host = host_of(domain);
    bool is_insecure = is_named || is_in_networks(prefixes, count, host);
    free(prefixes);
    return is_insecure;
}

/* --- what the configuration says --- */

bool insecure_registry_check(const char *text, struct error *err)
{
    struct network_prefix prefix;
    if (strstr(text, "://"))
        return error_set(err, ERROR_INVALID, "insecure registry %s should not contain '://'", text);
    if (prefix_parse(text, &prefix))
        return true;
    if (strchr(text, '/') || !*text || *text == '-' || text[strlen(text) - 1] == '-')
        return error_set(err, ERROR_INVALID, "insecure registry %s is not valid: invalid host \"%s\"", text, text);
    const char *colon = strrchr(text, ':');
    int64_t port;
    bool is_literal = *text == '[' || strchr(text, ':') != colon;
    if (colon && !is_literal && (!parse_int64(colon + 1, &port) || port < 1 || port > 65535))
        return error_set(err, ERROR_INVALID, "insecure registry %s is not valid: invalid port \"%s\"", text, colon + 1);
    return true;
}

bool mirror_check(const char *text, struct error *err)
{
    bool is_http = string_starts_with(text, "http://"), is_https = string_starts_with(text, "https://");
    if (!is_http && !is_https)
        return error_set(err, ERROR_INVALID,
                         "invalid mirror: no scheme specified for \"%s\": must use either 'https://' or 'http://'",
                         text);
    const char *host = strstr(text, "://") + 3;
    const char *rest = host + strcspn(host, "/?#");
    if (rest == host)
        return error_set(err, ERROR_INVALID, "invalid mirror: no host in \"%s\"", text);
    if (memchr(host, '@', (size_t)(rest - host)))
        return error_set(err, ERROR_INVALID, "invalid mirror: username/password not allowed in URI \"%s\"", text);
    if (strpbrk(rest, "?#"))
        return error_set(err, ERROR_INVALID, "invalid mirror: query or fragment at end of the URI \"%s\"", text);
    return true;
}

/* --- certificates --- */

static bool read_authority(const char *path, struct endpoint *endpoint, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, MAX_CERTIFICATE, &text, err))
        return false;
    strbuf_add(&endpoint->authorities, strbuf_text(&text), text.length);
    strbuf_add_char(&endpoint->authorities, '\n');
    return true;
}

/* A .cert needs a .key of the same name, and the other way round; *.crt are authorities (Docker's ReadCertsDirectory).
 */
static bool read_certificate(const char *directory, const char *name, struct endpoint *endpoint, struct error *err)
{
    _cleanup_free_ char *path = path_join(directory, name);
    size_t stem = strlen(name);
    if (string_ends_with(name, ".crt"))
        return read_authority(path, endpoint, err);
    bool is_certificate = string_ends_with(name, ".cert"), is_key = string_ends_with(name, ".key");
    if (!is_certificate && !is_key)
        return true;
    stem -= strlen(is_certificate ? ".cert" : ".key");
    _cleanup_free_ char *other = xasprintf("%s/%.*s%s", directory, (int)stem, name, is_certificate ? ".key" : ".cert");
    if (access(other, F_OK) < 0)
        return error_set(err, ERROR_INVALID,
                         is_certificate
                             ? "missing key %.*s.key for client certificate %s. CA certificates must use the "
                               "extension .crt"
                             : "missing client certificate %.*s.cert for key %s",
                         (int)stem, name, name);
    if (is_certificate && !endpoint->certificate) {
        endpoint->certificate = TAKE_PTR(path);
        endpoint->key = TAKE_PTR(other);
    }
    return true;
}

static bool read_certificates(const char *domain, struct endpoint *endpoint, struct error *err)
{
    _cleanup_free_ char *directory = path_join(CERTS_ROOT, domain);
    DIR *stream = opendir(directory);
    if (!stream)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES || error_errno(err, "open %s", directory);
    _cleanup_strlist_ struct strlist names = {0};
    for (struct dirent *entry; (entry = readdir(stream));)
        strlist_add(&names, entry->d_name);
    closedir(stream);
    strlist_sort(&names);
    for (size_t i = 0; i < names.count; i++)
        if (!read_certificate(directory, names.items[i], endpoint, err))
            return false;
    return true;
}

/* --- endpoints --- */

static bool add(struct endpoint_list *list, const char *scheme, const char *host, const char *domain, bool is_verified,
                struct error *err)
{
    struct endpoint *endpoint = APPEND(list->items, list->count);
    endpoint->url = xasprintf("%s://%s", scheme, host);
    endpoint->is_verified = is_verified;
    return strcmp(scheme, "https") != 0 || read_certificates(domain, endpoint, err);
}

bool endpoints_find(const struct strlist *insecure, const struct strlist *mirrors, const char *domain,
                    struct endpoint_list *out, struct error *err)
{
    _cleanup_endpoints_ struct endpoint_list list = {0};
    bool is_hub = strcmp(domain, HUB_DOMAIN) == 0;
    for (size_t i = 0; is_hub && mirrors && i < mirrors->count; i++) {
        const char *host = strstr(mirrors->items[i], "://") + 3;
        _cleanup_free_ char *scheme = xstrndup(mirrors->items[i], (size_t)(host - 3 - mirrors->items[i]));
        _cleanup_free_ char *rest = xstrdup(host);
        while (string_ends_with(rest, "/"))
            rest[strlen(rest) - 1] = '\0';
        _cleanup_free_ char *mirror_domain = xstrndup(rest, strcspn(rest, "/"));
        if (!add(&list, scheme, rest, mirror_domain, !registry_is_insecure(insecure, mirror_domain), err))
            return false;
    }
    bool is_insecure = registry_is_insecure(insecure, domain);
    const char *host = is_hub ? HUB_HOST : domain;
    if (!add(&list, "https", host, domain, !is_insecure, err) ||
        (is_insecure && !add(&list, "http", host, domain, true, err)))
        return false;
    *out = list;
    list = (struct endpoint_list){0};
    return true;
}
