/* The one place where a role's rights are enforced: private to the room. */
#pragma once

#include "api/role.h"
#include "api/route.h"
#include "model/container.h"

/* May the call's role take this route with this query? Else ERROR_DENIED, and the message names the role;
   ERROR_NOT_FOUND where it is not to know of the container. A call that goes on is kept to the role's containers: its
   target becomes their full id, and its filters ask for their label. */
bool access_check(struct call *call, const struct route *route, struct error *err);
/* The body of an exec: a privileged one would own the host. */
bool access_check_exec(const struct call *call, const struct exec_request *request, struct error *err);
/* Takes out of an answer what its reader is not to see: values of environment variables wherever they stand, and the
   mount options of volumes, which may hold passwords. */
void access_conceal(const struct call *call, json_t *json);
