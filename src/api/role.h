/* What a listener's clients may do (docs/roles.md). */
#pragma once

#include "base/error.h"

/* The tag of a listener (http_server_set_listener); NULL: its clients may do everything. */
struct role {
    bool is_read_only;
    char *label; /* of the containers it is for, "key" or "key=value"; NULL: of all */
};
/* `label` ("key" or "key=value") is that of the containers that the clients are kept to, or NULL. ERROR_INVALID where
   it cannot be one. *out is NULL where nothing is limited, else freed by role_free once no exchange carries it. */
bool role_new(bool is_read_only, const char *label, struct role **out, struct error *err);
void role_free(struct role *role);
/* As the log shows it: " (role read, label team=a)", or "". The caller frees. */
char *role_describe(const struct role *role);
