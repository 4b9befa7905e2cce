/* Where a request goes: the paths of the distribution specification (OCI distribution-spec 1.1, "Endpoints"). Names may
   have components that are called "blobs" or "tags" themselves, so a path is read from its end. */
#pragma once

#include <stdbool.h>

enum route_kind {
    ROUTE_NONE,
    ROUTE_PAGE,      /* / */
    ROUTE_BASE,      /* /v2/ */
    ROUTE_CATALOG,   /* /v2/_catalog */
    ROUTE_TAGS,      /* /v2/<name>/tags/list */
    ROUTE_MANIFEST,  /* /v2/<name>/manifests/<tag or digest> */
    ROUTE_BLOB,      /* /v2/<name>/blobs/<digest> */
    ROUTE_UPLOADS,   /* /v2/<name>/blobs/uploads/ */
    ROUTE_UPLOAD,    /* /v2/<name>/blobs/uploads/<id> */
    ROUTE_REFERRERS, /* /v2/<name>/referrers/<digest> */
};

struct route {
    enum route_kind kind;
    char *name; /* of the repository, unchecked; NULL where the path has none */
    char *last; /* tag, digest or upload id, unchecked; NULL where the path has none */
};
void route_release(struct route *route);
#define _cleanup_route_ _cleanup_(route_release)
/* `path` is decoded. What fits no path is ROUTE_NONE. */
void route_parse(const char *path, struct route *out);
