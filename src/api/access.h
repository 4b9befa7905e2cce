/* The one place where a role's rights are enforced: private to the room. */
#pragma once

#include "api/route.h"

struct role {
    const char *name;
};

/* May the call's role take this route with this query? Else ERROR_DENIED, and the message names the role. */
bool access_check(const struct call *call, const struct route *route, struct error *err);
/* Takes out of an answer what its reader is not to see: values of environment variables wherever they stand, and the
   mount options of volumes, which may hold passwords. */
void access_conceal(const struct call *call, json_t *json);
