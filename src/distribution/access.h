/* Who may do what: users of an htpasswd file, who may do everything, or tokens that say what their bearer may. */
#pragma once

#include "distribution/settings.h"
#include "http/server.h"

struct access;
/* *out is NULL where the settings ask for no authentication. */
bool access_open(const struct settings *settings, struct access **out, struct error *err);
void access_free(struct access *access);

/* What a request wants to do. */
struct demand {
    const char *type;    /* "repository" or "registry"; NULL: to know that one is known at all */
    const char *name;    /* of the repository; "catalog" */
    const char *actions; /* "pull", "pull,push", "delete", "*" */
};
/* NULL: it may. Else the value of WWW-Authenticate, which the caller frees. `access` may be NULL. */
char *access_refuses(struct access *access, struct http_exchange *exchange, const struct demand *demand);
