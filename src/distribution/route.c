#include "distribution/route.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

void route_release(struct route *route)
{
    free(route->name);
    free(route->last);
    *route = (struct route){0};
}

/* Cuts the last component off; NULL where there is no other before it. */
static char *cut(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    return slash + 1;
}

static enum route_kind kind_of(char *name, const char **last)
{
    *last = cut(name);
    char *verb = *last ? cut(name) : NULL;
    if (!verb)
        return ROUTE_NONE;
    if (strcmp(verb, "tags") == 0)
        return strcmp(*last, "list") == 0 ? ROUTE_TAGS : ROUTE_NONE;
    if (strcmp(verb, "manifests") == 0)
        return ROUTE_MANIFEST;
    if (strcmp(verb, "referrers") == 0)
        return ROUTE_REFERRERS;
    if (strcmp(verb, "blobs") == 0)
        return strcmp(*last, "uploads") == 0 ? ROUTE_UPLOADS : ROUTE_BLOB;
    if (strcmp(verb, "uploads") != 0)
        return ROUTE_NONE;
    const char *blobs = cut(name);
    if (!blobs || strcmp(blobs, "blobs") != 0)
        return ROUTE_NONE;
    return **last ? ROUTE_UPLOAD : ROUTE_UPLOADS;
}

void route_parse(const char *path, struct route *out)
{
    *out = (struct route){0};
    if (strcmp(path, "/") == 0)
        out->kind = ROUTE_PAGE;
    else if (strcmp(path, "/v2/") == 0 || strcmp(path, "/v2") == 0)
        out->kind = ROUTE_BASE;
    else if (strcmp(path, "/v2/_catalog") == 0)
        out->kind = ROUTE_CATALOG;
    if (out->kind || !string_starts_with(path, "/v2/"))
        return;
    _cleanup_free_ char *name = xstrdup(path + strlen("/v2/"));
    const char *last = NULL;
    out->kind = kind_of(name, &last);
    if (!out->kind)
        return;
    out->name = xstrdup(name);
    if (out->kind != ROUTE_TAGS && out->kind != ROUTE_UPLOADS)
        out->last = xstrdup(last);
}
