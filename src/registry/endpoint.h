/* Where a registry is asked: from the domain of a reference to base URLs, in the order in which they are tried. */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"
#include "base/text.h"

struct endpoint {
    char *url; /* "https://registry-1.docker.io", without a '/' at its end */
    bool is_verified;
    struct strbuf authorities; /* PEM, from certs.d */
    char *certificate, *key;   /* paths, or NULL */
};
void endpoint_release(struct endpoint *endpoint);

struct endpoint_list {
    struct endpoint *items;
    size_t count;
};
void endpoint_list_release(struct endpoint_list *list);
#define _cleanup_endpoints_ _cleanup_(endpoint_list_release)

/* Is this registry (a reference's domain) one that need not prove who it is, and may speak plain HTTP? */
bool registry_is_insecure(const struct strlist *insecure, const char *domain);
/* `mirrors` stand before docker.io's own. Certificates come from /etc/docker/certs.d/<domain>/. */
bool endpoints_find(const struct strlist *insecure, const struct strlist *mirrors, const char *domain,
                    struct endpoint_list *out, struct error *err);
/* "10.0.0.0/8" or "host:5000", as Docker accepts it. */
bool insecure_registry_check(const char *text, struct error *err);
bool mirror_check(const char *text, struct error *err);
